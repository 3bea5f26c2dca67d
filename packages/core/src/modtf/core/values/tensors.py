"""`Tensor`: what ops take and give, with a value (`EagerTensor`) or as a place in a graph (`SymbolicTensor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import OperatorNotAllowedInGraphError
from modtf.core.values.shapes import Dims, TensorShape

if TYPE_CHECKING:
    from modtf.core.backends.contract import Backend
    from modtf.core.engine.graphs import Graph, Node


class Operators:
    """What tensors and variables can be written with in formulas."""

    __slots__ = ()

    if TYPE_CHECKING:  # attached by `api.operators`, as thin functions over the ops
        __add__: Any
        __radd__: Any
        __sub__: Any
        __rsub__: Any
        __mul__: Any
        __rmul__: Any
        __truediv__: Any
        __rtruediv__: Any
        __floordiv__: Any
        __rfloordiv__: Any
        __mod__: Any
        __rmod__: Any
        __pow__: Any
        __rpow__: Any
        __matmul__: Any
        __rmatmul__: Any
        __neg__: Any
        __abs__: Any
        __invert__: Any
        __and__: Any
        __or__: Any
        __xor__: Any
        __rand__: Any
        __ror__: Any
        __rxor__: Any
        __lt__: Any
        __le__: Any
        __gt__: Any
        __ge__: Any
        __eq__: Any
        __ne__: Any
        __getitem__: Any


class Tensor(Operators):
    """A multi-dimensional array of one dtype, which never changes.

    It has Python's operators and indexing, with TensorFlow's meaning: nothing is promoted silently, and a Python or
    NumPy operand takes the tensor's dtype where it can.

    Attributes:
        dtype: The `DType` of its elements.
        shape: Its `TensorShape`.
    """

    __slots__ = ()
    __array_priority__ = 100

    dtype: DType

    @property
    def dims(self) -> Dims:
        """The shape as a tuple of sizes, `None` where unknown."""
        raise NotImplementedError

    @property
    def shape(self) -> TensorShape:
        return TensorShape(self.dims)

    def get_shape(self) -> TensorShape:
        """Returns `shape`."""
        return self.shape

    @property
    def ndim(self) -> int | None:
        """The rank, or `None` if unknown."""
        dims = self.dims
        return None if dims is None else len(dims)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Use `tensor.ref()` as the key of a dict or member of a set.")

    def ref(self) -> Reference:
        """Returns a hashable reference to this very tensor."""
        return Reference(self)

    def set_shape(self, shape: Any) -> None:
        """Adds what the caller knows of the shape, if anything was unknown.

        Raises:
            ValueError: It contradicts what is known already.
        """
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {TensorShape(shape)}.")

    OVERLOADABLE_OPERATORS = frozenset(
        f"__{name}__"
        for name in (
            "abs", "add", "and", "eq", "floordiv", "ge", "getitem", "gt", "invert", "le", "lt", "matmul", "mod", "mul", "ne",
            "neg", "or", "pow", "radd", "rand", "rfloordiv", "rmatmul", "rmod", "rmul", "ror", "rpow", "rsub", "rtruediv",
            "rxor", "sub", "truediv", "xor",
        )
    )  # fmt: skip
    """The operators that tensors have."""


class EagerTensor(Tensor):
    """A tensor with a value, in an array of a backend."""

    __slots__ = ("__weakref__", "array", "assign", "backend", "dtype")  # `assign` is set for slices of variables

    def __init__(self, array: Any, dtype: DType, backend: Backend) -> None:
        self.array = array
        self.dtype = dtype
        self.backend = backend

    @property
    def dims(self) -> tuple[int, ...]:
        return np.shape(self.array) if self.dtype.as_numpy_dtype is np.object_ else self.array.shape

    @property
    def shape(self) -> TensorShape:
        return TensorShape(self.dims)

    @property
    def name(self) -> str:
        raise AttributeError("Tensor.name is undefined when eager execution is enabled.")

    @property
    def op(self) -> Node:
        raise AttributeError("Tensor.op is undefined when eager execution is enabled.")

    @property
    def graph(self) -> Graph:
        raise AttributeError("Tensor.graph is undefined when eager execution is enabled.")

    @property
    def device(self) -> str:
        """The device that holds the value, in the backend's own words."""
        return self.backend.device_of(self.array)

    def on(self, backend: Backend) -> Any:
        """Returns the value as an array of `backend`, moved through host memory if it is elsewhere."""
        if self.backend is backend:
            return self.array
        return backend.from_numpy(self.backend.to_numpy(self.array))

    def numpy(self) -> Any:
        """Returns the value as a new NumPy array; of a scalar, as a NumPy scalar (`bytes` for a string)."""
        array = self.backend.to_numpy(self.array)
        return array.copy() if np.ndim(array) else np.asarray(array)[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.asarray(self.backend.to_numpy(self.array))
        if copy or (dtype is not None and np.dtype(dtype) != array.dtype):
            return array.astype(dtype or array.dtype)
        view = array.view()
        view.flags.writeable = False
        return view

    def __dlpack__(self, **keywords: Any) -> Any:
        array = self.backend.to_numpy(self.array) if np.isscalar(self.array) else self.array
        return array.__dlpack__(**keywords)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __complex__(self) -> complex:
        return complex(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self.numpy(), digits)

    def __format__(self, spec: str) -> str:
        value = str(self) if self.dtype in (dtypes.resource, dtypes.variant) else self.numpy()
        return format(value, spec)

    def __len__(self) -> int:
        if not self.dims:
            raise TypeError("Scalar tensor has no `len()`.")
        return self.dims[0]

    def __iter__(self) -> Any:
        if not self.dims:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[index] for index in range(self.dims[0]))

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape={self.dims}, dtype={self.dtype.name}, numpy={_show(self, repr)}>"

    def __str__(self) -> str:
        return f"tf.Tensor({_show(self, str)}, shape={self.dims}, dtype={self.dtype.name})"

    def __copy__(self) -> EagerTensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> EagerTensor:
        return self

    def __reduce__(self) -> Any:
        from modtf.core.values.conversion import constant

        return constant, (np.asarray(self), self.dtype.name)


