"""Python and NumPy values to tensors: `constant`, `convert_to_tensor`, and the conversion of an op's inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.binding import home
from modtf.core.engine.schemas import Schema
from modtf.core.values import conversion_functions, dtypes
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = "Const") -> Tensor:
    """Makes a tensor of a Python or NumPy value.

    Args:
        value: A number, bool, string, (nested) list or tuple of them, or a NumPy array (which is copied).
        dtype: The dtype; by default float32 for Python floats, int32 for ints (int64 if they need it), NumPy's own.
        shape: A shape to give the result; a single value is repeated to fill it.
        name: A name for the graph node.

    Raises:
        TypeError: `value` does not fit `dtype`.
        ValueError: The lists are ragged, or there are too many or too few values for `shape`.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, EagerTensor):
        value = value.numpy() if value.dims else np.asarray(value)
    elif isinstance(value, SymbolicTensor):
        raise TypeError(
            f"tf.constant needs a value, but {value!r} is symbolic. Use tf.convert_to_tensor or tf.identity."
        )
    array, found = to_array(value, wanted)
    if array is value:
        array = array.copy()
    if shape is not None:
        dims: tuple[Any, ...] = tuple(TensorShape(shape).as_list())
        if array.size == 1 and array.shape != dims:
            array = np.full(dims, array.reshape(())[()], array.dtype)
        elif array.size != int(np.prod(dims)):
            raise TypeError(f"Cannot give {array.size} elements the shape {dims}.")
        else:
            array = array.reshape(dims)
    return from_array(array, found, name)


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """Returns `value` as a tensor; a tensor is returned as it is.

    Args:
        value: What `constant` takes, a tensor, a variable, a (nested) list with tensors in it, or any object with a
            method `__tf_tensor__(dtype, name)`.
        dtype: The dtype that the tensor must have.
        dtype_hint: A dtype to use if `dtype` is not given and the value can take it.
        name: A name for the graph node, where one is made.

    Raises:
        ValueError: A tensor has another dtype than `dtype`.
        TypeError: The value cannot be a tensor.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, Tensor):
        if wanted is not None and wanted is not value.dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {wanted.name} for Tensor with dtype {value.dtype.name}: {value!r}. "
                "Convert it with tf.cast."
            )
        return value
    protocol = getattr(value, "__tf_tensor__", None)
    if protocol is not None:
        return protocol(wanted, name)
    if conversion_functions._registered:
        hint = None if dtype_hint is None else as_dtype(dtype_hint)
        found = conversion_functions.converted(value, wanted, hint, name)
        if found is not NotImplemented:
            return found
    if isinstance(value, (list, tuple)) and _has_tensor(value):
        return _pack(value, wanted or _dtype_inside(value))
    if wanted is None and dtype_hint is not None:
        try:
            return from_array(*to_array(value, as_dtype(dtype_hint)), name)
        except (TypeError, ValueError, OverflowError):
            pass
    array, found = to_array(value, wanted)
    return from_array(array.copy() if array is value else array, found, name)


def convert_inputs(schema: Schema, given: dict[str, Any], attrs: tuple[Any, ...]) -> list[Tensor]:
    """Converts an op's inputs, each to the dtype that the schema or an earlier input determines."""
    bound: dict[Any, DType] = {}
    for arg in schema.inputs:  # a tensor determines a type variable before any plain value does
        values = given[arg.name] if schema.is_variadic(arg) else (given[arg.name],)
        if isinstance(arg.type, str) and arg.type in schema.type_vars and not schema.type_vars[arg.type].is_list:
            for value in values:
                if (
                    arg.type not in bound
                    and hasattr(value, "dtype")
                    and not isinstance(value, (np.ndarray, np.generic))
                ):
                    bound[arg.type] = value.dtype
    tensors: list[Tensor] = []
    for arg in schema.inputs:
        value = given[arg.name]
        many = schema.is_variadic(arg)
        if many and not isinstance(value, (list, tuple)):
            raise TypeError(f"{schema.name}: {arg.name!r} must be a list of tensors, not {value!r}.")
        for item in value if many else (value,):
            if isinstance(arg.type, DType):
                tensor = convert_to_tensor(item, dtype_hint=arg.type)
            elif arg.type in schema.attr_index:
                hint = attrs[schema.attr_index[arg.type]]
                tensor = convert_to_tensor(item, dtype_hint=hint if isinstance(hint, DType) else None)
            elif schema.type_vars[arg.type].is_list:
                tensor = convert_to_tensor(item)
            else:
                hint = bound.get(arg.type) or schema.type_vars[arg.type].default
                tensor = convert_to_tensor(item, dtype_hint=hint)
                bound.setdefault(arg.type, tensor.dtype)
            tensors.append(tensor)
    return tensors


