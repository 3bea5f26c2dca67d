"""Ragged tensors, as flat values and row splits."""
