"""Convolution, pooling, normalization, activations, losses, ranking: values by definition, gradients, errors."""

from __future__ import annotations

import itertools
import math
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modtf import core as tf
from modtf.core.api import nn
from modtf.core.engine.vocabulary import get_op

raw = tf.raw_ops
InvalidArgumentError = tf.errors.InvalidArgumentError

# NumPy under another name: kernels take the way of namespaces that are not NumPy, without writing in place.
OTHER = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np) if not name.startswith("__")})


def numbers(*shape: int, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def close(result: object, expected: object, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def attrs_of(name: str, **given: object) -> dict[str, object]:
    schema = get_op(name).schema
    return dict(zip(schema.attr_index, schema.canonical_attrs(given), strict=True))


def kernel(name: str, xp: object, *arrays: np.ndarray, **given: object) -> np.ndarray:
    return get_op(name).kernel(xp, *arrays, **attrs_of(name, **given))  # type: ignore[misc, operator]


def numeric(f, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The derivative of a scalar function by central differences."""
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[index] += step
        behind[index] -= step
        result[index] = (f(ahead) - f(behind)) / (2 * step)
    return result


def check_gradient(f, x: np.ndarray, tolerance: float = 1e-6) -> None:
    """Compares the first and second derivatives of `f`, from tensor to tensor, with differences."""
    weights = numbers(*f(tf.constant(x)).shape.as_list(), seed=5)
    direction = numbers(*x.shape, seed=6)

    def slope(value: np.ndarray):
        tensor = tf.constant(value)
        with tf.GradientTape() as outer:
            outer.watch(tensor)
            with tf.GradientTape() as inner:
                inner.watch(tensor)
                y = f(tensor)
            gradient = inner.gradient(y, tensor, output_gradients=tf.constant(weights))
        second = outer.gradient(gradient, tensor, output_gradients=tf.constant(direction))
        return gradient.numpy(), np.zeros_like(value) if second is None else second.numpy()

    first, second = slope(x)
    close(first, numeric(lambda value: float((f(tf.constant(value)).numpy() * weights).sum()), x), tolerance)
    close(second, numeric(lambda value: float((slope(value)[0] * direction).sum()), x), tolerance * 10)


# ------------------------------------------------------------------------------------------------- convolution


def padding_of(size: int, taps: int, stride: int, dilation: int, padding: str) -> tuple[int, int, int]:
    """Padding before and after, and the number of windows, by TensorFlow's documentation."""
    span = (taps - 1) * dilation + 1
    if padding == "VALID":
        return 0, 0, (size - span) // stride + 1
    count = math.ceil(size / stride)
    total = max((count - 1) * stride + span - size, 0)
    return total // 2, total - total // 2, count


def convolved(x: np.ndarray, filters: np.ndarray, stride: int, dilation: int, padding: str) -> np.ndarray:
    """A grouped convolution by its definition."""
    (top, bottom, rows), (left, right, columns) = (
        padding_of(size, taps, stride, dilation, padding)
        for size, taps in zip(x.shape[1:3], filters.shape, strict=False)
    )
    x = np.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])
    groups = x.shape[3] // filters.shape[2]
    depth = filters.shape[3] // groups
    result = np.zeros((x.shape[0], rows, columns, filters.shape[3]))
    for row, column, i, j in itertools.product(*map(range, (rows, columns, *filters.shape[:2]))):
        pixel = x[:, row * stride + i * dilation, column * stride + j * dilation]
        for group in range(groups):
            inside = slice(group * filters.shape[2], (group + 1) * filters.shape[2])
            outside = slice(group * depth, (group + 1) * depth)
            result[:, row, column, outside] += pixel[:, inside] @ filters[i, j, :, outside]
    return result


geometry = st.fixed_dictionaries(
    {
        "height": st.integers(7, 10),
        "width": st.integers(7, 10),
        "taps": st.tuples(st.integers(1, 4), st.integers(1, 4)),
        "stride": st.integers(1, 4),
        "dilation": st.integers(1, 2),
        "padding": st.sampled_from(["SAME", "VALID"]),
        "data_format": st.sampled_from(["NHWC", "NCHW"]),
    }
)


def layout(array: np.ndarray, data_format: str) -> np.ndarray:
    return array if data_format == "NHWC" else np.moveaxis(array, -1, 1)


def check_family(
    names: tuple[str, str, str], x: np.ndarray, filters: np.ndarray, expected: np.ndarray, where: dict
) -> None:
    """Checks a convolution's values, and its gradients as what makes the products of both sides equal."""
    data_format = where["data_format"]
    per_axis = {name: [1, value, value, 1] if data_format == "NHWC" else [1, 1, value, value]
                for name, value in (("strides", where["stride"]), ("dilations", where["dilation"]))}  # fmt: skip
    attrs = dict(per_axis, padding=where["padding"], data_format=data_format)
    dy, image = numbers(*expected.shape, seed=2), layout(x, data_format)
    dy_laid = layout(dy, data_format)
    for xp in (np, OTHER):
        close(kernel(names[0], xp, image, filters, **attrs), layout(expected, data_format))
        dx = kernel(names[1], xp, np.array(image.shape), filters, dy_laid, **attrs)
        df = kernel(names[2], xp, image, np.array(filters.shape), dy_laid, **attrs)
        assert dx.shape == image.shape
        assert df.shape == filters.shape
        product = (expected * dy).sum()
        close((dx * image).sum(), product, 1e-9)
        close((df * filters).sum(), product, 1e-9)


@settings(max_examples=40)
@given(geometry, st.sampled_from([(1, 3, 2), (2, 2, 4), (4, 1, 8)]))
def test_convolution_and_its_transposes(where: dict, depths: tuple[int, int, int]) -> None:
    groups, inner, outer = depths
    x = numbers(2, where["height"], where["width"], groups * inner)
    filters = numbers(*where["taps"], inner, outer, seed=1)
    expected = convolved(x, filters, where["stride"], where["dilation"], where["padding"])
    check_family(("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"), x, filters, expected, where)


@settings(max_examples=30)
@given(geometry, st.integers(1, 2))
def test_depthwise_convolution_and_its_transposes(where: dict, multiplier: int) -> None:
    x = numbers(2, where["height"], where["width"], 3)
    filters = numbers(*where["taps"], 3, multiplier, seed=1)
    grouped = filters.reshape(*where["taps"], 1, 3 * multiplier)
    expected = convolved(x, grouped, where["stride"], where["dilation"], where["padding"])
    names = ("DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter")
    check_family(names, x, filters, expected, where)


def test_transposes_match_differences() -> None:
    """The products above fix the gradients only along one direction; here is every element."""
    x, filters = numbers(1, 5, 4, 2), numbers(3, 2, 2, 3, seed=1)
    attrs = {"strides": [1, 2, 1, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 2, 1, 0, 1, 0, 0]}
    check_gradient(lambda tensor: raw.Square(raw.Conv2D(tensor, filters, **attrs)), x)
    check_gradient(lambda tensor: raw.Square(raw.Conv2D(x, tensor, **attrs)), filters)
    wise = numbers(3, 2, 2, 2, seed=1)
    check_gradient(lambda tensor: raw.Square(raw.DepthwiseConv2dNative(tensor, wise, **attrs)), x)
    check_gradient(lambda tensor: raw.Square(raw.DepthwiseConv2dNative(x, tensor, **attrs)), wise)


def test_convolution_in_three_dimensions() -> None:
    """A filter of depth 1 makes it a convolution of each slice."""
    volume, filters = numbers(2, 3, 6, 5, 2), numbers(1, 3, 3, 2, 4, seed=1)
    slices = np.stack([convolved(volume[:, index], filters[0], 1, 1, "SAME") for index in range(3)], axis=1)
    close(nn.conv3d(volume, filters, 1, "SAME"), slices)
    check_gradient(lambda tensor: raw.Square(nn.conv3d(tensor, filters, [2, 2, 1], "VALID")), volume[:1])


def test_large_inputs_are_worked_through_in_parts() -> None:
    """What does not fit the cache is divided by images and by lines, with the same result."""
    x, filters = numbers(3, 48, 50, 24), numbers(5, 5, 24, 8, seed=1)
    close(
        nn.conv2d(x, filters, 2, "SAME"),
        kernel("Conv2D", OTHER, x, filters, strides=[1, 2, 2, 1], padding="SAME"),
        1e-9,
    )
    large = numbers(1, 120, 130, 16)
    wide = kernel("Conv2D", OTHER, large, filters[..., :16, :], strides=[1, 1, 1, 1], padding="VALID")
    close(nn.conv2d(large, filters[..., :16, :], 1, "VALID"), wide, 1e-9)
    images = numbers(6, 60, 60, 32)
    pooled = kernel("MaxPool", OTHER, images, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME")
    close(nn.max_pool(images, 3, 2, "SAME"), pooled)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_floats_are_computed_in_float32(dtype: str) -> None:
    x, filters = (raw.Cast(numbers(*shape), DstT=dtype) for shape in ((1, 6, 6, 40), (3, 3, 40, 2)))
    result = nn.conv2d(x, filters, 1, "VALID")
    exact = nn.conv2d(raw.Cast(x, DstT="float32"), raw.Cast(filters, DstT="float32"), 1, "VALID")
    assert result.dtype.name == dtype
    np.testing.assert_array_equal(result, raw.Cast(exact, DstT=dtype))


def test_one_dimension_and_more_batch_dimensions() -> None:
    x, filters = numbers(2, 3, 9, 4), numbers(3, 4, 5, seed=1)
    expected = convolved(x.reshape(6, 1, 9, 4), filters[None], 2, 1, "SAME").reshape(2, 3, 5, 5)
    close(nn.conv1d(x, filters, 2, "SAME"), expected)
    close(nn.conv1d(np.moveaxis(x[0], -1, 1), filters, 2, "SAME", "NCW"), np.moveaxis(expected[0], -1, 1))
    images = numbers(2, 3, 6, 6, 2)
    filters = numbers(2, 2, 2, 3, seed=1)
    flat = convolved(images.reshape(6, 6, 6, 2), filters, 1, 1, "VALID")
    close(nn.conv2d(images, filters, 1, "VALID"), flat.reshape(2, 3, 5, 5, 3))
    close(nn.convolution(images[0], filters), flat[:3])


def test_dilated_depthwise_goes_through_space_to_batch() -> None:
    x, filters = numbers(2, 9, 10, 3), numbers(3, 2, 3, 2, seed=1)
    for padding in ("SAME", "VALID"):
        expected = convolved(x, filters.reshape(3, 2, 1, 6), 1, 2, padding)
        close(nn.depthwise_conv2d(x, filters, [1, 1, 1, 1], padding, dilations=[2, 2]), expected)
        first = nn.depthwise_conv2d(np.moveaxis(x, -1, 1), filters, [1, 1, 1, 1], padding, "NCHW", [2, 2])
        close(first, np.moveaxis(expected, -1, 1))
    with pytest.raises(ValueError, match="all strides must be 1"):
        nn.depthwise_conv2d(x, filters, [1, 2, 2, 1], "SAME", dilations=[2, 2])


def test_transposed_and_separable_convolution() -> None:
    small, filters = numbers(2, 4, 5, 3), numbers(3, 3, 2, 3, seed=1)
    large = nn.conv2d_transpose(small, filters, [2, 8, 10, 2], 2)
    probe = numbers(2, 8, 10, 2, seed=2)
    close((large.numpy() * probe).sum(), (convolved(probe, filters, 2, 1, "SAME") * small).sum(), 1e-10)
    line = nn.conv1d_transpose(small[:, 0], filters[0], [2, 10, 2], 2)
    close(line, nn.conv2d_transpose(small[:, :1], filters[:1], [2, 1, 10, 2], [1, 2])[:, 0])
    wise, mix = numbers(3, 3, 3, 2), numbers(1, 1, 6, 4)
    steps = nn.conv2d(nn.depthwise_conv2d(small, wise, [1, 1, 1, 1], "SAME"), mix, 1, "VALID")
    close(nn.separable_conv2d(small, wise, mix, [1, 1, 1, 1], "SAME"), steps)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            lambda x, f: nn.conv2d(x, f[:, :, :2], 1, "SAME"),
            "input depth must be evenly divisible by filter depth: 3 vs 2",
        ),
        (lambda x, f: nn.conv2d(x, np.zeros((9, 1, 3, 1)), 1, "VALID"), "output size would be negative: -2"),
        (lambda x, f: nn.conv2d(x, f, 0, "SAME"), "strides must be larger than 0"),
        (lambda x, f: nn.conv2d(x, f, [2, 1, 1, 1], "SAME"), "batch and depth dimensions must be 1"),
        (lambda x, f: nn.conv2d(x, f, [1, 2, 3], "SAME"), "strides should be of length 1, 2 or 4"),
        (lambda x, f: nn.conv2d(x, f, 1, "same"), "padding must be one of 'EXPLICIT', 'SAME', 'VALID'"),
        (lambda x, f: nn.conv2d(x, f, 1, [1, 1]), "a list of pairs"),
        (lambda x, f: nn.conv2d(x, f, 1, [[0, 0], [1, 1]]), "must contain 8 values, but got: 4"),
        (lambda x, f: nn.conv2d(x, f, 1, [[0, 0], [-1, 1], [0, 0], [0, 0]]), "must be nonnegative"),
        (lambda x, f: nn.conv2d(x[0], f, 1, "SAME"), "rank at least 4"),
        (lambda x, f: nn.conv2d(x, f, 1, "SAME", "NHCW"), "must be 'NHWC' or 'NCHW'"),
        (
            lambda x, f: nn.conv2d(tf.constant(x), tf.constant(f, "float32"), 1, "SAME"),
            "expected to be a float64 tensor but is a float32",
        ),
        (lambda x, f: nn.conv2d_transpose(x, f, [1, 5, 6, 3], 2), "Size of out_backprop doesn't match computed"),
        (lambda x, f: nn.depthwise_conv2d(x, f[:, :, :2], [1, 1, 1, 1], "SAME"), "must have the same depth: 3 vs 2"),
        (lambda x, f: nn.max_pool(x, 8, 1, "VALID"), "output size would be negative"),
        (lambda x, f: nn.max_pool(x, [2, 1, 1, 1], 1, "VALID"), "not supported on the batch dimension"),
        (lambda x, f: nn.avg_pool(x[0, 0], 1, 1, "VALID"), "must have rank 3, 4 or 5"),
    ],
)
def test_mistakes_are_named(mistake, message: str) -> None:
    with pytest.raises((ValueError, InvalidArgumentError), match=message):
        mistake(numbers(1, 6, 6, 3), numbers(3, 3, 3, 3, seed=1))


