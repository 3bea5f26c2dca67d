"""Matrices: systems of equations, decompositions, functions, diagonals; Fourier transforms."""
