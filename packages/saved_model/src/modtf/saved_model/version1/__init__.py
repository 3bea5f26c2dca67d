"""Models of TensorFlow 1: a graph with names for what to feed and what to fetch, and no objects."""
