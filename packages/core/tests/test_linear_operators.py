"""Linear operators: each does what the dense matrix does that it stands for, in fewer steps.

The dense matrices are written out here by NumPy from the definition of each kind.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest
from numpy.linalg import cond, det, inv

from modtf import core as tf

L = tf.linalg
RNG = np.random.default_rng(7)


def close(given: Any, expected: Any, tolerance: float = 1e-8) -> None:
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), tolerance, tolerance)


def adjoint(a: Any) -> np.ndarray:
    return np.conj(np.swapaxes(a, -1, -2))


# ------------------------------------------------------------------------------------------------- each kind, and its matrix


def block_matrix(blocks: list[list[np.ndarray | None]], sizes: list[int], batch: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros((*batch, sum(sizes), sum(sizes)), blocks[0][0].dtype)
    ends = np.cumsum([0, *sizes])
    for (i, row), j in itertools.product(enumerate(blocks), range(len(sizes))):
        if j < len(row) and row[j] is not None:
            whole[..., ends[i] : ends[i + 1], ends[j] : ends[j + 1]] = row[j]
    return whole


def kron(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product = np.einsum("...ij,...kl->...ikjl", a, b)
    return product.reshape(*product.shape[:-4], a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1])


def diagonal(d: np.ndarray) -> np.ndarray:
    return d[..., None] * np.eye(d.shape[-1], dtype=d.dtype)


def toeplitz(col: np.ndarray, row: np.ndarray) -> np.ndarray:
    n = col.shape[-1]
    made = np.empty((*col.shape, n), col.dtype)
    for i, j in itertools.product(range(n), repeat=2):
        made[..., i, j] = col[..., i - j] if i >= j else row[..., j - i]
    return made


def convolution(kernel: np.ndarray, depth: int) -> np.ndarray:
    """The matrix that convolves arrays of the kernel's shape with it, circularly."""
    sizes = kernel.shape[-depth:]
    places = list(np.ndindex(*sizes))
    made = np.empty((*kernel.shape[:-depth], len(places), len(places)), kernel.dtype)
    for (i, p), (j, q) in itertools.product(enumerate(places), repeat=2):
        made[..., i, j] = kernel[(..., *((a - b) % n for a, b, n in zip(p, q, sizes)))]
    return made


