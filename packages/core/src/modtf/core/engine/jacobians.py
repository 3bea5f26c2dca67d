"""Jacobians: the gradients of every element of a target, a row of the target's Jacobian at a time."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.tapes import GradientTape, UnconnectedGradients
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import Tensor


def jacobian(tape: GradientTape, target: Any, sources: Any, mode: UnconnectedGradients) -> Any:
    """The Jacobian of a target with respect to each source: of the target's shape, then the source's."""
    from modtf.core.api.functional import map_fn

    flat_sources = nest.flatten(sources)
    target = convert_to_tensor(target)
    with tape.paused():
        connected = tape.gradient(target, flat_sources)
        wanted = [index for index, item in enumerate(connected) if item is not None]
        shape, size = raw.Shape(target), raw.Size(target)

        def row(number: Any) -> list[Tensor]:
            flowing = raw.Reshape(_one_hot(number, size, target), shape)
            return [
                convert_to_tensor(item) for item in tape.gradient(target, [flat_sources[i] for i in wanted], [flowing])
            ]

        specs = [TensorSpec(None, connected[index].dtype) for index in wanted]
        rows = map_fn(row, raw.Range(0, size, 1), fn_output_signature=specs) if wanted else []
        results: list[Any] = [None] * len(flat_sources)
        for index, stacked in zip(wanted, rows, strict=True):
            source_shape = raw.Shape(connected[index])
            results[index] = raw.Reshape(stacked, raw.ConcatV2([shape, source_shape], 0))
            _set_shape(results[index], target, connected[index])
        if mode is UnconnectedGradients.ZERO:
            results = [_zeros(target, source) if item is None else item for item, source in zip(results, flat_sources)]
    return nest.pack_sequence_as(sources, results)


def _one_hot(number: Any, size: Any, like: Tensor) -> Tensor:
    one, zero = (raw.Cast(value, DstT=like.dtype) for value in (1.0, 0.0))
    return raw.OneHot(number, size, one, zero)


def _set_shape(tensor: Any, target: Tensor, source: Tensor) -> None:
    if hasattr(tensor, "set_shape"):
        tensor.set_shape(target.shape.concatenate(source.shape))


def _zeros(target: Tensor, source: Any) -> Tensor:
    value = convert_to_tensor(source)
    return raw.Fill(raw.ConcatV2([raw.Shape(target), raw.Shape(value)], 0), raw.Cast(0.0, DstT=value.dtype))


def batch_jacobian(tape: GradientTape, target: Any, source: Any, mode: UnconnectedGradients) -> Any:
    """For each example the Jacobian of its target with respect to its source.

    Raises:
        ValueError: Their first dimensions, the examples, differ.
    """
    from modtf.core.api.functional import map_fn

    target = convert_to_tensor(target)
    first, second = target.shape, source.shape
    if first.rank is None or second.rank is None or first.rank < 1 or second.rank < 1:
        raise ValueError("batch_jacobian needs a target and a source of known rank, at least 1.")
    if not first[:1].is_compatible_with(second[:1]):
        raise ValueError(f"Need first dimension of target shape ({first}) and source shape ({second}) to match.")
    with tape.paused():
        connected = tape.gradient(target, source)
        if connected is None:
            return None if mode is UnconnectedGradients.NONE else _batch_zeros(target, source)
        shape = raw.Shape(target)
        columns = raw.Size(target[0]) if contexts.executing_eagerly() else raw.Prod(shape[1:], [0])

        def row(number: Any) -> Tensor:
            mask = raw.OneHot(number, columns, raw.Cast(1.0, DstT=target.dtype), raw.Cast(0.0, DstT=target.dtype))
            flowing = raw.BroadcastTo(raw.Reshape(mask, raw.ConcatV2([[1], shape[1:]], 0)), shape)
            return convert_to_tensor(tape.gradient(target, source, flowing))

        rows = map_fn(row, raw.Range(0, columns, 1), fn_output_signature=connected.dtype)
        source_shape = raw.Shape(connected)
        rank = connected.shape.rank
        by_example = raw.Transpose(rows, [1, 0, *range(2, rank + 1)])
        result = raw.Reshape(by_example, raw.ConcatV2([shape, source_shape[1:]], 0))
        if hasattr(result, "set_shape"):
            result.set_shape(first.concatenate(second[1:]))
    return result


def _batch_zeros(target: Tensor, source: Any) -> Tensor:
    value = convert_to_tensor(source)
    shape = raw.ConcatV2([raw.Shape(target), raw.Shape(value)[1:]], 0)
    return raw.Fill(shape, raw.Cast(0.0, DstT=value.dtype))
