"""Kernels that XLA does better with ops of its own than with core's generic ones.

Core's convolutions are matrix products of patches; its poolings and depthwise convolutions are shifted element-wise
ops, which XLA fuses into one pass and which its own windowed ops do not match on CPUs. What is left for XLA's own is
below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.scipy import special

from modtf.backend_jax import control_flow, lists
from modtf.backend_jax.kernels_linalg import KERNELS as LINALG_KERNELS
from modtf.backend_jax.scopes import in_program
from modtf.core import DType
from modtf.core.contracts import find_kernel_dtype, get_op

# ------------------------------------------------------------------------------------------------- convolution

# Measured on CPUs. Up to so many windows, the patches are a small matrix, and one product with it is the fastest.
_FEW_WINDOWS = {"Conv2D": 512, "Conv2DBackpropInput": 4096}
# The gradient for the filters is fastest as a product of patches until their matrix has so many elements.
_MANY_PATCHES = 1 << 23


def _generic(name: str) -> Callable[..., Any]:
    kernel = get_op(name).kernel
    assert callable(kernel)
    return kernel


def _is_for_xla(name: str, input_dims: Sequence[int], filter_dims: Sequence[int], attrs: dict[str, Any]) -> bool:
    """Whether XLA's convolution is the better one; core's is for 1x1 filters, few windows, and what only it checks."""
    batch, (height, width), depth = _sizes(input_dims, attrs["data_format"])
    if len(input_dims) != 4 or len(filter_dims) != 4 or depth == 0 or filter_dims[2] == 0 or depth % filter_dims[2]:
        return False
    on_cpu = jax.default_backend() == "cpu"
    if math.prod(filter_dims[:2]) == 1 or (on_cpu and depth != filter_dims[2]):
        return False
    _, (down, across), _ = _sizes(attrs["strides"], attrs["data_format"])
    windows = batch * -(-height // down) * -(-width // across)
    if not on_cpu:
        return True
    if name == "Conv2DBackpropFilter":
        return windows * math.prod(filter_dims[:3]) > _MANY_PATCHES
    return windows > _FEW_WINDOWS[name]


def _sizes(values: Sequence[int], data_format: str) -> tuple[int, tuple[int, int], int]:
    """Batch, spatial and channel entries of what is ordered as `data_format` says."""
    at = dict(zip(data_format, values, strict=True))
    return at["N"], (at["H"], at["W"]), at["C"]


def _convolve(x: Any, filters: Any, attrs: dict[str, Any]) -> Any:
    data_format = attrs["data_format"]
    padding = attrs["padding"]
    if padding == "EXPLICIT":
        pairs = np.reshape(attrs["explicit_paddings"], (4, 2)).tolist()
        padding = _sizes(pairs, data_format)[1]
    depth = _sizes(x.shape, data_format)[2]
    return lax.conv_general_dilated(
        x,
        filters,
        _sizes(attrs["strides"], data_format)[1],
        padding,
        rhs_dilation=_sizes(attrs["dilations"], data_format)[1],
        dimension_numbers=(data_format, "HWIO", data_format),
        feature_group_count=depth // filters.shape[2],
    )


def _wide(array: Any) -> Any:
    """The array, 16-bit floats in 32 bits, in which sums are made."""
    return array.astype(np.float32) if array.dtype.itemsize == 2 else array


def _conv2d(xp: Any, input: Any, filter: Any, **attrs: Any) -> Any:
    if not _is_for_xla("Conv2D", input.shape, filter.shape, attrs):
        return _generic("Conv2D")(xp, input, filter, **attrs)
    return _convolve(_wide(input), _wide(filter), attrs).astype(input.dtype)


def _conv2d_input_gradient(xp: Any, input_sizes: np.ndarray, filter: Any, out_backprop: Any, **attrs: Any) -> Any:
    dims = tuple(input_sizes.tolist())
    if len(dims) != 4 or not _is_for_xla("Conv2DBackpropInput", dims, filter.shape, attrs):
        return _generic("Conv2DBackpropInput")(xp, input_sizes, filter, out_backprop, **attrs)
    filters, gradient = _wide(filter), _wide(out_backprop)
    x = jax.ShapeDtypeStruct(dims, filters.dtype)
    (result,) = jax.linear_transpose(lambda x: _convolve(x, filters, attrs), x)(gradient)
    return result.astype(filter.dtype)


def _conv2d_filter_gradient(xp: Any, input: Any, filter_sizes: np.ndarray, out_backprop: Any, **attrs: Any) -> Any:
    dims = tuple(filter_sizes.tolist())
    if len(dims) != 4 or not _is_for_xla("Conv2DBackpropFilter", input.shape, dims, attrs):
        return _generic("Conv2DBackpropFilter")(xp, input, filter_sizes, out_backprop, **attrs)
    x, gradient = _wide(input), _wide(out_backprop)
    filters = jax.ShapeDtypeStruct(dims, x.dtype)
    (result,) = jax.linear_transpose(lambda filters: _convolve(x, filters, attrs), filters)(gradient)
    return result.astype(input.dtype)


# ------------------------------------------------------------------------------------------------- others


def _top_k(xp: Any, input: Any, k: np.ndarray, *, sorted: bool, index_type: Any) -> Any:
    if not input.ndim or not 0 <= int(k) <= input.shape[-1]:
        return _generic("TopKV2")(xp, input, k, sorted=sorted, index_type=index_type)  # has the words for it
    values, indices = lax.top_k(input, int(k))
    return values, indices.astype(find_kernel_dtype(xp, index_type))


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xp, x: function(x)


def _complex(xp: Any, real: Any, imag: Any, *, Tout: DType) -> Any:
    if real.dtype != find_kernel_dtype(xp, Tout.real_dtype):
        return _generic("Complex")(xp, real, imag, Tout=Tout)  # which refuses it
    return lax.complex(*jax.numpy.broadcast_arrays(real, imag))


def _in_programs(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for compiled parts; eagerly, core's own does (lists may grow there, and loops run step by step)."""

    def for_backend(backend: Any, *args: Any, **attrs: Any) -> Any:
        return (kernel if in_program() else _generic(name))(backend, *args, **attrs)

    def for_namespace(xp: Any, *args: Any, **attrs: Any) -> Any:
        return (kernel if in_program() else _generic(name))(xp, *args, **attrs)

    return for_namespace if name.startswith(("Empty", "TensorList")) else for_backend


