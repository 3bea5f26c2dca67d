"""Binding: an op with its attributes, input dtypes and backend, made ready to be called with arrays.

It is worked out once and kept, so that neither an eager call nor a step of a plan looks anything up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine.vocabulary import Op
from modtf.core.values.dtypes import DType, resource, string, variant
from modtf.core.values.errors import UnimplementedError

fallbacks: Counter[tuple[str, str]] = Counter()
"""How many bindings of each (backend, op) fell back to core's NumPy kernel."""

_REMEMBERED = 4096
"""How many bindings of an op are kept whose kernels remember something."""

soft_placement = True
"""Whether ops that a backend cannot compute fall back; `tf.config.set_soft_device_placement` sets it."""


def home(backend: Backend, dtype: DType) -> Backend:
    """Returns where tensors of `dtype` live under `backend`: there, or in NumPy arrays if it cannot hold them."""
    return backend if backend.supports(dtype) else NUMPY


class Bound:
    """An op bound for use.

    Attributes:
        call: A function of arrays; gives one array, or a sequence if `single` is false.
        placement: For each input, the backend whose array `call` takes.
        dtypes: The outputs' dtypes.
        homes: For each output, the backend whose array `call` gives.
        single: Whether the op has exactly one output, so that `call` gives it bare.
        final: Whether an error of `call` is the last word, since what it has done by then must not be done again.
    """

    __slots__ = (
        "attrs",
        "backend",
        "call",
        "dtype",
        "dtypes",
        "fell_back",
        "final",
        "home",
        "homes",
        "op",
        "placement",
        "single",
    )

    def __init__(self, op: Op, backend: Backend, attrs: tuple[Any, ...], input_dtypes: Sequence[DType]) -> None:
        self.op = op
        self.backend = backend
        self.attrs = attrs
        schema = op.schema
        self.dtypes = schema.output_dtypes(schema.bindings(input_dtypes, attrs), attrs)
        outputs = schema.outputs
        self.single = (
            len(outputs) == 1
            and len(self.dtypes) == 1
            and outputs[0].number is None
            and not schema.is_type_list(outputs[0].type)
        )
        holds_all = all(
            dtype.kind in ("resource", "variant") or backend.supports(dtype) for dtype in (*input_dtypes, *self.dtypes)
        )
        on_host = backend is NUMPY or (op.name not in backend.kernels and (op.host_only or not holds_all))
        if on_host:
            self.placement: tuple[Backend, ...] = (NUMPY,) * len(input_dtypes)
            self.homes: tuple[Backend, ...] = (NUMPY,) * len(self.dtypes)
        else:
            self.placement = self._placement(input_dtypes)
            self.homes = tuple(NUMPY if op.host_outputs else home(backend, dtype) for dtype in self.dtypes)
        self.fell_back = on_host
        # Ops over state and functions act in the name of the chosen backend wherever their other inputs are.
        kernel = op.native_kernel(NUMPY if on_host and not _acts_for_backend(op) else backend, attrs)
        if string in self.dtypes:
            kernel = _keeping_object_arrays(kernel, self.single)
        if on_host:
            self.call: Callable[..., Any] = _quietly(kernel) if op.quiet else kernel
        else:
            pure = op.cacheable and not (op.stateful or op.host_inputs)
            traceable = pure and variant not in input_dtypes and variant not in self.dtypes
            self.call = kernel if op.host_outputs else backend.prepare(kernel, traceable)
        calls_functions = any(attr.kind == "func" for attr in schema.attrs)  # what is inside falls back by itself
        self.final = on_host or op.stateful or calls_functions
        handles = [index for index, dtype in enumerate(input_dtypes) if dtype is resource]
        if op.stateful and handles and not (on_host or calls_functions):
            self.call = self._unless_assigned(self.call, handles)
        self.dtype = self.dtypes[0] if self.single else None
        self.home = self.homes[0] if self.single else None

    def _placement(self, input_dtypes: Sequence[DType]) -> tuple[Backend, ...]:
        op = self.op
        lengths = op.schema.lengths(len(input_dtypes), self.attrs)
        names = [name for name, length in zip(op.schema.input_names, lengths, strict=True) for _ in range(length)]
        return tuple(
            NUMPY if name in op.host_inputs else home(self.backend, dtype)
            for name, dtype in zip(names, input_dtypes, strict=True)
        )

    def retry(self, error: Exception, arrays: Sequence[Any]) -> Any:
        """Computes with core's NumPy kernel what `call` failed to; if that works, `call` does so from now on.

        What an op with effects has done is not done again: its error is raised.

        Args:
            error: What `call` raised.
            arrays: What it was given.

        Raises:
            UnimplementedError: The backend cannot compute the op, and falling back is switched off.
            Exception: `error`, if it does not say that the backend is unable to, or what the NumPy kernel raises: the
                input was at fault.
        """
        if self.final or not isinstance(error, self.backend.unsupported_errors):
            raise error
        return self._fall_back(error, arrays)

    def _unless_assigned(self, call: Callable[..., Any], handles: Sequence[int]) -> Callable[..., Any]:
        """The call of an op over variables, falling back if it fails before any of them, its inputs `handles`, is assigned."""

        def guarded(*arrays: Any) -> Any:
            before = [getattr(arrays[index], "version", None) for index in handles]
            try:
                return call(*arrays)
            except self.backend.unsupported_errors as error:
                if None in before or before != [arrays[index].version for index in handles]:
                    raise
                return self._fall_back(error, arrays)

        return guarded

    def _fall_back(self, error: Exception, arrays: Sequence[Any]) -> Any:
        if not soft_placement:
            self._raise_if_mistaken(arrays)
            raise UnimplementedError(
                f"{self.op.name} cannot be computed by the backend {self.backend.name!r} ({error}), and falling back to "
                "NumPy is switched off; switch it on with tf.config.set_soft_device_placement(True)."
            ) from error
        kernel = self._numpy_kernel()
        placement, homes, single = self.placement, self.homes, self.single

        def through_host(*arrays: Any) -> Any:
            result = kernel(*(b.to_numpy(array) for b, array in zip(placement, arrays, strict=True)))
            if single:
                return _moved(homes[0], result)
            return [_moved(b, array) for b, array in zip(homes, result, strict=True)]

        result = through_host(*arrays)
        self.call = through_host
        fallbacks[self.backend.name, self.op.name] += 1
        return result

    def _numpy_kernel(self) -> Callable[..., Any]:
        return _quietly(self.op.native_kernel(NUMPY, self.attrs, override=False))

    def _raise_if_mistaken(self, arrays: Sequence[Any]) -> None:
        """Raises what core's NumPy kernel says is wrong with the arrays; what it computes of them is not used."""
        if not self.op.stateful:
            self._numpy_kernel()(*(b.to_numpy(array) for b, array in zip(self.placement, arrays, strict=True)))