@functools.cache
def kinds(dtype: Any, batch: tuple[int, ...]) -> dict[str, tuple[Any, np.ndarray]]:
    """An operator of each kind with 4 rows, beside its matrix."""

    def some(*shape: int) -> np.ndarray:
        values = RNG.normal(size=(*batch, *shape))
        return (values + 1j * RNG.normal(size=values.shape) if np.dtype(dtype).kind == "c" else values).astype(dtype)

    def regular(n: int) -> np.ndarray:
        return some(n, n) + 4 * np.eye(n, dtype=dtype)

    def of(matrix: np.ndarray, **hints: Any) -> Any:
        return L.LinearOperatorFullMatrix(matrix, **hints)

    a, b, small, other = regular(4), regular(4), regular(2), regular(2)
    root = regular(4)
    definite = root @ adjoint(root)
    d = some(4) + 3
    positive = np.abs(some(4)).astype(dtype) + 1
    u, v, update = some(4, 2), some(4, 2), np.abs(some(2)).astype(dtype) + 1
    col, row = some(4), some(4)
    col[..., 0] += 5
    axis = some(4)
    unit = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    perm = RNG.permuted(np.broadcast_to(np.arange(4, dtype=np.int32), (*batch, 4)), axis=-1)
    three = some(3, 4)
    three[..., 1, :] += 5
    tridiagonal = (
        diagonal(three[..., 1, :])
        + np.roll(diagonal(np.append(three[..., 0, :-1], 0 * col[..., :1], -1)), 1, -1)
        + np.roll(diagonal(np.append(0 * col[..., :1], three[..., 2, 1:], -1)), -1, -1)
    )
    identity = np.broadcast_to(np.eye(4, dtype=dtype), (*batch, 4, 4))
    kernels = {depth: some(*sizes) for depth, sizes in {1: (4,), 2: (2, 2), 3: (2, 1, 2)}.items()}
    for depth, kernel in kernels.items():
        kernel[(..., *[0] * depth)] += 5
    spectra = {depth: np.fft.fftn(kernel, axes=range(-depth, 0)) for depth, kernel in kernels.items()}
    made = {
        "full": (of(a), a),
        "definite": (of(definite, is_self_adjoint=True, is_positive_definite=True), definite),
        "diag": (L.LinearOperatorDiag(d), diagonal(d)),
        "identity": (L.LinearOperatorIdentity(4, batch or None, dtype), identity),
        "scaled": (L.LinearOperatorScaledIdentity(4, d[..., 0]), d[..., :1, None] * identity),
        "lower": (L.LinearOperatorLowerTriangular(a), np.tril(a)),
        "product": (L.LinearOperatorComposition([of(a), of(b)]), a @ b),
        "adjoint": (L.LinearOperatorAdjoint(of(a)), adjoint(a)),
        "inverse": (L.LinearOperatorInversion(of(a)), inv(a)),
        "blocks": (
            L.LinearOperatorBlockDiag([of(small), L.LinearOperatorDiag(d[..., :2])]),
            block_matrix([[small], [None, diagonal(d[..., :2])]], [2, 2], batch),
        ),
        "lower blocks": (
            L.LinearOperatorBlockLowerTriangular([[of(small)], [of(u[..., :2, :]), of(other)]]),
            block_matrix([[small], [u[..., :2, :], other]], [2, 2], batch),
        ),
        "kronecker": (L.LinearOperatorKronecker([of(small), of(other)]), kron(small, other)),
        "update": (
            L.LinearOperatorLowRankUpdate(L.LinearOperatorDiag(d + 5), u, update, v),
            diagonal(d + 5) + u * update[..., None, :] @ adjoint(v),
        ),
        "definite update": (
            L.LinearOperatorLowRankUpdate(
                L.LinearOperatorDiag(positive, is_self_adjoint=True, is_positive_definite=True), u,
                is_self_adjoint=True,
            ),
            diagonal(positive) + u @ adjoint(u),
        ),
        "toeplitz": (L.LinearOperatorToeplitz(col, row), toeplitz(col, row)),
        "householder": (
            L.LinearOperatorHouseholder(axis),
            np.eye(4) - 2 * unit[..., None] * np.conj(unit[..., None, :]),
        ),
        "permutation": (L.LinearOperatorPermutation(perm, dtype), np.eye(4, dtype=dtype)[perm]),
        "tridiagonal": (L.LinearOperatorTridiag(three), tridiagonal),
        "three diagonals": (L.LinearOperatorTridiag(list(np.moveaxis(three, -2, 0)), "sequence"), tridiagonal),
        "tridiagonal matrix": (L.LinearOperatorTridiag(tridiagonal, "matrix"), tridiagonal),
    }  # fmt: skip
    circulants = (L.LinearOperatorCirculant, L.LinearOperatorCirculant2D, L.LinearOperatorCirculant3D)
    for depth, kind in enumerate(circulants, 1):
        made[f"circulant {depth}"] = (kind(spectra[depth], dtype), convolution(kernels[depth], depth))
    return made


NAMES = sorted(kinds(np.float64, ()))
SETTINGS = [(np.float64, ()), (np.float64, (2, 1)), (np.complex128, ()), (np.complex128, (3,))]


def setting(value: tuple[Any, tuple[int, ...]]) -> str:
    return f"{np.dtype(value[0]).name}{list(value[1])}"


@pytest.fixture(params=SETTINGS, ids=setting)
def settings(request: Any) -> Any:
    return request.param


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_the_matrix(name, settings):
    operator, matrix = kinds(*settings)[name]
    assert operator.shape == matrix.shape
    assert operator.dtype == matrix.dtype
    assert (operator.tensor_rank, operator.domain_dimension, operator.range_dimension) == (matrix.ndim, 4, 4)
    assert operator.batch_shape == matrix.shape[:-2]
    np.testing.assert_array_equal(operator.shape_tensor(), matrix.shape)
    np.testing.assert_array_equal(operator.batch_shape_tensor(), matrix.shape[:-2])
    close(operator.to_dense(), matrix)
    close(operator.diag_part(), np.diagonal(matrix, axis1=-2, axis2=-1))
    close(operator.trace(), np.trace(matrix, axis1=-2, axis2=-1))
    close(operator.determinant(), det(matrix), 1e-6)
    close(operator.log_abs_determinant(), np.log(np.abs(det(matrix))), 1e-6)
    close(operator.cond(), cond(matrix), 1e-6)
    close(operator.add_to_tensor(np.ones_like(matrix)), matrix + 1)
    if operator.is_self_adjoint:
        close(np.sort(np.real(operator.eigvals())), np.linalg.eigvalsh(matrix), 1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("is_adjoint", "of_adjoint"), list(itertools.product((False, True), repeat=2)))