def _show(tensor: EagerTensor, formatter: Any) -> str:
    if tensor.dtype in (dtypes.resource, dtypes.variant):
        return f"<{tensor.dtype.name}>"
    value = tensor.numpy()
    if isinstance(value, np.generic):
        return str(value)
    text: str = formatter(value)
    return f"\n{text}" if "\n" in text else text


class SymbolicTensor(Tensor):
    """A tensor of a graph: the output of a node, whose value exists when the graph runs."""

    __slots__ = ("__weakref__", "_dims", "assign", "dtype", "handle_dims", "index", "node", "value_cache")

    array: Any
    backend = None
    """Not on any backend: `execute` finds out by this that the tensor has no value."""

    def __init__(self, node: Node, index: int, dtype: DType, dims: Dims) -> None:
        self.node = node
        self.index = index
        self.dtype = dtype
        self._dims = dims
        self.value_cache: Any = None
        self.handle_dims: Dims = None  # of a variable's handle, the variable's shape

    @property
    def dims(self) -> Dims:
        return self._dims

    def set_shape(self, shape: Any) -> None:
        """Adds what the caller knows of the shape.

        Raises:
            ValueError: It contradicts what is known already.
        """
        self._dims = self.shape.merge_with(shape).dims

    @property
    def op(self) -> Node:
        """The node that makes it."""
        return self.node

    @property
    def graph(self) -> Graph:
        return self.node.graph

    @property
    def name(self) -> str:
        return f"{self.node.name}:{self.index}"

    def on(self, backend: Any) -> Any:
        raise TypeError(
            f"The symbolic tensor {self.name!r} of the graph {self.graph.name!r} was used outside that graph, where it "
            "has no value. Return it from the function instead."
        )

    def _no_value(self, wanted: str) -> OperatorNotAllowedInGraphError:
        return OperatorNotAllowedInGraphError(
            f"The symbolic tensor {self.name!r} (shape={self.shape}, dtype={self.dtype.name}) has no value while the "
            f"function is traced, so it cannot be used {wanted}. Use TensorFlow ops (tf.where, tf.cond) instead, or "
            "compute this outside the tf.function."
        )

    @property
    def numpy(self) -> Any:
        """What a tensor without a value does not have."""
        raise AttributeError(f"'SymbolicTensor' object has no attribute 'numpy'. {self._no_value('as a NumPy array')}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise NotImplementedError(str(self._no_value("as a NumPy array")))

    def __bool__(self) -> bool:
        raise self._no_value("as a Python bool")

    def __int__(self) -> int:
        raise self._no_value("as a Python int")

    def __float__(self) -> float:
        raise self._no_value("as a Python float")

    def __index__(self) -> int:
        raise self._no_value("as a Python index")

    def __len__(self) -> int:
        if self._dims and self._dims[0] is not None:
            return self._dims[0]
        raise TypeError(f"len() of the symbolic tensor {self.name!r} is not known; use tf.shape(tensor)[0].")

    def __iter__(self) -> Any:
        if not self._dims or self._dims[0] is None:
            raise self._no_value("as an iterable (its first dimension is unknown)")
        return (self[index] for index in range(self._dims[0]))

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        shape = "" if self._dims is None else f", shape={self.shape}"
        return f'Tensor("{self.name}"{shape}, dtype={self.dtype.name})'


class Reference:
    """A hashable stand-in for a tensor or variable; `deref()` gives it back."""

    __slots__ = ("_referent",)

    def __init__(self, referent: Any) -> None:
        self._referent = referent

    def deref(self) -> Any:
        """Returns the tensor or variable."""
        return self._referent

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._referent is other._referent

    def __hash__(self) -> int:
        return id(self._referent)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._referent!r}>"