# ------------------------------------------------------------------------------------------------- pooling


def pooled(x: np.ndarray, taps: tuple[int, int], stride: int, padding: str, reduce) -> np.ndarray:
    """Pooling by its definition: padding is left out of every window."""
    places = [padding_of(size, tap, stride, 1, padding) for size, tap in zip(x.shape[1:3], taps, strict=True)]
    result = np.zeros((x.shape[0], places[0][2], places[1][2], x.shape[3]))
    for row, column in itertools.product(range(places[0][2]), range(places[1][2])):
        top, left = row * stride - places[0][0], column * stride - places[1][0]
        window = x[:, max(top, 0) : top + taps[0], max(left, 0) : left + taps[1]]
        result[:, row, column] = reduce(window, axis=(1, 2))
    return result


@settings(max_examples=40)
@given(geometry, st.booleans())
def test_pooling_and_its_gradients(where: dict, ties: bool) -> None:
    x = numbers(2, where["height"], where["width"], 3)
    x = np.round(x) if ties else x
    taps, stride, padding = where["taps"], where["stride"], where["padding"]
    attrs = {"ksize": [1, *taps, 1], "strides": [1, stride, stride, 1], "padding": padding}
    for xp in (np, OTHER):
        mean = kernel("AvgPool", xp, x, **attrs)
        close(mean, pooled(x, taps, stride, padding, np.mean))
        dy, dx = numbers(*mean.shape, seed=2), numbers(*x.shape, seed=3)
        close((kernel("AvgPoolGrad", xp, np.array(x.shape), dy, **attrs) * x).sum(), (mean * dy).sum(), 1e-9)
        largest = kernel("MaxPool", xp, x, **attrs)
        np.testing.assert_array_equal(largest, pooled(x, taps, stride, padding, np.max))
        back = kernel("MaxPoolGrad", xp, x, largest, dy, **attrs)
        # Each window's gradient goes to one of its largest elements, and the op's own gradient takes it from there.
        close((back * x).sum(), (largest * dy).sum(), 1e-9)
        close(back.sum(), dy.sum(), 1e-9)
        close((kernel("MaxPoolGradGrad", xp, x, largest, dx, **attrs) * dy).sum(), (back * dx).sum(), 1e-9)
        np.testing.assert_array_equal(kernel("MaxPoolGradGrad", xp, x, largest, x, **attrs), largest)