def from_array(array: np.ndarray, dtype: DType, name: str | None = None) -> Tensor:
    """Returns a tensor of a NumPy array that nobody else will change, in the graph being traced or on the backend."""
    context = contexts.current()
    if context.graph is not None:
        return context.graph.constant(array, dtype, name or "Const")
    place = home(context.backend or _default_backend(), dtype)
    return EagerTensor(place.from_numpy(array), dtype, place)


def _default_backend() -> Any:
    from modtf.core.backends.selection import default_backend

    return default_backend()


def to_array(value: Any, dtype: DType | None = None) -> tuple[np.ndarray, DType]:
    """Returns `value` as a NumPy array and its dtype, by TensorFlow's rules.

    Raises:
        TypeError: It is not a value, or does not fit `dtype`.
        ValueError: Nested lists are ragged.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        found = dtypes.from_numpy(value.dtype)
        wanted = dtype or found
        if wanted is dtypes.string:
            return _string_array(value), wanted
        if found is dtypes.string:
            raise TypeError(f"Cannot convert an array of {value.dtype} to a tensor of dtype {wanted.name}.")
        if found.is_quantized:
            value = np.asarray(value).view(found.np_dtype)
        with np.errstate(all="ignore"):
            return np.asarray(value, dtype=wanted.np_dtype), wanted
    leaf = _first_leaf(value)
    if leaf is None:
        if value is None:
            raise ValueError(
                "Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor."
            )
        found = dtypes.float32
    else:
        found = _dtype_of_python(leaf, value)
    wanted = dtype or found
    if wanted is dtypes.string or found is dtypes.string:
        if wanted is not found and leaf is not None:
            raise TypeError(f"Cannot convert {_brief(value)} to a tensor of dtype {wanted.name}.")
        return _string_array(value), dtypes.string
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"Can't convert non-rectangular Python sequence to Tensor: {_brief(value)}. Every list on a level must have "
            "the same length; see tf.ragged.constant for ragged ones."
        ) from error
    if raw.dtype == np.object_ and not found.is_integer:
        raise TypeError(
            f"Cannot convert {_brief(value)} to a tensor: it holds values that are not numbers of one kind."
        )
    if leaf is not None and not isinstance(leaf, (np.ndarray, np.generic)):
        if found.is_integer and raw.dtype.kind in "ufO":
            raw = _large_integers(value, raw, dtype)
        if dtype is None:
            found = wanted = _dtype_of_mixed(raw, found, value)
        elif not _fits(raw, wanted):
            raise TypeError(f"Cannot convert {_brief(value)} to a tensor of dtype {wanted.name}.")
    return raw.astype(wanted.np_dtype, copy=False), wanted


def _dtype_of_python(leaf: Any, value: Any) -> DType:
    if isinstance(leaf, (np.ndarray, np.generic)):
        return dtypes.from_numpy(leaf.dtype)
    found = dtypes._BY_PYTHON.get(type(leaf))
    if found is None:
        for kind in (bool, int, float, complex, str, bytes):
            if isinstance(leaf, kind):
                return dtypes._BY_PYTHON[kind]
        if hasattr(leaf, "__array__"):
            return dtypes.from_numpy(np.asarray(leaf).dtype)
        if isinstance(leaf, CompositeTensor):
            raise TypeError(
                f"A {type(leaf).__name__} cannot be converted to a tensor of one array; make it dense first."
            )
        raise ValueError(
            f"Attempt to convert a value ({_brief(value)}) with an unsupported type ({type(leaf)}) to a Tensor."
        )
    return found


def _dtype_of_mixed(raw: np.ndarray, first: DType, value: Any) -> DType:
    """Lists may mix ints and floats; NumPy's common dtype then says which."""
    if raw.dtype.kind == "f":
        return dtypes.float32
    if raw.dtype.kind == "c":
        return dtypes.complex128
    if raw.dtype.kind in "iu":
        if first is dtypes.bool_:
            raise TypeError(f"Cannot convert {_brief(value)} to a tensor: it mixes bools and numbers.")
        small = raw.size == 0 or (raw.min() >= -(2**31) and raw.max() < 2**31)
        return dtypes.int32 if small else dtypes.int64
    return first


