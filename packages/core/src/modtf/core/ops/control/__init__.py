"""What decides about running: conditionals and loops, their lists of tensors, datasets' iterators, checks, calls of Python."""
