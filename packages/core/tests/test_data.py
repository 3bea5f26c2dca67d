"""`tf.data` as Python iterates over it. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

import gc
import threading
import time
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

Dataset = tf.data.Dataset


def values(value: Any) -> Any:
    """An element, or a list of all of them, as Python values."""
    if isinstance(value, tf.data.Dataset):
        return [values(item) for item in value]
    if isinstance(value, dict):
        return {key: values(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(values(item) for item in value)
    if isinstance(value, tf.RaggedTensor):
        return value.to_list()
    if isinstance(value, tf.SparseTensor):
        return values(tf.sparse.to_dense(value))
    return value if value is None else np.asarray(value.numpy(), object).tolist()


def ragged() -> Any:
    return tf.ragged.constant([[1, 2], [], [3], [4, 5, 6]])


# ------------------------------------------------------------------------------------------------- making


def test_slices_of_structures() -> None:
    dataset = Dataset.from_tensor_slices(([1, 2, 3], {"a": [[1.0], [2.0], [3.0]], "b": ["x", "yy", ""]}))
    assert values(dataset) == [
        (1, {"a": [1.0], "b": b"x"}),
        (2, {"a": [2.0], "b": b"yy"}),
        (3, {"a": [3.0], "b": b""}),
    ]
    assert repr(dataset) == (
        "<_TensorSliceDataset element_spec=(TensorSpec(shape=(), dtype=tf.int32, name=None), {'a': TensorSpec(shape=(1,), "
        "dtype=tf.float32, name=None), 'b': TensorSpec(shape=(), dtype=tf.string, name=None)})>"
    )
    assert len(dataset) == 3


def test_slices_of_named_tuples_and_none() -> None:
    Point = namedtuple("Point", "x y")
    (batch,) = Dataset.from_tensor_slices(Point([1, 2], [3, 4])).batch(2)
    assert values(batch.y) == [3, 4]
    assert values(Dataset.from_tensor_slices((np.arange(2), None))) == [(0, None), (1, None)]


def test_slices_of_composites() -> None:
    assert values(Dataset.from_tensor_slices(ragged())) == [[1, 2], [], [3], [4, 5, 6]]
    spec = Dataset.from_tensor_slices(ragged()).element_spec
    assert repr(spec) == "RaggedTensorSpec(TensorShape([None]), tf.int32, 0, tf.int64)"
    sparse = Dataset.from_tensor_slices(tf.sparse.from_dense([[1, 0, 5], [0, 2, 0]]))
    assert repr(sparse.element_spec) == "SparseTensorSpec(TensorShape([3]), tf.int32)"
    assert values(sparse) == [[1, 0, 5], [0, 2, 0]]
    assert values(sparse.batch(2)) == [[[1, 0, 5], [0, 2, 0]]]


def test_from_tensors_makes_one_element() -> None:
    assert values(Dataset.from_tensors(([1, 2], 3))) == [([1, 2], 3)]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (5, ValueError, "rank >= 1"),
        (([1, 2], [1, 2, 3]), ValueError, "Dimensions 2 and 3 are not compatible"),
        ((), ValueError, "should not be empty"),
    ],
)
def test_slices_refused(given: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Dataset.from_tensor_slices(given)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((3,), [0, 1, 2]), ((2, 9, 2), [2, 4, 6, 8]), ((9, 2, -3), [9, 6, 3]), ((5, 5), []), ((1, 0), [])],
)
def test_range(arguments: Any, expected: Any) -> None:
    dataset = Dataset.range(*arguments)
    assert values(dataset) == expected
    assert int(dataset.cardinality()) == len(expected)
    assert dataset.element_spec.dtype is tf.int64
    assert Dataset.range(3, output_type=tf.int32).element_spec.dtype is tf.int32


def test_generator() -> None:
    def generate(count: Any) -> Any:
        return (([number] * number, str(number)) for number in range(count))

    signature = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.string))
    dataset = Dataset.from_generator(generate, output_signature=signature, args=(3,))
    assert values(dataset) == [([], b"0"), ([1], b"1"), ([2, 2], b"2")]
    assert values(dataset) == values(dataset)
    assert int(dataset.cardinality()) == tf.data.UNKNOWN_CARDINALITY
    older = Dataset.from_generator(lambda: [(1, [2.0])], (tf.int32, tf.float32), ((), (1,)))
    assert values(older) == [(1, [2.0])]
    assert older.element_spec[1].shape.as_list() == [1]


@pytest.mark.parametrize("elements", [[[1, 2]], ["a"], [(1, 2)], [{"a": 1}]])
def test_generator_that_gives_something_else(elements: Any) -> None:
    dataset = Dataset.from_generator(lambda: elements, output_signature=tf.TensorSpec([], tf.int32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`generator` yielded an element"):
        list(dataset)


def test_generator_needs_a_signature() -> None:
    with pytest.raises(TypeError, match="output_signature"):
        Dataset.from_generator(lambda: [1])
    with pytest.raises(TypeError, match="callable"):
        Dataset.from_generator([1], output_types=tf.int32)


def test_zip() -> None:
    dataset = Dataset.zip({"a": Dataset.range(3), "b": (Dataset.range(5), Dataset.range(2))})
    assert values(dataset) == [{"a": 0, "b": (0, 0)}, {"a": 1, "b": (1, 1)}]
    assert len(dataset) == 2
    assert values(Dataset.zip(Dataset.range(2), Dataset.range(5, 7))) == [(0, 5), (1, 6)]
    with pytest.raises(TypeError, match="use `tuple` instead"):
        Dataset.zip([Dataset.range(3)])


def test_numbers_without_end() -> None:
    assert values(Dataset.counter(5, 2).take(3)) == [5, 7, 9]
    first, second = Dataset.random(seed=1).take(4), Dataset.random(seed=1).take(4)
    assert values(first) == values(second) == values(first)
    with pytest.raises(TypeError, match="infinite"):
        len(Dataset.counter())


def test_choosing_among_datasets() -> None:
    sources = [Dataset.range(2), Dataset.range(10, 15)]
    choice = Dataset.from_tensor_slices(np.array([0, 1, 1, 0, 0, 1], np.int64))
    assert values(Dataset.choose_from_datasets(sources, choice)) == [0, 10, 11, 1]
    assert values(Dataset.choose_from_datasets(sources, choice, False)) == [0, 10, 11, 1, 12]
    assert sorted(values(Dataset.sample_from_datasets(sources, seed=1))) == [0, 1, 10, 11, 12, 13, 14]
    assert values(Dataset.sample_from_datasets(sources, [0.0, 1.0])) == [10, 11, 12, 13, 14]


# ------------------------------------------------------------------------------------------------- choosing and ordering


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.take(2), [0, 1]),
        (lambda d: d.take(-1), [0, 1, 2, 3, 4]),
        (lambda d: d.skip(3), [3, 4]),
        (lambda d: d.skip(-1), []),
        (lambda d: d.repeat(2).take(7), [0, 1, 2, 3, 4, 0, 1]),
        (lambda d: d.repeat().take(6), [0, 1, 2, 3, 4, 0]),
        (lambda d: d.take(0).repeat(), []),
        (lambda d: d.shard(3, 1), [1, 4]),
        (lambda d: d.concatenate(Dataset.range(2)), [0, 1, 2, 3, 4, 0, 1]),
        (lambda d: d.enumerate(7).map(lambda i, x: i - x), [7, 7, 7, 7, 7]),
        (lambda d: d.map(lambda x: x // 2).unique(), [0, 1, 2]),
        (lambda d: d.shuffle(1), [0, 1, 2, 3, 4]),
        (lambda d: d.prefetch(2), [0, 1, 2, 3, 4]),
        (lambda d: d.prefetch(tf.data.AUTOTUNE).prefetch(0), [0, 1, 2, 3, 4]),
        (lambda d: d.with_options(tf.data.Options()), [0, 1, 2, 3, 4]),
        (lambda d: d.filter(lambda x: x % 2 == 0), [0, 2, 4]),
        (lambda d: d.take_while(lambda x: x < 3), [0, 1, 2]),
    ],
)
def test_choosing(change: Any, expected: Any) -> None:
    dataset = change(Dataset.range(5))
    assert values(dataset) == expected
    assert int(dataset.cardinality()) in (len(expected), tf.data.UNKNOWN_CARDINALITY)


def test_shuffling() -> None:
    once, again = Dataset.range(20).shuffle(5, seed=3), Dataset.range(20).shuffle(5, seed=3)
    first = values(once)
    assert first == values(again)
    assert first != values(once)
    assert sorted(first) == list(range(20))
    assert all(value - place < 5 for place, value in enumerate(first))
    fixed = Dataset.range(20).shuffle(20, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)
    assert values(fixed.repeat(2))[:20] == values(fixed)


def test_shuffling_follows_the_global_seed() -> None:
    orders = []
    for _ in range(2):
        tf.random.set_seed(7)
        orders.append(values(Dataset.range(20).shuffle(20)))
    assert orders[0] == orders[1]


def test_cache_computes_once() -> None:
    calls: list[int] = []

    def note(x: Any) -> Any:
        calls.append(1)
        return x

    dataset = Dataset.range(3).map(lambda x: tf.numpy_function(note, [x], tf.int64)).cache()
    assert values(dataset) == values(dataset) == [0, 1, 2]
    assert len(calls) == 3


def test_prefetch_reads_ahead_and_stops() -> None:
    seen: list[int] = []

    def generate() -> Any:
        for number in range(100):
            seen.append(number)
            yield number

    dataset = Dataset.from_generator(generate, output_signature=tf.TensorSpec([], tf.int64)).prefetch(3)
    iterator = iter(dataset)
    assert int(next(iterator)) == 0
    for _ in range(200):
        if len(seen) >= 4:
            break
        time.sleep(0.01)
    assert 4 <= len(seen) <= 6
    del iterator
    gc.collect()
    for _ in range(200):
        if not any(thread.name == "modtf-prefetch" for thread in threading.enumerate()):
            break
        time.sleep(0.01)
    assert not any(thread.name == "modtf-prefetch" for thread in threading.enumerate())


def test_prefetch_passes_errors_on() -> None:
    dataset = Dataset.range(3).map(lambda x: tf.debugging.check_numerics(1.0 / (2.0 - tf.cast(x, tf.float32)), "no"))
    iterator = iter(dataset.prefetch(1))
    assert [float(next(iterator)), float(next(iterator))] == [0.5, 1.0]
    with pytest.raises(tf.errors.InvalidArgumentError):
        next(iterator)


def test_ignoring_errors() -> None:
    dataset = Dataset.from_tensor_slices([1.0, 2.0, 0.0, 4.0]).map(lambda x: tf.debugging.check_numerics(1.0 / x, "no"))
    assert values(dataset.ignore_errors()) == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d.batch(0), "Batch size must be greater than zero"),
        (lambda d: d.shuffle(0), "buffer_size must be greater than zero"),
        (lambda d: d.shard(2, 2), "Index must be between 0 and 1"),
        (lambda d: d.shard(0, 0), "Number of shards must be greater than zero"),
        (lambda d: d.window(0), "size must be greater than zero"),
        (lambda d: d.get_single_element(), "more than one element"),
        (lambda d: d.take(0).get_single_element(), "Dataset was empty"),
        (lambda d: Dataset.list_files("/nowhere/*"), "No files matched pattern"),
    ],
)
def test_numbers_refused(make: Any, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        make(Dataset.range(3))


# ------------------------------------------------------------------------------------------------- functions


def test_functions_are_traced_once() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return -x if x > 1 else x * 10

    assert values(Dataset.range(4).map(function)) == [0, 10, -2, -3]
    assert len(calls) == 1


def test_map_unpacks_tuples_and_packs_results() -> None:
    dataset = Dataset.from_tensor_slices(([1, 2], [3, 4])).map(lambda a, b: {"sum": a + b, "both": (a, [a, b])})
    assert values(dataset) == [{"sum": 4, "both": (1, [1, 3])}, {"sum": 6, "both": (2, [2, 4])}]
    assert values(Dataset.range(1).map(lambda x: [x, x + 1])) == [(0, 1)]


def test_map_sees_variables_as_they_are() -> None:
    variable = tf.Variable(10, dtype=tf.int64)
    dataset = Dataset.range(2).map(lambda x: x + variable)
    assert values(dataset) == [10, 11]
    variable.assign(20)
    assert values(dataset) == [20, 21]


@pytest.mark.parametrize(
    ("apply", "error", "message"),
    [
        (lambda d: d.filter(lambda x: x), ValueError, "`predicate` must return a `tf.bool` scalar"),
        (lambda d: d.flat_map(lambda x: x), TypeError, "must return a `Dataset`"),
        (lambda d: d.map(lambda x: None), TypeError, "gives no tensor"),
        (lambda d: d.apply(lambda d: 3), TypeError, "must return a `tf.data.Dataset`"),
        (lambda d: d.concatenate(Dataset.from_tensors("a")), TypeError, "Incompatible dataset elements"),
        (lambda d: d.scan(0, lambda s, x: s), TypeError, "pair"),
        (lambda d: d.reduce(0, lambda s, x: (s, x)), TypeError, "structure"),
        (lambda d: d.unbatch(), ValueError, "rank >= 1"),
        (lambda d: d.padded_batch(2, padded_shapes=[1]), ValueError, "not compatible"),
    ],
)
def test_functions_refused(apply: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        apply(Dataset.range(3))


def test_flat_map_and_interleave() -> None:
    assert values(Dataset.range(4).flat_map(Dataset.range)) == [0, 0, 1, 0, 1, 2]

    def repeated(number: Any) -> Any:
        return Dataset.from_tensors(number).repeat(number)

    assert values(Dataset.range(1, 5).interleave(repeated, cycle_length=2)) == [1, 2, 2, 3, 3, 4, 3, 4, 4, 4]
    blocks = Dataset.range(1, 4).interleave(repeated, cycle_length=2, block_length=2)
    assert values(blocks) == [1, 2, 2, 3, 3, 3]


def test_scan_and_reduce() -> None:
    assert values(Dataset.range(4).scan(np.int64(0), lambda s, x: (s + x, s))) == [0, 0, 1, 3]
    total, count = Dataset.range(5).reduce((np.int64(0), 0), lambda s, x: (s[0] + x, s[1] + 1))
    assert (int(total), int(count)) == (10, 5)
    grown = Dataset.range(3).reduce(tf.zeros([0], tf.int64), lambda s, x: tf.concat([s, [x]], 0))
    assert values(grown) == [0, 1, 2]


def test_grouping() -> None:
    dataset = Dataset.range(7).group_by_window(lambda x: x % 3, lambda key, window: window.batch(2), 2)
    assert values(dataset) == [[0, 3], [1, 4], [2, 5], [6]]
    reducer = tf.data.experimental.Reducer(
        lambda key: tf.constant(0, tf.int64), lambda state, x: state + x, lambda state: state * 10
    )
    assert values(Dataset.range(7).apply(tf.data.experimental.group_by_reducer(lambda x: x % 3, reducer))) == [
        90,
        50,
        70,
    ]


def test_buckets() -> None:
    dataset = Dataset.range(1, 5).map(tf.range)
    options: dict[str, Any] = {"bucket_boundaries": [3, 5], "bucket_batch_sizes": [2, 2, 2]}
    batches = dataset.bucket_by_sequence_length(lambda x: tf.shape(x)[0], **options)
    assert values(batches) == [[[0, 0], [0, 1]], [[0, 1, 2, 0], [0, 1, 2, 3]]]
    filled = dataset.take(1).bucket_by_sequence_length(lambda x: tf.shape(x)[0], pad_to_bucket_boundary=True, **options)
    assert values(filled) == [[[0, 0]]]


def test_resampling() -> None:
    dataset = Dataset.from_tensor_slices([0] * 900 + [1] * 100).shuffle(1000, seed=1)
    classes = [int(number) for number, _ in dataset.rejection_resample(lambda x: x, [0.5, 0.5], [0.9, 0.1], seed=1)]
    assert 150 < len(classes) < 250
    assert abs(np.mean(classes) - 0.5) < 0.1


# ------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.batch(3), [[0, 1, 2], [3, 4]]),
        (lambda d: d.batch(3, drop_remainder=True), [[0, 1, 2]]),
        (lambda d: d.batch(2, True).batch(2), [[[0, 1], [2, 3]]]),
        (lambda d: d.batch(3).unbatch(), [0, 1, 2, 3, 4]),
        (lambda d: d.batch(2).rebatch(3), [[0, 1, 2], [3, 4]]),
        (lambda d: d.batch(5).rebatch([1, 2]), [[0], [1, 2], [3], [4]]),
        (lambda d: d.window(2, shift=1).flat_map(lambda w: w.batch(2)), [[0, 1], [1, 2], [2, 3], [3, 4], [4]]),
        (lambda d: d.window(2, 3, 2).flat_map(lambda w: w.batch(2)), [[0, 2], [3]]),
        (lambda d: d.window(3, drop_remainder=True).flat_map(lambda w: w), [0, 1, 2]),
    ],
)
def test_batching(change: Any, expected: Any) -> None:
    assert values(change(Dataset.range(5))) == expected


def test_batch_specs() -> None:
    assert Dataset.range(5).batch(2).element_spec == tf.TensorSpec([None], tf.int64)
    assert Dataset.range(5).batch(2, True).element_spec == tf.TensorSpec([2], tf.int64)
    assert len(Dataset.range(5).batch(2)) == 3


def test_elements_of_different_shapes_are_no_batch() -> None:
    dataset = Dataset.range(3).map(tf.range).batch(2)
    message = r"different shapes in component 0. First element had shape \[0\] and element 1 had shape \[1\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        list(dataset)


def test_padding() -> None:
    dataset = Dataset.range(1, 4).map(lambda n: (tf.range(n), tf.fill([n], "a")))
    assert values(dataset.padded_batch(2)) == [
        ([[0, 0], [0, 1]], [[b"a", b""], [b"a", b"a"]]),
        ([[0, 1, 2]], [[b"a", b"a", b"a"]]),
    ]
    fixed = dataset.padded_batch(
        2, padded_shapes=([4], [None]), padding_values=(np.int64(-1), "-"), drop_remainder=True
    )
    assert values(fixed) == [([[0, -1, -1, -1], [0, 1, -1, -1]], [[b"a", b"-"], [b"a", b"a"]])]
    assert fixed.element_spec[0] == tf.TensorSpec([2, 4], tf.int64)
    with pytest.raises(tf.errors.InvalidArgumentError, match="pad to a smaller size"):
        list(dataset.padded_batch(3, padded_shapes=([2], [None])))


def test_ragged_and_sparse_batches() -> None:
    dataset = Dataset.from_tensor_slices([1, 3, 2]).map(tf.range)
    assert values(dataset.ragged_batch(2)) == [[[0], [0, 1, 2]], [[0, 1]]]
    assert values(dataset.apply(tf.data.experimental.dense_to_ragged_batch(3))) == [[[0], [0, 1, 2], [0, 1]]]
    (sparse,) = dataset.map(lambda x: x + 1).sparse_batch(3, [4])
    assert values(sparse) == [[1, 0, 0, 0], [1, 2, 3, 0], [1, 2, 0, 0]]
    assert values(Dataset.from_tensor_slices(ragged()).batch(3)) == [[[1, 2], [], [3]], [[4, 5, 6]]]
    assert values(Dataset.from_tensor_slices(ragged()).batch(3).unbatch()) == [[1, 2], [], [3], [4, 5, 6]]
    deep = tf.ragged.constant([[[1], [2, 3]], [], [[4]]])
    assert values(Dataset.from_tensor_slices(deep).shuffle(1).batch(2)) == [[[[1], [2, 3]], []], [[[4]]]]


def test_windows_of_structures() -> None:
    window = next(iter(Dataset.zip({"a": Dataset.range(5), "b": Dataset.range(5, 10)}).window(2)))
    assert values(window) == {"a": [0, 1], "b": [5, 6]}
    assert isinstance(window["a"].element_spec, tf.TensorSpec)


def test_batches_are_taken_from_tables_at_once() -> None:
    x, y = np.arange(3000.0).reshape(1000, 3), np.arange(1000)
    dataset = Dataset.zip(Dataset.from_tensor_slices(x), Dataset.from_tensor_slices(y)).shuffle(1000, seed=2).batch(64)
    rows, numbers = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
    assert sorted(numbers.tolist()) == list(range(1000))
    assert (rows == x[numbers]).all()


# ------------------------------------------------------------------------------------------------- the rest


def test_numpy_iterator() -> None:
    assert list(Dataset.from_tensor_slices({"a": [1, 2]}).as_numpy_iterator()) == [{"a": 1}, {"a": 2}]
    sparse = Dataset.from_tensors(tf.sparse.from_dense([[1, 0]])).as_numpy_iterator()
    assert next(sparse).tolist() == [[1, 0]]
    with pytest.raises(TypeError, match="not supported"):
        Dataset.range(3).window(2).as_numpy_iterator()


def test_iterators_end() -> None:
    iterator = iter(Dataset.range(1))
    assert iterator.element_spec == tf.TensorSpec([], tf.int64)
    assert int(iterator.get_next()) == 0
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        iterator.get_next()
    with pytest.raises(StopIteration):
        next(iterator)


def test_iterators_are_shared_among_threads() -> None:
    iterator = iter(Dataset.range(400).shuffle(10).batch(4))
    found: list[int] = []

    def work() -> None:
        for batch in iterator:
            found.extend(batch.numpy().tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(400))


def test_options() -> None:
    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = 3
    other = tf.data.Options()
    other.deterministic = False
    dataset = Dataset.range(3).with_options(options).map(lambda x: x).with_options(other)
    assert dataset.options().deterministic is False
    assert dataset.options().threading.private_threadpool_size == 3
    with pytest.raises(AttributeError):
        options.determinstic = True
    with pytest.raises(TypeError):
        options.deterministic = 1


def test_asserted_cardinality() -> None:
    dataset = Dataset.range(4).filter(lambda x: x > 1)
    assert len(dataset.apply(tf.data.experimental.assert_cardinality(2))) == 2
    with pytest.raises(tf.errors.FailedPreconditionError, match="expected to contain 3 elements but contained only 2"):
        list(dataset.apply(tf.data.experimental.assert_cardinality(3)))


def test_specs_compare() -> None:
    spec = tf.data.DatasetSpec(tf.TensorSpec([None], tf.int64))
    assert spec.is_compatible_with(Dataset.range(3).batch(2))
    assert not spec.is_compatible_with(Dataset.range(3))
    assert tf.data.DatasetSpec.from_value(Dataset.range(3).batch(2)) == spec
    assert bool(Dataset.range(0))