def test_it_multiplies_and_solves_as_the_matrix(name, is_adjoint, of_adjoint, settings):
    operator, matrix = kinds(*settings)[name]
    wanted = adjoint(matrix) if is_adjoint else matrix
    rng = np.random.default_rng(3)
    for shape in ((4, 2), (*settings[1], 4, 2), (2, *[1] * len(settings[1]), 4, 3)):
        x = rng.normal(size=shape).astype(settings[0])
        given = adjoint(x) if of_adjoint else x
        close(operator.matmul(given, is_adjoint, of_adjoint), wanted @ x)
        close(operator.solve(given, is_adjoint, of_adjoint), inv(wanted) @ x, 1e-6)
    vector = rng.normal(size=(*settings[1], 4)).astype(settings[0])
    close(operator.matvec(vector, is_adjoint), (wanted @ vector[..., None])[..., 0])
    close(operator.solvevec(vector, is_adjoint), (inv(wanted) @ vector[..., None])[..., 0], 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_operators_made_of_it(name, settings):
    operator, matrix = kinds(*settings)[name]
    close(operator.adjoint().to_dense(), adjoint(matrix))
    close(operator.H.to_dense(), adjoint(matrix))
    close(operator.inverse().to_dense(), inv(matrix), 1e-6)
    if operator.is_self_adjoint and operator.is_positive_definite:
        close(operator.cholesky().to_dense(), np.linalg.cholesky(matrix), 1e-6)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(NAMES, repeat=2)))
def test_products_of_two(left, right):
    (a, dense_a), (b, dense_b) = kinds(np.float64, ())[left], kinds(np.float64, ())[right]
    close((a @ b).to_dense(), dense_a @ dense_b)
    close(a.solve(b).to_dense(), inv(dense_a) @ dense_b, 1e-6)
    close(a.matmul(b, adjoint=True, adjoint_arg=True).to_dense(), dense_a.T @ dense_b.T)


@pytest.mark.parametrize("name", NAMES)
def test_functions_take_and_give_operators(name, settings):
    operator, matrix = kinds(*settings)[name]
    product, inverse = tf.function(lambda given, x: (given.matmul(x), given.inverse()))(operator, np.ones_like(matrix))
    close(product, matrix @ np.ones_like(matrix))
    close(inverse.to_dense(), inv(matrix), 1e-6)
    assert type(operator.type_spec.from_components(operator.type_spec.to_components(operator))) is type(operator)


@pytest.mark.parametrize("name", NAMES)
def test_part_of_the_batch(name):
    operator, matrix = kinds(np.float64, (2, 1))[name]
    close(operator[1].to_dense(), matrix[1])
    close(operator[..., 0].to_dense(), matrix[:, 0])
    close(operator[:, None].to_dense(), matrix[:, None])


# ------------------------------------------------------------------------------------------------- which kind products are


@pytest.mark.parametrize(
    ("left", "right", "product", "solution"),
    [
        ("diag", "diag", "Diag", "Diag"),
        ("diag", "scaled", "Diag", "Diag"),
        ("scaled", "diag", "Diag", "Diag"),
        ("scaled", "scaled", "ScaledIdentity", "ScaledIdentity"),
        ("identity", "full", "FullMatrix", "FullMatrix"),
        ("full", "identity", "FullMatrix", "Inversion"),
        ("diag", "lower", "LowerTriangular", "LowerTriangular"),
        ("lower", "diag", "LowerTriangular", "Composition"),
        ("circulant 2", "circulant 2", "Circulant2D", "Circulant2D"),
        ("circulant 1", "circulant 2", "Composition", "Composition"),
        ("blocks", "blocks", "BlockDiag", "BlockDiag"),
        ("inverse", "identity", "Inversion", "FullMatrix"),
        ("full", "diag", "Composition", "Composition"),
    ],
)
def test_simple_products_stay_simple(left, right, product, solution):
    a, b = kinds(np.float64, ())[left][0], kinds(np.float64, ())[right][0]
    assert type(a @ b).__name__ == f"LinearOperator{product}"
    assert type(a.solve(b)).__name__ == f"LinearOperator{solution}"


