"""The backend contract, the NumPy backend, and choosing one."""