def test_the_first_of_equal_elements_gets_the_gradient() -> None:
    x = np.array([[1.0, 2.0], [2.0, 2.0]]).reshape(1, 2, 2, 1)
    back = raw.MaxPoolGrad(x, [[[[2.0]]]], [[[[5.0]]]], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    assert back.numpy().reshape(-1).tolist() == [0, 5, 0, 0]


def test_pooling_gradients_match_differences() -> None:
    x = numbers(1, 5, 6, 2)
    check_gradient(lambda tensor: raw.Square(nn.max_pool(tensor, 3, 2, "SAME")), x)
    check_gradient(lambda tensor: raw.Square(nn.max_pool(tensor, 3, 2, [[0, 0], [1, 0], [2, 1], [0, 0]])), x)
    check_gradient(lambda tensor: raw.Square(nn.avg_pool(tensor, [3, 2], [2, 1], "SAME")), x)


def test_pooling_in_other_dimensions_and_layouts() -> None:
    x = numbers(2, 6, 5, 4)
    close(nn.max_pool(x[:, 0], 2, 2, "SAME"), pooled(x[:, :1], (1, 2), 2, "SAME", np.max)[:, 0])
    close(
        nn.avg_pool1d(np.moveaxis(x[:, 0], -1, 1), 2, 1, "VALID", "NCW")[:, 1], (x[:, 0, :-1, 1] + x[:, 0, 1:, 1]) / 2
    )
    close(nn.max_pool2d(np.moveaxis(x, -1, 1), 2, 2, "SAME", "NCHW"), np.moveaxis(nn.max_pool(x, 2, 2, "SAME"), -1, 1))
    volume = numbers(1, 4, 4, 4, 2)
    close(nn.avg_pool(volume, 2, 2, "VALID")[0, 0, 0, 0], volume[0, :2, :2, :2].mean((0, 1, 2)))
    narrow = volume.astype("float32")
    close(nn.max_pool3d(narrow, 2, 2, "VALID")[0, 1, 1, 1], narrow[0, 2:, 2:, 2:].max((0, 1, 2)))
    close(
        raw.MaxPool(tf.constant(x), ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2], padding="VALID"),
        x.reshape(2, 6, 5, 2, 2).max(-1),
    )


