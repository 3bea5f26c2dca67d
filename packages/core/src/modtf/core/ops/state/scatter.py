"""Variables updated in part: rows, elements and slices of them; and elements read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine import raw
from modtf.core.engine.binding import home
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.array.gathering import check_indices, scatter, scattered_dims
from modtf.core.ops.array.slicing import put, slice_index
from modtf.core.ops.kinds import is_integer
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.indexed_slices import IndexedSlices
from modtf.core.values.resources import Resource, handle_dims
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


def changed(backend: Backend, resource: Resource, change: Callable[[Any, Any], Any]) -> tuple[()]:
    """Replaces a variable's value by what `change(xp, array)` makes of it, which may write into the array it is given."""
    place = home(backend, resource.dtype)
    with resource.lock:
        array = resource.take(place)
        if array is None:
            array = resource.read(backend)
            array = array if hasattr(array, "at") else place.xp.asarray(array, copy=True)  # with `at`, it never changes
        # What `take` gave is still the variable's value if the change fails, so that must not have begun to write by then.
        resource.assign(change(place.xp, array), backend, shared=place.xp is not np)
    return ()


# ------------------------------------------------------------------------------------------------- rows


def _check_rows(indices: Any, updates: Any, of: Any) -> None:
    if len(updates) and tuple(updates) != (*indices, *of[1:]):
        raise InvalidArgumentError(
            f"The updates must have the shape of the indices, {list(indices)}, followed by that of a row, {list(of[1:])}, or "
            f"be a scalar; their shape is {list(updates)}"
        )


def _rows_dims(resource: Tensor, indices: Tensor, updates: Tensor) -> list[Any]:
    of = handle_dims(resource)
    if of is not None and indices.dims is not None and updates.dims is not None and updates.dims:
        expected = TensorShape([*indices.dims, *of[1:]])
        if not expected.is_compatible_with(updates.dims):
            raise ValueError(
                f"The updates must have the shape {expected}, or be a scalar; their shape is {updates.shape}"
            )
    return []


def _quotient(xp: Any, array: Any, divisors: Any) -> Any:
    if not is_integer(array):
        return array / divisors
    whole = xp.abs(array) // xp.abs(divisors)
    return whole * xp.sign(array) * xp.sign(divisors)


def _scattered(xp: Any, how: str, array: Any, indices: Any, updates: Any) -> Any:
    if how == "subtract":
        return scatter(xp, "add", array, indices, -updates)
    if how == "divide":  # by all divisors of an element at once
        return _quotient(xp, array, scatter(xp, "multiply", xp.ones_like(array), indices, updates))
    return scatter(xp, how, array, indices, updates)


def _scatter_rows(name: str, how: str, types: str) -> None:
    def kernel(backend: Backend, resource: Resource, indices: Any, updates: Any) -> tuple[()]:
        def change(xp: Any, array: Any) -> Any:
            dims = array.shape
            _check_rows(indices.shape, updates.shape, dims)
            check_indices(xp, indices, dims[0])
            rows = xp.reshape(xp.asarray(indices), (-1, 1))
            parts = xp.broadcast_to(xp.asarray(updates), (*indices.shape, *dims[1:]))
            return _scattered(xp, how, array, rows, xp.reshape(parts, (rows.shape[0], *dims[1:])))

        return changed(backend, resource, change)

    schema = f"ResourceScatter{name}[dtype{types}, Tindices: index](resource: resource, indices: Tindices, updates: dtype) -> ()"
    register(Op(schema, kernel=kernel, shape=_rows_dims, stateful=True)).gradient(None)


_HOW = {
    "Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Min": "min", "Max": "max", "Update": "set",
}  # fmt: skip

for _name, _how in _HOW.items():
    _scatter_rows(_name, _how, "" if _name == "Update" else ": number|quantized")

# ------------------------------------------------------------------------------------------------- elements


def _nd_dims(ref: Tensor, indices: Tensor, updates: Tensor, **attrs: Any) -> list[Any]:
    scattered_dims(indices, updates, handle_dims(ref))
    return []


def _scatter_elements(name: str, how: str) -> None:
    def kernel(
        backend: Backend, ref: Resource, indices: Any, updates: Any, *, use_locking: bool, bad_indices_policy: str
    ) -> tuple[()]:
        return changed(
            backend,
            ref,
            lambda xp, array: _scattered(xp, how, array, xp.asarray(indices), xp.asarray(updates)),
        )

    schema = (
        f"ResourceScatterNd{name}[T, Tindices: index](ref: resource, indices: Tindices, updates: T, *, "
        "use_locking: bool = True, bad_indices_policy: string = '') -> ()"
    )
    register(Op(schema, kernel=kernel, shape=_nd_dims, stateful=True)).gradient(None)


for _name in ("Add", "Sub", "Update", "Max", "Min"):
    _scatter_elements(_name, _HOW[_name])


def _gathered_dims(resource: Tensor, indices: Tensor, *, dtype: DType) -> Any:
    dims, at = handle_dims(resource), indices.dims
    if at is not None and not at:
        raise ValueError("indices must be at least a vector")
    if dims is None or at is None or at[-1] is None:
        return None
    if at[-1] > len(dims):
        raise ValueError(f"index innermost dimension length must be <= params rank; saw: {at[-1]} vs. {len(dims)}")
    return (*at[:-1], *dims[at[-1] :])


@op(
    "ResourceGatherNd[Tindices: index](resource: resource, indices: Tindices, *, dtype: type) -> (output: dtype)",
    shape=_gathered_dims,
    stateful=True,
    prunable=True,
)
def resource_gather_nd(backend: Backend, resource: Resource, indices: Any, *, dtype: DType) -> Any:
    return raw.GatherNd.native_kernel(home(backend, dtype), ("",))(resource.read(backend), indices)


@resource_gather_nd.gradient
def _(call: Any, dy: Tensor) -> tuple[Any, None]:
    handle, indices = call.inputs
    shape = raw.VariableShape(handle, out_type=indices.dtype)
    if indices.ndim == 2 and indices.dims[-1] == 1:
        return IndexedSlices(dy, raw.Squeeze(indices, squeeze_dims=[-1]), shape), None
    return raw.ScatterNd(indices, dy, shape), None


# ------------------------------------------------------------------------------------------------- slices

_MASKS = (
    "begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0"
)


@op(
    "ResourceStridedSliceAssign[T, Index: index](ref: resource, begin: Index, end: Index, strides: Index, value: T, *, "
    f"{_MASKS}) -> ()",
    shape=lambda ref, begin, end, strides, value, **masks: [],
    stateful=True,
    host_inputs=("begin", "end", "strides"),
)
def strided_slice_assign(
    backend: Backend, ref: Resource, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, value: Any, **masks: int
) -> tuple[()]:
    def change(xp: Any, array: Any) -> Any:
        index = slice_index(array.shape, begin, end, strides, **masks)
        return put(xp, array, index, xp.asarray(value))

    return changed(backend, ref, change)


strided_slice_assign.gradient(None)
