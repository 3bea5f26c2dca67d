"""Holding tensors within bounds: by value, by norm, by the norm of several together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.reductions import reduce_sum
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]


@dispatched(elementwise=1)
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Tensor:
    """Returns elements no less than one bound and no greater than the other.

    Args:
        t: A tensor of real numbers.
        clip_value_min: The lower bound, of a shape that broadcasts to that of `t`.
        clip_value_max: The upper bound, likewise.
        name: A name for the graph node.

    Raises:
        ValueError: A bound has a shape that makes the result larger than `t`.
    """
    values = convert_to_tensor(t)
    below = raw.Minimum(values, clip_value_max)
    result = raw.Maximum(below, clip_value_min, name=name)
    for bounded, bound in ((below, clip_value_max), (result, clip_value_min)):
        if not values.shape.is_compatible_with(bounded.shape):
            raise ValueError(f"The bound {bound!r} does not broadcast to the tensor's shape {values.shape}.")
    return result


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Scales a tensor down so that its Euclidean norm is at most `clip_norm`.

    Args:
        t: A tensor of floating numbers.
        clip_norm: The greatest norm, positive.
        axes: The axes over which to take norms; `None` for all.
        name: A name for the graph node.
    """
    values = convert_to_tensor(t)
    squares = reduce_sum(values * values, axes, True)
    positive = squares > raw.ZerosLike(squares)
    # The root is taken of ones where the norm is zero, so that its gradient is finite.
    norm = raw.SelectV2(positive, raw.Sqrt(raw.SelectV2(positive, squares, raw.OnesLike(squares))), squares)
    limit = convert_to_tensor(clip_norm, dtype_hint=values.dtype)
    return raw.RealDiv(values * limit, raw.Maximum(norm, limit), name=name)


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """Returns the Euclidean norm of all tensors of a list together; `None` among them is passed over.

    Raises:
        TypeError: `t_list` is not a list.
    """
    halves = [raw.L2Loss(convert_to_tensor(item)) for item in _checked_list(t_list) if item is not None]
    total = raw.Sum(raw.Pack(halves, axis=0), np.int32(0))
    return raw.Sqrt(total * convert_to_tensor(2, dtype_hint=total.dtype), name=name)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Scales tensors down by one factor so that their `global_norm` is at most `clip_norm`.

    R. Pascanu, T. Mikolov and Y. Bengio, "On the Difficulty of Training Recurrent Neural Networks" (ICML 2013).

    Args:
        t_list: The tensors; `None` among them stays `None`.
        clip_norm: The greatest norm, positive.
        use_norm: Their norm, if it is known already.
        name: A name for the graph nodes.

    Returns:
        The scaled tensors, and the norm before. If that is infinite or NaN, the tensors are NaN.

    Raises:
        TypeError: `t_list` is not a list.
    """
    tensors = [None if item is None else convert_to_tensor(item) for item in _checked_list(t_list)]
    norm = convert_to_tensor(use_norm) if use_norm is not None else global_norm(tensors)
    limit = convert_to_tensor(clip_norm, dtype_hint=norm.dtype)
    scale = limit * raw.Minimum(raw.Reciprocal(norm), raw.Reciprocal(limit))
    scale = raw.SelectV2(raw.IsFinite(norm), scale, convert_to_tensor(np.nan, dtype=scale.dtype))
    return [None if item is None else item * _as(scale, item) for item in tensors], norm


def _as(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale if scale.dtype is tensor.dtype else raw.Cast(scale, DstT=tensor.dtype)


def _checked_list(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return list(t_list)