# ------------------------------------------------------------------------------------------------- normalization


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW", "NDHWC"])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_batch_normalization_in_training(data_format: str, factor: float) -> None:
    sizes = {"N": 3, "D": 2, "H": 4, "W": 5, "C": 6}
    x = numbers(*(sizes[letter] for letter in data_format), dtype="float32") * 2 + 1
    axes = tuple(axis for axis, letter in enumerate(data_format) if letter != "C")
    aligned = [sizes[letter] if letter == "C" else 1 for letter in data_format]
    scale, offset, mean, variance = (numbers(6, seed=seed, dtype="float32") for seed in range(1, 5))
    result = raw.FusedBatchNormV3(
        x, scale, offset, mean, variance, epsilon=1e-3, exponential_avg_factor=factor, data_format=data_format
    )
    count = x.size // 6
    new_mean, new_variance = x.mean(axes), x.var(axes)
    normal = (x - new_mean.reshape(aligned)) / np.sqrt(new_variance.reshape(aligned) + 1e-3)
    close(result.y, normal * scale.reshape(aligned) + offset.reshape(aligned), 1e-4)
    close(result.batch_mean, factor * new_mean + (1 - factor) * mean, 1e-5)
    close(result.batch_variance, factor * new_variance * count / (count - 1) + (1 - factor) * variance, 1e-5)
    close(result.reserve_space_1, new_mean, 1e-5)
    close(result.reserve_space_2, new_variance, 1e-5)


