"""Calling Python functions out of graphs.

A node names its function by a token. Tokens hold on to their functions, so that a function lives as long as a graph that
calls it. A graph that comes from a file has the names alone, which mean nothing in another process.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine import context as contexts
from modtf.core.engine.binding import home
from modtf.core.engine.execution import execute
from modtf.core.engine.tapes import GradientTape, UnconnectedGradients
from modtf.core.engine.vocabulary import Call, Op, op, register
from modtf.core.values.conversion import convert_to_tensor, to_array
from modtf.core.values.dtypes import DType, from_numpy, string
from modtf.core.values.errors import (
    InvalidArgumentError,
    NotFoundError,
    OpError,
    OutOfRangeError,
    UnimplementedError,
    UnknownError,
)
from modtf.core.values.tensors import EagerTensor, Tensor


class PythonCall:
    """A Python function that graphs call.

    Args:
        function: The function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.records: _Records | None = None
        """The tapes of its calls, once its gradient has been asked for."""


class Token(str):
    """The name of a function in a graph."""

    call: PythonCall

    def __new__(cls, call: PythonCall) -> Token:
        token = super().__new__(cls, f"pyfunc_{next(_numbers)}")
        token.call = call
        _calls[str(token)] = call
        return token


_numbers = itertools.count()
_calls: weakref.WeakValueDictionary[str, PythonCall] = weakref.WeakValueDictionary()


def _call_of(token: str) -> PythonCall:
    call = token.call if isinstance(token, Token) else _calls.get(token)
    if call is None:
        raise NotFoundError(
            f"The Python function {token!r} is not found: graphs hold no Python code, so that one with tf.py_function or "
            "tf.numpy_function can only run in the process that traced it."
        )
    return call


# ------------------------------------------------------------------------------------------------- on arrays

