"""Arithmetic: element by element, over axes, by segments; special functions."""