def test_batch_normalization_at_inference() -> None:
    x, parameters = (
        numbers(2, 3, 4, 5, dtype="float32"),
        [np.abs(numbers(5, seed=seed, dtype="float32")) for seed in range(4)],
    )
    scale, offset, mean, variance = parameters
    result = raw.FusedBatchNormV3(x, *parameters, epsilon=1e-3, is_training=False)
    close(result.y, (x - mean) / np.sqrt(variance + 1e-3) * scale + offset, 1e-5)
    close(nn.batch_normalization(x, mean, variance, offset, scale, 1e-3), result.y, 1e-5)
    close(result.batch_variance, variance)
    narrow = raw.FusedBatchNormV3(raw.Cast(x, DstT="bfloat16"), *parameters, epsilon=1e-3, is_training=False)
    assert [tensor.dtype.name for tensor in narrow] == ["bfloat16"] + ["float32"] * 5
    with pytest.raises(InvalidArgumentError, match=r"Shapes \(5,\) and \(0,\) are not compatible"):
        raw.FusedBatchNormV3(x, scale, offset, [], variance, is_training=False)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_batch_normalization_gradients(training: bool, data_format: str) -> None:
    """First and second derivatives of the fused op against those of the formula in elementary ops."""
    axes, aligned = ([0, 1, 2], [1, 1, 1, 3]) if data_format == "NHWC" else ([0, 2, 3], [1, 3, 1, 1])
    x = numbers(2, 4, 5, 3, dtype="float32") if data_format == "NHWC" else numbers(2, 3, 4, 5, dtype="float32")
    parameters = [np.abs(numbers(3, seed=seed, dtype="float32")) + 0.5 for seed in range(4)]
    weights, directions = (
        numbers(*x.shape, seed=7, dtype="float32"),
        [numbers(*v.shape, seed=8, dtype="float32") for v in (x, *parameters[:2])],
    )

    def fused(x, scale, offset):
        return raw.FusedBatchNormV3(
            x, scale, offset, *parameters[2:], epsilon=1e-3, is_training=training, data_format=data_format
        ).y

    def plain(x, scale, offset):
        mean, variance = (raw.Reshape(item, aligned) for item in parameters[2:])
        if training:
            mean = raw.Mean(x, axes, keep_dims=True)
            variance = raw.Mean(raw.Square(x - mean), axes, keep_dims=True)
        return (x - mean) * raw.Rsqrt(variance + 1e-3) * raw.Reshape(scale, aligned) + raw.Reshape(offset, aligned)

    def derivatives(function):
        sources = [tf.constant(item) for item in (x, *parameters[:2])]
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as inner:
                inner.watch(sources)
                y = function(*sources)
            first = inner.gradient(y, sources, output_gradients=tf.constant(weights))
            mixed = [raw.Sum(a * b, list(range(b.ndim))) for a, b in zip(first, directions, strict=True)]
            total = mixed[0] + mixed[1] + mixed[2]
        return [*first, *outer.gradient(total, sources[:2])]

    for ours, expected in zip(derivatives(fused), derivatives(plain), strict=True):
        close(ours, expected, 2e-4)


