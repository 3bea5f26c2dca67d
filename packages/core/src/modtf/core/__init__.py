"""modtf's core: TensorFlow's programming model over exchangeable backends.

from modtf import core as tf
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from modtf.core import ops as _ops  # registers the vocabulary before anything is built on it
from modtf.core import config
from modtf.core import siblings as _siblings
from modtf.core.api import indexing as _indexing
from modtf.core.api import bitwise, linalg, math, nn, random
from modtf.core.api import operators as _operators
from modtf.core.api.array import *
from modtf.core.api.control_flow import case, cond, switch_case, while_loop
from modtf.core.api.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from modtf.core.api.linalg import einsum, matmul, norm, tensordot
from modtf.core.api.math import (
    abs, acos, acosh, add, add_n, argmax, argmin, asin, asinh, atan, atan2, atanh, cos, cosh, cumsum, divide, equal, exp,
    floor, greater, greater_equal, less, less_equal, logical_and, logical_not, logical_or, maximum, minimum, multiply,
    negative, not_equal, pow, reduce_all, reduce_any, reduce_logsumexp, reduce_max, reduce_mean, reduce_min, reduce_prod,
    reduce_sum, round, scalar_mul, sigmoid, sign, sin, sinh, sqrt, square, subtract, tan, tanh, truediv,
)  # fmt: skip
from modtf.core.api.elementwise import cast, complex, realdiv, saturate_cast, truncatediv, truncatemod
from modtf.core.api.rearranging import *
from modtf.core.api.nn.sliding import required_space_to_batch_paddings
from modtf.core.api.selecting import *
from modtf.core.api.sorting import (
    argsort, dynamic_partition, dynamic_stitch, edit_distance, extract_volume_patches, guarantee_const,
    histogram_fixed_width, histogram_fixed_width_bins, parallel_stack, sort, unravel_index,
)  # fmt: skip
from modtf.core.backends.selection import backend
from modtf.core.engine import raw as raw_ops
from modtf.core.engine.context import control_dependencies, device, executing_eagerly, init_scope, inside_function
from modtf.core.engine.custom_gradients import custom_gradient, grad_pass_through, recompute_grad
from modtf.core.engine.functions import function
from modtf.core.engine.graphs import Graph
from modtf.core.engine.tapes import GradientTape, UnconnectedGradients
from modtf.core.modules import Module, name_scope
from modtf.core.values import errors, nest
from modtf.core.values.conversion import constant, convert_to_tensor
from modtf.core.values.dtypes import (
    DType, as_dtype, bfloat16, complex64, complex128, double, float16, float32, float64, half, int8, int16, int32, int64,
    qint8, qint16, qint32, quint8, quint16, resource, string, uint8, uint16, uint32, uint64, variant,
)  # fmt: skip
from modtf.core.values.dtypes import bool_ as bool
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable, VariableAggregation, VariableSynchronization

newaxis = None
"""An axis of size 1, in an index."""

_operators.attach(Tensor)
_indexing.attach(Tensor, Variable)

_LAZY: dict[str, str] = {
    "autograph": "api.autograph",
    "foldl": "api.functional:foldl",
    "foldr": "api.functional:foldr",
    "map_fn": "api.functional:map_fn",
    "scan": "api.functional:scan",
    "vectorized_map": "api.functional:vectorized_map",
    "Operation": "engine.graphs:Node",
    "AggregationMethod": "api.graph_gradients:AggregationMethod",
    "CriticalSection": "api.critical_sections:CriticalSection",
    "DeviceSpec": "api.devices:DeviceSpec",
    "NoneTensorSpec": "api.data.structures:NoneTensorSpec",
    "OptionalSpec": "api.data.iterators:OptionalSpec",
    "constant_initializer": "api.initial_values:constant_initializer",
    "eig": "api.linalg.decompositions:eig",
    "eigvals": "api.linalg.decompositions:eigvals",
    "get_current_name_scope": "api.inspecting:get_current_name_scope",
    "get_logger": "api.inspecting:get_logger",
    "get_static_value": "api.inspecting:get_static_value",
    "gradients": "api.graph_gradients:gradients",
    "hessians": "api.graph_gradients:hessians",
    "is_symbolic_tensor": "api.inspecting:is_symbolic_tensor",
    "is_tensor": "api.inspecting:is_tensor",
    "matrix_square_root": "api.linalg.functions:sqrtm",
    "ones_initializer": "api.initial_values:ones_initializer",
    "random_normal_initializer": "api.initial_values:random_normal_initializer",
    "random_uniform_initializer": "api.initial_values:random_uniform_initializer",
    "register_tensor_conversion_function": "values.conversion_functions:register_tensor_conversion_function",
    "tuple": "api.side_effects:tuple",
    "type_spec_from_value": "api.inspecting:type_spec_from_value",
    "variable_creator_scope": "values.variables:variable_creator_scope",
    "zeros_initializer": "api.initial_values:zeros_initializer",
    "approx_top_k": "api.direct:approx_top_k",
    "fftnd": "api.direct:fftnd",
    "ifftnd": "api.direct:ifftnd",
    "irfftnd": "api.direct:irfftnd",
    "ragged_fill_empty_rows": "api.direct:ragged_fill_empty_rows",
    "ragged_fill_empty_rows_grad": "api.direct:ragged_fill_empty_rows_grad",
    "random_index_shuffle": "api.direct:random_index_shuffle",
    "rfftnd": "api.direct:rfftnd",
    "dtypes": "api.dtypes",
    "types": "api.types",
    "TensorArray": "values.tensor_arrays:TensorArray",
    "TensorArraySpec": "values.tensor_arrays:TensorArraySpec",
    "audio": "api.audio",
    "autodiff": "api.autodiff",
    "data": "api.data",
    "debugging": "api.debugging",
    "distribute": "api.distribute",
    "Assert": "api.debugging:Assert",
    "print": "api.side_effects:print",
    "group": "api.side_effects:group",
    "no_op": "api.side_effects:no_op",
    "timestamp": "api.side_effects:timestamp",
    "py_function": "api.python_calls:py_function",
    "numpy_function": "api.python_calls:numpy_function",
    "assert_equal": "api.debugging:assert_equal",
    "assert_greater": "api.debugging:assert_greater",
    "assert_less": "api.debugging:assert_less",
    "assert_rank": "api.debugging:assert_rank",
    "experimental": "api.experimental",
    "image": "api.image",
    "io": "api.io",
    "lookup": "api.lookup",
    "quantization": "api.quantization",
    "ragged": "api.ragged",
    "signal": "api.signal",
    "sets": "api.sets",
    "sparse": "api.sparse",
    "strings": "api.strings",
    "as_string": "api.strings:as_string",
    "fingerprint": "api.strings.elementwise:fingerprint",
    "IndexedSlices": "values.indexed_slices:IndexedSlices",
    "IndexedSlicesSpec": "values.indexed_slices:IndexedSlicesSpec",
    "RaggedTensor": "values.ragged:RaggedTensor",
    "RaggedTensorSpec": "values.ragged:RaggedTensorSpec",
    "SparseTensor": "values.sparse:SparseTensor",
    "SparseTensorSpec": "values.sparse:SparseTensorSpec",
}
"""What is imported when it is first asked for: public names, each with its module, or `module:name`."""


def __getattr__(name: str) -> _Any:
    if name == "__version__":
        return _import_module("importlib.metadata").version("modtf-core")
    if name.startswith("__"):
        raise AttributeError(f"module 'modtf.core' has no attribute {name!r}")
    if name in _LAZY:
        module, _, attribute = _LAZY[name].partition(":")
        found: object = _import_module(f"modtf.core.{module}")
        found = getattr(found, attribute) if attribute else found
    else:
        found = _siblings.load(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_siblings.available()})