_PROGRAM_KERNELS: dict[str, Callable[..., Any]] = {
    "EmptyTensorList": lists.empty,
    "TensorListFromTensor": lists.from_tensor,
    "TensorListReserve": lists.reserve,
    "TensorListScatterV2": lists.scatter,
    **{f"{prefix}Case": control_flow.case for prefix in ("", "Stateless")},
    **{f"{prefix}If": control_flow.if_ for prefix in ("", "Stateless")},
    **{f"{prefix}While": control_flow.while_ for prefix in ("", "Stateless")},
}

KERNELS: dict[str, Callable[..., Any]] = {
    **LINALG_KERNELS,
    **{name: _in_programs(name, kernel) for name, kernel in _PROGRAM_KERNELS.items()},
    "Complex": _complex,
    "Conv2D": _conv2d,
    "Conv2DBackpropFilter": _conv2d_filter_gradient,
    "Conv2DBackpropInput": _conv2d_input_gradient,
    "Digamma": _elementwise(special.digamma),
    "Erf": _elementwise(special.erf),
    "Erfc": _elementwise(special.erfc),
    "Erfinv": _elementwise(special.erfinv),
    "Lgamma": _elementwise(special.gammaln),
    "Sigmoid": _elementwise(lax.logistic),
    "TopKV2": _top_k,
}
"""By op name; called like an op's own kernel."""
