"""Axes and sizes renamed from one layout of images to another, as layout optimizers write it into graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import unchanged
from modtf.core.engine.vocabulary import op
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_ATTRS = "src_format: string = 'NHWC', dst_format: string = 'NCHW'"


def _check(src_format: str, dst_format: str) -> None:
    if len(src_format) not in (4, 5) or sorted(src_format) != sorted(dst_format):
        raise ValueError(
            f"src_format and dst_format must be of length 4 or 5 and have the same letters: {src_format!r} and "
            f"{dst_format!r}"
        )


@op(f"DataFormatDimMap[T: index = int32](x: T, *, {_ATTRS}) -> (y: T)", shape=unchanged)
def dim_map(xp: Any, x: Any, *, src_format: str, dst_format: str) -> Any:
    _check(src_format, dst_format)
    rank = len(src_format)
    if xp is np and x.size and not -rank <= x.min() <= x.max() < rank:
        raise ValueError(f"Axes must be in [{-rank}, {rank}): {x.tolist()}")
    places = np.array([dst_format.index(letter) for letter in src_format])
    return xp.astype(xp.take(xp.asarray(places), xp.reshape(x % rank, (-1,)), axis=0), x.dtype).reshape(x.shape)


def _permuted_dims(x: Tensor, *, src_format: str, dst_format: str) -> Dims:
    if x.ndim not in (None, 1, 2):
        raise ValueError(f"x must be a vector or a matrix, but its shape is {x.shape}")
    return x.dims


@op(f"DataFormatVecPermute[T: index = int32](x: T, *, {_ATTRS}) -> (y: T)", shape=_permuted_dims)
def vec_permute(xp: Any, x: Any, *, src_format: str, dst_format: str) -> Any:
    _check(src_format, dst_format)
    if (
        x.ndim not in (1, 2)
        or x.shape[0] not in (len(src_format), len(src_format) - 2)
        or x.shape[1:] not in ((), (2,))
    ):
        raise ValueError(
            f"x must have {len(src_format)} or {len(src_format) - 2} elements, or as many pairs; its shape is {x.shape}"
        )
    if x.shape[0] != len(src_format):  # of the spatial axes alone
        src_format, dst_format = (text.replace("N", "").replace("C", "") for text in (src_format, dst_format))
    order = np.array([src_format.index(letter) for letter in dst_format])
    return xp.take(x, xp.asarray(order), axis=0)


dim_map.gradient(None)
vec_permute.gradient(None)
