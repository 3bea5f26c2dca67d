"""Datasets, iterators and optionals in functions. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

Dataset = tf.data.Dataset


@tf.function
def total(elements: Any) -> Any:
    result = tf.constant(0, tf.int64)
    for x in elements:
        result += x
    return result


def test_a_loop_over_an_argument_is_one_loop() -> None:
    assert int(total(Dataset.range(10))) == 45
    assert int(total(Dataset.range(4).map(lambda x: x * 2))) == 12
    assert total.experimental_get_tracing_count() == 1
    graph = total.get_concrete_function(Dataset.range(10)).graph
    assert [node.type for node in graph.nodes if "Iterator" in node.type or "While" in node.type] == [
        "AnonymousIteratorV3", "MakeIterator", "IteratorGetNextAsOptional", "While",
    ]  # fmt: skip


def test_a_loop_over_an_iterator_goes_on_where_it_is() -> None:
    iterator = iter(Dataset.range(10))
    assert int(next(iterator)) == 0
    assert int(total(iterator)) == 45
    assert next(iterator, None) is None


def test_break_takes_no_further_element() -> None:
    @tf.function
    def until(iterator: Any) -> Any:
        result = tf.constant(0, tf.int64)
        for x in iterator:
            result += x
            if x >= 2:
                break
        return result

    iterator = iter(Dataset.range(10))
    assert int(until(iterator)) == 3
    assert int(next(iterator)) == 3


def test_continue_and_return() -> None:
    @tf.function
    def odd(dataset: Any) -> Any:
        result = tf.constant(0, tf.int64)
        for x in dataset:
            if x % 2 == 0:
                continue
            result += x
        return result

    @tf.function
    def first_above(dataset: Any) -> Any:
        for x in dataset:
            if x > 3:
                return x
        return tf.constant(-1, tf.int64)

    assert int(odd(Dataset.range(10))) == 25
    assert [int(first_above(Dataset.range(count))) for count in (10, 2)] == [4, -1]


def test_captured_datasets_begin_anew_at_each_call() -> None:
    dataset = Dataset.range(5)

    @tf.function
    def weighted() -> Any:
        result = tf.constant(0, tf.int64)
        for index, x in enumerate(dataset.map(lambda x: x * 2)):
            result += x * index
        return result

    assert [int(weighted()), int(weighted())] == [60, 60]


def test_datasets_made_of_tensors_of_the_function() -> None:
    @tf.function
    def inside(count: Any) -> Any:
        result = tf.constant(0, tf.int64)
        for pair in Dataset.range(count).map(lambda x: x + count).batch(2):
            for x in Dataset.from_tensor_slices(pair):
                result += x
        return result

    assert [int(inside(tf.constant(count, tf.int64))) for count in (5, 7)] == [35, 70]
    assert inside.experimental_get_tracing_count() == 1


def test_functions_give_datasets() -> None:
    make = tf.function(lambda count: Dataset.range(count).batch(2))
    made = make(tf.constant(3, tf.int64))
    assert made.element_spec == tf.TensorSpec([None], tf.int64)
    assert [batch.numpy().tolist() for batch in made] == [[0, 1], [2]]


def test_composites_in_loops() -> None:
    @tf.function
    def rows(dataset: Any) -> Any:
        result = tf.constant(0, tf.int64)
        for batch in dataset:
            result += 10 * tf.cast(tf.reduce_sum(batch), tf.int64) + batch.nrows()
        return result

    assert int(rows(Dataset.from_tensor_slices(tf.ragged.constant([[1, 2], [], [3]])).batch(2))) == 63


def test_training_in_a_loop() -> None:
    weight = tf.Variable(1.0)

    @tf.function
    def train(dataset: Any) -> Any:
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((weight * x - y) ** 2)
            weight.assign_sub(0.05 * tape.gradient(loss, weight))
        return weight.read_value()

    x = np.array([1, 2, 3, 4], np.float32)
    assert float(train(Dataset.from_tensor_slices((x, 2 * x)).repeat(3).batch(2))) == pytest.approx(2.006591796875)


def test_gradients_of_a_loop() -> None:
    @tf.function
    def slope(value: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = tf.constant(0.0)
            for x in Dataset.from_tensor_slices([1.0, 2.0, 3.0]):
                result += value * value * x
        return tape.gradient(result, value)

    assert float(slope(tf.constant(3.0))) == 36.0


def test_shapes_that_change_in_a_loop_are_left_open() -> None:
    @tf.function
    def gathered(dataset: Any) -> Any:
        result = tf.zeros([0], tf.int64)
        for x in dataset:
            result = tf.concat([result, [x]], 0)
        return result

    assert gathered(Dataset.range(3)).numpy().tolist() == [0, 1, 2]


def test_next_in_functions() -> None:
    @tf.function
    def following(iterator: Any) -> Any:
        return next(iterator)

    @tf.function
    def or_else(iterator: Any) -> Any:
        return next(iterator, tf.constant(-1, tf.int64))

    iterator = iter(Dataset.range(3))
    assert [int(following(iterator)) for _ in range(3)] == [0, 1, 2]
    assert following.experimental_get_tracing_count() == 1
    assert int(or_else(iterator)) == -1
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        following(iterator)


def test_zip_and_enumerate_in_functions() -> None:
    @tf.function
    def products(dataset: Any) -> Any:
        result = tf.constant(0, tf.int64)
        for a, b in zip(dataset, dataset.skip(1)):
            result += a * b
        return result

    assert int(products(Dataset.range(5))) == 20


def test_python_loops_over_datasets_in_functions_are_refused() -> None:
    @tf.function(autograph=False)
    def endless(dataset: Any) -> Any:
        return sum(dataset)

    with pytest.raises(TypeError, match="no end that Python could see"):
        endless(Dataset.range(3))
    with pytest.raises(TypeError, match="eager mode"):
        tf.function(lambda dataset: len(dataset), autograph=False)(Dataset.range(3))


def test_reduce_and_cardinality_in_functions() -> None:
    @tf.function
    def both(dataset: Any) -> Any:
        return dataset.reduce(tf.constant(0, tf.int64), lambda s, x: s + x), dataset.cardinality()

    assert [int(item) for item in both(Dataset.range(6))] == [15, 6]


def test_optionals() -> None:
    iterator = iter(Dataset.range(1))
    first, second = iterator.get_next_as_optional(), iterator.get_next_as_optional()
    assert (bool(first.has_value()), int(first.get_value()), bool(second.has_value())) == (True, 0, False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not have a value"):
        second.get_value()
    optional = tf.data.experimental.Optional
    made = optional.from_value({"a": [1, 2], "r": tf.ragged.constant([[1], []])})
    assert made.get_value()["r"].to_list() == [[1], []]
    assert made.element_spec["a"] == tf.TensorSpec([2], tf.int32)
    assert not optional.empty(tf.TensorSpec([], tf.int32)).has_value()


def test_iterators_by_their_ops() -> None:
    kinds: dict[str, Any] = {"output_types": [tf.int64], "output_shapes": [[]]}
    dataset = tf.data.experimental.to_variant(Dataset.range(2))
    handle = tf.raw_ops.IteratorV2(shared_name="", container="", **kinds)
    with pytest.raises(tf.errors.FailedPreconditionError, match="has not been initialized"):
        tf.raw_ops.IteratorGetNext(iterator=handle, **kinds)
    tf.raw_ops.MakeIterator(dataset=dataset, iterator=handle)
    assert int(tf.raw_ops.IteratorGetNext(iterator=handle, **kinds)[0]) == 0
    assert int(tf.raw_ops.IteratorGetNextSync(iterator=handle, **kinds)[0]) == 1
    optional = tf.raw_ops.IteratorGetNextAsOptional(iterator=handle, **kinds)
    assert not tf.raw_ops.OptionalHasValue(optional=optional)
    with pytest.raises(tf.errors.OutOfRangeError):
        tf.raw_ops.IteratorGetNext(iterator=handle, **kinds)
    assert int(tf.raw_ops.DatasetCardinality(input_dataset=dataset)) == 2
    given = tf.raw_ops.OptionalFromValue(components=[tf.constant(5)])
    (value,) = tf.raw_ops.OptionalGetValue(optional=given, output_types=[tf.int32], output_shapes=[[]])
    assert int(value) == 5
    assert not tf.raw_ops.OptionalHasValue(optional=tf.raw_ops.OptionalNone())


def test_a_loop_over_elements_of_unknown_shape_keeps_what_starts_as_a_scalar() -> None:
    traced: list[Any] = []

    @tf.function
    def distance(dataset: Any) -> Any:
        traced.append(dataset)
        loss = tf.constant(0)
        for x, y in dataset:
            loss += tf.abs(y - x)
        return loss

    for size in (3, 5):
        pairs = Dataset.from_generator(lambda size=size: [(1, 3)] * size, (tf.int32, tf.int32))
        assert int(distance(pairs)) == 2 * size
    assert len(traced) == 1