def _large_integers(value: Any, raw: np.ndarray, wanted: DType | None) -> np.ndarray:
    """Python integers of which NumPy has not made int64 numbers, as the dtype that is asked for.

    Raises:
        ValueError: No dtype is asked for, and int64 does not hold them.
        TypeError: There are other values among them.
    """
    if not all(isinstance(item, int) for item in np.array(value, dtype=object).flat):
        if raw.dtype == np.object_:
            raise TypeError(
                f"Cannot convert {_brief(value)} to a tensor: it holds values that are not numbers of one kind."
            )
        return raw
    if wanted is None:
        raise ValueError(f"Can't convert Python sequence with out-of-range integer to Tensor: {_brief(value)}.")
    try:
        return np.array(value, dtype=wanted.np_dtype)
    except OverflowError:
        raise TypeError(f"Cannot convert {_brief(value)} to a tensor of dtype {wanted.name}.") from None


def _fits(raw: np.ndarray, wanted: DType) -> bool:
    kind = raw.dtype.kind
    if raw.size == 0:
        return True
    if wanted.is_bool:
        return kind == "b"
    if kind == "b":
        return wanted.is_integer or wanted.is_floating
    if wanted.is_integer or wanted.is_quantized:
        limits: Any = np.iinfo(wanted.np_dtype)
        return kind in "iu" and limits.min <= raw.min() and raw.max() <= limits.max
    if wanted.is_floating:
        return kind in "iuf"
    return wanted.is_complex and kind in "iufc"


def _first_leaf(value: Any) -> Any:
    while isinstance(value, (list, tuple)):
        for item in value:
            leaf = _first_leaf(item)
            if leaf is not None:
                return leaf
        return None
    return value


def _has_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_has_tensor(item) for item in value)
    return isinstance(value, Tensor) or hasattr(value, "__tf_tensor__") or conversion_functions.has_conversion(value)


def _dtype_inside(value: Any) -> DType | None:
    if isinstance(value, (list, tuple)):
        return next((found for found in map(_dtype_inside, value) if found is not None), None)
    return value.dtype if isinstance(value, Tensor) or hasattr(value, "__tf_tensor__") else None


def _pack(value: Any, dtype: DType | None) -> Tensor:
    from modtf.core.engine.execution import execute
    from modtf.core.engine.vocabulary import get_op

    items = [
        _pack(item, dtype) if isinstance(item, (list, tuple)) else convert_to_tensor(item, dtype=dtype)
        for item in value
    ]
    return execute(get_op("Pack"), items, (0,))


def _string_array(value: Any) -> np.ndarray:
    try:
        array = np.array(value, dtype=object)
    except ValueError as error:
        raise ValueError(f"Can't convert non-rectangular Python sequence to Tensor: {_brief(value)}.") from error
    flat = array.reshape(-1)
    for index, item in enumerate(flat):
        if isinstance(item, str):
            flat[index] = item.encode("utf-8")
        elif not isinstance(item, bytes):
            raise TypeError(f"Cannot convert {item!r} to an element of a string tensor; expected str or bytes.")
    return flat.reshape(array.shape)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
