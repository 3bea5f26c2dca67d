"""Linear systems: solutions, what TensorFlow says of singular matrices, and the gradients that goldens do not tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import errors

_A = np.array([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 2]])
_B = np.array([[1.0, 2], [0, -1], [3, 1]])
_COMPLEX = _A + 1j * np.array([[0, 1, -0.5], [-1, 0, 0.25], [0.5, -0.25, 0]])
_TALL = np.array([[1.0, 2, 0], [0, 1, -1], [2, 0, 1], [1, 1, 1]])


def close(given: Any, expected: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), tolerance, tolerance)


def check_gradient(function: Callable[..., Any], *arrays: np.ndarray) -> None:
    """Compares the gradient of the result's weighted sum with finite differences, along random directions.

    Complex inputs are moved along their real and imaginary parts; the gradient is conjugated, as TensorFlow has it.
    """
    rng = np.random.default_rng(0)

    def total(*values: np.ndarray) -> Any:
        tensors = [tf.constant(value) for value in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = function(*tensors)
            weights = np.cos(np.arange(np.prod(result.shape))).reshape(result.shape)
            parts = [tf.math.real(result), tf.math.imag(result)] if result.dtype.is_complex else [result]
            value = tf.add_n([tf.reduce_sum(part * weights) for part in parts])
        return float(value), tape.gradient(value, tensors)

    gradients = total(*arrays)[1]
    for index, gradient in enumerate(gradients):
        direction = rng.normal(size=arrays[index].shape)
        if np.iscomplexobj(arrays[index]):
            direction = direction + 1j * rng.normal(size=direction.shape)
        moved = [
            total(*(array + step * direction if place == index else array for place, array in enumerate(arrays)))[0]
            for step in (1e-5, -1e-5)
        ]
        slope = np.sum(np.real(np.conj(gradient.numpy()) * direction))
        close(slope, (moved[0] - moved[1]) / 2e-5, 1e-5)


def test_solutions_solve() -> None:
    for a in (_A, _COMPLEX):
        b = _B.astype(a.dtype)
        close(a @ tf.linalg.solve(a, b).numpy(), b)
        close(a.conj().T @ tf.linalg.solve(a, b, adjoint=True).numpy(), b)
        close(a @ tf.linalg.inv(a).numpy(), np.eye(3))
        close(tf.linalg.cholesky_solve(tf.linalg.cholesky(_A), _B), np.linalg.solve(_A, _B))
        close(tf.linalg.lu_solve(*tf.linalg.lu(a), b), np.linalg.solve(a, b))
        close(tf.linalg.lu_matrix_inverse(*tf.linalg.lu(a)), np.linalg.inv(a))
        close(tf.linalg.lu_reconstruct(*tf.linalg.lu(a)), a)


@pytest.mark.parametrize("size", [3, 64, 65, 200])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_triangular_systems_of_all_sizes(size: int, lower: bool, adjoint: bool) -> None:
    rng = np.random.default_rng(size)
    a = rng.normal(size=(2, size, size)) / size + 2 * np.eye(size) + 1j * rng.normal(size=(size, size)) / size
    triangle = np.tril(a) if lower else np.triu(a)
    rhs = rng.normal(size=(size, 2)) + 0j
    solution = tf.linalg.triangular_solve(a, rhs, lower=lower, adjoint=adjoint).numpy()
    taken = triangle.conj().swapaxes(-1, -2) if adjoint else triangle
    close(taken @ solution, np.broadcast_to(rhs, solution.shape))


def test_singular_matrices() -> None:
    singular = np.array([[1.0, 2], [2, 4]])
    for name, says in (("inv", "Input is not invertible"), ("lu", "Input is not invertible")):
        with pytest.raises(errors.InvalidArgumentError, match=says):
            getattr(tf.linalg, name)(singular)
    with pytest.raises(errors.InvalidArgumentError, match="Input matrix is not invertible"):
        tf.linalg.solve(singular, np.ones((2, 1)))
    with pytest.raises(errors.InvalidArgumentError, match="rank deficient"):
        tf.linalg.lstsq(np.ones((4, 3)), np.ones((4, 1)))
    close(tf.linalg.lstsq(np.ones((4, 3)), np.ones((4, 1)), fast=False), np.full((3, 1), 1 / 3))
    assert tf.linalg.det(singular).numpy() == 0
    sign, logarithm = tf.linalg.slogdet(singular)
    assert sign.numpy() == 0
    assert logarithm.numpy() == -np.inf
    result = tf.linalg.triangular_solve([[0.0, 0], [1, 2]], [[1.0], [4]]).numpy()
    assert np.isinf(result[0, 0])
    assert np.isnan(tf.linalg.tridiagonal_solve(np.ones((3, 2)), [1.0, 2.0]).numpy()).all()


def test_a_batch_is_refused_for_one_singular_matrix_only_where_tensorflow_does() -> None:
    batch = np.stack([_A, -_A])
    factors = tf.linalg.cholesky(batch).numpy()
    close(factors[0], np.linalg.cholesky(_A))
    assert np.isnan(factors[1][np.tril_indices(3)]).all()
    assert (factors[1][np.triu_indices(3, 1)] == 0).all()


def test_least_squares_and_pseudo_inverses() -> None:
    rhs = np.arange(8.0).reshape(4, 2)
    close(tf.linalg.lstsq(_TALL, rhs), np.linalg.lstsq(_TALL, rhs, rcond=None)[0])
    close(tf.linalg.lstsq(_TALL.T, rhs[:3]), np.linalg.lstsq(_TALL.T, rhs[:3], rcond=None)[0])
    ridge = np.linalg.solve(_TALL.T @ _TALL + 0.5 * np.eye(3), _TALL.T @ rhs)
    close(tf.linalg.lstsq(_TALL, rhs, l2_regularizer=0.5), ridge)
    close(tf.linalg.pinv(_TALL), np.linalg.pinv(_TALL))
    close(tf.linalg.pinv(np.ones((2, 3))), np.full((3, 2), 1 / 6))
    assert tf.linalg.matrix_rank(np.stack([np.eye(3), np.ones((3, 3)), np.zeros((3, 3))])).numpy().tolist() == [3, 1, 0]


@pytest.mark.parametrize("format", ["compact", "sequence", "matrix"])
def test_formats_of_tridiagonal_matrices(format: str) -> None:
    above, main, below = np.array([1.0, 2, 0]), np.array([4.0, 5, 6]), np.array([0.0, -1, 3])
    matrix = np.diag(main) + np.diag(above[:2], 1) + np.diag(below[1:], -1)
    given: Any = {"compact": np.stack([above, main, below]), "sequence": (above[:2], main, below[1:]), "matrix": matrix}
    close(matrix @ tf.linalg.tridiagonal_solve(given[format], _B, diagonals_format=format).numpy(), _B)
    close(matrix @ tf.linalg.tridiagonal_solve(given[format], _B[:, 0], diagonals_format=format).numpy(), _B[:, 0])
    close(tf.linalg.tridiagonal_matmul(given[format], _B, diagonals_format=format), matrix @ _B)


def test_mistakes_of_tridiagonal_systems() -> None:
    with pytest.raises(ValueError, match="partial_pivoting"):
        tf.linalg.tridiagonal_solve(np.ones((3, 3)), np.ones(3), partial_pivoting=False, perturb_singular=True)
    with pytest.raises(ValueError, match="Unrecognized diagonals_format"):
        tf.linalg.tridiagonal_solve(np.ones((3, 3)), np.ones(3), diagonals_format="rows")
    with pytest.raises(ValueError, match="Expected 3 diagonals"):
        tf.linalg.tridiagonal_matmul(np.ones((2, 3)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="length 3 or one less"):
        tf.linalg.tridiagonal_matmul((np.ones(1), np.ones(3), np.ones(3)), np.ones((3, 1)), diagonals_format="sequence")


@pytest.mark.parametrize("lower", [True, False])
def test_banded_systems(lower: bool) -> None:
    bands = np.array([[3.0, 4, 5, 6], [0, 1, 2, 3]] if lower else [[1.0, 2, 3, 0], [3, 4, 5, 6]])
    matrix = np.diag([3.0, 4, 5, 6]) + np.diag([1.0, 2, 3], -1 if lower else 1)
    rhs = np.arange(8.0).reshape(4, 2)
    close(matrix @ tf.linalg.banded_triangular_solve(bands, rhs, lower=lower).numpy(), rhs)
    close(matrix.T @ tf.linalg.banded_triangular_solve(bands, rhs, lower=lower, adjoint=True).numpy(), rhs)


def test_complex_gradients() -> None:
    """Those in which TensorFlow's lack conjugates."""
    rhs = _B + 1j * _B[::-1]
    diagonals = np.array([[1.0, 2, 0], [5, 6, 7], [0, 1, 2]]) + 0.5j
    check_gradient(tf.linalg.det, _COMPLEX)
    check_gradient(tf.linalg.tridiagonal_solve, diagonals, rhs)
    tall = _TALL + 1j * _TALL[::-1]
    check_gradient(tf.linalg.lstsq, tall, np.arange(8.0).reshape(4, 2) + 1j)
    check_gradient(lambda a, b: tf.linalg.lstsq(a, b, 0.3), np.conj(tall.T), rhs)
    check_gradient(lambda a, b: tf.linalg.lstsq(a, b, fast=False), tall, np.arange(8.0).reshape(4, 2) + 1j)
    check_gradient(lambda a, b: tf.linalg.solve(a, b, adjoint=True), _COMPLEX, rhs)


def test_gradient_of_one_band() -> None:
    check_gradient(tf.linalg.banded_triangular_solve, np.array([[2.0, 1, 4]]), _B)


def test_log_determinants() -> None:
    close(tf.linalg.logdet(_A), np.log(np.linalg.det(_A)))
    sign, logarithm = tf.linalg.slogdet(-_A)
    close(sign, -1)
    close(logarithm, np.log(np.linalg.det(_A)))


def test_norms_of_matrices() -> None:
    close(tf.linalg.norm(_TALL, ord=2, axis=(0, 1)), np.linalg.norm(_TALL, 2))
    batch = np.stack([_A, _A[::-1]], axis=1)
    expected = [np.linalg.norm(batch[:, index], 2) for index in range(2)]
    close(tf.linalg.norm(batch, ord=2, axis=(0, 2)), expected)
    assert tf.linalg.norm(batch, ord=2, axis=(0, 2), keepdims=True).shape == (1, 2, 1)
    assert tf.linalg.norm(_COMPLEX, ord=2, axis=(0, 1)).dtype == tf.float64
