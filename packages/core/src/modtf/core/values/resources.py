"""Resources: the mutable boxes behind variables. A tensor of dtype `resource` is a handle of one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine.binding import home
from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import FailedPreconditionError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import EagerTensor

if TYPE_CHECKING:
    from modtf.core.values.variables import Variable


class Resource:
    """What a variable's handle refers to: a value that is replaced as a whole, so that readers never see half of one.

    Whoever reads the value shares it from then on. Until then a backend that put it there may `take` it back, to write
    the next value into its memory.

    Attributes:
        dtype: The value's dtype.
        dims: The shape that every value must fit.
        lock: Held while the value is replaced.
        name: For messages.
        version: How often the value has been replaced.
    """

    __slots__ = ("_own", "_shared", "dims", "dtype", "lock", "name", "version")

    def __init__(self, name: str, dtype: DType, dims: Dims, value: EagerTensor | None = None) -> None:
        self.name = name
        self.dtype = dtype
        self.dims = dims
        self.lock = threading.RLock()
        self._shared = value
        self._own: EagerTensor | None = None  # a value that nobody has read; then `_shared` is None
        self.version = 0

    @property
    def value(self) -> EagerTensor | None:
        """The current value, `None` while uninitialised."""
        value = self._shared
        return self._share() if value is None else value

    @value.setter
    def value(self, value: EagerTensor | None) -> None:
        with self.lock:
            self._shared, self._own = value, None
            self.version += 1

    def _share(self) -> EagerTensor | None:
        with self.lock:
            if self._own is not None:
                self._shared, self._own = self._own, None
            return self._shared

    def read(self, backend: Backend) -> Any:
        """Returns the value as an array of `backend`; if it was elsewhere, it moves there.

        Raises:
            FailedPreconditionError: There is no value yet.
        """
        value = self._shared
        if value is None:
            value = self._share()
        if value is None:
            raise FailedPreconditionError(
                f"The variable {self.name!r} was read before it was initialised; assign it first."
            )
        place = home(backend, self.dtype)
        if value.backend is not place:
            moved = EagerTensor(value.on(place), self.dtype, place)
            with self.lock:
                if self._shared is value:
                    self._shared = moved
            value = moved
        return value.array

    def take(self, backend: Backend) -> Any:
        """Returns the value's array if nobody else can hold it and it is one of `backend`, else `None`.

        The caller holds `lock`, and keeps it until it has assigned another value: what it took may be overwritten.
        """
        own = self._own
        return own.array if own is not None and own.backend is backend else None

    def assign(self, array: Any, backend: Backend, *, shared: bool = True) -> None:
        """Replaces the value by an array of `backend`.

        Args:
            array: The new value.
            backend: Whose array it is.
            shared: Whether others may hold the array; if not, `take` will give it back while nobody has read it.
        """
        value = EagerTensor(array, self.dtype, home(backend, self.dtype))
        with self.lock:
            if shared:
                self._shared, self._own = value, None
            else:
                self._shared, self._own = None, value
            self.version += 1


class Handle(EagerTensor):
    """The resource tensor of a variable."""

    __slots__ = ("variable",)

    def __init__(self, resource: Resource, variable: Variable | None = None) -> None:
        super().__init__(resource, dtypes.resource, NUMPY)
        self.variable = variable


def handle_dims(tensor: Any) -> Dims:
    """The shape of the variable that a handle, eager or symbolic, refers to; `None` for a table's."""
    return getattr(tensor.array, "dims", None) if isinstance(tensor, EagerTensor) else tensor.handle_dims