_ERRORS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[OpError]], ...] = (
    ((ValueError, TypeError), InvalidArgumentError),
    (StopIteration, OutOfRangeError),
    (NotImplementedError, UnimplementedError),
)


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Calls a function; its errors become those of ops, caused by what it raised."""
    try:
        return function(*arguments)
    except (OpError, MemoryError):
        raise
    except Exception as error:
        kind = next((ours for theirs, ours in _ERRORS if isinstance(error, theirs)), UnknownError)
        raise kind(f"{type(error).__name__}: {error}") from error


def _results(token: str, result: Any, Tout: Sequence[DType]) -> Sequence[Any]:
    """What a function gave, one value for each dtype."""
    if result is None:
        results: Sequence[Any] = ()
    else:
        results = list(result) if isinstance(result, (list, tuple)) else [result]
    if len(results) != len(Tout):
        raise InvalidArgumentError(f"{token} returns {len(results)} values, but expects to see {len(Tout)} values.")
    return results


def _call_on_arrays(xp: Any, input: Sequence[np.ndarray], *, token: str, Tout: Sequence[DType]) -> list[np.ndarray]:
    with contexts.scoped(graph=None, tapes=()):
        given = [_without_box(array) for array in input]
        results = _results(token, run(_call_of(token).function, given), Tout)
    arrays = []
    for index, (value, dtype) in enumerate(zip(results, Tout, strict=True)):
        array, found = to_array(value.numpy() if isinstance(value, EagerTensor) else value)
        if found is not dtype:
            raise InvalidArgumentError(
                f"{index}-th value returned by {token} is {found.name}, but expects {dtype.name}."
            )
        arrays.append(array)
    return arrays


def _without_box(array: Any) -> Any:
    """An array of its own for the function, which might write into it; of a scalar string, the bytes."""
    array = np.array(array)
    return array[()] if array.dtype == object and not array.ndim else array


_NAMES = "[*Tin](input: Tin, *, token: string, {}Tout: list(type)) -> (output: Tout)"

for _name, _stateful in (("PyFunc", True), ("PyFuncStateless", False)):
    register(
        Op(
            _name + _NAMES.format(""),
            kernel=_call_on_arrays,
            shape=lambda input, *, Tout, **attrs: [None] * len(Tout),
            host_only=True,
            stateful=_stateful,
            volatile=not _stateful,
        )
    ).gradient(None)


# ------------------------------------------------------------------------------------------------- on tensors


class _Records:
    """The tapes of a function's latest calls, by what they were given, until their gradients are asked for.

    So that the function need not run again for its gradient - which would be that of other random numbers, if it draws
    any. Of equal calls the last comes first.
    """

    _LATEST = 64

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, tuple[Any, Any]] = OrderedDict()
        self._count = itertools.count()

    def add(self, key: Any, record: Any) -> None:
        with self._lock:
            self._entries[next(self._count)] = (key, record)
            if len(self._entries) > self._LATEST:
                self._entries.popitem(last=False)

    def take(self, key: Any) -> Any:
        with self._lock:
            for number in reversed(self._entries):
                if self._entries[number][0] == key:
                    return self._entries.pop(number)[1]
        return None


def _key(arrays: Sequence[np.ndarray]) -> Any:
    return tuple(
        tuple(array.reshape(-1).tolist()) if array.dtype == object else (array.dtype.str, array.shape, array.tobytes())
        for array in map(np.asarray, arrays)
    )


def _tensors(backend: Backend, arrays: Sequence[Any], dtypes: Sequence[DType]) -> list[EagerTensor]:
    tensors = []
    for array, dtype in zip(arrays, dtypes, strict=True):
        place = home(backend, dtype)
        tensors.append(EagerTensor(place.from_numpy(np.asarray(array, dtype.np_dtype)), dtype, place))
    return tensors


def _recorded(call: PythonCall, token: str, tensors: Sequence[EagerTensor], Tout: Sequence[DType]) -> Any:
    """Calls a function with tensors; returns its results and the tape that noted how they came about."""
    with GradientTape(persistent=True) as tape:
        for tensor in tensors:
            if tensor.dtype.is_differentiable:
                tape.watch(tensor)
        results = tensors_of(token, run(call.function, tensors), Tout)
    return results, tape


def tensors_of(token: str, result: Any, Tout: Sequence[DType]) -> list[Any]:
    """Returns what a function gave as tensors of these dtypes.

    Raises:
        InvalidArgumentError: They are of other dtypes, or there are more or fewer.
    """
    converted = []
    for value, dtype in zip(_results(token, result, Tout), Tout, strict=True):
        try:
            converted.append(convert_to_tensor(value, dtype=dtype))
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"{type(error).__name__}: {error}") from None
    return converted


def _dtypes_of(arrays: Sequence[Any]) -> list[DType]:
    return [string if np.asarray(array).dtype == object else from_numpy(np.asarray(array).dtype) for array in arrays]


@op(
    "EagerPyFunc" + _NAMES.format("is_async: bool = False, "),
    shape=lambda input, *, Tout, **attrs: [None] * len(Tout),
    host_only=True,
    stateful=True,
)
def eager_py_func(
    backend: Backend, input: Sequence[np.ndarray], *, token: str, is_async: bool, Tout: Sequence[DType]
) -> list[np.ndarray]:
    call = _call_of(token)
    with contexts.scoped(backend=backend, graph=None, tapes=()):
        tensors = _tensors(backend, input, _dtypes_of(input))
        results, tape = _recorded(call, token, tensors, Tout)
    if call.records is not None:
        call.records.add(_key(input), (tensors, results, tape))
    return [np.asarray(result.backend.to_numpy(result.array)) for result in results]


@eager_py_func.gradient
def _(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    token: str = call["token"]
    function = _call_of(token)
    if function.records is None:
        function.records = _Records()
    differentiable = [index for index, tensor in enumerate(call.inputs) if tensor.dtype.is_differentiable]
    given = [index for index, gradient in enumerate(flowing) if gradient is not None]
    count = len(call.inputs)

    def gradients(*values: Any) -> list[Any]:
        inputs, arriving = values[:count], values[count:]
        record = None
        if own_call.records is None and function.records is not None:
            record = function.records.take(_key([tensor.numpy() for tensor in inputs]))
        if record is None:  # the tape of another time says nothing about the gradient's own gradient
            record = (inputs, *_recorded(function, token, inputs, call["Tout"]))
        own, results, tape = record
        return tape.gradient(
            [results[index] for index in given],
            [own[index] for index in differentiable],
            list(arriving),
            UnconnectedGradients.ZERO,
        )

    own_call = PythonCall(gradients)
    dtypes = tuple(call.inputs[index].dtype for index in differentiable)
    tensors = [*call.inputs, *(flowing[index] for index in given)]
    found = execute(eager_py_func, tensors, (Token(own_call), False, dtypes))
    results: list[Tensor | None] = [None] * count
    for index, gradient in zip(differentiable, found, strict=True):
        if hasattr(gradient, "set_shape"):
            gradient.set_shape(call.inputs[index].dims)
        results[index] = gradient
    return results
