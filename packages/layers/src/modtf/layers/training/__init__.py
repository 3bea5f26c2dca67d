"""How models are trained: what `compile` is given, the compiled steps, and the loops over data."""
