"""`GradientTape`: notes the ops that run and walks them backwards, applying each op's gradient rule.

Reverse-mode automatic differentiation; Griewank and Walther, Evaluating Derivatives (SIAM, 2008), chapter 3.
"""

from __future__ import annotations

import contextlib
import enum
import warnings
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import Call, Op, get_op
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.indexed_slices import IndexedSlices, joined
from modtf.core.values.tensors import Tensor

__all__ = ["GradientTape", "UnconnectedGradients", "gradients_of_calls"]

_ADD, _ADD_N, _ONES_LIKE, _ZEROS_LIKE = (get_op(name) for name in ("AddV2", "AddN", "OnesLike", "ZerosLike"))
_HANDING_ON = frozenset({"Identity", "ReadVariableOp"})
"""Ops whose gradient rules hand on what they are given, so that they may be given `IndexedSlices`."""


class UnconnectedGradients(enum.Enum):
    """What the gradient is with respect to a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Notes the ops inside its `with` block, so that gradients of their results can be computed.

    Trainable variables are watched by themselves once they are read; tensors by `watch`.

    Args:
        persistent: Whether `gradient` may be called more than once.
        watch_accessed_variables: Whether trainable variables are watched when they are read.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_variables = watch_accessed_variables
        self._calls: list[Call] = []
        self._watched: dict[int, Any] = {}
        self._variables: dict[int, Any] = {}
        self._token: Any = None
        self._used = False

    def __enter__(self) -> GradientTape:
        if self._token is not None:
            raise ValueError("This tape is recording already.")
        self._token = contexts.enter(tapes=(*contexts.current().tapes, self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._token is not None:
            contexts.leave(self._token)
            self._token = None

    def watch(self, tensor: Any) -> None:
        """Makes the tape follow a tensor, a variable or a structure of them.

        Of what has an integer or other dtype that gradients do not flow through, it says so in a warning.
        """
        for item in nest.flatten(tensor):
            source = key_tensor(item)
            if not isinstance(source, Tensor):
                raise ValueError(
                    f"Passed in object {item!r} of type {type(item).__name__}, not tf.Tensor or tf.Variable."
                )
            if not source.dtype.is_differentiable:
                warnings.warn(
                    f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {source.dtype!r}: no gradient "
                    "flows into it.",
                    stacklevel=2,
                )
                continue
            self._watched[id(source)] = source
            if source is not item and not isinstance(item, CompositeTensor):
                self._variables[id(item)] = item

    def watched_variables(self) -> tuple[Any, ...]:
        """Returns the variables watched so far, in the order in which they were first read."""
        return tuple(self._variables.values())

    def stop_recording(self) -> Any:
        """`with tape.stop_recording():` leaves the ops inside out of this tape."""
        if self._token is None:
            raise ValueError("Tape is not active.")
        return contexts.scoped(tapes=tuple(tape for tape in contexts.current().tapes if tape is not self))

    def reset(self) -> None:
        """Forgets everything noted and watched."""
        self._calls, self._watched, self._variables = [], {}, {}

    def concerns(self, op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...]) -> bool:
        """Whether an op takes anything that is watched and lets gradients through."""
        watched = self._watched
        if self._watch_variables:
            for tensor in inputs:
                if tensor.dtype.kind == "resource":
                    variable = getattr(tensor, "variable", None)
                    if variable is not None and variable.trainable and id(tensor) not in watched:
                        watched[id(tensor)] = tensor
                        self._variables[id(variable)] = variable
        if op.has_gradient_rule and op.gradient_rule is None:
            return False
        return _touches(inputs, watched)

    def record(self, call: Call) -> None:
        """Notes a call which `concerns` said the tape is concerned with."""
        self._calls.append(call)
        watched = self._watched
        for output in call.outputs:
            if output.dtype.is_differentiable:
                watched[id(output)] = output

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """Computes the gradient of `target` (their sum, if several or not scalar) with respect to `sources`.

        Args:
            target: A tensor, variable or structure of them.
            sources: A tensor, variable or structure of them.
            output_gradients: For each target, the gradient that flows into it; ones by default.
            unconnected_gradients: What to return for sources that the target does not depend on: `"none"` or `"zero"`.

        Returns:
            The structure of `sources` with a gradient, of the source's shape and dtype, in each place. Where rows were
            gathered from a source, and nothing else was done with it, it is an `IndexedSlices`.

        Raises:
            RuntimeError: The tape is not persistent and was used before.
        """
        if self._used:
            raise RuntimeError(_USED)
        if not self._persistent:
            self._used = True
            self._stop()
        mode = UnconnectedGradients(unconnected_gradients)
        targets = [
            item.values if isinstance(item, IndexedSlices) else key_tensor(item) for item in nest.flatten(target)
        ]
        flat_sources = nest.flatten(sources)
        given = (
            [None] * len(targets)
            if output_gradients is None
            else [key_tensor(item) for item in nest.flatten(output_gradients)]
        )
        others = tuple(tape for tape in contexts.current().tapes if tape is not self)
        with contexts.scoped(tapes=others):
            results = gradients_of_calls(self._calls, targets, [key_tensor(item) for item in flat_sources], given)
            if mode is UnconnectedGradients.ZERO:
                results = [
                    _zeros_like_source(source) if result is None else result
                    for source, result in zip(flat_sources, results, strict=True)
                ]
        if not self._persistent:
            self._calls, self._watched = [], {}
        results = [_in_place_of(source, result) for source, result in zip(flat_sources, results, strict=True)]
        return nest.pack_sequence_as(sources, results)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Inside the `with` block `gradient` may be called any number of times; afterwards the tape counts as used.

        Raises:
            RuntimeError: The tape is not persistent and was used before.
        """
        if self._used:
            raise RuntimeError(_USED)
        others = tuple(tape for tape in contexts.current().tapes if tape is not self)
        was_persistent, self._persistent = self._persistent, True
        try:
            with contexts.scoped(tapes=others):
                yield
        finally:
            self._persistent = was_persistent
            if not was_persistent:
                self._used = True
                self._calls, self._watched = [], {}

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Computes the Jacobian of `target` with respect to `sources`.

        Args:
            target: A tensor.
            sources: A tensor, variable or structure of them.
            unconnected_gradients: What to return for sources that the target does not depend on: `"none"` or `"zero"`.
            parallel_iterations: Without effect.
            experimental_use_pfor: Without effect: the rows are computed one after the other.

        Returns:
            The structure of `sources` with tensors of the target's shape followed by the source's.

        Raises:
            RuntimeError: The tape is not persistent and was used before.
        """
        from modtf.core.engine.jacobians import jacobian

        return jacobian(self, target, sources, UnconnectedGradients(unconnected_gradients))

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Computes, for each example of a batch, the Jacobian of its target with respect to its source.

        Args:
            target: A tensor of shape `[batch, ...]`; each example of it must depend on the same example of `source` only.
            source: A tensor of shape `[batch, ...]`.
            unconnected_gradients: As for `jacobian`.
            parallel_iterations: Without effect.
            experimental_use_pfor: Without effect.

        Returns:
            A tensor of the target's shape followed by the source's without its first dimension.
        """
        from modtf.core.engine.jacobians import batch_jacobian

        return batch_jacobian(self, target, source, UnconnectedGradients(unconnected_gradients))


