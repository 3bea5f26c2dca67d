"""Gradients of every op: against TensorFlow's, against finite differences, to second order, and inside functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.cases import CASES
from modtf.core.conformance.checking import compare, tensors
from modtf.core.conformance.examples import Example, flowing_gradient, some
from modtf.core.conformance.goldens import golden_of

_EXAMPLES = [example for case in CASES for example in case.gradient_examples if example.differentiable]


def _known(example: Example) -> list[np.ndarray | None] | None:
    """What is known of the gradients; without a golden, that there are some, so that the tests fail."""
    try:
        return golden_of(example).gradients
    except LookupError:
        return [np.empty(())]


_COMPARED = [example for example in _EXAMPLES if _known(example)]
_SMOOTH = [
    example
    for example in _EXAMPLES
    if example.case.smooth and example.dtype == "float64" and (known := _known(example)) is not None
    and (not known or any(gradient is not None for gradient in known))
]  # fmt: skip


@pytest.mark.parametrize("example", [example for example in _COMPARED if example.case.is_first], ids=str)
def test_eager(example: Example) -> None:
    given = tensors(example.arrays)
    _compare_gradients(example, _gradients(example, given, [given[index] for index in example.differentiable]))


@pytest.mark.parametrize("example", _COMPARED, ids=str)
def test_in_a_function_of_unknown_sizes(example: Example) -> None:
    arrays = [example.arrays[place] for place in example.differentiable]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]

    def gradients(*sources: Any) -> Any:
        return _gradients(example, tensors(example.arrays), sources)

    _compare_gradients(example, tf.function(gradients, input_signature=specs)(*tensors(arrays)))


@pytest.mark.parametrize("example", _SMOOTH, ids=str)
def test_finite_differences(example: Example) -> None:
    """The gradient along a direction is how fast the result changes along it, and so for the gradient's gradient."""
    point = [example.arrays[place] for place in example.differentiable]
    first_way, second_way = (
        [some(*array.shape).array("float64", stream + index) for index, array in enumerate(point)]
        for stream in (40, 60)
    )

    def program(*sources: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as inner:
                inner.watch(sources)
                value = _weighted(example, _call(example, tensors(example.arrays), sources))
            gradients = inner.gradient(value, sources)
            slope = _along(gradients, first_way)
        curvature = _along(outer.gradient(slope, sources), second_way) if example.case.orders > 1 else None
        return value, slope, curvature

    function = tf.function(program)
    _, slope, curvature = function(*tensors(point))
    compare_slopes = [(slope, _slope(lambda *x: function(*x)[0], point, first_way), 1e-6)]
    if curvature is not None:
        compare_slopes.append((curvature, _slope(lambda *x: function(*x)[1], point, second_way), 2e-5))
    for given, expected, tolerance in compare_slopes:
        np.testing.assert_allclose(given.numpy(), expected, tolerance, tolerance)


def _call(example: Example, given: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
    inputs = list(given)
    for place, source in zip(example.differentiable, sources, strict=True):
        inputs[place] = source if isinstance(source, tf.Tensor) else tf.constant(source)
    return example.call(getattr(tf.raw_ops, example.case.op), inputs)


def _gradients(example: Example, given: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
    """The gradients when `flowing_gradient` flows into each output that takes one."""
    sources = [source if isinstance(source, tf.Tensor) else tf.constant(source) for source in sources]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = _call(example, given, sources)
    expected = golden_of(example).outputs
    flowing = [
        tf.constant(flowing_gradient(array.shape, output.dtype.name, position), output.dtype)
        for position, (output, array) in enumerate(
            (output, array) for output, array in zip(outputs, expected, strict=True) if output.dtype.is_differentiable
        )
    ]
    return tape.gradient([output for output in outputs if output.dtype.is_differentiable], sources, flowing)


def _compare_gradients(example: Example, gradients: Sequence[Any]) -> None:
    expected = golden_of(example).gradients
    assert expected is not None
    assert len(gradients) == len(expected)
    for place, ours, theirs in zip(example.differentiable, gradients, expected, strict=True):
        what = f"the gradient of {example} with respect to {example.names[place]}"
        assert (ours is None) == (theirs is None), f"{what}: {ours} rather than {theirs}"
        if theirs is not None:
            compare(what, ours, theirs, 4 * example.case.tolerance)


def _weighted(example: Example, outputs: Sequence[Any]) -> Any:
    """A number that depends on all results that have gradients."""
    floating = [
        (output, array.shape)
        for output, array in zip(outputs, golden_of(example).outputs, strict=True)
        if output.dtype.is_differentiable
    ]
    parts = [
        _total(output * flowing_gradient(shape, "float64", index), len(shape))
        for index, (output, shape) in enumerate(floating)
    ]
    return tf.raw_ops.AddN(inputs=parts)


def _along(gradients: Sequence[Any], direction: Sequence[np.ndarray]) -> Any:
    """The gradients' inner product with a direction."""
    parts = [
        _total(gradient * part, part.ndim)
        for gradient, part in zip(gradients, direction, strict=True)
        if gradient is not None
    ]
    return tf.raw_ops.AddN(inputs=[*parts, tf.constant(0.0, tf.float64)])


def _total(tensor: Any, rank: int) -> Any:
    return tf.raw_ops.Sum(input=tensor, axis=np.arange(rank, dtype=np.int32))


def _slope(function: Callable[..., Any], point: Sequence[np.ndarray], direction: Sequence[np.ndarray]) -> float:
    """Central differences at two distances, extrapolated to none (Richardson), so that curvature hardly matters."""

    def central(step: float) -> float:
        ahead, behind = (
            function(*tensors([x + sign * step * d for x, d in zip(point, direction, strict=True)])) for sign in (1, -1)
        )
        return float(ahead.numpy() - behind.numpy()) / (2 * step)

    return (4 * central(5e-5) - central(1e-4)) / 3
