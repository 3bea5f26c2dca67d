"""Making the same call of modtf and of TensorFlow, and comparing what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from exceptions import coarseness, rule_for
from variations import Call

from modtf import core
from modtf.core import as_dtype
from modtf.core.conformance.checking import compare
from modtf.core.conformance.examples import flowing_gradient
from modtf.core.contracts import get_op

REFUSALS = (tf.errors.OpError, ValueError, TypeError)
OUR_REFUSALS = (core.errors.OpError, ValueError, TypeError)


_NO_KERNEL = (
    "Could not find device for node",
    "No OpKernel",
    "has constraint on attr",
    "device type CPU",
    "on CPU",
    "CPU implementation",
    "Current implementation only supports",
    "only supports NHWC",
    "Unsupported data type",
)


class NoKernel(Exception):
    """TensorFlow has no kernel for a CPU, so that there is nothing to compare with."""


class Outcome(NamedTuple):
    """What came of a comparison.

    Attributes:
        compared: `"values"`, `"refusal"`, or why nothing was compared.
        gradients: How many gradients were compared.
        rule: The rule because of which something was not compared.
    """

    compared: str
    gradients: int = 0
    rule: str | None = None


def check(call: Call) -> Outcome:
    """Compares results, errors and gradients.

    Raises:
        AssertionError: They differ.
    """
    rule = rule_for(call, "call")
    if rule is not None:
        return Outcome("excepted", rule=rule.reason)
    try:
        their_sources, their_outputs, their_tape = _theirs(call)
    except NoKernel:
        return Outcome("without a kernel of TensorFlow's for CPUs")
    except REFUSALS as error:
        _check_refused(call, error)
        return Outcome("refusal")
    rule = rule_for(call, "values")
    try:
        our_sources, our_outputs, our_tape = ours(call)
    except OUR_REFUSALS as error:
        if rule is not None:
            return Outcome("excepted", rule=rule.reason)
        if all(0 in output.shape for output in their_outputs):
            return Outcome("a mistake that TensorFlow passes over where there is nothing to compute")
        raise AssertionError(
            f"{call!r}\nraises {type(error).__name__}: {error}\nTensorFlow gives {their_outputs}"
        ) from error
    if rule is not None:
        return Outcome("excepted", rule=rule.reason)
    what = repr(call)
    assert len(our_outputs) == len(their_outputs), f"{what}: {len(our_outputs)} outputs, {len(their_outputs)} expected"
    for index, (mine, original) in enumerate(zip(our_outputs, their_outputs, strict=True)):
        _compare(f"output {index} of {what}", mine, _array(original), call)
    rule = rule_for(call, "gradients")
    if not call.tame or not our_sources or rule is not None:
        return Outcome("values", rule=rule and rule.reason)
    return Outcome(
        "values",
        _check_gradients(call, our_tape, our_sources, our_outputs, their_tape, their_sources, their_outputs),
    )


def _check_refused(call: Call, error: Exception) -> None:
    try:
        _, outputs, _ = ours(call)
    except OUR_REFUSALS:
        return
    raise AssertionError(f"{call!r}\ngives {outputs}\nTensorFlow raises {type(error).__name__}: {error}")


def _theirs(call: Call) -> tuple[list[Any], list[Any], Any]:
    tensors = [tf.constant(array) for array in call.arrays]
    sources = [tensor for tensor in tensors if tensor.dtype.is_floating or tensor.dtype.is_complex]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        try:
            result = getattr(tf.raw_ops, call.op)(**_arguments(call, tensors))
        except tf.errors.UnimplementedError as error:
            raise NoKernel from error
        except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError) as error:
            if any(saying in str(error) for saying in _NO_KERNEL):
                raise NoKernel from error
            raise
    return sources, list(_spread(result))[: call.outputs], tape


def ours(call: Call) -> tuple[list[Any], list[Any], Any]:
    """Makes the call of modtf; returns the inputs with gradients, the outputs and the tape."""
    tensors = [core.constant(array, as_dtype(array.dtype)) for array in call.arrays]
    sources = [tensor for tensor in tensors if tensor.dtype.is_floating or tensor.dtype.is_complex]
    with core.GradientTape() as tape:
        tape.watch(sources)
        result = getattr(core.raw_ops, call.op)(**_arguments(call, tensors))
    return sources, list(_spread(result))[: call.outputs], tape


def _arguments(call: Call, tensors: Sequence[Any]) -> dict[str, Any]:
    """The arguments by the names that `tf.raw_ops` has for them."""
    python = {registry: name for name, registry in (get_op(call.op).python_names or {}).items()}
    remaining = iter(tensors)
    given: dict[str, Any] = {}
    for name, arrays in call.inputs.items():
        given[name] = [next(remaining) for _ in arrays] if isinstance(arrays, list) else next(remaining)
    return {python.get(name, name): value for name, value in (given | call.attrs).items()}


def _check_gradients(
    call: Call, our_tape: Any, ours: Any, our_outputs: Any, their_tape: Any, theirs: Any, their_outputs: Any
) -> int:
    targets = [output for output in their_outputs if output.dtype.is_floating or output.dtype.is_complex]
    if not targets:
        return 0
    flowing = [flowing_gradient(tuple(t.shape), t.dtype.name, index) for index, t in enumerate(targets)]
    try:
        expected = their_tape.gradient(targets, theirs, [tf.constant(array) for array in flowing])
    except Exception:  # TensorFlow has no gradient of it, no kernel for it, or a fault of its own
        return 0
    our_targets = [output for output in our_outputs if output.dtype.is_floating or output.dtype.is_complex]
    try:
        given = our_tape.gradient(our_targets, ours, [core.constant(array) for array in flowing])
    except (LookupError, *OUR_REFUSALS) as error:
        raise AssertionError(f"gradients of {call!r}\nraise {type(error).__name__}: {error}") from error
    for index, (mine, original) in enumerate(zip(given, expected, strict=True)):
        what = f"the gradient of {call!r} with respect to floating input {index}"
        assert (mine is None) == (original is None), f"{what}: {mine} rather than {original}"
        if original is not None:
            dense = core.convert_to_tensor(mine)  # of IndexedSlices, as gathering gives them
            _compare(what, dense, _array(tf.convert_to_tensor(original)), call, 4)
    return len(expected) - expected.count(None)


def _compare(what: str, given: Any, expected: np.ndarray, call: Call, times: float = 1) -> None:
    """Compares, but for complex numbers that are not finite: Eigen's arithmetic and C's make different ones of infinities."""
    if expected.dtype.kind == "c" and given.shape == expected.shape:
        expected = np.where(np.isfinite(expected), expected, given.numpy()).astype(expected.dtype)
    compare(what, given, expected, times * call.tolerance * coarseness(call, expected.dtype))


def _array(tensor: Any) -> np.ndarray:
    value = tensor.numpy()
    array = np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
    if tensor.dtype.is_quantized:
        return array.view(tensor.dtype.as_numpy_dtype)
    return array


def _spread(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for item in result:
            yield from _spread(item)
    elif result is not None and hasattr(result, "dtype"):
        yield result
