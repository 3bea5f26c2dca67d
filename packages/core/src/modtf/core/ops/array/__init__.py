"""Tensors whose elements move and do not change: where they come from, shapes, slices, joining, gathering."""