def test_the_identity_of_a_larger_batch_is_not_dropped():
    product = L.LinearOperatorIdentity(2, [3], tf.float64) @ L.LinearOperatorFullMatrix(np.eye(2))
    assert product.shape == [3, 2, 2]


@pytest.mark.parametrize(
    ("hint_a", "hint_b", "expected"),
    [(True, True, True), (True, False, False), (None, True, None), (False, None, False)],
)
def test_a_product_has_an_inverse_if_both_have(hint_a, hint_b, expected):
    a, b = (L.LinearOperatorFullMatrix(np.eye(2), is_non_singular=hint) for hint in (hint_a, hint_b))
    assert (a @ b).is_non_singular is expected


def test_a_matrix_times_its_adjoint_is_self_adjoint():
    a = L.LinearOperatorFullMatrix(np.eye(2), is_non_singular=True)
    assert (a @ a.adjoint()).is_self_adjoint is True
    assert (a @ a.adjoint()).is_positive_definite is True
    assert (a @ L.LinearOperatorFullMatrix(np.eye(2))).is_self_adjoint is None


# ------------------------------------------------------------------------------------------------- hints and refusals


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ({}, (None, None, None, True)),
        ({"is_positive_definite": True}, (True, None, True, True)),
        ({"is_self_adjoint": True}, (None, True, None, True)),
        ({"is_non_singular": False}, (False, None, None, True)),
    ],
)
def test_hints_imply_others(hints, expected):
    o = L.LinearOperatorFullMatrix(np.eye(2), **hints)
    assert (o.is_non_singular, o.is_self_adjoint, o.is_positive_definite, o.is_square) == expected


F, D, E = L.LinearOperatorFullMatrix, L.LinearOperatorDiag, np.eye(2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: F(E, is_positive_definite=True, is_non_singular=False), ValueError, "always non-singular"),
        (lambda: F(E, is_self_adjoint=True, is_square=False), ValueError, "always square"),
        (lambda: F(E, is_square=False).is_square, ValueError, "the operator was square"),
        (lambda: F([1.0]), ValueError, "at least 2 dim"),
        (lambda: F([[1, 2]]), TypeError, "int32"),
        (lambda: D(3.0), ValueError, "at least 1 dim"),
        (lambda: D([1.0], is_self_adjoint=False), ValueError, "always self adjoint"),
        (lambda: L.LinearOperatorIdentity(-1), ValueError, "non-negative"),
        (lambda: L.LinearOperatorIdentity(1.5), TypeError, "integer"),
        (lambda: L.LinearOperatorIdentity(2, is_square=False), ValueError, "always square"),
        (lambda: L.LinearOperatorZeros(2, 3), ValueError, "num_rows"),
        (lambda: L.LinearOperatorZeros(2).solve(E), NotImplementedError, "singular"),
        (lambda: L.LinearOperatorZeros(2).inverse(), ValueError, "singular"),
        (lambda: L.LinearOperatorComposition([]), ValueError, "non-empty"),
        (lambda: L.LinearOperatorComposition([F(E), F(np.eye(3))]), ValueError, "not compatible"),
        (lambda: L.LinearOperatorComposition([F(E), F(E.astype("f"))]), TypeError, "same dtype"),
        (lambda: L.LinearOperatorInversion(L.LinearOperatorZeros(2)), ValueError, "is_non_singular"),
        (lambda: L.LinearOperatorAdjoint(D([1.0]), is_self_adjoint=False), ValueError, "if and only if"),
        (lambda: L.LinearOperatorBlockLowerTriangular([[F(E)], [F(E)]]), ValueError, "must contain `2` blocks"),
        (lambda: L.LinearOperatorLowRankUpdate(F(E), np.ones((3, 1))), ValueError, "not compatible"),
        (lambda: L.LinearOperatorToeplitz([1.0, 2], [1.0]), ValueError, "mismatched"),
        (lambda: L.LinearOperatorCirculant2D([1.0 + 0j]), ValueError, "at least 2 dim"),
        (lambda: L.LinearOperatorHouseholder([1.0], is_positive_definite=True), ValueError, "non-positive definite"),
        (lambda: L.LinearOperatorPermutation([0, 2]), ValueError, "unique integers"),
        (lambda: L.LinearOperatorTridiag(np.ones((3, 2)), "wide"), ValueError, "diagonals_format"),
        (lambda: F(E).matmul(np.ones((3, 1))), ValueError, "not compatible"),
        (lambda: F(E).matvec(np.ones(2, "f")), TypeError, "float32"),
        (lambda: F(E) @ F(np.eye(3)), ValueError, "incompatible"),
        (lambda: F(E).eigvals(), NotImplementedError, "self-adjoint"),
        (lambda: F(E).cholesky(), ValueError, "positive definite"),
        (lambda: F(np.ones((2, 3))).determinant(), NotImplementedError, "not be square"),
        (lambda: F(np.ones((2, 3))).solve(np.ones((2, 1))), NotImplementedError, "not be square"),
        (lambda: F(E)[0], IndexError, "too many"),
        (lambda: tf.convert_to_tensor(F(E)), TypeError, "LinearOperatorFullMatrix"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("operator", "fails"),
    [
        (F(E), "positive_definite"),
        (F([[1.0, 2], [0, 1]]), "self_adjoint"),
        (F([[1.0, 1], [1, 1]]), "non_singular"),
        (D([1.0, 0]), "non_singular"),
        (D([1.0, -1]), "positive_definite"),
        (D([1.0, 1j]), "self_adjoint"),
        (L.LinearOperatorScaledIdentity(2, 0.0), "non_singular"),
        (L.LinearOperatorScaledIdentity(2, -1.0), "positive_definite"),
        (L.LinearOperatorZeros(2), "non_singular"),
        (L.LinearOperatorLowerTriangular([[0.0, 1], [1, 1]]), "non_singular"),
        (L.LinearOperatorCirculant([1.0 + 0j, 2j]), "self_adjoint"),
        (L.LinearOperatorCirculant([1.0 + 0j, 0]), "non_singular"),
        (L.LinearOperatorBlockDiag([D([1.0]), D([0.0])]), "non_singular"),
    ],
)
def test_assertions(operator, fails):
    error = (
        NotImplementedError
        if isinstance(operator, F) and fails == "positive_definite"
        else tf.errors.InvalidArgumentError
    )
    with pytest.raises(error):
        getattr(operator, f"assert_{fails}")()
    good = L.LinearOperatorIdentity(2)
    assert getattr(good, f"assert_{fails}")() is None
    assert getattr(F(2 * E, is_self_adjoint=True), f"assert_{fails}")() is None


