"""Decompositions: that the parts make the whole, whatever their signs, and gradients of what does not depend on those.

The gradients are TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

_A = np.array([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 2]])
_TALL = np.array([[1.0, 2, 0], [0, 1, -1], [2, 0, 1], [1, 1, 1]])
_WEIGHTS = np.array([[1.0, -2, 3], [0.5, 1, -1], [2, 0, 1]])
_SHAPES = [(3, 3), (4, 3), (3, 4), (2, 5, 2), (0, 3), (3, 0), (2, 0, 4)]


def close(given: Any, expected: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), tolerance, tolerance)


def matrices(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else values).astype(dtype)


def adjoint(a: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(a, -1, -2))


_DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])


def tolerance_of(dtype: str) -> float:
    return 2e-5 if dtype in ("float32", "complex64") else 1e-12


@_DTYPES
@pytest.mark.parametrize("shape", _SHAPES, ids=str)
@pytest.mark.parametrize("full_matrices", [False, True])
def test_singular_values(shape: tuple[int, ...], dtype: str, full_matrices: bool) -> None:
    a, near = matrices(shape, dtype), tolerance_of(dtype)
    s, u, v = (part.numpy() for part in tf.linalg.svd(a, full_matrices=full_matrices))
    assert s.dtype == a.real.dtype
    assert u.dtype == v.dtype == a.dtype
    least = min(shape[-2:])
    close(u[..., :least] * s[..., None, :] @ adjoint(v[..., :least]), a, near)
    close(adjoint(u) @ u, np.broadcast_to(np.eye(u.shape[-1]), (*shape[:-2], u.shape[-1], u.shape[-1])), near)
    close(adjoint(v) @ v, np.broadcast_to(np.eye(v.shape[-1]), (*shape[:-2], v.shape[-1], v.shape[-1])), near)
    assert u.shape[-1] == (shape[-2] if full_matrices else least)
    close(tf.linalg.svd(a, compute_uv=False), s, near)


@_DTYPES
@pytest.mark.parametrize("shape", _SHAPES, ids=str)
@pytest.mark.parametrize("full_matrices", [False, True])
def test_qr(shape: tuple[int, ...], dtype: str, full_matrices: bool) -> None:
    a, near = matrices(shape, dtype), tolerance_of(dtype)
    q, r = (part.numpy() for part in tf.linalg.qr(a, full_matrices=full_matrices))
    close(q @ r, a, near)
    close(adjoint(q) @ q, np.broadcast_to(np.eye(q.shape[-1]), (*shape[:-2], q.shape[-1], q.shape[-1])), near)
    assert (np.tril(r, -1) == 0).all()


@_DTYPES
def test_eigenvalues(dtype: str) -> None:
    a, near = matrices((2, 4, 4), dtype), 20 * tolerance_of(dtype)
    e, v = (part.numpy() for part in tf.linalg.eig(a))
    assert e.dtype == v.dtype == np.result_type(a, np.complex64)
    close(a @ v, v * e[..., None, :], near)
    close(np.linalg.norm(v, axis=-2), np.ones((2, 4)), near)
    close(np.sort(tf.linalg.eigvals(a).numpy()), np.sort(e), near)
    hermitian = a + adjoint(a)
    e, v = (part.numpy() for part in tf.linalg.eigh(hermitian))
    assert e.dtype == a.dtype
    close(v * e[..., None, :] @ adjoint(v), hermitian, near)
    close(tf.linalg.eigvalsh(hermitian), e, near)
    close(np.diff(e.real) >= 0, True)


def test_only_the_lower_triangle_counts() -> None:
    other = np.tril(_A) + 99 * np.triu(np.ones((3, 3)), 1)
    close(tf.linalg.eigvalsh(other), np.linalg.eigvalsh(_A))
    close(tf.linalg.cholesky(other), np.linalg.cholesky(_A))


def test_singular_values_of_what_is_no_number() -> None:
    batch = np.stack([_A, np.full((3, 3), np.nan)])
    sizes = tf.linalg.svd(batch, compute_uv=True)[0].numpy()
    close(sizes[0], np.linalg.svd(_A, compute_uv=False))
    assert np.isnan(sizes[1]).all()


def test_tridiagonal_eigenvalues() -> None:
    main, above = np.array([1.0, -2, 3, 0.5]), np.array([1.0, 2j, 1 - 1j])
    matrix = np.diag(main) + np.diag(above, 1) + np.diag(above.conj(), -1)
    expected = np.linalg.eigvalsh(matrix)
    values, vectors = tf.linalg.eigh_tridiagonal(main + 0j, above, eigvals_only=False)
    close(values, expected)
    close(matrix @ vectors.numpy(), vectors.numpy() * expected)
    close(tf.linalg.eigh_tridiagonal(main + 0j, above, select="i", select_range=(1, 2)), expected[1:3])
    close(
        tf.linalg.eigh_tridiagonal(main + 0j, above, select="v", select_range=(-1, 2)),
        [x for x in expected if -1 < x <= 2],
    )
    with pytest.raises(ValueError, match="must be 'a', 'i' or 'v'"):
        tf.linalg.eigh_tridiagonal(main, above.real, select="x")
    with pytest.raises(ValueError, match="same type"):
        tf.linalg.eigh_tridiagonal(main, above)


def _from_svd(a: Any) -> Any:
    s, u, v = tf.linalg.svd(a)
    return tf.linalg.matmul(u * tf.exp(s), v, adjoint_b=True)[:3]


def _from_eigh(a: Any) -> Any:
    e, v = tf.linalg.eigh(a)
    return tf.linalg.matmul(v * tf.exp(e / 4.0), v, adjoint_b=True)


_GRADIENTS: dict[str, tuple[Callable[[Any], Any], np.ndarray, list[list[float]]]] = {
    "svd": (
        _from_svd, _TALL,
        [
            [14.984567385878, -13.074543121962, 21.50820549388], [-0.885454580734, -0.268036913667, -2.664648210827],
            [30.335875747022, 8.348174696436, 18.796365857072], [12.891752165841, 0.075557009317, 9.702980608206],
        ],
    ),
    "eigh": (
        _from_eigh, _A,
        [
            [0.739314766497, 0.0, 0.0], [-0.983042135951, 0.488600852832, 0.0],
            [2.879327385428, -0.432620752966, 0.616546015487],
        ],
    ),
    "expm": (
        tf.linalg.expm, _A / 2,
        [
            [8.355307888945, -13.073058106225, 17.218673086216], [3.237527949909, 3.633929772777, -1.831991639203],
            [10.335655556819, -0.629706636416, 5.80504545207],
        ],
    ),
    "pinv": (
        lambda a: tf.linalg.pinv(a)[:, :3], _TALL,
        [
            [0.388888888889, -0.333333333333, 0.055555555556], [-0.277777777778, 0.611111111111, -0.277777777778],
            [-0.777777777778, 0.722222222222, -0.444444444444], [-0.166666666667, -0.444444444444, 0.5],
        ],
    ),
}  # fmt: skip
"""For each a function, where it is differentiated, and TensorFlow's gradient of the weighted sum of its result."""


