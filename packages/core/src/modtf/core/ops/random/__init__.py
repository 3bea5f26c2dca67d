"""Random numbers: TensorFlow's, from the same seeds, on every backend."""