def test_a_hermitian_spectrum_is_that_of_a_real_matrix():
    L.LinearOperatorCirculant(np.fft.fft([3.0, 1, 2])).assert_hermitian_spectrum()
    with pytest.raises(tf.errors.InvalidArgumentError, match="Hermitian"):
        L.LinearOperatorCirculant(np.array([1, 2j, 0])).assert_hermitian_spectrum()


def test_circulants_know_their_kernel_and_block():
    kernel = np.array([[3.0, 1], [2, 0]])
    operator = L.LinearOperatorCirculant2D(np.fft.fft2(kernel), tf.float64)
    close(operator.convolution_kernel(), kernel)
    assert (operator.block_depth, operator.block_shape.as_list()) == (2, [2, 2])
    np.testing.assert_array_equal(operator.block_shape_tensor(), [2, 2])


def test_zeros():
    zeros = L.LinearOperatorZeros(2, 3, [4], is_square=False, is_self_adjoint=False)
    assert zeros.shape == [4, 2, 3]
    close(zeros.to_dense(), np.zeros((4, 2, 3)))
    close(zeros.matmul(np.ones((3, 5), "f")), np.zeros((4, 2, 5)))
    close(zeros.matmul(np.ones((5, 2), "f"), adjoint=True, adjoint_arg=True), np.zeros((4, 3, 5)))
    assert zeros.adjoint().shape == [4, 3, 2]
    square = L.LinearOperatorZeros(2)
    assert (float(square.determinant()), float(square.log_abs_determinant())) == (0, -np.inf)
    assert square @ F(E.astype("f")) is square


# ------------------------------------------------------------------------------------------------- blocks


