"""Sparse tensors, as coordinates, values and a shape."""
