"""Arithmetic, special functions, casts, bits, products, reductions, scans, segments: values, gradients, errors."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modtf import core as tf
from modtf.core.api import bitwise, clipping, elementwise, linalg
from modtf.core.api import math as tf_math

raw = tf.raw_ops
InvalidArgumentError = tf.errors.InvalidArgumentError


def numbers(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def check_gradient(f, x: np.ndarray, tolerance: float = 1e-6) -> None:
    """Compares the first and second derivatives of `f`, from tensor to tensor, with central differences."""
    weights = numbers(*f(tf.constant(x)).shape.as_list(), seed=5)
    direction = numbers(*x.shape, seed=6)

    def slope(value: np.ndarray):
        tensor = tf.constant(value)
        with tf.GradientTape() as outer:
            outer.watch(tensor)
            with tf.GradientTape() as inner:
                inner.watch(tensor)
                total = tf_math.reduce_sum(f(tensor) * weights)
            first = inner.gradient(total, tensor)
            along = tf_math.reduce_sum(first * direction)
        return total.numpy(), first.numpy(), outer.gradient(along, tensor, unconnected_gradients="zero").numpy()

    first, second = slope(x)[1:]
    for index in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[index] += 1e-5
        behind[index] -= 1e-5
        (up, up_slope, _), (down, down_slope, _) = slope(ahead), slope(behind)
        assert first[index] == pytest.approx((up - down) / 2e-5, rel=tolerance, abs=tolerance)
        curvature = np.sum((up_slope - down_slope) * direction) / 2e-5
        assert second[index] == pytest.approx(curvature, rel=tolerance, abs=tolerance)


# ------------------------------------------------------------------------------------------------- one operand

UNARY = {
    "negative": (lambda x: -x, -2, 2), "abs": (abs, 0.1, 2), "square": (lambda x: x * x, -2, 2),
    "sqrt": (math.sqrt, 0.1, 4), "rsqrt": (lambda x: x**-0.5, 0.1, 4), "reciprocal": (lambda x: 1 / x, 0.2, 3),
    "exp": (math.exp, -2, 2), "expm1": (math.expm1, -2, 2), "log": (math.log, 0.1, 4), "log1p": (math.log1p, -0.8, 4),
    "sin": (math.sin, -4, 4), "cos": (math.cos, -4, 4), "tan": (math.tan, -1.2, 1.2), "asin": (math.asin, -0.9, 0.9),
    "acos": (math.acos, -0.9, 0.9), "atan": (math.atan, -3, 3), "sinh": (math.sinh, -2, 2), "cosh": (math.cosh, -2, 2),
    "tanh": (math.tanh, -2, 2), "asinh": (math.asinh, -3, 3), "acosh": (math.acosh, 1.2, 4), "atanh": (math.atanh, -0.9, 0.9),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), -4, 4), "log_sigmoid": (lambda x: -math.log1p(math.exp(-x)), -4, 4),
    "erf": (math.erf, -3, 3), "erfc": (math.erfc, -3, 3), "lgamma": (math.lgamma, 0.1, 6),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(name):
    formula, low, high = UNARY[name]
    function = getattr(tf_math, name)
    x = numbers(6, low=low, high=high)
    np.testing.assert_allclose(function(x).numpy(), [formula(item) for item in x], rtol=1e-13, atol=1e-14)
    check_gradient(function, x, 2e-5)
    for dtype, tolerance in (("float32", 1e-6), ("float16", 4e-3), ("bfloat16", 3e-2)):
        narrow = elementwise.cast(tf.constant(x), dtype)
        result = function(narrow)
        assert result.dtype == dtype and result.shape == [6]
        wide = [formula(float(item)) for item in narrow.numpy()]
        np.testing.assert_allclose(result.numpy().astype(float), wide, rtol=tolerance, atol=tolerance)


@settings(max_examples=100)
@given(st.floats(-30, 30))
def test_error_functions_everywhere(x):
    assert tf_math.erf(tf.constant(x, tf.float64)).numpy() == pytest.approx(math.erf(x), rel=1e-15)
    assert tf_math.erfc(tf.constant(x, tf.float64)).numpy() == pytest.approx(math.erfc(x), rel=1e-14, abs=1e-305)


@settings(max_examples=100)
@given(st.floats(0.01, 1e6))
def test_gamma_everywhere(x):
    assert tf_math.lgamma(tf.constant(x, tf.float64)).numpy() == pytest.approx(math.lgamma(x), rel=1e-13, abs=1e-14)
    digamma = lambda at: tf_math.digamma(tf.constant(at, tf.float64)).numpy()  # noqa: E731
    assert digamma(x + 1) == pytest.approx(digamma(x) + 1 / x, rel=1e-12, abs=1e-12)
    trigamma = tf_math.polygamma(np.float64(1), np.float64(x)).numpy()
    assert trigamma == pytest.approx(tf_math.zeta(np.float64(2), np.float64(x)).numpy(), rel=1e-13)


@given(st.floats(-0.9999999, 0.9999999))
def test_erfinv_is_the_inverse(x):
    assert math.erf(tf_math.erfinv(tf.constant(x, tf.float64)).numpy()) == pytest.approx(x, rel=1e-12, abs=1e-15)


def test_special_values():
    inf, nan = math.inf, math.nan
    np.testing.assert_array_equal(tf_math.lgamma([0.0, -1.0, -inf, inf]).numpy(), [inf, inf, inf, inf])
    np.testing.assert_array_equal(tf_math.digamma([0.0, -1.0]).numpy(), [nan, nan])
    np.testing.assert_array_equal(tf_math.erfinv([1.0, -1.0, 0.0, 2.0]).numpy(), [inf, -inf, 0.0, nan])
    np.testing.assert_array_equal(tf_math.ndtri([0.0, 1.0, 0.5, 2.0]).numpy(), [-inf, inf, 0.0, nan])
    np.testing.assert_array_equal(tf_math.round([0.5, 1.5, 2.5, -0.5]).numpy(), [0, 2, 2, 0])
    np.testing.assert_array_equal(tf_math.sign([nan, -3.0, 0.0]).numpy(), [nan, -1, 0])
    assert tf_math.zeta(np.float64(2), np.float64(1)).numpy() == pytest.approx(math.pi**2 / 6, rel=1e-15)


def test_results_that_overflow_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (
            tf_math.exp(1e5),
            tf_math.log(0.0),
            tf_math.divide(1.0, 0.0),
            tf_math.pow(10.0, 100.0),
            tf_math.reduce_mean([[]]),
        )


# ------------------------------------------------------------------------------------------------- two operands

BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "pow": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "squared_difference": lambda x, y: (x - y) ** 2,
    "floormod": np.remainder, "xlogy": lambda x, y: x * np.log(y), "xlog1py": lambda x, y: x * np.log1p(y),
    "xdivy": np.divide, "divide_no_nan": np.divide, "multiply_no_nan": np.multiply, "atan2": np.arctan2,
}  # fmt: skip


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2, 2))], ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_broadcast(name, shapes):
    function = getattr(tf_math, name)
    x, y = numbers(*shapes[0], low=0.5, high=3, seed=1), numbers(*shapes[1], low=0.5, high=3, seed=2)
    np.testing.assert_allclose(function(x, y).numpy(), BINARY[name](x, y), rtol=1e-14)
    check_gradient(lambda t: function(t, y), x, 1e-4)
    check_gradient(lambda t: function(x, t), y, 1e-4)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1).filter(bool))
def test_integer_division(x, y):
    if (x, y) == (-(2**31), -1):
        return
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    assert elementwise.truncatediv(x, y).numpy() == quotient
    assert elementwise.truncatemod(x, y).numpy() == x - quotient * y
    assert tf_math.floordiv(x, y).numpy() == x // y
    assert tf_math.floormod(x, y).numpy() == x % y
    assert (tf.constant(x) / tf.constant(y)).numpy() == x / y


def test_no_nan_variants():
    nan, inf = math.nan, math.inf
    np.testing.assert_array_equal(tf_math.divide_no_nan([1.0, nan, 3.0], [0.0, 0.0, 2.0]).numpy(), [0, 0, 1.5])
    np.testing.assert_array_equal(tf_math.multiply_no_nan([inf, 2.0], [0.0, 3.0]).numpy(), [0, 6])
    np.testing.assert_array_equal(tf_math.xlogy([0.0, 1.0], [0.0, 1.0]).numpy(), [0, 0])
    np.testing.assert_array_equal(tf_math.xdivy([0.0, 1.0], [0.0, 0.0]).numpy(), [0, inf])
    np.testing.assert_array_equal(tf_math.reciprocal_no_nan([0.0, 4.0]).numpy(), [0, 0.25])


def test_power_at_zero_has_a_finite_gradient():
    x, y = tf.constant([0.0, 2.0]), tf.constant([2.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        z = x**y
    dx, dy = tape.gradient(z, [x, y])
    np.testing.assert_allclose(dx.numpy(), [0, 0])
    np.testing.assert_allclose(dy.numpy(), [0, math.log(2)], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tf.constant(3) // 0, InvalidArgumentError, "Integer division by zero"),
        (lambda: tf.constant(3) % 0, InvalidArgumentError, "Integer division by zero"),
        (lambda: tf.constant(2) ** -1, InvalidArgumentError, "negative integer powers"),
        (lambda: tf.constant(1.0) + tf.constant(1), InvalidArgumentError, "expected to be a float32 tensor"),
        (lambda: tf.constant(1) / tf.constant(1.0), TypeError, "must have the same dtype"),
        (lambda: tf.constant(True) / True, TypeError, "Invalid dtype"),
        (lambda: tf.constant([1, 2]) * 2.5, InvalidArgumentError, "int32"),
        (lambda: tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0]), InvalidArgumentError, "Incompatible shapes"),
        (lambda: tf.constant(1.0) + None, ValueError, "None"),
        (lambda: ~tf.constant(1.5), InvalidArgumentError, "must be one of"),
        (lambda: linalg.matmul([1.0], [[1.0]]), InvalidArgumentError, "ndims"),
        (lambda: linalg.matmul(np.ones((2, 3)), np.ones((2, 3))), InvalidArgumentError, "size-incompatible"),
        (lambda: linalg.matmul([[1.0]], [[1.0]], transpose_a=True, adjoint_a=True), ValueError, "Only one of"),
        (lambda: linalg.einsum("ij,jk", [[1.0]]), ValueError, "2 operands"),
        (lambda: linalg.einsum("i->j", [1.0]), ValueError, "no operand has"),
        (lambda: linalg.einsum("i$->i", [1.0]), ValueError, "Not an einsum equation"),
        (lambda: tf_math.reduce_sum([[1.0]], 2), InvalidArgumentError, "axis 2"),
        (lambda: tf_math.reduce_variance([1, 2]), TypeError, "real or complex"),
        (lambda: tf_math.argmax(np.zeros((2, 0)), 1), InvalidArgumentError, "is empty"),
        (lambda: tf_math.cumsum([1.0], 3), InvalidArgumentError, "axis 3"),
        (lambda: tf_math.segment_sum([1.0, 2.0], [1, 0]), InvalidArgumentError, "not increasing"),
        (lambda: tf_math.segment_sum([1.0, 2.0], [0]), InvalidArgumentError, "dimension 0"),
        (lambda: tf_math.unsorted_segment_sum([1.0], [5], 2), InvalidArgumentError, r"= 5 is out of range \[0, 2\)"),
        (lambda: tf_math.unsorted_segment_sum([1.0], [[0]], 2), InvalidArgumentError, "does not start with"),
        (lambda: tf_math.bincount([-1]), InvalidArgumentError, "non-negative"),
        (lambda: tf_math.add_n([]), ValueError, "at least one"),
        (lambda: elementwise.cast("1", tf.int32), tf.errors.UnimplementedError, "to_number"),
        (lambda: elementwise.complex(1.0, tf.constant(1, tf.float64)), TypeError, "both"),
        (lambda: clipping.clip_by_value([1.0], [[0.0], [0.0]], 1.0), ValueError, "does not broadcast"),
        (lambda: linalg.norm([1.0], "cubic"), ValueError, "supported vector norm"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ------------------------------------------------------------------------------------------------- operators


def test_operators_take_plain_values_and_arrays_on_either_side():
    x = tf.constant([1.0, 2.0])
    for result in (np.array([1.0, 2.0]) + x, x + [1.0, 2.0], [1.0, 2.0] + x, np.float64(2) * x, x * 2, 2 * x):
        assert isinstance(result, tf.Tensor) and result.dtype is tf.float32
        np.testing.assert_array_equal(result.numpy(), [2, 4])
    assert (
        (3 - tf.constant(1)).numpy() == 2 and (7 // tf.constant(2)).numpy() == 3 and (2 ** tf.constant(3)).numpy() == 8
    )
    assert (-3 % tf.constant(2)).numpy() == 1 and abs(tf.constant(3 - 4j)).numpy() == 5
    assert np.signbit((x * -0.0).numpy()).all() and not np.signbit((x * 0.0).numpy()).any()
    assert (tf.constant("a") + "b").numpy() == b"ab" and ("c" + tf.constant("a")).numpy() == b"ca"
    np.testing.assert_array_equal((np.eye(2, dtype=np.float32) @ tf.constant([[1.0], [2.0]])).numpy(), [[1], [2]])


@pytest.mark.parametrize(
    ("dtype", "result"),
    [("int8", "float32"), ("uint16", "float32"), ("int32", "float64"), ("uint64", "float64"), ("bfloat16", "bfloat16")],
)
def test_true_division(dtype, result):
    quotient = elementwise.cast([3], dtype) / 2
    assert quotient.dtype == result and quotient.numpy()[0] == 1.5


def test_logical_and_bitwise_operators():
    true, five = tf.constant(True), tf.constant(5)
    assert not (true & False).numpy() and (False | true).numpy() and not (true ^ True).numpy() and not (~true).numpy()
    assert (five & 3).numpy() == 1 and (3 | five).numpy() == 7 and (five ^ 3).numpy() == 6 and (~five).numpy() == -6


def test_equality():
    x = tf.constant([1.0, 2.0])
    assert (x == 1).numpy().tolist() == [True, False] and (x != [1.0, 3.0]).numpy().tolist() == [False, True]
    assert not (x == tf.constant([1.0, 2.0, 3.0])).numpy() and (x != tf.constant([1.0, 2.0, 3.0])).numpy()
    assert (x == None) is False and (x != None) is True  # noqa: E711
    with pytest.raises(InvalidArgumentError):
        x == "a"  # noqa: B015


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "uint64"])
def test_shifts_are_held_within_the_width(dtype):
    width = np.dtype(dtype).itemsize * 8
    x = np.array([3, 3, 3, 3], dtype)
    y = np.array([0, 1, width - 1, width + 5 if width < 120 else width - 1], dtype)
    expected = [(3 << min(int(item), width - 1)) & (2**width - 1) for item in y]
    assert (bitwise.left_shift(x, y).numpy().astype("uint64") & np.uint64(2**width - 1)).tolist() == expected
    assert bitwise.right_shift(x, y).numpy().tolist() == [3, 1, 0, 0]


# ------------------------------------------------------------------------------------------------- casts, complex


def test_casts():
    np.testing.assert_array_equal(elementwise.cast([1.9, -1.9], tf.int32).numpy(), [1, -1])
    np.testing.assert_array_equal(elementwise.cast([0.5, 0.0], tf.bool).numpy(), [True, False])
    np.testing.assert_array_equal(elementwise.cast([1 + 2j], tf.float32).numpy(), [1])
    np.testing.assert_array_equal(elementwise.saturate_cast([1e9, -5.0], tf.uint8).numpy(), [255, 0])
    assert elementwise.saturate_cast([1e30], tf.int32).numpy()[0] == 2147483520  # the greatest float32 below 2^31
    truncated = raw.Cast(np.float32([1.99999]), DstT="bfloat16", Truncate=True)
    assert truncated.numpy()[0] == 1.9921875


def test_complex_parts_and_gradients():
    z = np.array([1 + 2j, -3 + 1j])
    x = tf.constant(z)
    np.testing.assert_allclose(tf_math.abs(x).numpy(), np.abs(z))
    np.testing.assert_allclose(tf_math.angle(x).numpy(), np.angle(z))
    np.testing.assert_array_equal(tf_math.conj(x).numpy(), z.conj())
    check_gradient(lambda t: tf_math.real(elementwise.complex(t, t) * elementwise.complex(t, -t)), numbers(3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        size = tf_math.reduce_sum(tf_math.abs(x))
    np.testing.assert_allclose(tape.gradient(size, x).numpy(), z / np.abs(z))


# ------------------------------------------------------------------------------------------------- products


@pytest.mark.parametrize("flip_a", [False, True])
@pytest.mark.parametrize("flip_b", [False, True])
@pytest.mark.parametrize("batch", [((), ()), ((2,), (2,)), ((3, 1), (2,))], ids=str)
def test_matmul(flip_a, flip_b, batch):
    a, b = numbers(*batch[0], 2, 3, seed=1), numbers(*batch[1], 3, 4, seed=2)
    left, right = (np.swapaxes(x, -1, -2) if flip else x for x, flip in ((a, flip_a), (b, flip_b)))
    product = lambda p, q: linalg.matmul(p, q, transpose_a=flip_a, transpose_b=flip_b)  # noqa: E731
    np.testing.assert_allclose(product(left, right).numpy(), a @ b, rtol=1e-12)
    check_gradient(lambda t: product(t, right), left)
    check_gradient(lambda t: product(left, t), right)
    narrow = product(elementwise.cast(left, tf.bfloat16), elementwise.cast(right, tf.bfloat16))
    assert narrow.dtype is tf.bfloat16
    np.testing.assert_allclose(narrow.numpy().astype(float), a @ b, rtol=0.1, atol=0.1)


def test_matmul_of_complex_and_integers():
    z = numbers(2, 3) + 1j * numbers(2, 3, seed=1)
    np.testing.assert_allclose(linalg.matmul(z, z, adjoint_b=True).numpy(), z @ z.conj().T)
    np.testing.assert_allclose(linalg.matmul(z[None], z[None], transpose_b=True).numpy()[0], z @ z.T)
    small = np.array([[100, 100]], np.int8)
    assert linalg.matmul(small, small, transpose_b=True, output_type=tf.int32).numpy() == 20000


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)), ("ij->ji", (2, 3)), ("ii->i", (3, 3)),
    ("ii->", (3, 3)), ("ij->", (2, 3)), ("ab,cb->c", (2, 3), (4, 3)), ("...ij,jk->...ik", (2, 2, 2, 3), (3, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (2, 3, 2)), ("i->ii", (3,)), ("a...b,b->a...", (2, 3, 2), (2,)), ("ij,j", (2, 3), (3,)),
]  # fmt: skip


@pytest.mark.parametrize(("equation", "shapes"), [(first, rest) for first, *rest in EQUATIONS], ids=lambda x: str(x))
def test_einsum(equation, shapes):
    operands = [numbers(*shape, seed=index) for index, shape in enumerate(shapes)]
    expected = np.diag(operands[0]) if equation == "i->ii" else np.einsum(equation, *operands)
    np.testing.assert_allclose(linalg.einsum(equation, *operands).numpy(), expected, rtol=1e-12)
    for index, x in enumerate(operands):
        around = lambda t, i=index: [*operands[:i], t, *operands[i + 1 :]]  # noqa: E731
        check_gradient(lambda t, f=around: linalg.einsum(equation, *f(t)), x)


def test_einsum_of_many_and_tensordot():
    a, b, c = numbers(2, 3), numbers(3, 4, seed=1), numbers(4, 5, seed=2)
    np.testing.assert_allclose(linalg.einsum("ij,jk,kl->il", a, b, c).numpy(), a @ b @ c)
    x, y = numbers(2, 3, 4), numbers(4, 3, 5, seed=1)
    np.testing.assert_allclose(linalg.tensordot(x, y, [[1, 2], [1, 0]]).numpy(), np.tensordot(x, y, [[1, 2], [1, 0]]))
    np.testing.assert_allclose(linalg.tensordot(a, b, 1).numpy(), a @ b)


def test_norms():
    x = numbers(3, 4)
    for order, axis in (("euclidean", None), (1, 0), (np.inf, 1), (3, 1)):
        wanted = np.linalg.norm(x if axis is not None else x.ravel(), 2 if order == "euclidean" else order, axis)
        np.testing.assert_allclose(linalg.norm(x, order, axis).numpy(), wanted)
    for order in ("fro", 1, np.inf):
        np.testing.assert_allclose(linalg.norm(x, order, (0, 1)).numpy(), np.linalg.norm(x, order))
    np.testing.assert_allclose(linalg.trace(x).numpy(), np.trace(x))
    clipped, before = clipping.clip_by_global_norm([x, None, x], 1.0)
    assert clipped[1] is None and before.numpy() == pytest.approx(np.linalg.norm(x) * math.sqrt(2))
    assert clipping.global_norm(clipped).numpy() == pytest.approx(1)
    assert np.linalg.norm(clipping.clip_by_norm(x, 0.5).numpy()) == pytest.approx(0.5)
    check_gradient(lambda t: clipping.clip_by_norm(t, 0.5), x, 1e-5)


# ------------------------------------------------------------------------------------------------- reductions, scans

REDUCTIONS = {
    "reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_mean": np.mean, "reduce_max": np.max, "reduce_min": np.min,
    "reduce_std": np.std, "reduce_variance": np.var,
    "reduce_euclidean_norm": lambda x, **axes: np.sqrt(np.sum(x * x, **axes)),
    "reduce_logsumexp": lambda x, **axes: np.log(np.sum(np.exp(x), **axes)),
}  # fmt: skip


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, axis, keepdims):
    function, x = getattr(tf_math, name), numbers(2, 3, 2)
    np.testing.assert_allclose(
        function(x, axis, keepdims).numpy(), REDUCTIONS[name](x, axis=axis, keepdims=keepdims), rtol=1e-12
    )
    check_gradient(lambda t: function(t, axis, keepdims), x, 1e-4)


def test_reductions_of_other_dtypes():
    assert tf_math.reduce_mean([-1, -2, -2]).numpy() == -1  # towards zero
    assert tf_math.reduce_sum(np.array([100, 100], np.int8)).numpy() == -56
    assert tf_math.reduce_sum(np.full(5000, 1, np.float16)).numpy() == 5000  # added up in float32
    assert tf_math.reduce_max(np.zeros(0, np.int32)).numpy() == -(2**31)
    assert tf_math.reduce_max(np.zeros(0, np.float32)).numpy() == -np.inf
    assert tf_math.reduce_all([[True, False]], 1).numpy().tolist() == [False]
    assert tf_math.argmax([[1.0, math.nan, 3.0]], 1).numpy() == 2 and tf_math.argmin([3, 1, 1]).numpy() == 1
    assert tf_math.count_nonzero(["", "a"]).numpy() == 1


def test_prod_has_a_gradient_where_elements_are_zero():
    x = tf.constant([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        product = tf_math.reduce_prod(x, 1)
    np.testing.assert_array_equal(tape.gradient(product, x).numpy(), [[6, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scans(exclusive, reverse):
    x = numbers(2, 5, low=0.5)

    def scanned(ufunc, start):
        rows = x[:, ::-1] if reverse else x
        if exclusive:
            rows = np.concatenate([np.full((2, 1), start), rows[:, :-1]], axis=1)
        total = ufunc.accumulate(rows, axis=1)
        return total[:, ::-1] if reverse else total

    for function, ufunc, start in (
        (tf_math.cumsum, np.add, 0), (tf_math.cumprod, np.multiply, 1), (tf_math.cumulative_logsumexp, np.logaddexp, -np.inf),
    ):  # fmt: skip
        scan = lambda t, f=function: f(t, 1, exclusive, reverse)  # noqa: E731
        np.testing.assert_allclose(scan(x).numpy(), scanned(ufunc, start), rtol=1e-12)
        if function is not tf_math.cumulative_logsumexp or not exclusive:
            check_gradient(scan, x, 1e-5)


@given(arrays.arrays(np.int64, st.integers(0, 30), elements=st.integers(-(2**40), 2**40)))
def test_cumsum_of_integers(x):
    np.testing.assert_array_equal(tf_math.cumsum(x).numpy(), np.cumsum(x))


# ------------------------------------------------------------------------------------------------- segments, counting


@settings(max_examples=60)
@given(st.lists(st.integers(-2, 4), min_size=1, max_size=12), st.sampled_from(["float64", "int32"]))
def test_unsorted_segments(segments, dtype):
    data = numbers(len(segments), 2, low=-9, high=9).astype(dtype)
    least = -np.finfo(dtype).max if dtype == "float64" else np.iinfo(dtype).min
    for name, reduce, empty in (("sum", np.sum, 0), ("prod", np.prod, 1), ("max", np.max, least)):
        rows = [data[np.array(segments) == index] for index in range(5)]
        expected = [reduce(part, axis=0) if len(part) else np.full(2, empty) for part in rows]
        result = getattr(tf_math, f"unsorted_segment_{name}")(data, segments, 5).numpy()
        np.testing.assert_allclose(result, np.array(expected), rtol=1e-12)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min"])
def test_segment_gradients(name):
    data, segments = numbers(6, 2, low=0.5), [0, 0, 2, 2, 2, 3]
    check_gradient(lambda t: getattr(tf_math, f"segment_{name}")(t, segments), data, 1e-5)
    shuffled = [3, 0, 2, -1, 1, 0]
    check_gradient(lambda t: getattr(tf_math, f"unsorted_segment_{name}")(t, shuffled, 4), data, 1e-5)


def test_segments_with_gaps():
    rows = [[1.0], [2.0], [4.0]]
    expected = {"sum": [3, 0, 4], "mean": [1.5, 0, 4], "prod": [2, 1, 4], "max": [2, 0, 4], "min": [1, 0, 4]}
    for name, result in expected.items():
        assert getattr(tf_math, f"segment_{name}")(rows, [0, 0, 2]).numpy().ravel().tolist() == result


def test_product_gradients_around_zeros():
    data = tf.constant([0.0, 2.0, 0.0, 0.0, 5.0])
    with tf.GradientTape() as tape:
        tape.watch(data)
        product = tf_math.unsorted_segment_prod(data, [0, 0, 1, 1, 2], 3)
    np.testing.assert_array_equal(tape.gradient(product, data).numpy(), [2, 0, 0, 0, 1])


@given(st.lists(st.integers(0, 9), max_size=20))
def test_bincount(items):
    assert tf_math.bincount(np.array(items, np.int32)).numpy().tolist() == np.bincount(np.array(items, int)).tolist()
    counted = tf_math.bincount(np.array(items, np.int32), minlength=12, maxlength=5).numpy()
    assert counted.tolist() == [items.count(index) for index in range(5)]


def test_confusion_matrix():
    matrix = tf_math.confusion_matrix([0, 1, 2, 2], [0, 2, 2, 1])
    np.testing.assert_array_equal(matrix.numpy(), [[1, 0, 0], [0, 0, 1], [0, 1, 1]])
    rows = tf_math.bincount([[1, 2, 2], [0, 1, 1]], axis=-1, binary_output=True)
    np.testing.assert_array_equal(rows.numpy(), [[0, 1, 1], [1, 1, 0]])


# ------------------------------------------------------------------------------------------------- tracing


@pytest.mark.parametrize("shape", [[3, 4], [None, 4], [None, None], None], ids=str)
def test_gradients_while_sizes_are_unknown(shape):
    x = numbers(3, 4, low=0.5)
    functions = (
        lambda a: tf_math.reduce_prod(a, 1), lambda a: tf_math.reduce_max(a, 0), lambda a: tf_math.reduce_mean(a),
        lambda a: a / tf_math.reduce_sum(a, 0), lambda a: linalg.matmul(a, a, transpose_b=True),
        lambda a: linalg.einsum("ij,kj->ik", a, a), lambda a: tf_math.unsorted_segment_prod(a, [0, 1, 0], 2),
        lambda a: tf_math.segment_mean(a, [0, 1, 1]), lambda a: tf_math.cumprod(a, 1), lambda a: a ** a[0],
        lambda a: clipping.clip_by_norm(a, 1.0), lambda a: tf_math.reduce_logsumexp(a, 1),
    )  # fmt: skip

    def slopes(a):
        results = []
        for function in functions:
            with tf.GradientTape() as tape:
                tape.watch(a)
                total = tf_math.reduce_sum(tf_math.square(function(a)))
            results.append(tape.gradient(total, a))
        return results

    traced = tf.function(slopes, input_signature=[tf.TensorSpec(shape, tf.float64)])(tf.constant(x))
    for result, expected in zip(traced, slopes(tf.constant(x)), strict=True):
        np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-10)


def test_complex_numbers_have_infinite_parts():
    made = np.asarray(tf.complex([1.0, np.inf], np.inf))
    assert made.real.tolist() == [1, np.inf] and made.imag.tolist() == [np.inf, np.inf]
