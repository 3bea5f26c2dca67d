"""Variables: reading, assigning, updating in part, the steps of optimizers."""
