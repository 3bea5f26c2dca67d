"""Shapes, joining, gathering, searching, diagonals and rearranging: values against NumPy, inferred shapes, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modtf import core as tf
from modtf.core.api import array, selecting

raw = tf.raw_ops
X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
InvalidArgumentError = tf.errors.InvalidArgumentError


def equal(result: object, expected: object, dtype: str | None = None) -> None:
    np.testing.assert_array_equal(result, expected)
    if dtype is not None:
        assert result.dtype.name == dtype  # type: ignore[attr-defined]


def inferred(f, *specs) -> list:
    """The shapes that tracing finds for the results of `f`."""
    graph = tf.Graph("shapes")
    with graph.as_default():
        results = f(*(graph.add_input(dtype, dims, "x") for dims, dtype in specs))
    return [result.shape.dims for result in (results if isinstance(results, list) else [results])]


# ------------------------------------------------------------------------------------------------- making


def test_making() -> None:
    equal(array.zeros([2, 3]), np.zeros((2, 3)), "float32")
    equal(array.zeros(3, tf.int64), np.zeros(3), "int64")
    equal(array.zeros(tf.TensorShape([]), tf.bool), False, "bool")
    assert array.zeros([2], tf.string).numpy().tolist() == [b"", b""]
    equal(array.ones([2, 0], tf.complex64), np.ones((2, 0)), "complex64")
    equal(array.ones_like([1, 2], tf.bfloat16), [1, 1], "bfloat16")
    equal(array.fill([2, 2], 7), [[7, 7], [7, 7]], "int32")
    equal(array.eye(2, 3), np.eye(2, 3), "float32")
    equal(array.eye(3, 2, batch_shape=[2], dtype=tf.int32), [np.eye(3, 2)] * 2, "int32")
    equal(array.eye(0), np.eye(0))
    with pytest.raises(TypeError, match="string"):
        array.ones([1], tf.string)
    with pytest.raises(ValueError, match="partially known"):
        array.zeros(tf.TensorShape([None]))


def test_ranges() -> None:
    equal(array.range(5), np.arange(5), "int32")
    equal(array.range(5, 0, -2), [5, 3, 1], "int32")
    equal(array.range(0, 5, 1.5), [0, 1.5, 3, 4.5], "float32")
    equal(array.range(3, dtype=tf.int64), [0, 1, 2], "int64")
    assert inferred(lambda: array.range(0, 5, 1.5)) == [(4,)]
    with pytest.raises(InvalidArgumentError, match="delta != 0"):
        array.range(1, 2, 0)
    with pytest.raises(InvalidArgumentError, match="start <= limit"):
        array.range(3, 1)


@given(st.integers(1, 9), st.floats(-5, 5), st.floats(-5, 5), st.sampled_from([0, -1]))
def test_linspace(num: int, start: float, stop: float, axis: int) -> None:
    ends = np.array([[start, 1.0]]), np.array([[stop], [2.0]])
    result = np.asarray(array.linspace(*ends, num, axis=axis))
    np.testing.assert_allclose(result, np.linspace(*ends, num, axis=axis), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(raw.LinSpace(start, stop, num), np.linspace(start, stop, num), rtol=1e-5, atol=1e-5)


def test_one_hot() -> None:
    equal(array.one_hot([0, -1, 2], 3), [[1, 0, 0], [0, 0, 0], [0, 0, 1]], "float32")
    equal(array.one_hot([[0, 1]], 2, on_value=5, off_value=-1, axis=0), [[[5, -1]], [[-1, 5]]], "int32")
    equal(array.one_hot([1], 2, dtype=tf.bool, on_value=True, off_value=False, axis=1), [[False, True]], "bool")
    equal(array.one_hot(tf.constant([255], tf.uint8), 512), np.eye(512)[[255]])
    assert inferred(lambda x: array.one_hot(x, 5, axis=1), ([None, 3], tf.int32)) == [(None, 5, 3)]
    with pytest.raises(TypeError, match="does not match"):
        array.one_hot([1], 2, on_value=1, off_value=0.0)
    with pytest.raises(InvalidArgumentError, match="depth must be non-negative"):
        array.one_hot([1], -2)


def test_grids_and_masks() -> None:
    for indexing in ("xy", "ij"):
        for ours, numpys in zip(
            array.meshgrid([1, 2], [3, 4, 5], [6], indexing=indexing),
            np.meshgrid([1, 2], [3, 4, 5], [6], indexing=indexing),
            strict=True,
        ):
            equal(ours, numpys, "int32")
    equal(array.sequence_mask([1, 3, 0]), [[1, 0, 0], [1, 1, 1], [0, 0, 0]], "bool")
    equal(array.sequence_mask([[2]], 3, tf.float32), [[[1, 1, 0]]], "float32")
    with pytest.raises(ValueError, match="'xy' or 'ij'"):
        array.meshgrid([1], indexing="ji")


# ------------------------------------------------------------------------------------------------- shapes


def test_shapes() -> None:
    equal(array.shape(X), [2, 3, 4], "int32")
    equal(array.shape(X, tf.int64), [2, 3, 4], "int64")
    equal(array.size(X), 24, "int32")
    equal(array.rank(X), 3, "int32")
    equal(array.shape_n([X, X[0]])[1], [3, 4])
    equal(array.broadcast_dynamic_shape([2, 1, 3], [4, 1]), [2, 4, 3])
    assert inferred(lambda x: array.shape(x), ([None, 3], tf.float32)) == [(2,)]


def test_constant_shapes_flow_into_ops() -> None:
    x = ([None, 3, 4], tf.float32)

    def sizes(x: tf.Tensor) -> list[tf.Tensor]:
        shape = array.shape(x)
        return [
            array.reshape(x, array.stack([shape[0], 12])),
            array.reshape(x, array.concat([shape[:1], [4, 3]], 0)),
            array.reshape(x, [-1, shape[1] * shape[2]]),
            array.zeros(shape[1:]),
            array.broadcast_to(1.0, shape),
            tf.tile(x, array.stack([2, shape[1], 1])),
            selecting.slice(x, [0, 0, 0], array.stack([shape[0], 2, -1])),
            x[:, : shape[1] - 1],
            tf.pad(x, [[0, 0], [1, 1], [0, 0]]),
            tf.repeat(x, 2, axis=1),
            array.eye(shape[0], shape[1]),
        ]

    expected = [
        (None, 12), (None, 4, 3), (None, 12), (3, 4), (None, 3, 4), (None, 9, 4), (None, 2, 4), (None, 2, 4),
        (None, 5, 4), (None, 6, 4), (None, 3),
    ]  # fmt: skip
    assert inferred(sizes, x) == expected


def test_reshaping() -> None:
    equal(array.reshape(X, [4, -1]), X.reshape(4, -1))
    equal(array.reshape(X[:1, :1, :1], []), 0)
    equal(array.expand_dims(X, -2), X[:, :, None])
    equal(array.squeeze(X[:1, :, :1]), X[0, :, 0])
    equal(array.squeeze(X[:1, :, :1], -1), X[:1, :, 0])
    equal(array.transpose(X), X.T)
    equal(array.transpose(X, [-1, 0, 1]), X.transpose(2, 0, 1))
    equal(array.transpose([[1 + 2j]], conjugate=True), [[1 - 2j]])
    equal(array.broadcast_to([[1], [2]], [3, 2, 2]), [[[1, 1], [2, 2]]] * 3)
    equal(array.bitcast(tf.constant([1.0]), tf.uint8), [[0, 0, 128, 63]], "uint8")
    equal(array.bitcast(tf.constant([[0, 0, 128, 63]], tf.uint8), tf.float32), [1.0], "float32")
    for f, message in [
        (lambda: array.reshape(X, [5, -1]), "multiple of 5"),
        (lambda: array.reshape(X, [7]), "24 values, but the requested shape has 7"),
        (lambda: array.reshape(X, [-1, -1]), "Only one"),
        (lambda: array.reshape(X, 24), "rank 1"),
        (lambda: array.squeeze(X, 0), "expected a dimension of 1, got 2"),
        (lambda: array.expand_dims(X, 4), "index 4"),
        (lambda: array.transpose(X, [0, 1]), "vector of size 3"),
        (lambda: array.transpose(X, [0, 1, 1]), "twice"),
        (lambda: array.broadcast_to(X, [3, 4]), "Rank of input"),
        (lambda: array.broadcast_to(X, [2, 3, 5]), "Incompatible shapes"),
        (lambda: array.ensure_shape(X, [2, None, 5]), "not compatible with expected shape"),
        (lambda: array.bitcast(tf.constant([1, 2], tf.uint8), tf.float32), "last dimension"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            f()


# ------------------------------------------------------------------------------------------------- joining, splitting


@given(st.lists(st.integers(0, 4), min_size=2, max_size=5), st.integers(-3, 2))
def test_split_undoes_concat(lengths: list[int], axis: int) -> None:
    parts = []
    for number, length in enumerate(lengths):
        dims = [2, 3, 4]
        dims[axis] = length
        parts.append(np.full(dims, number, np.int16))
    whole = array.concat([tf.constant(part) for part in parts], axis)
    equal(whole, np.concatenate(parts, axis), "int16")
    for ours, part in zip(array.split(whole, lengths, axis), parts, strict=True):
        equal(ours, part, "int16")
    open_ = [*lengths[:-1], -1]
    assert [part.shape for part in array.split(whole, open_, axis)] == [part.shape for part in parts]


def test_joining() -> None:
    equal(array.stack([X[0], X[1]], -1), np.stack([X[0], X[1]], -1))
    for ours, part in zip(array.unstack(X, axis=1), np.moveaxis(X, 1, 0), strict=True):
        equal(ours, part)
    equal(array.split(X, 2, 2)[1], X[:, :, 2:])
    equal(array.stack([b"a", b"b"]), np.array([b"a", b"b"], object), "string")
    offsets = raw.ConcatOffset(1, [[2, 3], [2, 5], [2, 1]])
    assert [np.asarray(offset).tolist() for offset in offsets] == [[0, 0], [0, 3], [0, 8]]
    spec = ([None, 3], tf.float32), ([5, None], tf.float32)
    assert inferred(lambda x, y: [array.concat([x, y], 0), array.stack([x, y])], *spec) == [(None, 3), (2, 5, 3)]
    assert inferred(lambda x: array.split(x, [2, -1], 1), ([None, 5], tf.float32)) == [(None, 2), (None, 3)]
    for f, message in [
        (lambda: array.concat([X, X[:, :2]], 0), "Dimensions of inputs should match"),
        (lambda: array.concat([X, X[0]], 0), "Ranks of all input tensors should match"),
        (lambda: array.concat([X, X], 3), "axis 3 is out of range"),
        (lambda: array.stack([X, X[0]]), "not compatible"),
        (lambda: array.split(X, 2, 1), "evenly divide"),
        (lambda: array.split(X, [1, 1], 1), "do not sum to 3"),
        (lambda: array.unstack(X, 4), "must be 4 but is 2"),
        (lambda: array.concat([tf.constant(X), tf.constant(X.astype("int32"))], 0), "is a int32 tensor"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            f()
    with pytest.raises(ValueError, match="empty list"):
        array.concat([], 0)
    with pytest.raises(ValueError, match="Cannot infer"):
        inferred(lambda x: array.unstack(x), ([None, 2], tf.float32))


# ------------------------------------------------------------------------------------------------- gathering


@given(st.data())
def test_gather(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 4))
    shape = data.draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank))
    axis = data.draw(st.integers(0, rank - 1))
    batch = data.draw(st.integers(0, axis))
    extra = data.draw(st.lists(st.integers(0, 3), max_size=2))
    params = np.arange(np.prod(shape)).reshape(shape)
    at = [*shape[:batch], *extra]
    indices = np.random.default_rng(0).integers(0, shape[axis], size=at)
    expected = np.empty([*shape[:axis], *extra, *shape[axis + 1 :]], params.dtype)
    for place in np.ndindex(*shape[:batch]):
        expected[place] = np.take(params[place], indices[place], axis=axis - batch)
    equal(selecting.gather(params, indices, axis=axis, batch_dims=batch), expected, "int64")
    specs = ([None, *shape[1:]], tf.int64), (at, tf.int64)
    found = inferred(lambda p, i: selecting.gather(p, i, axis=axis, batch_dims=batch), *specs)[0]
    assert tf.TensorShape(found).is_compatible_with(expected.shape)


def test_gather_nd_and_scatter_nd() -> None:
    coordinates = np.array([[[0, 2], [1, 1]], [[1, 0], [0, 2]]])
    equal(selecting.gather_nd(X, coordinates), X[coordinates[..., 0], coordinates[..., 1]])
    equal(selecting.gather_nd(X, [[1], [0]]), X[[1, 0]])
    equal(selecting.gather_nd(X, np.zeros((2, 0), np.int32)), [X, X])
    equal(selecting.gather_nd(X, [[2], [0]], batch_dims=1), X[[0, 1], [2, 0]])
    equal(selecting.scatter_nd([[1], [3], [1]], [1, 2, 3], [5]), [0, 4, 0, 2, 0], "int32")
    equal(selecting.scatter_nd([[1], [1]], X[:, 0], [3, 4]), [np.zeros(4), X[:, 0].sum(0), np.zeros(4)])
    tensor = tf.constant(X)
    equal(selecting.tensor_scatter_nd_update(tensor, [[1, 2]], [[9.0] * 4])[1, 2], [9] * 4)
    equal(tensor, X)
    equal(selecting.tensor_scatter_nd_add(X, [[0, 0], [0, 0]], [[1.0] * 4] * 2)[0, 0], X[0, 0] + 2)
    equal(
        selecting.tensor_scatter_nd_sub(np.array([5], np.uint8), [[0], [0]], np.array([1, 1], np.uint8)), [3], "uint8"
    )
    for f, message in [
        (lambda: selecting.gather(X, [[0, 2]]), r"indices\[0,1\] = 2 is not in \[0, 2\)"),
        (lambda: selecting.gather(X, [-1]), r"indices\[0\] = -1 is not in \[0, 2\)"),
        (lambda: selecting.gather(X, [0], axis=3), "axis 3 is out of range"),
        (lambda: selecting.gather(X, [[0]], axis=1, batch_dims=1), "not compatible"),
        (lambda: selecting.gather(X, [0.5]), "must be one of: int16, int32, int64"),
        (lambda: selecting.gather_nd(X, [[0, 3]]), r"indices\[0\] = \[0, 3\] does not index into shape"),
        (lambda: selecting.gather_nd(X, [[0, 0, 0, 0]]), "innermost dimension"),
        (lambda: selecting.scatter_nd([[3]], [1], [3]), r"indices\[0\] = \[3\] does not index into shape \[3\]"),
        (lambda: selecting.scatter_nd([[0]], [[1]], [3]), "Must have updates.shape"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            f()


# ------------------------------------------------------------------------------------------------- searching


def test_where() -> None:
    equal(selecting.where(X > 20), np.argwhere(X > 20), "int64")
    equal(selecting.where([0.0, 2.0]), [[1]], "int64")
    equal(selecting.where([[True], [False]], [1, 2], 3), [[1, 2], [3, 3]], "int32")
    assert inferred(lambda x: selecting.where(x), ([None, 3], tf.bool)) == [(None, 2)]
    with pytest.raises(ValueError, match="both be non-None"):
        selecting.where([True], x=1)
    equal(selecting.boolean_mask(X, X[:, :, 0] > 3), X[X[:, :, 0] > 3])


@given(st.lists(st.integers(-3, 3)) | st.lists(st.sampled_from([b"a", b"b", b""])))
def test_unique(items: list) -> None:
    x = np.array(items, object if items and isinstance(items[0], bytes) else np.int32)
    y, index, count = selecting.unique_with_counts(tf.constant(x))
    distinct = list(dict.fromkeys(items))
    assert np.asarray(y).tolist() == distinct
    assert [distinct[place] for place in np.asarray(index)] == items
    assert np.asarray(count).tolist() == [items.count(item) for item in distinct]
    out, positions = raw.ListDiff(tf.constant(x), tf.constant(x[:1]))
    assert np.asarray(out).tolist() == [item for item in items if item != items[0]]
    assert [items[place] for place in np.asarray(positions)] == np.asarray(out).tolist()


def test_unique_along_an_axis() -> None:
    for dtype in (tf.int32, tf.bfloat16):
        y, index = raw.UniqueV2(tf.constant([[3, 3, 1], [1, 1, 2]], dtype), [1])
        equal(y, [[3, 1], [1, 2]], dtype.name)
        equal(index, [0, 0, 1])


@given(st.lists(st.integers(-5, 5), max_size=8), st.lists(st.integers(-6, 6), min_size=1, max_size=4))
def test_searchsorted(sequence: list[int], values: list[int]) -> None:
    rows = np.array([sorted(sequence), sorted(sequence)], np.int32)
    for side in ("left", "right"):
        found = selecting.searchsorted(rows, np.array([values, values], np.int32), side)
        equal(found, [np.searchsorted(rows[0], values, side)] * 2, "int32")


# ------------------------------------------------------------------------------------------------- rearranging


@pytest.mark.parametrize(
    ("mode", "numpys"), [("CONSTANT", "constant"), ("reflect", "reflect"), ("SYMMETRIC", "symmetric")]
)
def test_pad(mode: str, numpys: str) -> None:
    widths = [[1, 0], [2, 1], [0, 3]]
    equal(tf.pad(X, widths, mode), np.pad(X, widths, numpys), "float32")
    assert inferred(lambda x: tf.pad(x, widths, mode), ([2, None, 4], tf.float32)) == [(3, None, 7)]
    with pytest.raises(InvalidArgumentError, match="paddings"):
        tf.pad(X, [[1, 1]], mode)


def test_pad_with_values() -> None:
    equal(tf.pad([1, 2], [[1, 0]], constant_values=7), [7, 1, 2], "int32")
    assert tf.pad([b"a"], [[1, 0]]).numpy().tolist() == [b"", b"a"]
    with pytest.raises(InvalidArgumentError, match="less than the dimension size"):
        tf.pad(X, [[2, 0], [0, 0], [0, 0]], "REFLECT")
    with pytest.raises(InvalidArgumentError, match="non-negative"):
        tf.pad(X, [[-1, 0], [0, 0], [0, 0]])
    with pytest.raises(ValueError, match="CONSTANT, REFLECT or SYMMETRIC"):
        tf.pad(X, [[0, 0]] * 3, "EDGE")


def test_repeating_and_turning() -> None:
    equal(tf.tile(X, [1, 2, 0]), np.tile(X, [1, 2, 0]))
    equal(tf.repeat(X, 2), np.repeat(X, 2))
    equal(tf.repeat(X, 2, axis=-1), np.repeat(X, 2, -1))
    equal(tf.repeat(X, [2, 0, 1], axis=1), np.repeat(X, [2, 0, 1], 1))
    equal(tf.repeat("a", 2), np.array([b"a"] * 2, object), "string")
    equal(tf.reverse(X, [0, -1]), X[::-1, :, ::-1])
    equal(tf.reverse(X, np.zeros(0, np.int32)), X)
    equal(tf.reverse_sequence(X, [1, 3], seq_axis=1), [X[0], X[1, ::-1]])
    equal(tf.roll(X, [1, -1, 1], [0, 2, 0]), np.roll(X, -1, 2))
    for f, message in [
        (lambda: tf.tile(X, [1, 2]), "vector of length 3 but got length 2"),
        (lambda: tf.reverse(X, [0, -3]), "twice"),
        (lambda: tf.reverse(X, [3]), "out of range"),
        (lambda: tf.roll(X, 1, 3), "out of range"),
        (lambda: tf.reverse_sequence(X, [1, 4], seq_axis=1), "seq_lengths"),
        (lambda: tf.reverse_sequence(X, [1, 1], seq_axis=0), "different axes"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            f()


def test_blocks() -> None:
    image = np.arange(16, dtype=np.int32).reshape(1, 4, 4, 1)
    deep = raw.SpaceToDepth(image, block_size=2)
    assert np.asarray(deep)[0, 0, 1].tolist() == [2, 3, 6, 7]
    equal(raw.DepthToSpace(deep, block_size=2), image)
    first = np.moveaxis(image, 3, 1)
    equal(np.moveaxis(np.asarray(raw.SpaceToDepth(first, block_size=2, data_format="NCHW")), 1, 3), deep)
    batched = tf.space_to_batch(image, [2, 2], [[1, 1], [0, 0]])
    assert batched.shape == (4, 3, 2, 1) and np.asarray(batched)[0, 1, :, 0].tolist() == [4, 6]
    equal(tf.batch_to_space(batched, [2, 2], [[1, 1], [0, 0]]), image)
    with pytest.raises(InvalidArgumentError, match="divisible by 3"):
        raw.SpaceToDepth(image, block_size=3)


# ------------------------------------------------------------------------------------------------- diagonals


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_diagonals(rows: int, columns: int, data: st.DataObject) -> None:
    low = data.draw(st.integers(1 - rows, columns - 1))
    high = data.draw(st.integers(low, columns - 1))
    align = data.draw(st.sampled_from(["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"]))
    matrix = np.arange(1, rows * columns + 1).reshape(rows, columns)
    part = np.asarray(raw.MatrixDiagPartV3(matrix, [low, high], 0, align=align))
    lines = part if high > low else part[None]
    for number, line in zip(range(high, low - 1, -1), lines, strict=True):
        diagonal = np.diagonal(matrix, number).tolist()
        gap = [0] * (lines.shape[1] - len(diagonal))
        right = align.split("_")[0 if number >= 0 else 1] == "RIGHT"
        assert line.tolist() == (gap + diagonal if right else diagonal + gap)
    band = np.triu(np.tril(matrix, high), low)
    equal(raw.MatrixDiagV3(part, [low, high], rows, columns, 0, align=align), band)
    equal(raw.MatrixSetDiagV3(-matrix, part, [low, high], align=align), np.where(band, band, -matrix))
    if low <= 0 <= high:
        equal(raw.MatrixBandPart(matrix, -low, high), band)
    spec = ([None, None], tf.int64)
    found = inferred(lambda x: raw.MatrixDiagPartV3(x, [low, high], np.int64(0), align=align), spec)[0]
    assert tf.TensorShape(found).is_compatible_with(part.shape)


def test_diagonals_of_tensors() -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    equal(raw.Diag(x), np.diag(x.reshape(-1)).reshape(2, 3, 2, 3))
    equal(raw.DiagPart(raw.Diag(x)), x)
    equal(raw.MatrixDiagV3([1, 2], 1, -1, -1, 9), [[9, 1, 9], [9, 9, 2], [9, 9, 9]], "int32")
    with pytest.raises(InvalidArgumentError, match="do not fit"):
        raw.MatrixDiagV3([1, 2], 0, 1, 1, 0)
    with pytest.raises(InvalidArgumentError, match="even and non-zero rank"):
        raw.DiagPart(np.ones((2, 2, 2), np.float32))


# ------------------------------------------------------------------------------------------------- checks


def test_check_numerics() -> None:
    equal(raw.CheckNumerics([1.0], message="m"), [1.0])
    with pytest.raises(InvalidArgumentError, match="here : Tensor had Inf and NaN values"):
        raw.CheckNumerics([np.inf, np.nan], message="here")