_USED = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). "
    "Make it with persistent=True to use it again."
)


def key_tensor(item: Any) -> Any:
    """What the tape knows a source by: a variable by its handle, a composite tensor by what gradients flow through."""
    if isinstance(item, CompositeTensor):
        return item.differentiable_part
    return getattr(item, "handle", item)


def _zeros_like_source(source: Any) -> Tensor:
    if isinstance(source, CompositeTensor):
        source = source.differentiable_part
    return execute(_ZEROS_LIKE, (convert_to_tensor(source),))


def _in_place_of(source: Any, gradient: Any) -> Any:
    """The gradient with respect to a source: of a composite tensor, one with the gradient of what it flows through."""
    if gradient is None or not isinstance(source, CompositeTensor) or source.differentiable_part is source:
        return gradient
    return source.with_differentiable_part(convert_to_tensor(gradient))


def gradients_of_calls(
    calls: Sequence[Call], targets: Sequence[Any], sources: Sequence[Any], output_gradients: Iterable[Any]
) -> list[Any]:
    """Walks calls backwards from `targets` to `sources`.

    Args:
        calls: The calls in the order in which they ran.
        targets: Tensors to differentiate.
        sources: Tensors (or handles of variables) to differentiate with respect to.
        output_gradients: For each target the gradient flowing in, `None` for ones.

    Returns:
        For each source its gradient (a tensor or `IndexedSlices`), or `None` if no target depends on it.
    """
    calls = list(calls)  # the rules of loops and conditionals add nodes to the graph that they are in
    needed = _ids_from(calls, sources)
    pending: dict[int, list[Any]] = {}
    for target, given in zip(targets, output_gradients, strict=True):
        if not isinstance(target, Tensor) or not target.dtype.is_differentiable or id(target) not in needed:
            continue
        if given is not None and target.dtype.kind == "resource":
            start = convert_to_tensor(given)
        else:
            value = target.variable.value() if target.dtype.kind == "resource" else target  # type: ignore[attr-defined]
            start = execute(_ONES_LIKE, (value,)) if given is None else convert_to_tensor(given, dtype=value.dtype)
        pending.setdefault(id(target), []).append(start)

    wanted = {id(source) for source in sources}
    for call in reversed(calls):
        outputs = call.outputs
        flowing = [_collected(pending.get(id(output))) for output in outputs]
        if flowing.count(None) == len(flowing) or not _touches(call.inputs, needed):
            continue
        rule = call.op.gradient_rule
        if rule is None:
            raise LookupError(
                f"No gradient is defined for the op {call.op.name!r}, and the target depends on a source through it. "
                "Use tf.stop_gradient to leave this path out, or tf.custom_gradient to define one."
            )
        for position, output in enumerate(outputs):
            if id(output) not in wanted:
                pending.pop(id(output), None)
            if flowing[position] is None and call.op.fills_gradients and output.dtype.is_differentiable:
                flowing[position] = execute(_ZEROS_LIKE, (output,))
            elif flowing[position].__class__ is IndexedSlices and call.op.name not in _HANDING_ON:
                flowing[position] = convert_to_tensor(flowing[position])
        results = rule(call, *flowing)
        if results.__class__ is not tuple and not isinstance(results, (list, tuple)):
            results = (results,)
        for tensor, gradient in zip(call.inputs, results, strict=True):
            if gradient is not None and id(tensor) in needed:
                pending.setdefault(id(tensor), []).append(gradient)
    return [_collected(pending.get(id(source))) for source in sources]


