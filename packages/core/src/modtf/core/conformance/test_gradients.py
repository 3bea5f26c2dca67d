"""Gradients of every op: against TensorFlow's, against finite differences, to second order, and inside functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
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


def _is_smooth(example: Example) -> bool:
    known = _known(example)
    flows = known is not None and (not known or any(gradient is not None for gradient in known))
    return example.case.smooth and example.dtype == "float64" and flows


def _by_op(examples: Iterable[Example]) -> list[Any]:
    """The examples of each op, to be tried together: a function at a time compiles faster than one at a time."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.case.op, []).append(example)
    return [pytest.param(group, id=op) for op, group in groups.items()]


_COMPARED = [example for example in _EXAMPLES if _known(example)]
_SMOOTH = [example for example in _EXAMPLES if _is_smooth(example)]


_SMOOTH_OPS = {example.case.op for example in _SMOOTH}


@pytest.mark.parametrize("example", [example for example in _COMPARED if example.case.op not in _SMOOTH_OPS], ids=str)
def test_eager(example: Example) -> None:
    """Where finite differences do not try the rule with all sizes known."""
    given = tensors(example.arrays)
    _compare_gradients(example, _gradients(example, [given[index] for index in example.differentiable]))


@pytest.mark.parametrize("examples", _by_op(_COMPARED))
def test_in_a_function_of_unknown_sizes(examples: list[Example]) -> None:
    arrays = [array for example in examples for array in _point(example)]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]

    def program(*sources: Any) -> Any:
        return [_gradients(example, part) for example, part in _parted(examples, sources)]

    results = tf.function(program, input_signature=specs)(*tensors(arrays))
    for example, gradients in zip(examples, results, strict=True):
        _compare_gradients(example, gradients)


@pytest.mark.parametrize("examples", _by_op(_SMOOTH))
def test_finite_differences(examples: list[Example]) -> None:
    """The gradient along a direction is how fast the result changes along it, and so for the gradient's gradient."""
    point = [array for example in examples for array in _point(example)]
    first_way, second_way = (
        [some(*array.shape).array("float64", stream + index) for index, array in enumerate(point)]
        for stream in (1000, 2000)
    )

    def one(example: Example, sources: Sequence[Any], ways: Sequence[tuple[np.ndarray, np.ndarray]]) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as inner:
                inner.watch(sources)
                value = _weighted(example, _call(example, sources))
            slope = _along(inner.gradient(value, sources), [first for first, _ in ways])
        if example.case.orders < 2:
            return value, slope, tf.constant(0.0, tf.float64)
        return value, slope, _along(outer.gradient(slope, sources), [second for _, second in ways])

    def program(*sources: Any) -> Any:
        ways = _parted(examples, list(zip(first_way, second_way, strict=True)))
        parts = [one(*part, way) for part, (_, way) in zip(_parted(examples, sources), ways, strict=True)]
        return [tf.raw_ops.Pack(values=column) for column in zip(*parts, strict=True)]

    function = tf.function(program)

    def column(index: int) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
        return lambda arrays: function(*tensors(arrays))[index].numpy()

    twice = np.array([example.case.orders > 1 for example in examples])
    expected = _slopes(column(0), point, first_way), np.where(twice, _slopes(column(1), point, second_way), 0.0)
    _, slopes, curvatures = (result.numpy() for result in function(*tensors(point)))
    np.testing.assert_allclose(slopes, expected[0], 1e-6, 1e-6, err_msg=f"slopes of {examples}")
    np.testing.assert_allclose(curvatures, expected[1], 2e-5, 2e-5, err_msg=f"curvatures of {examples}")


def _point(example: Example) -> list[np.ndarray]:
    """The values of the inputs with respect to which there are gradients."""
    return [example.arrays[place] for place in example.differentiable]


def _parted(examples: Sequence[Example], items: Sequence[Any]) -> list[tuple[Example, list[Any]]]:
    """Each example with those of the items, one for each of all their differentiable inputs, that are its own."""
    remaining = iter(items)
    return [(example, list(itertools.islice(remaining, len(example.differentiable)))) for example in examples]


def _call(example: Example, sources: Sequence[Any]) -> list[Any]:
    inputs = tensors(example.arrays)
    for place, source in zip(example.differentiable, sources, strict=True):
        inputs[place] = source
    return example.call(getattr(tf.raw_ops, example.case.op), inputs)


def _gradients(example: Example, sources: Sequence[Any]) -> list[Any]:
    """The gradients when `flowing_gradient` flows into each output that takes one."""
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = _call(example, sources)
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
            compare(what, tf.convert_to_tensor(ours), theirs, 4 * example.case.tolerance)


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
        _total(tf.convert_to_tensor(gradient) * part, part.ndim)
        for gradient, part in zip(gradients, direction, strict=True)
        if gradient is not None
    ]
    return tf.raw_ops.AddN(inputs=[*parts, tf.constant(0.0, tf.float64)])


def _total(tensor: Any, rank: int) -> Any:
    return tf.raw_ops.Sum(input=tensor, axis=np.arange(rank, dtype=np.int32))


def _slopes(
    function: Callable[[Sequence[np.ndarray]], np.ndarray],
    point: Sequence[np.ndarray],
    direction: Sequence[np.ndarray],
) -> np.ndarray:
    """Central differences at two distances, extrapolated to none (Richardson), so that curvature hardly matters."""

    def central(step: float) -> np.ndarray:
        ahead, behind = (
            function([x + sign * step * d for x, d in zip(point, direction, strict=True)]) for sign in (1, -1)
        )
        return (ahead - behind) / (2 * step)

    return (4 * central(5e-5) - central(1e-4)) / 3
