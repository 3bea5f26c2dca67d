"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf import core as tf
from modtf.layers.layer import Layer

__all__ = ["Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"]


class _Merge(Layer):
    """What element-wise merging has in common: a list of tensors, broadcast, folded by a function of two."""

    _least, _most = 2, None
    _fold: Callable[[Any, Any], Any]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        if (
            not isinstance(inputs, (list, tuple))
            or len(inputs) < self._least
            or len(inputs) > (self._most or len(inputs))
        ):
            wanted = f"exactly {self._most}" if self._most else f"at least {self._least}"
            raise ValueError(f"The {self._label()} takes a list of {wanted} tensors; got {inputs!r}.")
        result = inputs[0]
        for other in inputs[1:]:
            result = type(self)._fold(result, other)
        return result


class Add(_Merge):
    """The sum of a list of tensors."""

    _fold = staticmethod(lambda a, b: a + b)


class Subtract(_Merge):
    """The first of two tensors minus the second."""

    _most = 2  # type: ignore[assignment]
    _fold = staticmethod(lambda a, b: a - b)


class Multiply(_Merge):
    """The product of a list of tensors."""

    _fold = staticmethod(lambda a, b: a * b)


class Maximum(_Merge):
    """The element-wise maximum of a list of tensors."""

    _fold = staticmethod(lambda a, b: tf.maximum(a, b))


class Minimum(_Merge):
    """The element-wise minimum of a list of tensors."""

    _fold = staticmethod(lambda a, b: tf.minimum(a, b))


class Average(Add):
    """The mean of a list of tensors."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / float(len(inputs))


class Concatenate(Layer):
    """A list of tensors joined along an axis.

    Args:
        axis: The axis.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(f"The {self._label()} takes a list of tensors; got {inputs!r}.")
        return tf.concat(inputs, self.axis)
