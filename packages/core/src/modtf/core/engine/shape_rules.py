"""Shape rules that many ops share, and what a rule can find out about its inputs.

A rule takes the op's inputs (tensors, or lists of them) and attributes, and returns one shape - a tuple of sizes with
`None` where unknown, or `None` for an unknown rank - or a list with one for each output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.values.shapes import Dims, TensorShape, broadcast_dims
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor


def unchanged(first: Tensor, *others: Any, **attrs: Any) -> Dims:
    """The shape of the first input."""
    return first.dims


def broadcast(*inputs: Tensor, **attrs: Any) -> Dims:
    """What the shapes of all inputs broadcast to."""
    return broadcast_dims(*(tensor.dims for tensor in inputs))


def scalar(*inputs: Any, **attrs: Any) -> Dims:
    """A scalar."""
    return ()


def unknown(*inputs: Any, **attrs: Any) -> Dims:
    """A shape that only running the op tells."""
    return None


def from_attr(name: str) -> Callable[..., Any]:
    """The shape that an attribute says."""
    return lambda *inputs, **attrs: TensorShape(attrs[name]).dims


def nothing(*inputs: Any, **attrs: Any) -> list[Dims]:
    """For ops without outputs."""
    return []


def with_rank(tensor: Tensor, rank: int, what: str) -> tuple[int | None, ...]:
    """The tensor's sizes, all unknown if its rank is.

    Raises:
        ValueError: It has another rank.
    """
    dims = tensor.dims
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"{what} must have rank {rank}, but its shape is {TensorShape(dims)}")
    return dims


def with_rank_at_least(tensor: Tensor, rank: int, what: str) -> Dims:
    """The tensor's sizes, or `None`.

    Raises:
        ValueError: It has a lower rank.
    """
    dims = tensor.dims
    if dims is not None and len(dims) < rank:
        raise ValueError(f"{what} must be at least rank {rank}, but its shape is {TensorShape(dims)}")
    return dims


def merged(*shapes: Dims) -> Dims:
    """What is known from all of several shapes of one thing.

    Raises:
        ValueError: They contradict each other.
    """
    result = TensorShape(None)
    for dims in shapes:
        result = result.merge_with(dims)
    return result.dims


def normal_axis(axis: int, rank: int) -> int:
    """The axis counted from the front.

    Raises:
        ValueError: There is no such axis.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of range for a tensor of rank {rank}; expected [{-rank}, {rank})")
    return axis % rank


def constant_value(tensor: Tensor) -> np.ndarray | None:
    """The value of an input if it is known while tracing: of constants, and of what follows from shapes and constants."""
    if isinstance(tensor, EagerTensor):
        return np.asarray(tensor.numpy())
    assert isinstance(tensor, SymbolicTensor)
    partial = partial_value(tensor)
    if partial is None or any(item is None for item in partial.flat):
        return None
    return partial.astype(tensor.dtype.np_dtype)


def dims_from_value(tensor: Tensor) -> Dims:
    """The shape which a tensor of sizes says, `None` where not known; -1 stands for unknown as well."""
    if isinstance(tensor, EagerTensor):
        value: np.ndarray | None = np.asarray(tensor.numpy())
    else:
        assert isinstance(tensor, SymbolicTensor)
        value = partial_value(tensor)
    if value is None:
        length = tensor.dims
        return None if length is None or not length or length[0] is None else (None,) * length[0]
    return tuple(None if size is None or int(size) < 0 else int(size) for size in value.reshape(-1))


_PARTIAL_LIMIT = 1024
_FOLLOWED = frozenset(
    {
        "Add", "AddV2", "Cast", "ConcatV2", "ExpandDims", "Fill", "FloorDiv", "GatherV2", "Identity", "Max", "Maximum",
        "Min", "Minimum", "Mul", "Neg", "Pack", "Prod", "Range", "Reshape", "SelectV2", "Slice", "Split", "SplitV",
        "Squeeze", "StridedSlice", "Sub", "Sum", "Tile", "Unpack",
    }
)  # fmt: skip


def partial_value(tensor: SymbolicTensor) -> np.ndarray | None:
    """The elements that are known while tracing, as an object array with `None` for the others; or `None` if none are.

    It follows the arithmetic on shapes by running the ops' own kernels on the known elements.
    """
    if tensor.value_cache is None:
        tensor.value_cache = (_partial_value(tensor),)
    return tensor.value_cache[0]


def _partial_value(tensor: SymbolicTensor) -> np.ndarray | None:
    node = tensor.node
    name = node.op.name
    if name == "Const":
        return node["value"].astype(object) if node["value"].size <= _PARTIAL_LIMIT else None
    if name == "Shape":
        dims = node.inputs[0].dims
        return None if dims is None else np.array(dims, dtype=object)
    if name == "Size":
        size = TensorShape(node.inputs[0].dims).num_elements()
        return None if size is None else np.array(size, dtype=object)
    if name == "Rank":
        rank = node.inputs[0].ndim
        return None if rank is None else np.array(rank, dtype=object)
    if name not in _FOLLOWED or not (tensor.dtype.is_integer or tensor.dtype.is_bool):
        return None
    if name in ("Fill", "Tile"):  # which a stand-in for an unknown size would make large
        size = TensorShape(tensor.dims).num_elements()
        if size is None or size > _PARTIAL_LIMIT:
            return None
    values = [partial_value(item) for item in node.inputs]
    if any(value is None for value in values):
        return None
    position = next(index for index, output in enumerate(node.outputs) if output is tensor)
    return _computed(node, values, position)  # type: ignore[arg-type]


def _computed(node: Any, values: Sequence[np.ndarray], position: int) -> np.ndarray | None:
    """What is known of an output: what stays the same with different stand-ins, small and large, for unknown elements."""
    from modtf.core.backends.numpy import NUMPY

    kernel = node.op.native_kernel(NUMPY, node.attrs)
    complete = all(item is not None for value in values for item in value.flat)
    results = []
    for stand_in in (0,) if complete else (0, 7, 11, 1_000_003):
        arrays = [
            np.array([stand_in if item is None else item for item in value.flat], dtype=source.dtype.np_dtype).reshape(
                value.shape
            )
            for value, source in zip(values, node.inputs, strict=True)
        ]
        try:
            with np.errstate(all="ignore"):
                result = kernel(*arrays)
                results.append(np.asarray(result[position] if len(node.outputs) > 1 else result))
        except Exception:
            return None
    first = results[0]
    if any(other.shape != first.shape for other in results[1:]) or first.size > _PARTIAL_LIMIT:
        return None
    known = (
        np.logical_and.reduce([first == other for other in results]) if len(results) > 1 else np.ones_like(first, bool)
    )
    partial = first.astype(object)
    if not np.all(known):
        partial = np.where(known, partial, np.array(None, dtype=object))
    return np.asarray(partial, dtype=object)


def reduced_dims(dims: Dims, axes: Sequence[int] | None, keep_dims: bool) -> Dims:
    """The shape after reducing over `axes`; `None` axes are unknown ones."""
    if dims is None:
        return None
    if axes is None:
        return (None,) * len(dims) if keep_dims else None
    gone = {normal_axis(int(axis), len(dims)) for axis in axes}
    if keep_dims:
        return tuple(1 if index in gone else dim for index, dim in enumerate(dims))
    return tuple(dim for index, dim in enumerate(dims) if index not in gone)