def test_moments_and_lengths() -> None:
    x = numbers(2, 3, 4)
    mean, variance = nn.moments(x, [0, -1])
    close(mean, x.mean((0, 2)))
    close(variance, x.var((0, 2)))
    assert nn.moments(x, [1], keepdims=True)[1].shape == (2, 1, 4)
    close(nn.l2_normalize(x, 1), x / np.linalg.norm(x, axis=1, keepdims=True))
    close(nn.l2_normalize(np.zeros(3), 0), np.zeros(3))
    close(nn.zero_fraction(np.array([0, 1, 0, 2])), 0.5)


def test_dropout() -> None:
    x = np.ones((200, 50), "float32")
    result = nn.dropout(x, 0.2, seed=3).numpy()
    assert set(np.unique(result)) == {np.float32(0), np.float32(1.25)}
    assert 0.17 < (result == 0).mean() < 0.23
    rows = nn.dropout(x, tf.constant(0.5), noise_shape=[None, 1], seed=3).numpy()
    assert (rows == rows[:, :1]).all()
    np.testing.assert_array_equal(nn.dropout(x, 0), x)
    with pytest.raises(ValueError, match=r"range \[0, 1\)"):
        nn.dropout(x, 1.0)
    with pytest.raises(ValueError, match="floating"):
        nn.dropout([1, 2], 0.5)


