"""Checkpoints: the values of the objects of a program, by the names that lead to them."""
