"""Gradients of every op: against TensorFlow's, against finite differences, to second order, and inside functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.cases import CASES
from modtf.core.conformance.checking import compare, tensors
from modtf.core.conformance.examples import Case, Example, flowing_gradient, some
from modtf.core.conformance.goldens import golden_of

_EXAMPLES = [example for case in CASES for example in case.gradient_examples if example.differentiable]


def _flows(example: Example) -> bool:
    """Whether TensorFlow has a gradient; of an example without a golden it is assumed, so that its tests fail."""
    try:
        gradients = golden_of(example).gradients
    except LookupError:
        return True
    return gradients is not None and any(gradient is not None for gradient in gradients)


_COMPARED = [example for example in _EXAMPLES if _flows(example)]
_SMOOTH = [example for example in _COMPARED if example.case.smooth and example.dtype == "float64"]


@pytest.mark.parametrize("example", _COMPARED, ids=str)
def test_against_tensorflow(example: Example) -> None:
    given = tensors(example.arrays)
    _compare_gradients(example, _gradients(example, given, [given[index] for index in example.differentiable]))


@pytest.mark.parametrize("example", [example for example in _EXAMPLES if example not in _COMPARED], ids=str)
def test_there_is_none(example: Example) -> None:
    """Where TensorFlow refuses to differentiate, no gradient is made up."""
    given = tensors(example.arrays)
    sources = [given[index] for index in example.differentiable]
    try:
        gradients = _gradients(example, given, sources)
    except LookupError:
        return
    assert all(gradient is None for gradient in gradients)


@pytest.mark.parametrize("example", _COMPARED, ids=str)
def test_in_a_function_of_unknown_sizes(example: Example) -> None:
    places = example.differentiable

    def gradients(*sources: Any) -> Any:
        given: list[Any] = tensors(example.arrays)
        for place, source in zip(places, sources, strict=True):
            given[place] = source
        return _gradients(example, given, sources)

    arrays = [example.arrays[place] for place in places]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]
    _compare_gradients(example, tf.function(gradients, input_signature=specs)(*tensors(arrays)))


@pytest.mark.parametrize("example", _SMOOTH, ids=str)
def test_finite_differences(example: Example) -> None:
    """The gradient along a direction is how fast the result changes along it."""
    given, point, direction = _start(example)

    def value(sources: Sequence[Any]) -> float:
        return _weighted(example, _call(example, given, sources))

    expected = _slope(value, point, direction)
    sources = tensors(point)
    gradients = _gradients(example, given, sources)
    np.testing.assert_allclose(_product(gradients, direction), expected, 1e-6, 1e-6)


@pytest.mark.parametrize("example", [example for example in _SMOOTH if example.case.orders > 1], ids=str)
def test_second_order(example: Example) -> None:
    """The gradient of the gradient along a direction is how fast that changes along another."""
    given, point, direction = _start(example)
    other = [some(*array.shape).array("float64", 60 + index) for index, array in enumerate(point)]

    def slope(sources: Sequence[Any]) -> float:
        return _product(_gradients(example, given, sources), direction)

    sources = tensors(point)
    with tf.GradientTape() as tape:
        tape.watch(sources)
        first = _gradients(example, given, sources)
    targets = [gradient for gradient in first if gradient is not None]
    weights = [tf.constant(part) for part, gradient in zip(direction, first, strict=True) if gradient is not None]
    second = tape.gradient(targets, sources, weights)
    np.testing.assert_allclose(_product(second, other), _slope(slope, point, other), 2e-5, 2e-5)


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


def _start(example: Example) -> tuple[list[Any], list[np.ndarray], list[np.ndarray]]:
    point = [example.arrays[place] for place in example.differentiable]
    direction = [some(*array.shape).array("float64", 40 + index) for index, array in enumerate(point)]
    return tensors(example.arrays), point, direction


def _weighted(example: Example, outputs: Sequence[Any]) -> float:
    floating = [output.numpy() for output in outputs if output.dtype.is_differentiable]
    return sum(
        float(np.sum(array * flowing_gradient(array.shape, "float64", index))) for index, array in enumerate(floating)
    )


def _slope(value: Callable[[Sequence[Any]], float], point: Sequence[np.ndarray], direction: Sequence[np.ndarray]) -> float:
    """Central differences at two distances, extrapolated to none (Richardson), so that curvature hardly matters."""

    def central(step: float) -> float:
        ahead, behind = ([x + sign * step * d for x, d in zip(point, direction, strict=True)] for sign in (1, -1))
        return (value(ahead) - value(behind)) / (2 * step)

    return (4 * central(5e-5) - central(1e-4)) / 3


def _product(gradients: Sequence[Any], direction: Sequence[np.ndarray]) -> float:
    return sum(
        float(np.sum(gradient.numpy() * part))
        for gradient, part in zip(gradients, direction, strict=True)
        if gradient is not None
    )
