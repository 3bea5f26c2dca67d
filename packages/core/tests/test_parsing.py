"""`tf.io.parse_example` and its kin: expected values are TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.ops.files.wire_format import DamagedMessage, bytes_field, packed_field, read_varints, varint

IO = tf.io
Fixed, Var, Sequence, Ragged = IO.FixedLenFeature, IO.VarLenFeature, IO.FixedLenSequenceFeature, IO.RaggedFeature


def feature(values: list[Any]) -> bytes:
    if values and isinstance(values[0], bytes):
        return bytes_field(1, b"".join(bytes_field(1, value) for value in values))
    if values and isinstance(values[0], float):
        return bytes_field(2, bytes_field(1, np.array(values, "<f4").tobytes()))
    return bytes_field(3, packed_field(1, values))


def entries(items: dict[str, bytes]) -> bytes:
    return b"".join(
        bytes_field(1, bytes_field(1, key.encode()) + bytes_field(2, value)) for key, value in items.items()
    )


def example(**features: list[Any]) -> bytes:
    return bytes_field(1, entries({key: feature(values) for key, values in features.items()}))


def sequence(context: dict[str, list[Any]], lists: dict[str, list[list[Any]]]) -> bytes:
    steps = {key: b"".join(bytes_field(1, feature(step)) for step in values) for key, values in lists.items()}
    return bytes_field(1, entries({key: feature(values) for key, values in context.items()})) + bytes_field(
        2, entries(steps)
    )


A = example(i=[1, 2], s=[b"x"], f=[1.5])
B = example(i=[3], s=[b"y", b"z"])
NONE = example()


def plain(result: Any) -> Any:
    """Tensors as lists, sparse ones as their three parts."""
    if isinstance(result, dict):
        return {key: plain(value) for key, value in result.items()}
    if isinstance(result, tuple):
        return tuple(map(plain, result))
    if isinstance(result, tf.SparseTensor):
        return [part.numpy().tolist() for part in (result.indices, result.values, result.dense_shape)]
    return result.to_list() if isinstance(result, tf.RaggedTensor) else result.numpy().tolist()


def both_ways(parse: Any, serialized: Any, *arguments: Any) -> Any:
    """The result, which must be the same in a function."""
    eager = plain(parse(serialized, *arguments))
    assert plain(tf.function(lambda given: parse(given, *arguments))(tf.constant(serialized))) == eager
    return eager


# ------------------------------------------------------------------------------------------------- examples


def test_dense_features() -> None:
    features = {
        "f": Fixed([], tf.float32, 9.0),
        "i": Sequence([], tf.int64, allow_missing=True),
        "s": Sequence([], tf.string, allow_missing=True, default_value="-"),
        "absent": Fixed([2], tf.int64, [7, 8]),
    }
    assert both_ways(IO.parse_example, [A, B, NONE], features) == {
        "f": [1.5, 9.0, 9.0],
        "i": [[1, 2], [3, 0], [0, 0]],
        "s": [[b"x", b"-"], [b"y", b"z"], [b"-", b"-"]],
        "absent": [[7, 8]] * 3,
    }
    assert both_ways(IO.parse_single_example, A, {"i": Fixed([2], tf.int64)}) == {"i": [1, 2]}
    assert both_ways(IO.parse_single_example, A, {"i": Fixed([1, 2], tf.int64)}) == {"i": [[1, 2]]}


def test_sparse_and_ragged_features() -> None:
    features = {"i": Var(tf.int64), "s": Var(tf.string), "f": Ragged(tf.float32), "r": Ragged(tf.int64, "j")}
    assert both_ways(IO.parse_example, [A, B, NONE], features) == {
        "i": [[[0, 0], [0, 1], [1, 0]], [1, 2, 3], [3, 2]],
        "s": [[[0, 0], [1, 0], [1, 1]], [b"x", b"y", b"z"], [3, 2]],
        "f": [[1.5], [], []],
        "r": [[], [], []],
    }
    assert both_ways(IO.parse_example, A, {"i": Var(tf.int64), "s": Ragged(tf.string)}) == {
        "i": [[[0], [1]], [1, 2], [2]],
        "s": [b"x"],
    }


def test_sparse_features_of_several() -> None:
    examples = [example(ix=[0, 3], iy=[1, 0], v=[1.0, 2.0]), example(ix=[2, 1], iy=[1, 0], v=[3.0, 4.0])]
    assert both_ways(IO.parse_example, examples, {"z": IO.SparseFeature("ix", "v", tf.float32, 10)}) == {
        "z": [[[0, 0], [0, 3], [1, 1], [1, 2]], [1.0, 2.0, 4.0, 3.0], [2, 10]]
    }
    assert both_ways(IO.parse_example, examples, {"z": IO.SparseFeature("ix", "v", tf.float32, 10, True)}) == {
        "z": [[[0, 0], [0, 3], [1, 2], [1, 1]], [1.0, 2.0, 3.0, 4.0], [2, 10]]
    }
    wanted = {"z": IO.SparseFeature(["iy", "ix"], "v", tf.float32, [5, 10])}
    assert both_ways(IO.parse_example, examples[0], wanted) == {"z": [[[0, 3], [1, 0]], [2.0, 1.0], [5, 10]]}


_DIVIDED = [
    example(v=[1, 2, 3, 4], splits=[0, 1, 4], lengths=[1, 3], starts=[0, 1], limits=[1, 4], ids=[0, 1, 1, 1]),
    example(v=[5, 6], splits=[0, 0, 2], lengths=[0, 2], starts=[0, 0], limits=[0, 2], ids=[1, 1]),
    example(v=[], splits=[0], lengths=[], starts=[], limits=[], ids=[]),
]


@pytest.mark.parametrize(
    "partition",
    [
        Ragged.RowSplits("splits"),
        Ragged.RowLengths("lengths"),
        Ragged.RowStarts("starts"),
        Ragged.RowLimits("limits"),
        Ragged.ValueRowIds("ids"),
    ],
)
def test_partitions(partition: Any) -> None:
    wanted = {"r": Ragged(tf.int64, "v", partitions=[partition], validate=True)}
    assert both_ways(IO.parse_example, _DIVIDED, wanted) == {"r": [[[1], [2, 3, 4]], [[], [5, 6]], []]}
    assert both_ways(IO.parse_example, _DIVIDED[1], wanted) == {"r": [[], [5, 6]]}
    lists = sequence({}, {
        key: [values, values]
        for key, values in {
            "v": [1, 2, 3, 4], "splits": [0, 1, 4], "lengths": [1, 3], "starts": [0, 1], "limits": [1, 4], "ids": [0, 1, 1, 1],
        }.items()
    })  # fmt: skip
    result = both_ways(IO.parse_sequence_example, [lists], None, wanted)
    assert result[1] == {"r": [[[[1], [2, 3, 4]], [[1], [2, 3, 4]]]]}


def test_partitions_of_partitions() -> None:
    one = example(v=[1, 2, 3, 4, 5, 6, 7, 8], outer=[1, 2], inner=[1, 0, 3])
    partitions = [Ragged.RowLengths("outer"), Ragged.RowLengths("inner"), Ragged.UniformRowLength(2)]
    expected = [[[[1, 2]]], [[], [[3, 4], [5, 6], [7, 8]]]]
    wanted = {"r": Ragged(tf.int64, "v", partitions=partitions)}
    assert both_ways(IO.parse_example, [one, one], wanted) == {"r": [expected, expected]}
    assert both_ways(IO.parse_example, one, wanted) == {"r": expected}


def test_shapes_while_tracing() -> None:
    features = {
        "i": Fixed([2], tf.int64),
        "s": Var(tf.string),
        "q": Sequence([3], tf.float32, allow_missing=True),
        "r": Ragged(tf.int64),
    }
    traced = tf.function(lambda given: IO.parse_example(given, features))
    assert traced.get_concrete_function(tf.TensorSpec([4], tf.string)).structured_outputs["i"].dims == (4, 2)
    result = traced.get_concrete_function(tf.TensorSpec([None], tf.string)).structured_outputs
    assert result["i"].dims == (None, 2)
    assert result["q"].dims == (None, None, 3)
    assert result["s"].indices.dims == (None, 2)
    assert result["r"].flat_values.dims == (None,)
    with pytest.raises(ValueError, match="statically-known rank"):
        traced.get_concrete_function(tf.TensorSpec(None, tf.string))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            {"f": Fixed([], tf.float32)},
            "Name: <unknown>, Feature: f .data type: float. is required but could not be found",
        ),
        ({"i": Fixed([2], tf.int64)}, r"Key: i, Index: 1.  Number of int64 values != expected.  Values size: 1.*\[2\]"),
        (
            {"i": Fixed([2], tf.float32)},
            "Key: i, Index: 0.  Data types don't match. Data type: int64 but expected type: float",
        ),
        ({"i": Var(tf.string)}, "Expected type: string, Actual type: int64"),
        (
            {"i": Sequence([2], tf.int64, True)},
            r"not a multiple of stride length. Saw 1 values but output shape is: \[\?,2\]",
        ),
    ],
)
def test_examples_that_do_not_fit(features: Any, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        IO.parse_example([A, B], features)


def test_names_in_messages() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Name: second, Feature: f"):
        IO.parse_example([A, B], {"f": Fixed([], tf.float32)}, ["first", "second"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="same shape"):
        IO.parse_example([A, B], {"i": Var(tf.int64)}, ["first"])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "features"),
        ({"i": 3}, "Unsupported int 3 for key 'i'"),
        ({"i": Fixed(None, tf.int64)}, "Missing shape for feature i"),
        ({"i": Fixed([], None)}, "Missing type for feature i"),
        ({"i": Fixed([None], tf.int64)}, "Consider using FixedLenSequenceFeature"),
        ({"i": Fixed([2, None], tf.int64)}, "need to be known"),
        ({"i": Sequence([], tf.int64)}, "requires allow_missing to be True"),
        ({"i": Var(tf.int64), "z": IO.SparseFeature("j", "i", tf.float32, 3)}, "Conflicting type int64 vs float32"),
        ({"i": Var(tf.int64), "r": Ragged(tf.int64, "i")}, "Ragged keys"),
        ({"z": IO.SparseFeature("", "i", tf.float32, 3)}, "index_key"),
    ],
)
def test_features_that_make_no_sense(features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IO.parse_example([A], features)


def test_partitions_that_are_none() -> None:
    with pytest.raises(TypeError, match="partition"):
        Ragged(tf.int64, partitions=["x"])
    with pytest.raises(ValueError, match="scalar"):
        IO.parse_single_example([A], {"i": Var(tf.int64)})


# ------------------------------------------------------------------------------------------------- sequences

_ONE = sequence({"c": [1, 2]}, {"t": [[1, 2], [3]], "d": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]})
_TWO = sequence({"c": [5]}, {"t": [[7]]})


def test_sequences() -> None:
    context, lists, lengths = both_ways(
        IO.parse_sequence_example, [_ONE, _TWO],
        {"c": Var(tf.int64), "k": Fixed([2], tf.int64, [8, 9])},
        {"t": Var(tf.int64), "d": Sequence([2], tf.float32, allow_missing=True)},
    )  # fmt: skip
    assert context == {"c": [[[0, 0], [0, 1], [1, 0]], [1, 2, 5], [2, 2]], "k": [[8, 9], [8, 9]]}
    assert lists == {
        "t": [[[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], [1, 2, 3, 7], [2, 2, 2]],
        "d": [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[0.0, 0.0]] * 3],
    }
    assert lengths == {"d": [3, 0]}


def test_ragged_sequences() -> None:
    wanted = {"c": Ragged(tf.int64)}, {"t": Ragged(tf.int64)}
    context, lists, _ = both_ways(IO.parse_sequence_example, [_ONE, _TWO, sequence({}, {})], *wanted)
    assert context == {"c": [[1, 2], [5], []]}
    assert lists == {"t": [[[1, 2], [3]], [[7]], []]}
    assert both_ways(IO.parse_single_sequence_example, _ONE, *wanted) == ({"c": [1, 2]}, {"t": [[1, 2], [3]]})


def test_one_sequence() -> None:
    lists = {"t": Var(tf.int64), "d": Sequence([2], tf.float32)}
    assert both_ways(IO.parse_single_sequence_example, _ONE, None, lists) == (
        {},
        {"t": [[[0, 0], [0, 1], [1, 0]], [1, 2, 3], [2, 2]], "d": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]},
    )


@pytest.mark.parametrize(
    ("context", "lists", "error", "message"),
    [
        (None, None, ValueError, "nothing is asked for"),
        ({"c": Sequence([], tf.int64)}, None, ValueError, "Unsupported FixedLenSequenceFeature"),
        (None, {"d": Fixed([], tf.int64)}, ValueError, "Unsupported FixedLenFeature"),
        (None, {"d": Sequence([2], tf.float32)}, tf.errors.InvalidArgumentError, "Feature list 'd' is required"),
        (None, {"t": Sequence([2], tf.int64)}, tf.errors.InvalidArgumentError, "Number of values != expected"),
        (None, {"t": Var(tf.float32)}, tf.errors.InvalidArgumentError, "Data types don't match"),
        ({"c": Fixed([2], tf.int64)}, None, tf.errors.InvalidArgumentError, "Key: c"),
    ],
)
def test_sequences_that_do_not_fit(context: Any, lists: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        IO.parse_sequence_example([_ONE, _TWO], context, lists)


# ------------------------------------------------------------------------------------------------- damaged bytes


def test_cut_off_examples() -> None:
    """An example is either whole or refused: no byte of it can be missing at the end."""
    whole = example(i=[1, 300], s=[b"xy"], f=[1.5])
    features = {"i": Var(tf.int64), "s": Var(tf.string), "f": Var(tf.float32)}
    for length in range(1, len(whole)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse"):
            IO.parse_single_example(whole[:length], features)


def test_changed_bytes_do_no_harm() -> None:
    whole = sequence({"i": [1, 300]}, {"s": [[b"xy"]], "f": [[1.5], [2.5]]})
    random = np.random.default_rng(3)
    for _ in range(500):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), 2):
            changed[place] = random.integers(0, 256)
        try:
            IO.parse_single_sequence_example(
                bytes(changed), {"i": Var(tf.int64)}, {"s": Var(tf.string), "f": Var(tf.float32)}
            )
        except tf.errors.InvalidArgumentError:
            pass


def test_varints() -> None:
    numbers = [0, 1, 127, 128, 300, -1, 2**63 - 1, -(2**63)] * 5
    encoded = b"".join(map(varint, numbers))
    assert read_varints(encoded, 0, len(encoded)).tolist() == numbers
    assert read_varints(encoded, 1, 5).tolist() == [1, 127, 128]
    for damaged in (encoded[:-1], b"\xff" * 11 + b"\x01", b"\x80" * 40):
        with pytest.raises(DamagedMessage):
            read_varints(damaged, 0, len(damaged))