# ------------------------------------------------------------------------------------------------- activations

FORMULAS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, float(np.float32(0.2)) * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1)),
    "gelu": lambda x: np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.flat]).reshape(x.shape),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_activations(name: str) -> None:
    x = numbers(3, 4, seed=4) * 4
    function = getattr(nn, name)
    close(function(x), FORMULAS[name](x), 1e-10)
    check_gradient(function, x, 1e-5)
    narrow = function(raw.Cast(x, DstT="bfloat16"))
    assert narrow.dtype.name == "bfloat16"
    np.testing.assert_allclose(raw.Cast(narrow, DstT="float64"), FORMULAS[name](x), rtol=0.05, atol=0.1)


def test_activations_at_the_edges() -> None:
    far = np.array([-1e4, -100.0, 100.0, 1e4])
    close(nn.softplus(far), [0, 0, 100, 1e4])
    close(nn.softmax(far), [0, 0, 0, 1])
    assert np.isfinite(nn.log_softmax(far).numpy()).all()
    np.testing.assert_array_equal(nn.relu([np.nan, -np.inf, np.inf]), np.array([np.nan, 0, np.inf], "float32"))
    assert nn.relu(np.array([-3, 4], "int8")).dtype.name == "int8"
    close(nn.softmax(numbers(2, 3, 4), axis=1), np.moveaxis(nn.softmax(np.moveaxis(numbers(2, 3, 4), 1, -1)), -1, 1))
    with pytest.raises(ValueError, match=r"must be in \[-2, 2\)"):
        nn.softmax(numbers(2, 3), axis=2)


def test_bias() -> None:
    x, bias = numbers(2, 3, 4, 5), numbers(5)
    close(nn.bias_add(x, bias), x + bias)
    close(nn.bias_add(x, bias[:3], "NCHW"), x + bias[:3, None, None])
    check_gradient(lambda tensor: raw.Square(nn.bias_add(x[:1, :1], tensor)), bias)
    check_gradient(lambda tensor: raw.Square(nn.bias_add(x[:1], tensor, "NCHW")), bias[:3])
    with pytest.raises(InvalidArgumentError, match="as many biases as the input tensor has channels"):
        nn.bias_add(x, bias[:4])


# ------------------------------------------------------------------------------------------------- losses


