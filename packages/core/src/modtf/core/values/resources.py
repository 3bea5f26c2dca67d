"""Resources: the mutable boxes behind variables. A tensor of dtype `resource` is a handle of one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modtf.core.backends.numpy import NUMPY
from modtf.core.backends.contract import Backend
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

    Attributes:
        value: The current value, `None` while uninitialised.
        dtype: Its dtype.
        dims: The shape that every value must fit.
        lock: Held during read-modify-write updates.
        name: For messages.
    """

    __slots__ = ("dims", "dtype", "lock", "name", "value")

    def __init__(self, name: str, dtype: DType, dims: Dims, value: EagerTensor | None = None) -> None:
        self.name = name
        self.dtype = dtype
        self.dims = dims
        self.value = value
        self.lock = threading.RLock()

    def read(self, backend: Backend) -> Any:
        """Returns the value as an array of `backend`; if it was elsewhere, it moves there.

        Raises:
            FailedPreconditionError: There is no value yet.
        """
        value = self.value
        if value is None:
            raise FailedPreconditionError(f"The variable {self.name!r} was read before it was initialised; assign it first.")
        place = home(backend, self.dtype)
        if value.backend is not place:
            moved = EagerTensor(value.on(place), self.dtype, place)
            with self.lock:
                if self.value is value:
                    self.value = moved
            value = moved
        return value.array

    def assign(self, array: Any, backend: Backend) -> None:
        """Replaces the value by an array of `backend`."""
        self.value = EagerTensor(array, self.dtype, home(backend, self.dtype))


class Handle(EagerTensor):
    """The resource tensor of a variable."""

    __slots__ = ("variable",)

    def __init__(self, resource: Resource, variable: Variable | None = None) -> None:
        super().__init__(resource, dtypes.resource, NUMPY)
        self.variable = variable


def handle_dims(tensor: Any) -> Dims:
    """The shape of the variable that a handle, eager or symbolic, refers to."""
    return tensor.array.dims if isinstance(tensor, EagerTensor) else tensor.handle_dims