def test_blocks_of_arguments():
    a, b = np.array([[2.0, 1], [0, 3]]), np.array([[4.0]])
    below = np.array([[5.0, 6]])
    operator = L.LinearOperatorBlockLowerTriangular([[F(a)], [F(below), F(b)]])
    x, y = np.array([[1.0], [2]]), np.array([[3.0]])
    first, second = operator.matmul([x, y])
    close(first, a @ x)
    close(second, below @ x + b @ y)
    found = operator.solve([first, second])
    close(found[0], x)
    close(found[1], y)
    first, second = operator.matvec([x[:, 0], y[:, 0]], adjoint=True)
    close(first, a.T @ x[:, 0] + below.T @ y[:, 0])
    close(second, b.T @ y[:, 0])
    upper, lower = operator.solvevec([first, second], adjoint=True)
    close(upper, x[:, 0])
    close(lower, y[:, 0])
    with pytest.raises(ValueError, match="sizes"):
        operator.matmul([y, x])


def test_blocks_need_not_be_square():
    wide, tall = np.arange(6.0).reshape(2, 3), np.arange(3.0).reshape(3, 1)
    operator = L.LinearOperatorBlockDiag([F(wide), F(tall)], is_square=False)
    assert operator.shape == [5, 4]
    expected = np.zeros((5, 4))
    expected[:2, :3], expected[2:, 3:] = wide, tall
    close(operator.to_dense(), expected)
    close(operator.matmul(np.eye(5), adjoint=True), expected.T)


def test_factors_of_kronecker_products_need_not_be_square():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(4, 1)
    operator = L.LinearOperatorKronecker([F(a), F(b)])
    close(operator.matmul(np.eye(3)), np.kron(a, b))
    close(operator.to_dense(), np.kron(a, b))
    close(operator.matmul(np.eye(8), adjoint=True), np.kron(a, b).T)


# ------------------------------------------------------------------------------------------------- variables and gradients


def test_variables_are_read_when_they_are_used():
    variable = tf.Variable([1.0, 2.0])
    operator = L.LinearOperatorBlockDiag([D(variable), D(tf.Variable([3.0], trainable=False))])
    assert operator.trainable_variables == (variable,)
    assert len(operator.variables) == 2
    assert [type(inner) for inner in operator.submodules] == [D, D]
    close(operator.matvec([1.0, 1, 1]), [1, 2, 3])
    variable.assign([5.0, 6.0])
    close(operator.matvec([1.0, 1, 1]), [5, 6, 3])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(operator.matvec([1.0, 2, 3]) ** 2)
    close(tape.gradient(loss, variable), [10, 48])


@pytest.mark.parametrize("method", ["log_abs_determinant", "trace", "to_dense", "inverse"])
def test_gradients_are_those_of_the_dense_computation(method):
    u = tf.constant(RNG.normal(size=(4, 2)))
    d = tf.constant(np.abs(RNG.normal(size=4)) + 1)

    def structured(d: Any, u: Any) -> Any:
        base = D(d, is_positive_definite=True, is_self_adjoint=True)
        operator = L.LinearOperatorLowRankUpdate(base, u)
        found = getattr(operator, method)()
        return tf.reduce_sum(found.to_dense() if method == "inverse" else found)

    def dense(d: Any, u: Any) -> Any:
        matrix = L.diag(d) + L.matmul(u, u, adjoint_b=True)
        by_name = {"log_abs_determinant": L.logdet, "trace": L.trace, "to_dense": lambda a: a, "inverse": L.inv}
        return tf.reduce_sum(by_name[method](matrix))

    with tf.GradientTape(persistent=True) as tape:
        tape.watch([d, u])
        values = structured(d, u), dense(d, u)
    close(values[0], values[1])
    for ours, theirs in zip(tape.gradient(values[0], [d, u]), tape.gradient(values[1], [d, u])):
        close(ours, theirs, 1e-6)


