"""Questions about values: is it a tensor, what is known of it while tracing, what spec does it have."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.shape_rules import partial_value
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

__all__ = [
    "get_current_name_scope", "get_logger", "get_static_value", "is_symbolic_tensor", "is_tensor", "type_spec_from_value",
]  # fmt: skip


def is_tensor(x: Any) -> bool:
    """Whether a value is a tensor: dense, sparse, ragged, rows by number (`IndexedSlices`), or a variable.

    Objects of other classes say so by an attribute `is_tensor_like`.
    """
    if isinstance(x, (Tensor, Variable)):
        return True
    if isinstance(x, CompositeTensor):
        from modtf.core.values.indexed_slices import IndexedSlices
        from modtf.core.values.ragged import RaggedTensor
        from modtf.core.values.sparse import SparseTensor

        return isinstance(x, (IndexedSlices, RaggedTensor, SparseTensor))
    return bool(getattr(x, "is_tensor_like", False))


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether a value is a tensor of a graph being traced, which has no value yet."""
    return isinstance(tensor, SymbolicTensor)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Returns the value of a tensor, as far as it is known while tracing.

    Known are constants, and what follows from them and from known shapes.

    Args:
        tensor: A tensor. Of what is none, the value itself is returned.
        partial: Whether to return an array of objects, with `None` for the elements that are not known, where only some are.

    Returns:
        A NumPy array (or scalar), or `None` if the value is not known.
    """
    if isinstance(tensor, EagerTensor):
        return tensor.numpy()
    if not isinstance(tensor, SymbolicTensor):
        return None if is_tensor(tensor) else tensor
    if tensor.node.op.name == "Const":
        return np.array(tensor.node["value"])[()]
    found = partial_value(tensor)
    if found is None or all(item is not None for item in found.flat):
        return None if found is None else found.astype(tensor.dtype.np_dtype)[()]
    return found.copy() if partial else None


def type_spec_from_value(value: Any) -> TypeSpec:
    """Returns the spec that describes a value.

    Args:
        value: A tensor or variable, a composite tensor, a dataset or iterator, `None`, or what can be made a tensor.

    Raises:
        TypeError: No spec describes it.
    """
    if value is None:
        from modtf.core.api.data.structures import NoneTensorSpec

        return NoneTensorSpec()
    if isinstance(value, (Tensor, Variable)):
        return TensorSpec(value.shape, value.dtype)
    spec = getattr(value, "type_spec", None)
    if isinstance(spec, TypeSpec):
        return spec
    try:
        with contexts.init_scope():
            tensor = convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Could not build a TypeSpec for {value!r} of unsupported type {type(value)}. {error}"
        ) from None
    return TensorSpec(tensor.shape, tensor.dtype)


def get_current_name_scope() -> str:
    """Returns the name scope, such as `"outer/inner"`; the empty string outside of any."""
    return contexts.current().scope.rstrip("/")


def get_logger() -> logging.Logger:
    """Returns the logger named `"modtf"`."""
    return logging.getLogger("modtf")
