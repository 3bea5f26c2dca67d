"""`InputSpec`: what a layer asks of its inputs, and the check of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modtf import core as tf

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer asks of an input.

    Args:
        dtype: The dtype, by name.
        shape: The shape, `None` for free sizes.
        ndim: The rank.
        max_ndim: The greatest rank.
        min_ndim: The least rank.
        axes: Sizes by axis.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing from, or added to, `shape`.
        name: The input's name.
        optional: Whether it may be `None`.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else tf.as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"

    def mismatch(self, given: Any) -> str | None:
        """Returns what a tensor should be, in words, if it is not that; else `None`."""
        if self.dtype is not None and tf.as_dtype(given.dtype).name != self.dtype:
            return f"dtype {self.dtype}"
        shape = given.shape
        if not isinstance(shape, tf.TensorShape):
            shape = tf.TensorShape(shape)
        if shape.rank is None:
            return None
        dims = shape.as_list()
        if self.shape is not None:
            if self.allow_last_axis_squeeze and self.shape and self.shape[-1] == 1 and len(dims) == len(self.shape) - 1:
                dims = [*dims, 1]
            elif self.allow_last_axis_squeeze and dims and dims[-1] == 1 and len(dims) == len(self.shape) + 1:
                dims = dims[:-1]
            if not tf.TensorShape(self.shape).is_compatible_with(dims):
                return f"shape {self.shape}"
        elif self.ndim is not None and len(dims) != self.ndim:
            return f"rank {self.ndim}"
        if self.min_ndim is not None and len(dims) < self.min_ndim:
            return f"rank {self.min_ndim} or more"
        if self.max_ndim is not None and len(dims) > self.max_ndim:
            return f"rank {self.max_ndim} or less"
        for axis, size in self.axes.items():
            if size is not None and (not -len(dims) <= axis < len(dims) or dims[axis] not in (size, None)):
                return f"size {size} at axis {axis}"
        return None


def check_inputs(spec: Any, inputs: Any, label: str) -> None:
    """Checks a layer's inputs.

    Args:
        spec: An `InputSpec` or a structure of them.
        inputs: A tensor or a structure of them.
        label: What to call the layer in messages.

    Raises:
        ValueError: There are too many or too few inputs, or one does not fit.
    """
    if isinstance(spec, InputSpec) and isinstance(inputs, tf.Tensor) and spec.mismatch(inputs) is None:
        return  # the usual case, quickly
    specs = tf.nest.flatten(spec)
    tensors = list(_in_order_of(spec, inputs))
    if len(specs) != len(tensors):
        raise ValueError(f"The {label} takes {len(specs)} inputs; got {len(tensors)}.")
    for index, (wanted, given) in enumerate(zip(specs, tensors, strict=True)):
        if wanted is None or (given is None and wanted.optional):
            continue
        if not hasattr(given, "shape"):
            raise ValueError(f"The {label} takes tensors; got {given!r}.")
        expected = wanted.mismatch(given)
        if expected is not None:
            which = f"input {wanted.name or index}" if len(specs) > 1 else "its input"
            shape = tf.TensorShape(given.shape)
            raise ValueError(
                f"The {label} expects {which} to have {expected}, but got {tf.as_dtype(given.dtype).name} of shape {shape}."
            )


def _in_order_of(spec: Any, inputs: Any) -> Sequence[Any]:
    if isinstance(inputs, Mapping) and isinstance(spec, (list, tuple)):
        names = [item.name for item in spec]
        if all(name in inputs for name in names):
            return [inputs[name] for name in names]
    return tf.nest.flatten(inputs)