def test_an_operator_of_one_tensor_is_a_source():
    operator = D([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(operator)
        loss = tf.reduce_sum(operator.matvec([3.0, 4.0]))
    gradient = tape.gradient(loss, operator)
    assert isinstance(gradient, D)
    close(gradient.diag, [3, 4])


# ------------------------------------------------------------------------------------------------- in functions, by tf.linalg


def test_shapes_that_are_only_known_when_it_runs():
    def compute(m: Any, x: Any) -> Any:
        full, d = F(m), m[..., 0]
        size = tf.shape(m)[-1]
        operators = [
            full, L.LinearOperatorToeplitz(d, d), L.LinearOperatorHouseholder(d), L.LinearOperatorIdentity(size, dtype=m.dtype),
            L.LinearOperatorZeros(size, dtype=m.dtype), L.LinearOperatorTridiag(m, "matrix"), D(d) @ D(d), full.adjoint(),
            L.LinearOperatorLowRankUpdate(D(tf.abs(d) + 3), x), L.LinearOperatorScaledIdentity(size, m[..., 0, 0]),
            L.LinearOperatorPermutation(tf.argsort(d), m.dtype), L.LinearOperatorCirculant(d, m.dtype), full.inverse(),
        ]  # fmt: skip
        found = [(o.matmul(x), o.to_dense(), o.shape_tensor(), o.determinant()) for o in operators]
        for o in (L.LinearOperatorBlockDiag([full, D(d)]), L.LinearOperatorKronecker([full, D(d)])):
            found.append((o.solve(tf.ones_like(o.to_dense())), o.to_dense(), o.shape_tensor(), o.log_abs_determinant()))
        return found

    m, x = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3), RNG.normal(size=(2, 3, 2))
    unknown = tf.TensorSpec([None, None, None], tf.float64)
    traced = tf.function(compute, input_signature=[unknown, unknown])(m, x)
    eager = compute(tf.constant(m), tf.constant(x))
    for ours, theirs in zip(tf.nest.flatten(traced), tf.nest.flatten(eager), strict=True):
        close(ours, theirs)


def test_functions_of_linalg_take_operators():
    matrix = np.array([[2.0, 1], [1, 3]])
    operator = F(matrix, is_self_adjoint=True, is_positive_definite=True)
    x = np.array([[1.0, 2], [3, 4]])
    close(L.matmul(operator, x), matrix @ x)
    close(L.matmul(x, operator, adjoint_a=True), x.T @ matrix)
    close(L.matmul(operator, operator).to_dense(), matrix @ matrix)
    close(L.solve(operator, x), inv(matrix) @ x)
    close(L.inv(operator).to_dense(), inv(matrix))
    close(L.adjoint(operator).to_dense(), matrix.T)
    close(L.cholesky(operator).to_dense(), np.linalg.cholesky(matrix))
    close([L.det(operator), L.trace(operator), L.logdet(operator)], [5, 5, np.log(5)])
    close(L.diag_part(operator), [2, 3])
    with pytest.raises(ValueError, match="hints"):
        L.logdet(F(matrix))


def test_a_kind_of_ones_own_needs_only_a_product():
    class Doubling(L.LinearOperator):
        def __init__(self, size: int) -> None:
            super().__init__(tf.float64, is_square=True)
            self._size = size

        def _shape(self) -> Any:
            return tf.TensorShape([self._size, self._size])

        def _shape_tensor(self) -> Any:
            return tf.constant([self._size, self._size])

        def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
            return 2.0 * (L.adjoint(x) if adjoint_arg else x)

    operator = Doubling(3)
    close(operator.to_dense(), 2 * np.eye(3))
    close(operator.solvevec(np.array([2.0, 4, 6])), [1, 2, 3])
    close(operator.determinant(), 8)
    close((operator @ operator).to_dense(), 4 * np.eye(3))
    assert operator.parameters == {"size": 3}
    close(tf.function(lambda given: given.trace())(operator), 6)


# ------------------------------------------------------------------------------------------------- conjugate gradients


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_conjugate_gradients_solve(batch, traced):
    root = RNG.normal(size=(*batch, 5, 5))
    matrix = root @ adjoint(root) + np.eye(5)
    operator = F(matrix, is_self_adjoint=True, is_positive_definite=True)
    rhs = RNG.normal(size=(*batch, 5))

    def solve(rhs: Any) -> Any:
        return L.experimental.conjugate_gradient(operator, rhs, tol=1e-10, max_iter=50)

    state = (tf.function(solve) if traced else solve)(rhs)
    assert 1 < int(state.i) <= 12
    close(state.x, np.linalg.solve(matrix, rhs[..., None])[..., 0], 1e-6)
    assert float(tf.reduce_max(tf.abs(state.r))) < 1e-8
    assert state.gamma.shape == batch


def test_the_exact_inverse_as_preconditioner_takes_one_step():
    matrix = np.diag([1.0, 10, 100])
    operator = F(matrix, is_self_adjoint=True, is_positive_definite=True)
    inverse = D(1 / np.diag(matrix), is_positive_definite=True)
    state = L.experimental.conjugate_gradient(operator, np.ones(3), preconditioner=inverse)
    assert int(state.i) == 1
    close(state.x, [1, 0.1, 0.01])
    with pytest.raises(ValueError, match="hints"):
        L.experimental.conjugate_gradient(F(matrix), np.ones(3))
