"""What programs handle: tensors, variables, dtypes, shapes, structures, errors."""