def _collected(parts: list[Any] | None) -> Any:
    """The sum of the gradients that flowed into a tensor; it takes their place."""
    if not parts:
        return None
    if len(parts) > 1:
        sparse = [part.__class__ is IndexedSlices for part in parts]
        if all(sparse):
            parts[:] = [joined(parts[::-1])]
            return parts[0]
        if any(sparse):
            parts[:] = [convert_to_tensor(part) for part in parts]
        plain = len(parts) == 2 and parts[0].dtype.kind != "variant"
        parts[:] = [execute(_ADD, parts) if plain else execute(_ADD_N, parts)]
    return parts[0]


def _touches(tensors: Sequence[Any], ids: Container[int]) -> bool:
    for tensor in tensors:  # noqa: SIM110 (a loop is several times faster than any() over a few)
        if id(tensor) in ids:
            return True
    return False


def _ids_from(calls: Sequence[Call], sources: Sequence[Any]) -> set[int]:
    """The ids of all tensors that depend on a source, the sources included."""
    reached = {id(source) for source in sources}
    for call in calls:
        stops = call.op.has_gradient_rule and call.op.gradient_rule is None
        if not stops and _touches(call.inputs, reached):
            reached.update([id(output) for output in call.outputs if output.dtype.is_differentiable])
    return reached
