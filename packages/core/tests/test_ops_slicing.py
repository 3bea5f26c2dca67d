"""Indexing, Slice and StridedSlice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modtf import core as tf
from modtf.core.api import array, selecting

ARRAY = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
bounds = st.none() | st.integers(-7, 7)
steps = st.none() | st.integers(-3, 3).filter(bool)


@st.composite
def keys(draw: st.DrawFn) -> tuple:
    """Keys that are in range for `ARRAY`."""
    count = draw(st.integers(0, 4))
    axes = sorted(draw(st.sets(st.integers(0, 3), min_size=count, max_size=count)))
    dots = draw(st.integers(0, count)) if axes != list(range(count)) else draw(st.none() | st.integers(0, count))
    before = count if dots is None else dots
    # With an ellipsis, the items before it are for the first axes, those behind it for the last ones.
    places = [*range(before), *range(4 - (count - before), 4)]
    items: list = []
    for position, axis in enumerate(places):
        if position == dots:
            items.append(...)
        items += [None] * draw(st.integers(0, 1))
        length = ARRAY.shape[axis]
        items.append(draw(st.integers(-length, length - 1) | st.builds(slice, bounds, bounds, steps)))
    if dots == count:
        items.append(...)
    return tuple(items)


@given(keys())
def test_getitem_is_numpys(key: tuple) -> None:
    x = tf.constant(ARRAY)
    expected = ARRAY[key]
    result = x[key]
    np.testing.assert_array_equal(result, expected)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x[key]
    weights = np.arange(1.0, expected.size + 1, dtype=np.float32).reshape(expected.shape)
    spread = np.zeros_like(ARRAY)
    spread[key] = weights
    np.testing.assert_array_equal(tape.gradient(y, x, tf.constant(weights)), spread)


@given(keys(), st.lists(st.booleans(), min_size=4, max_size=4))
def test_inferred_shape_holds_the_true_one(key: tuple, known: list[bool]) -> None:
    graph = tf.Graph("shapes")
    with graph.as_default():
        spec = [dim if is_known else None for dim, is_known in zip(ARRAY.shape, known, strict=True)]
        inferred = graph.add_input(tf.float32, spec, "x")[key].shape
    true = ARRAY[key].shape
    assert inferred.is_compatible_with(true)
    if all(known):
        assert inferred == true


def test_bounds_may_be_tensors() -> None:
    x = tf.constant(ARRAY)

    @tf.function
    def part(x: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> list[tf.Tensor]:
        return [x[start], x[start:stop, 1], x[..., start:stop:2], x[: array.shape(x)[0] - 1, stop]]

    for index in (np.int32, np.int64):
        results = part(x, tf.constant(index(0)), tf.constant(index(2)))
        expected = [ARRAY[0], ARRAY[0:2, 1], ARRAY[..., 0:2:2], ARRAY[:1, 2]]
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_array_equal(result, wanted)
    np.testing.assert_array_equal(x[tf.constant(1), np.int64(2)], ARRAY[1, 2])


def test_masks() -> None:
    x = tf.constant(ARRAY)
    chosen = ARRAY[..., 0] % 2 == 0
    np.testing.assert_array_equal(x[chosen], ARRAY[chosen])
    np.testing.assert_array_equal(x[tf.constant([False, True])], ARRAY[1:])
    with pytest.raises(ValueError, match="mask cannot be scalar"):
        x[True]
    with pytest.raises(ValueError, match="incompatible"):
        x[np.array([True, False, True])]


def test_every_mask_of_strided_slice() -> None:
    x = tf.constant(ARRAY)
    np.testing.assert_array_equal(selecting.strided_slice(x, [1, 1], [2, 9], [1, 2]), ARRAY[1:2, 1:9:2])
    np.testing.assert_array_equal(selecting.strided_slice(x, [1, 1], [2, 2], begin_mask=1, end_mask=2), ARRAY[:2, 1:])
    np.testing.assert_array_equal(
        selecting.strided_slice(x, [1, 9, 2], [2, 9, 3], ellipsis_mask=2, shrink_axis_mask=5), ARRAY[1, ..., 2]
    )
    # Of bits for one position the ellipsis goes before the new axis, and that before the element.
    np.testing.assert_array_equal(
        selecting.strided_slice(x, [0, 1], [9, 2], new_axis_mask=1, shrink_axis_mask=3), ARRAY[None, 1]
    )
    np.testing.assert_array_equal(
        selecting.strided_slice(x, [5, 1], [9, 2], ellipsis_mask=1, new_axis_mask=3), ARRAY[..., None]
    )


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (2, tf.errors.InvalidArgumentError, r"slice index 2 of dimension 0 out of bounds"),
        ((0, -4), tf.errors.InvalidArgumentError, r"slice index -4 of dimension 1 out of bounds"),
        ((0, 0, 0, 0, 0), tf.errors.InvalidArgumentError, r"only 4 dims"),
        ((..., 0, ...), tf.errors.InvalidArgumentError, r"Multiple ellipses"),
        (slice(None, None, 0), tf.errors.InvalidArgumentError, r"strides\[0\] must be non-zero"),
        (1.5, TypeError, r"Only integers, slices .* got 1.5"),
        (np.array([0, 1]), TypeError, r"Only integers, slices"),
        ("a", TypeError, r"got 'a'"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit(key: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tf.constant(ARRAY)[key]
    with pytest.raises((ValueError, TypeError), match=message):
        tf.function(lambda x: x[key])(tf.constant(ARRAY))


def test_slice() -> None:
    x = tf.constant(ARRAY)
    np.testing.assert_array_equal(selecting.slice(x, [0, 1, 2, 0], [2, -1, 1, 0]), ARRAY[0:2, 1:, 2:3, 0:0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Expected size\[1\] in \[0, 2\], but got 3"):
        selecting.slice(x, [0, 1, 0, 0], [1, 3, 1, 1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Expected begin\[0\] in \[0, 2\], but got 3"):
        selecting.slice(x, [3, 0, 0, 0], [-1, 1, 1, 1])


def test_strings_stay_tensors() -> None:
    x = tf.constant([b"a", b"bc"])
    assert x[1].numpy() == b"bc" and x[1].dtype is tf.string
    assert x[::-1].numpy().tolist() == [b"bc", b"a"]
