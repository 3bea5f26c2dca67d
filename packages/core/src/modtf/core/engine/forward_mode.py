"""`ForwardAccumulator`: derivatives along a direction, computed as the ops run (forward-mode differentiation).

An op's rule says how gradients go back through it, which is linear in them; its transpose takes tangents forward. It is had
by differentiating the rule itself: J. Townsend, A new trick for calculating Jacobian vector products (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.tapes import GradientTape, UnconnectedGradients, key_tensor
from modtf.core.engine.vocabulary import Call, Op
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["ForwardAccumulator"]


class ForwardAccumulator:
    """Computes Jacobian-vector products of what is computed inside its `with` block.

    Args:
        primals: Tensors or variables (or a structure of them): the point.
        tangents: The direction, of the same structure, shapes and dtypes.

    Raises:
        ValueError: They do not fit each other, or a primal is not of a floating or complex dtype.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        nest.assert_same_structure(primals, tangents)
        self._tangents: dict[int, tuple[Any, Tensor]] = {}
        self._token: Any = None
        for primal, tangent in zip(nest.flatten(primals), nest.flatten(tangents), strict=True):
            if not primal.dtype.is_differentiable:
                raise ValueError(
                    f"The dtype of a primal must be floating or complex (e.g. tf.float32), not {primal.dtype.name}."
                )
            direction = convert_to_tensor(tangent, dtype=primal.dtype)
            if not direction.shape.is_compatible_with(primal.shape):
                raise ValueError(
                    f"A tangent of shape {direction.shape} was given for a primal of shape {primal.shape}."
                )
            self._add(key_tensor(primal), direction)

    def _add(self, tensor: Any, tangent: Tensor) -> None:
        known = self._tangents.get(id(tensor))
        self._tangents[id(tensor)] = (tensor, tangent if known is None else known[1] + tangent)

    def __enter__(self) -> ForwardAccumulator:
        if self._token is not None:
            raise ValueError("This accumulator is recording already.")
        self._token = contexts.enter(tapes=(*contexts.current().tapes, self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        contexts.leave(self._token)
        self._token = None

    def concerns(self, op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...]) -> bool:
        """Whether a tangent goes into an op (as tapes are asked)."""
        if op.has_gradient_rule and op.gradient_rule is None:
            return False
        return any(id(tensor) in self._tangents for tensor in inputs)

    def record(self, call: Call) -> None:
        """Computes the tangents of a call's outputs."""
        tapes = contexts.current().tapes
        place = tapes.index(self) if self in tapes else len(tapes)
        later = tuple(tape for tape in tapes[place + 1 :] if not isinstance(tape, ForwardAccumulator))
        with contexts.scoped(tapes=(*tapes[:place], *later)):
            for output, tangent in zip(call.outputs, self._pushed(call), strict=True):
                if tangent is not None:
                    self._add(output, tangent)

    def _pushed(self, call: Call) -> list[Tensor | None]:
        rule = call.op.gradient_rule
        if rule is None:
            raise LookupError(f"No gradient is defined for the op {call.op.name!r}.")
        outputs = [output for output in call.outputs if output.dtype.is_differentiable]
        with GradientTape() as tape:
            dummies = [raw.ZerosLike(output) for output in outputs]
            tape.watch(dummies)
            remaining = iter(dummies)
            flowing = [next(remaining) if output.dtype.is_differentiable else None for output in call.outputs]
            found = rule(call, *flowing)
            found = found if isinstance(found, (list, tuple)) else [found]
            pairs = [
                (convert_to_tensor(gradient), self._tangents[id(tensor)][1])
                for tensor, gradient in zip(call.inputs, found, strict=True)
                if gradient is not None and id(tensor) in self._tangents
            ]
        if not pairs:
            return [None] * len(call.outputs)
        tangents = tape.gradient([gradient for gradient, _ in pairs], dummies, [tangent for _, tangent in pairs])
        results = iter(tangents)
        return [next(results) if output.dtype.is_differentiable else None for output in call.outputs]

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """Returns the tangents of what was computed: the Jacobian times the direction.

        Args:
            primals: A tensor, variable or structure of them.
            unconnected_gradients: What to return for those on which the direction has no influence: `"none"` or `"zero"`.
        """
        mode = UnconnectedGradients(unconnected_gradients)

        def one(item: Any) -> Any:
            known = self._tangents.get(id(key_tensor(item)))
            if known is not None:
                return known[1]
            return raw.ZerosLike(convert_to_tensor(item)) if mode is UnconnectedGradients.ZERO else None

        return nest.map_structure(one, primals)