@pytest.mark.parametrize("name", _GRADIENTS)
@pytest.mark.parametrize("sizes", ["known", "unknown", "at once"])
def test_gradients(name: str, sizes: str) -> None:
    function, point, expected = _GRADIENTS[name]

    def gradient(a: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = tf.reduce_sum(function(a) * _WEIGHTS)
        return tape.gradient(value, a)

    if sizes != "at once":
        dims = point.shape if sizes == "known" else [None, None]
        gradient = tf.function(gradient, input_signature=[tf.TensorSpec(dims, tf.float64)])
    close(gradient(tf.constant(point)), expected)


def test_gradient_of_eigenvalues() -> None:
    a = tf.constant(_A + np.triu(_WEIGHTS))
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = tf.math.real(tf.reduce_sum(tf.linalg.eig(a)[0] ** 3))
    close(value, 265.5)
    close(tape.gradient(value, a), [[77.25, 24.0, 9.0], [-37.5, 51.0, -22.5], [90.0, -31.5, 38.25]])


def test_gradients_that_are_not_there() -> None:
    a = tf.constant(np.ones((4, 2)))
    for function in (tf.linalg.qr, tf.linalg.svd):
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = tf.reduce_sum(function(a, full_matrices=True)[1])
        with pytest.raises(NotImplementedError, match="There is no gradient of a full"):
            tape.gradient(value, a)


# ------------------------------------------------------------------------------------------------- functions of matrices


def test_exponentials() -> None:
    close(tf.linalg.expm(np.zeros((2, 3, 3))), np.broadcast_to(np.eye(3), (2, 3, 3)))
    turn = np.array([[0.0, -1], [1, 0]])
    for angle in (0.1, 1.0, 30.0, 1000.0):
        expected = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        close(tf.linalg.expm(angle * turn), expected)
        close(tf.raw_ops.MatrixExponential(input=angle * turn), expected)
    mixed = tf.linalg.expm(np.stack([np.diag([1.0, 2]), np.full((2, 2), np.inf), np.diag([100.0, -700])])).numpy()
    close(mixed[0], np.diag(np.exp([1.0, 2])))
    assert np.isnan(mixed[1]).all()
    close(mixed[2] / np.exp(100.0), np.diag([1.0, 0]))
    assert tf.linalg.expm(np.zeros((0, 0))).shape == (0, 0)
    with pytest.raises(ValueError, match="square matrices"):
        tf.linalg.expm([1.0])


def test_exponential_in_a_function_of_unknown_sizes() -> None:
    traced = tf.function(tf.linalg.expm, input_signature=[tf.TensorSpec(None, tf.float64)])
    for scale in (0.1, 5.0, 40.0):
        a = np.stack([_A * scale, -_A])
        close(traced(a), tf.linalg.expm(a).numpy(), 1e-8)


def test_roots_and_logarithms() -> None:
    pytest.importorskip("scipy")
    root = tf.linalg.sqrtm(_A).numpy()
    close(root @ root, _A)
    assert np.isnan(tf.linalg.sqrtm(-np.eye(2)).numpy()).all()
    close(tf.linalg.logm(tf.linalg.expm(_A + 0j)), _A, 1e-8)
    assert np.isnan(tf.linalg.logm(np.diag([1.0, 0]) + 0j).numpy()).all()
