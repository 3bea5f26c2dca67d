"""TensorFlow's messages, under a name of our own so that TensorFlow may be imported into the same process."""
