"""Variables updated in part, and `IndexedSlices`: the gradients of gathering, which such updates take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.values.indexed_slices import IndexedSlices, IndexedSlicesSpec

START = np.arange(12.0).reshape(3, 4)


def made(dtype: Any = np.float64) -> tf.Variable:
    return tf.Variable(START.astype(dtype))


class TestSlicesOfVariables:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ((0, 1), 5.0),
            ((slice(1, 3), 0), [7.0, 8.0]),
            (slice(1, 3), 1.0),
            (slice(1, 3), [1.0, 2.0, 3.0, 4.0]),
            (1, [[1.0, 2.0, 3.0, 4.0]]),
            ((None, 0), [[1.0, 2.0, 3.0, 9.0]]),
            ((slice(None, None, -1), slice(None, None, 2)), np.arange(6.0).reshape(3, 2)),
            ((..., -1), [1.0, 1.0, 1.0]),
            (slice(2, 1), np.zeros((0, 4))),
            ((0, 0), 3),
        ],
    )
    @pytest.mark.parametrize("in_function", [False, True])
    def test_assign(self, key: Any, value: Any, in_function: bool) -> None:
        variable, expected = made(), START.copy()
        before = variable.value()
        expected[key] = np.reshape(value, np.shape(expected[key])) if np.size(value) == expected[key].size else value

        def update() -> Any:
            return variable[key].assign(value)

        result = (tf.function(update) if in_function else update)()
        assert variable.numpy().tolist() == tf.convert_to_tensor(result).numpy().tolist() == expected.tolist()
        assert before.numpy().tolist() == START.tolist()

    def test_bounds_known_when_it_runs(self) -> None:
        variable = made()
        update = tf.function(lambda start: variable[start, start + 1].assign(-1.0))
        update(tf.constant(0))
        update(tf.constant(2))
        assert np.argwhere(variable.numpy() == -1).tolist() == [[0, 1], [2, 3]]

    def test_what_it_returns(self) -> None:
        variable = made()
        assert variable[0].assign([1, 1, 1, 1]) is variable
        assert not hasattr(variable[0], "assign_add")
        assert not hasattr(tf.constant([1.0])[0], "assign")
        assert not hasattr(variable[variable > 3], "assign")

    def test_mistakes(self) -> None:
        variable = made()
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            variable[5].assign([1.0, 1, 1, 1])
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            variable[0].assign([1.0, 2.0, 3.0])
        with pytest.raises(ValueError):
            variable[0].assign(tf.constant([1.0, 1, 1, 1], tf.float32))
        assert variable.numpy().tolist() == START.tolist()

    def test_gradient_flows_through_the_slice(self) -> None:
        variable = made()
        with tf.GradientTape() as tape:
            y = variable[1, 2:] * 2.0
        expected = np.zeros((3, 4))
        expected[1, 2:] = 2
        assert tf.convert_to_tensor(tape.gradient(y, variable)).numpy().tolist() == expected.tolist()


class TestRows:
    @pytest.mark.parametrize(
        ("method", "first_row"),
        [
            ("scatter_add", [3, 5, 7, 9]),
            ("scatter_sub", [-3, -3, -3, -3]),
            ("scatter_mul", [0, 4, 12, 24]),
            ("scatter_div", [0, 0.25, 1 / 3, 0.375]),
            ("scatter_max", [2, 2, 3, 4]),
            ("scatter_min", [0, 1, 2, 2]),
        ],
    )
    def test_a_row_twice(self, method: str, first_row: list[float]) -> None:
        variable = made()
        rows = tf.constant([[1.0, 2, 3, 4], [2.0, 2, 2, 2]], tf.float64)
        assert getattr(variable, method)(IndexedSlices(rows, tf.constant([0, 0]))) is variable
        np.testing.assert_allclose(variable.numpy()[0], first_row, 1e-12)
        assert variable.numpy()[1:].tolist() == START[1:].tolist()

    def test_a_scalar_for_all(self) -> None:
        variable = made()
        variable.scatter_add(IndexedSlices(tf.constant(1.0, tf.float64), tf.constant([0, 2, 2])))
        assert (variable.numpy() - START)[:, 0].tolist() == [1, 0, 2]

    def test_indices_of_any_shape(self) -> None:
        variable = made()
        variable.scatter_update(IndexedSlices(tf.ones([1, 2, 4], tf.float64), tf.constant([[0, 1]])))
        assert variable.numpy().tolist() == [[1] * 4, [1] * 4, START[2].tolist()]

    def test_integers_are_divided_towards_zero(self) -> None:
        variable = tf.Variable([7, -7, 5])
        variable.scatter_div(IndexedSlices(tf.constant([2, 2]), tf.constant([0, 1])))
        assert variable.numpy().tolist() == [3, -3, 5]

    def test_batches(self) -> None:
        variable = tf.Variable(np.arange(12).reshape(2, 3, 2))
        slices = IndexedSlices(tf.constant([[[9, 9]], [[8, 8]]], tf.int64), tf.constant([[1], [2]]))
        variable.batch_scatter_update(slices)
        assert variable.numpy().tolist() == [[[0, 1], [9, 9], [4, 5]], [[6, 7], [8, 9], [8, 8]]]

    def test_strings(self) -> None:
        variable = tf.Variable(["a", "b", "c"])
        variable.scatter_update(IndexedSlices(tf.constant(["x"]), tf.constant([1])))
        assert variable.numpy().tolist() == [b"a", b"x", b"c"]

    def test_elements(self) -> None:
        variable = made()
        variable.scatter_nd_add([[0, 1], [2, 2], [0, 1]], [1.0, 2.0, 4.0])
        variable.scatter_nd_max([[1]], np.full((1, 4), 6.0))
        expected = START.copy()
        expected[0, 1] += 5
        expected[2, 2] += 2
        expected[1] = np.maximum(expected[1], 6)
        assert variable.numpy().tolist() == expected.tolist()
        assert variable.gather_nd([[0, 1], [2, 2]]).numpy().tolist() == [6, 12]

    def test_mistakes(self) -> None:
        variable = made()
        row = tf.ones([1, 4], tf.float64)
        with pytest.raises(tf.errors.InvalidArgumentError):
            variable.scatter_add(IndexedSlices(row, tf.constant([3])))
        with pytest.raises(tf.errors.InvalidArgumentError):
            variable.scatter_add(IndexedSlices(row, tf.constant([0, 1])))
        with pytest.raises(tf.errors.InvalidArgumentError):
            variable.scatter_nd_add([[0, 9]], [1.0])
        with pytest.raises(TypeError):
            variable.scatter_add(row)
        with pytest.raises(ValueError):
            variable.scatter_add(IndexedSlices(tf.ones([1, 4]), tf.constant([0])))
        assert variable.numpy().tolist() == START.tolist()


class TestIndexedSlices:
    def test_as_a_tensor(self) -> None:
        slices = IndexedSlices(tf.constant([[1.0, 2], [3, 4]]), tf.constant([2, 2]), tf.constant([3, 2]))
        assert tf.convert_to_tensor(slices).numpy().tolist() == [[0, 0], [0, 0], [4, 6]]
        assert (tf.ones([3, 2]) + slices).numpy().tolist() == [[1, 1], [1, 1], [5, 7]]
        assert (-slices).values.numpy().tolist() == [[-1, -2], [-3, -4]]
        assert slices.shape == [3, 2]
        with pytest.raises(ValueError):
            tf.convert_to_tensor(IndexedSlices(tf.constant([1.0]), tf.constant([0])))
        with pytest.raises(ValueError):
            tf.convert_to_tensor(slices, tf.float64)

    def test_spec(self) -> None:
        slices = IndexedSlices(tf.constant([1.0]), tf.constant([0]), tf.constant([3]))
        spec = slices.type_spec
        assert repr(spec) == "IndexedSlicesSpec(TensorShape([3]), tf.float32, tf.int32, tf.int32, TensorShape([1]))"
        wide = IndexedSlicesSpec([None], tf.float32, tf.int32, tf.int32, [None])
        assert spec.is_subtype_of(wide)
        assert wide.is_compatible_with(slices)
        assert not wide.is_subtype_of(spec)
        assert not IndexedSlicesSpec([None]).is_compatible_with(slices)

    def test_through_functions(self) -> None:
        slices = IndexedSlices(tf.constant([1.0]), tf.constant([2]), tf.constant([3]))
        result = tf.function(lambda given: -given)(slices)
        assert isinstance(result, IndexedSlices)
        assert tf.convert_to_tensor(result).numpy().tolist() == [0, 0, -1]


class TestGradients:
    def test_of_gathering(self) -> None:
        variable = made(np.float32)
        with tf.GradientTape() as tape:
            y = tf.gather(variable, [1, 2, 1]) * 2.0
        gradient = tape.gradient(y, variable)
        assert isinstance(gradient, IndexedSlices)
        assert gradient.indices.numpy().tolist() == [1, 2, 1]
        assert gradient.values.numpy().tolist() == [[2] * 4] * 3
        assert gradient.dense_shape.numpy().tolist() == [3, 4]
        variable.scatter_sub(gradient)
        assert (variable.numpy() - START).tolist() == [[0] * 4, [-4] * 4, [-2] * 4]

    def test_several_are_joined(self) -> None:
        variable = made(np.float32)
        with tf.GradientTape() as tape:
            y = tf.gather(variable, [1, 2]) + variable.sparse_read(tf.constant([0, 1], tf.int64))
        gradient = tape.gradient(y, variable)
        assert isinstance(gradient, IndexedSlices)
        assert gradient.indices.dtype == tf.int64
        assert sorted(gradient.indices.numpy().tolist()) == [0, 1, 1, 2]

    def test_with_others_they_become_a_tensor(self) -> None:
        variable = made(np.float32)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(variable, [1, 1])) + tf.reduce_sum(variable)
        assert tape.gradient(y, variable).numpy()[:, 0].tolist() == [1, 3, 1]

    def test_through_other_ops(self) -> None:
        variable = made(np.float32)
        with tf.GradientTape() as tape:
            y = tf.gather(variable * 2.0, [0, 0])
        gradient = tape.gradient(y, variable)
        assert isinstance(gradient, tf.Tensor)
        assert gradient.numpy()[:, 0].tolist() == [4, 0, 0]

    def test_of_a_function_called_outside(self) -> None:
        variable = made(np.float32)
        square = tf.function(lambda rows: tf.gather(variable, rows) ** 2)
        with tf.GradientTape() as tape:
            y = square(tf.constant([1, 1]))
        assert tf.convert_to_tensor(tape.gradient(y, variable)).numpy()[1].tolist() == [16, 20, 24, 28]

    def test_second_order(self) -> None:
        variable = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = tf.reduce_sum(tf.gather(variable, [1, 1]) ** 3)
            first = inner.gradient(y, variable)
            total = tf.reduce_sum(tf.convert_to_tensor(first) ** 2)
        # (2 * 3 v^2)^2 has the derivative 144 v^3.
        assert tf.convert_to_tensor(outer.gradient(total, variable)).numpy().tolist() == [0, 1152]
