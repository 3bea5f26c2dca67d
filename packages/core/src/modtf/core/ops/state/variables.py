"""Variables: reading and assigning the values behind handles."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine import raw
from modtf.core.engine.binding import home
from modtf.core.engine.shape_rules import scalar
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.dtypes import DType
from modtf.core.values.indexed_slices import IndexedSlices
from modtf.core.values.resources import Resource, handle_dims
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


@op(
    "VarHandleOp(*, container: string = '', shared_name: string = '', debug_name: string = '', dtype: type, "
    "shape: shape, allowed_devices: list(string) = []) -> (resource: resource)",
    shape=scalar,
    stateful=True,
    prunable=True,
)
def var_handle(
    backend: Backend,
    *,
    container: str,
    shared_name: str,
    debug_name: str,
    dtype: DType,
    shape: TensorShape,
    allowed_devices: tuple[str, ...],
) -> Resource:
    return Resource(shared_name or debug_name, dtype, shape.dims)


@op(
    "ReadVariableOp(resource: resource, *, dtype: type) -> (value: dtype)",
    shape=lambda resource, *, dtype: handle_dims(resource),
    stateful=True,
    prunable=True,
)
def read_variable(backend: Backend, resource: Resource, *, dtype: DType) -> Any:
    return resource.read(backend)


read_variable.gradient(lambda call, dy: dy)


@op("VarIsInitializedOp(resource: resource) -> (is_initialized: bool)", shape=scalar, stateful=True, prunable=True)
def is_initialized(backend: Backend, resource: Resource) -> Any:
    return backend.xp.asarray(resource.value is not None)


@op("VariableShape(input: resource, *, out_type: type(index) = int32) -> (output: out_type)",
    shape=lambda input, *, out_type: (None if handle_dims(input) is None else len(handle_dims(input) or ()),),
    stateful=True, prunable=True, host_outputs=True)  # fmt: skip
def variable_shape(backend: Backend, input: Resource, *, out_type: DType) -> Any:
    assert input.value is not None
    return np.array(input.value.dims, out_type.np_dtype)


def _assigned_dims(resource: Tensor, value: Tensor, **attrs: Any) -> list[Any]:
    expected, given = TensorShape(handle_dims(resource)), value.shape
    if not expected.is_compatible_with(given):
        raise ValueError(f"Cannot assign a value of shape {given} to a variable of shape {expected}")
    return []


@op(
    "AssignVariableOp[dtype](resource: resource, value: dtype, *, validate_shape: bool = False) -> ()",
    shape=_assigned_dims,
    stateful=True,
)
def assign_variable(backend: Backend, resource: Resource, value: Any, *, validate_shape: bool) -> tuple[()]:
    resource.assign(value, backend)
    return ()


def _updating(name: str, function: str) -> None:
    def kernel(backend: Backend, resource: Resource, value: Any) -> tuple[()]:
        with resource.lock:
            xp = home(backend, resource.dtype).xp
            resource.assign(getattr(xp, function)(resource.read(backend), value), backend)
        return ()

    schema = f"{name}[dtype](resource: resource, value: dtype) -> ()"
    register(Op(schema, kernel=kernel, shape=_assigned_dims, stateful=True)).gradient(None)


_updating("AssignAddVariableOp", "add")
_updating("AssignSubVariableOp", "subtract")


def _gathered_dims(resource: Tensor, indices: Tensor, *, batch_dims: int, **attrs: Any) -> Any:
    dims = handle_dims(resource)
    if dims is None or indices.dims is None:
        return None
    return (*indices.dims, *dims[batch_dims + 1 :])


@op(
    "ResourceGather[Tindices: index](resource: resource, indices: Tindices, *, batch_dims: int = 0, "
    "validate_indices: bool = True, dtype: type) -> (output: dtype)",
    shape=_gathered_dims,
    stateful=True,
    prunable=True,
)
def resource_gather(
    backend: Backend, resource: Resource, indices: Any, *, batch_dims: int, validate_indices: bool, dtype: DType
) -> Any:
    kernel = raw.GatherV2.native_kernel(home(backend, dtype), (batch_dims,))
    return kernel(resource.read(backend), indices, np.int32(batch_dims))


@resource_gather.gradient
def _(call: Any, dy: Tensor) -> tuple[IndexedSlices, None]:
    handle, indices = call.inputs
    shape = raw.VariableShape(handle)
    flat = raw.Reshape(indices, [-1])
    rows = raw.Reshape(dy, raw.ConcatV2([raw.Size(flat)[None], shape[1:]], 0))
    return IndexedSlices(rows, flat, shape), None
