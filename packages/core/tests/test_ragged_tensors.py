"""Ragged tensors as values: how they print, their parts, specs, gradients, and in functions; dispatch to composites."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.api.dispatch import dispatched, implements
from modtf.core.values.composites import CompositeTensor

ROWS = tf.ragged.constant([[1.0, 2.0, 2.0], [], [3.0]])
OTHERS = tf.ragged.constant([[5.0, 6.0, 7.0], [], [8.0]])

# ------------------------------------------------------------------------------------------------- printing, parts


def test_printing_is_tensorflows() -> None:
    assert str(tf.ragged.constant([[1, 2], [3]])) == "<tf.RaggedTensor [[1, 2], [3]]>"
    assert repr(tf.ragged.constant([[1, 2], [3, 4]])) == "<tf.RaggedTensor [[1, 2],\n [3, 4]]>"
    assert str(tf.ragged.constant([[["a"], []], []])) == "<tf.RaggedTensor [[[b'a'], []], []]>"
    long = tf.RaggedTensor.from_row_lengths(tf.range(1010), [1005, 5])
    assert str(long) == "<tf.RaggedTensor [[0, 1, 2, ..., 1002, 1003, 1004], [1005, 1006, 1007, 1008, 1009]]>"


def test_numpy_gives_objects_only_where_rows_differ() -> None:
    rows = tf.ragged.constant([[1, 2], [3]]).numpy()
    assert rows.dtype == object
    assert [row.tolist() for row in rows] == [[1, 2], [3]]
    assert tf.ragged.constant([[1, 2], [3, 4]]).numpy().tolist() == [[1, 2], [3, 4]]
    assert tf.ragged.constant([], ragged_rank=1).numpy().shape == (0, 0)


def test_parts() -> None:
    nested = tf.RaggedTensor.from_nested_row_splits(tf.range(10), ([0, 1, 1, 5], [0, 3, 3, 5, 9, 10]))
    assert nested.to_list() == [[[0, 1, 2]], [], [[], [3, 4], [5, 6, 7, 8], [9]]]
    assert nested.ragged_rank == 2
    assert nested.shape.as_list() == [3, None, None]
    assert [splits.numpy().tolist() for splits in nested.nested_row_splits] == [[0, 1, 1, 5], [0, 3, 3, 5, 9, 10]]
    assert [ids.numpy().tolist() for ids in nested.nested_value_rowids()] == [
        [0, 2, 2, 2, 2],
        [0, 0, 0, 2, 2, 3, 3, 3, 3, 4],
    ]
    assert [lengths.numpy().tolist() for lengths in nested.nested_row_lengths()] == [[1, 0, 4], [3, 0, 2, 4, 1]]
    assert nested.bounding_shape().numpy().tolist() == [3, 4, 4]
    assert nested.flat_values.numpy().tolist() == list(range(10))
    assert nested.values.to_list() == [[0, 1, 2], [], [3, 4], [5, 6, 7, 8], [9]]
    assert [int(nested.nrows()), int(nested.nvals())] == [3, 5]


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(ROWS)).to_list() == ROWS.to_list()


@pytest.mark.parametrize(
    ("make", "values", "given"),
    [
        ("from_row_splits", [1, 2, 3], [0, 1, 2]),
        ("from_row_splits", [1, 2, 3], [0, 2, 1, 3]),
        ("from_row_splits", [1, 2, 3], [1, 3]),
        ("from_row_splits", [1, 2, 3], []),
        ("from_row_lengths", [1, 2, 3], [4, -1]),
        ("from_row_lengths", [1, 2, 3], [1, 1]),
        ("from_row_starts", [1, 2, 3], [1, 2]),
        ("from_row_limits", [1, 2, 3], [2, 1, 3]),
        ("from_value_rowids", [1, 2, 3], [0, 1, 0]),
        ("from_value_rowids", [1, 2, 3], [0, 1]),
        ("from_uniform_row_length", [1, 2, 3], 2),
    ],
)
def test_partitions_that_do_not_fit_are_refused(make: str, values: list[int], given: Any) -> None:
    with pytest.raises(ValueError, match=r"valid|empty|must equal"):
        getattr(tf.RaggedTensor, make)(values, given)


def test_python_protocols() -> None:
    with pytest.raises(TypeError, match="boolean"):
        bool(ROWS)
    with pytest.raises(TypeError, match="unhashable"):
        hash(ROWS)
    with pytest.raises(TypeError, match="len"):
        len(ROWS)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="RaggedTensor"):
        tf.convert_to_tensor(ROWS)
    assert [row.numpy().tolist() for row in ROWS] == [[1, 2, 2], [], [3]]


def test_functions_of_rounded_values() -> None:
    softmax = tf.nn.softmax(tf.ragged.constant([[1.0, 2.0], [], [3.0]]))
    np.testing.assert_allclose(softmax.flat_values, [0.26894143, 0.7310586, 1], rtol=1e-6)
    variance = tf.math.reduce_variance(ROWS, axis=1)
    np.testing.assert_allclose(variance, [0.22222233, np.nan, 0], rtol=1e-5)
    np.testing.assert_allclose(tf.math.reduce_std(ROWS, axis=0), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(tf.nn.gelu(ROWS).flat_values, [0.8413447, 1.9544997, 1.9544997, 2.9959502], rtol=1e-5)


def test_embeddings_of_ragged_ids() -> None:
    table = tf.constant([[1.0], [2.0], [3.0]])
    ids = tf.ragged.constant([[0, 2], [], [1]])
    assert tf.nn.embedding_lookup(table, ids).to_list() == [[[1.0], [3.0]], [], [[2.0]]]


def test_dropout_keeps_the_rows() -> None:
    dropped = tf.nn.dropout(ROWS, 0.5, seed=1)
    assert dropped.row_lengths().numpy().tolist() == [3, 0, 1]
    assert set(dropped.flat_values.numpy().tolist()) <= {0.0, 2.0, 4.0, 6.0}


def test_counting_in_rows() -> None:
    numbers = tf.ragged.constant([[1, 2, 2], [], [3]])
    assert tf.math.bincount(numbers).numpy().tolist() == [0, 1, 2, 1]
    assert tf.math.bincount(numbers, axis=-1).numpy().tolist() == [[0, 1, 2, 0], [0] * 4, [0, 0, 0, 1]]
    assert tf.math.bincount(numbers, axis=-1, maxlength=3).numpy().tolist() == [[0, 1, 2], [0] * 3, [0, 0, 0]]
    assert tf.math.bincount(numbers, axis=-1, binary_output=True).numpy().tolist() == [
        [0, 1, 1, 0],
        [0] * 4,
        [0, 0, 0, 1],
    ]


def test_crosses() -> None:
    columns = [tf.ragged.constant([["a"], ["b", "c"]]), tf.ragged.constant([["d"], ["e"]])]
    assert tf.ragged.cross(columns).to_list() == [[b"a_X_d"], [b"b_X_e", b"c_X_e"]]
    assert tf.ragged.cross_hashed(columns, num_buckets=100).to_list() == [[82], [61, 41]]


# ------------------------------------------------------------------------------------------------- specs, functions


def test_specs() -> None:
    spec = tf.RaggedTensorSpec([None, None], tf.float32)
    assert repr(ROWS.type_spec) == "RaggedTensorSpec(TensorShape([3, None]), tf.float32, 1, tf.int64)"
    assert spec.is_compatible_with(ROWS)
    assert ROWS.type_spec.is_subtype_of(spec)
    assert not spec.is_compatible_with(tf.ragged.constant([[1]]))
    assert not spec.is_compatible_with(ROWS.with_row_splits_dtype(tf.int32))
    assert spec == tf.RaggedTensorSpec([None, None], tf.float32, 1, tf.int64)
    wider = ROWS.type_spec.most_specific_compatible_type(ROWS[1:].type_spec)
    assert wider.shape.as_list() == [None, None]
    rebuilt = spec.from_components(spec.to_components(ROWS))
    assert rebuilt.to_list() == ROWS.to_list()
    with pytest.raises(ValueError, match="ragged_rank"):
        tf.RaggedTensorSpec(None, tf.int32)


def test_a_function_gives_what_eager_calls_give() -> None:
    def everything(x: Any, y: Any) -> list[Any]:
        return [
            x + y, x * 2, tf.reduce_sum(x, 1), tf.concat([x, y], 1), x[:, :2], tf.where(x > 2, x, y), x.to_tensor(), x[1:],
            tf.reduce_max(x, 0), x[0], tf.gather(x, [2, 0]), tf.tile(x, [1, 2]), tf.cumsum(x, 1), tf.stack([x, y]),
            x + tf.constant([[1.0], [2.0], [3.0]]), x.row_lengths(), tf.reverse(x, [1]), x.merge_dims(0, 1),
            tf.expand_dims(x, 1), tf.ragged.boolean_mask(x, x > 2), x.bounding_shape(), tf.map_fn(tf.square, x),
        ]  # fmt: skip

    for traced, eager in zip(tf.function(everything)(ROWS, OTHERS), everything(ROWS, OTHERS), strict=True):
        assert repr(traced) == repr(eager)


def test_a_function_with_a_signature() -> None:
    @tf.function(input_signature=[tf.RaggedTensorSpec(shape=[None, None], dtype=tf.int32)])
    def largest_and_smallest(rows: Any) -> Any:
        return tf.math.reduce_max(rows, axis=-1), tf.math.reduce_min(rows, axis=-1)

    large, small = largest_and_smallest(tf.ragged.constant([[1, 2], [3], [4, 5, 6]]))
    assert large.numpy().tolist() == [2, 3, 6]
    assert small.numpy().tolist() == [1, 3, 4]


def test_rows_that_differ_are_found_when_a_function_runs() -> None:
    add = tf.function(lambda x, y: x + y)
    add(ROWS, OTHERS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="dimension size mismatch"):
        add(ROWS, tf.ragged.constant([[5.0], [6.0, 7.0], [8.0]]))


def test_map_fn_gives_ragged_rows() -> None:
    spec = tf.RaggedTensorSpec([None], tf.int32)
    counts = tf.constant([1, 3, 0])
    assert tf.map_fn(tf.range, counts, fn_output_signature=spec).to_list() == [[0], [0, 1, 2], []]
    traced = tf.function(lambda given: tf.map_fn(tf.range, given, fn_output_signature=spec))
    assert traced(counts).to_list() == [[0], [0, 1, 2], []]


# ------------------------------------------------------------------------------------------------- gradients

GRADIENTS: dict[str, tuple[Any, list[float]]] = {
    "square": (lambda r: r * r, [2, 4, 6, 8]),
    "rows": (lambda r: tf.reduce_max(r, 1)[::2], [0, 1, 0, 1]),
    "dense": (lambda r: r.to_tensor(5.0) ** 3, [3, 12, 27, 48]),
    "gather": (lambda r: tf.gather(r, [2, 2]) ** 2, [0, 0, 12, 16]),
    "concat": (lambda r: tf.concat([r, r], 1) * 3.0, [6, 6, 6, 6]),
    "slice": (lambda r: r[:, 1:], [0, 1, 0, 1]),
    "sparse": (lambda r: r.to_sparse().values, [1, 1, 1, 1]),
    "broadcast": (lambda r: r * tf.constant([[1.0], [2.0], [3.0]]), [1, 1, 3, 3]),
    "mask": (lambda r: tf.ragged.boolean_mask(r, r > 2) ** 2, [0, 0, 6, 8]),
    "tile": (lambda r: tf.tile(r, [1, 2]) ** 2, [4, 8, 12, 16]),
    "running": (lambda r: tf.cumsum(r, 1) ** 2, [8, 6, 20, 14]),
    "columns": (lambda r: tf.reduce_sum(r, 0) ** 2, [8, 12, 8, 12]),
    "rows by map_fn": (lambda r: tf.map_fn(tf.square, r), [2, 4, 6, 8]),
}


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("traced", [False, True])
def test_gradients(name: str, traced: bool) -> None:
    function, expected = GRADIENTS[name]

    def total(values: Any) -> Any:
        return tf.reduce_sum(function(tf.RaggedTensor.from_row_splits(values, [0, 2, 2, 4])))

    values = tf.constant([1.0, 2.0, 3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = (tf.function(total, autograph=False) if traced else total)(values)
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(result, values)), expected)


def test_gradients_with_respect_to_ragged_tensors_are_ragged() -> None:
    with tf.GradientTape() as tape:
        tape.watch(ROWS)
        squares = ROWS * ROWS
    assert tape.gradient(squares, ROWS).to_list() == [[2.0, 4.0, 4.0], [], [6.0]]


def test_what_pads_has_a_gradient() -> None:
    padding = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(padding)
        total = tf.reduce_sum(ROWS.to_tensor(padding) ** 2)
    assert float(tape.gradient(total, padding)) == 20.0


# ------------------------------------------------------------------------------------------------- variants


def test_variants_hold_rows() -> None:
    nested = tf.ragged.constant([[[1, 2], []], [[3]], []])
    whole = tf.raw_ops.RaggedTensorToVariant(
        rt_nested_splits=nested.nested_row_splits, rt_dense_values=nested.flat_values, batched_input=False
    )
    back = tf.raw_ops.RaggedTensorFromVariant(
        encoded_ragged=whole, input_ragged_rank=2, output_ragged_rank=2, Tvalues=tf.int32, Tsplits=tf.int64
    )
    assert back.output_dense_values.numpy().tolist() == [1, 2, 3]
    assert [splits.numpy().tolist() for splits in back.output_nested_splits] == [[0, 2, 3, 3], [0, 2, 2, 3]]
    rows = tf.raw_ops.RaggedTensorToVariant(
        rt_nested_splits=nested.nested_row_splits, rt_dense_values=nested.flat_values, batched_input=True
    )
    assert rows.shape == [3]
    chosen = tf.raw_ops.RaggedTensorFromVariant(
        encoded_ragged=tf.gather(rows, [1, 0]), input_ragged_rank=1, output_ragged_rank=2, Tvalues=tf.int32
    )
    assert [splits.numpy().tolist() for splits in chosen.output_nested_splits] == [[0, 1, 3], [0, 1, 3, 3]]
    assert chosen.output_dense_values.numpy().tolist() == [3, 1, 2]
    with pytest.raises(tf.errors.InvalidArgumentError, match="float32"):
        tf.raw_ops.RaggedTensorFromVariant(
            encoded_ragged=rows, input_ragged_rank=1, output_ragged_rank=2, Tvalues=tf.float32
        )


# ------------------------------------------------------------------------------------------------- dispatch


class Doubled(CompositeTensor):
    """A kind of tensor of a user's own."""

    def __init__(self, half: Any) -> None:
        self.half = tf.convert_to_tensor(half)

    @classmethod
    def apply_elementwise(cls, function: Any, operands: Any) -> Any:
        return function(*(item.half * 2 if isinstance(item, Doubled) else item for item in operands))


def test_kinds_of_ones_own_bring_implementations() -> None:
    value = Doubled([1.0, 2.0])
    assert tf.exp(x=value).numpy().tolist() == tf.exp([2.0, 4.0]).numpy().tolist()
    assert tf.maximum(3.0, value).numpy().tolist() == [3.0, 4.0]
    assert tf.add_n([value, tf.constant([1.0, 1.0])]).numpy().tolist() == [3.0, 5.0]
    with pytest.raises(TypeError, match="Doubled"):
        tf.reduce_sum(value)

    @implements(tf.reduce_sum, Doubled)
    def _(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
        return 2 * tf.reduce_sum(input_tensor.half, axis, keepdims)

    assert float(tf.reduce_sum(value)) == 6.0


def test_errors_of_dispatched_functions_are_their_own() -> None:
    @dispatched
    def careless(x: Any) -> Any:
        raise KeyError("nothing of composites")

    with pytest.raises(KeyError, match="nothing of composites"):
        careless([1, 2])
    with pytest.raises(KeyError, match="nothing of composites"):
        careless(ROWS)
    assert careless.__name__ == "careless"