def _moved(backend: Backend, value: Any) -> Any:
    """A kernel's result, of core's NumPy kernel, at home on a backend; what is no array (a list of tensors) as it is."""
    return backend.from_numpy(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic, bytes)) else value


def bind(op: Op, backend: Backend, attrs: tuple[Any, ...], input_dtypes: Sequence[DType]) -> Bound:
    """Returns the binding, from the op's memory if there is one.

    Raises:
        DtypeMismatchError: The dtypes are not what the op takes.
    """
    key = (backend, attrs, tuple(input_dtypes))
    bound = op.bound.get(key) if op.cacheable else None
    if bound is None:
        bound = Bound(op, backend, attrs, input_dtypes)
        if op.cacheable:
            if op.memory is not None and len(op.bound) >= _REMEMBERED:  # each eager random op may have seeds of its own
                for oldest in list(op.bound)[: _REMEMBERED // 4]:
                    op.bound.pop(oldest, None)
            op.bound[key] = bound
    return bound


def _acts_for_backend(op: Op) -> bool:
    from modtf.core.engine.vocabulary import _wants_backend

    return callable(op.kernel) and _wants_backend(op.kernel)


def _quietly(kernel: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*arrays: Any) -> Any:
        with np.errstate(all="ignore"):
            return kernel(*arrays)

    return quiet


def _keeping_object_arrays(kernel: Callable[..., Any], single: bool) -> Callable[..., Any]:
    """NumPy turns zero-dimensional object arrays into their element; strings must stay arrays."""

    def wrapped(*arrays: Any) -> Any:
        result = kernel(*arrays)
        if single:
            return _object_array(result)
        return [_object_array(array) if isinstance(array, (bytes, str)) else array for array in result]

    return wrapped


def _object_array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else np.array(value, dtype=object)