def test_cross_entropies() -> None:
    logits, classes = numbers(4, 5), np.array([0, 4, 2, 2])
    labels = np.exp(numbers(4, 5, seed=1))
    labels /= labels.sum(-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    close(nn.softmax_cross_entropy_with_logits(labels, logits), -(labels * logs).sum(-1))
    close(nn.softmax_cross_entropy_with_logits(labels.T, logits.T, axis=0), -(labels * logs).sum(-1))
    close(nn.sparse_softmax_cross_entropy_with_logits(classes, logits), -logs[range(4), classes])
    deep = nn.sparse_softmax_cross_entropy_with_logits(classes.reshape(2, 2), logits.reshape(2, 2, 5))
    close(deep, -logs[range(4), classes].reshape(2, 2))
    check_gradient(lambda tensor: nn.softmax_cross_entropy_with_logits(labels, tensor), logits)
    check_gradient(lambda tensor: nn.sparse_softmax_cross_entropy_with_logits(classes, tensor), logits)
    chance = 1 / (1 + np.exp(-logits))
    close(
        nn.sigmoid_cross_entropy_with_logits(labels, logits),
        -labels * np.log(chance) - (1 - labels) * np.log(1 - chance),
    )
    weighted = -labels * np.log(chance) * 3 - (1 - labels) * np.log(1 - chance)
    close(nn.weighted_cross_entropy_with_logits(labels, logits, 3.0), weighted)
    close(nn.l2_loss(logits), (logits**2).sum() / 2)


def test_a_label_out_of_range_is_an_error_and_nan_where_it_cannot_be_seen() -> None:
    logits, classes = numbers(2, 3), np.array([1, 3])
    with pytest.raises(InvalidArgumentError, match=r"label value of 3 which is outside the valid range of \[0, 3\)"):
        nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    loss, gradient = kernel("SparseSoftmaxCrossEntropyWithLogits", OTHER, logits, classes)  # type: ignore[misc]
    assert np.isnan(loss).tolist() == [False, True]
    assert np.isnan(gradient[1]).all()
    with pytest.raises(ValueError, match="rank"):
        nn.sparse_softmax_cross_entropy_with_logits(classes[None], logits)


# ------------------------------------------------------------------------------------------------- ranking


@given(st.integers(0, 6), st.sampled_from(["float32", "int8", "uint8", "int64"]), st.integers(0, 99))
def test_top_k(k: int, dtype: str, seed: int) -> None:
    x = np.random.default_rng(seed).integers(0, 4, (3, 6)).astype(dtype)  # many equals: the first comes first
    values, indices = nn.top_k(x, k)
    expected = np.array([sorted(range(6), key=lambda column: (-int(row[column]), column))[:k] for row in x])
    np.testing.assert_array_equal(indices, expected.reshape(3, k))
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected.reshape(3, k).astype(int), -1))


def test_top_k_gradient_and_mistakes() -> None:
    check_gradient(lambda tensor: raw.Square(nn.top_k(tensor, 2).values), numbers(2, 3, 4))
    with pytest.raises(InvalidArgumentError, match="Had 3, needed 4"):
        nn.top_k([1.0, 2.0, 3.0], 4)
    ranked = np.array([[1, 3, 2], [1, 3, 2], [3, 3, 1], [1, np.nan, 2], [1, 2, 3]], "float32")
    assert nn.in_top_k([1, 2, 0, 0, 7], ranked, 1).numpy().tolist() == [True, False, True, False, False]


def test_embedding_lookup() -> None:
    table, ids = numbers(7, 3), np.array([[1, 6], [0, 0]])
    close(nn.embedding_lookup(table, ids), table[ids])
    close(nn.embedding_lookup([table[:4], table[4:]], ids), table[ids])
    short = nn.embedding_lookup(table * 100, ids, max_norm=2.0)
    close(np.linalg.norm(short, axis=-1), np.full((2, 2), 2.0))


# ------------------------------------------------------------------------------------------------- tracing


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: nn.conv2d(x, np.zeros((3, 3, 3, 7), "float32"), 2, "SAME"), (None, 5, None, 7)),
        (lambda x: nn.conv2d(x, np.zeros((3, 3, 3, 7), "float32"), 1, "VALID"), (None, 7, None, 7)),
        (lambda x: nn.depthwise_conv2d(x, np.zeros((3, 3, 3, 2), "float32"), [1, 1, 1, 1], "SAME"), (None, 9, None, 6)),
        (lambda x: nn.max_pool(x, 2, 2, "VALID"), (None, 4, None, 3)),
        (lambda x: nn.avg_pool(x, 2, 2, "SAME"), (None, 5, None, 3)),
        (lambda x: raw.FusedBatchNormV3(x, *[np.ones(3, "float32")] * 4).y, (None, 9, None, 3)),
        (lambda x: nn.top_k(x, 2).values, (None, 9, None, 2)),
        (lambda x: nn.softmax(x, axis=1), (None, 9, None, 3)),
    ],
)
def test_shapes_are_inferred_with_unknown_sizes(function, expected: tuple) -> None:
    graph = tf.Graph("shapes")
    with graph.as_default():
        x = graph.add_input(tf.float32, (None, 9, None, 3), "x")
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        gradient = tape.gradient(y, x)
    assert y.shape.dims == expected
    assert gradient.shape.is_compatible_with((None, 9, None, 3))
