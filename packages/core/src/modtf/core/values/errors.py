"""The errors that ops and functions raise, by TensorFlow's names (`tf.errors`)."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AbortedError", "AlreadyExistsError", "DataLossError", "FailedPreconditionError", "InternalError",
    "InvalidArgumentError", "NotFoundError", "OpError", "OperatorNotAllowedInGraphError", "OutOfRangeError",
    "PermissionDeniedError", "ResourceExhaustedError", "UnimplementedError", "UnknownError",
]  # fmt: skip


class OpError(Exception):
    """An op could not be carried out.

    Attributes:
        message: What went wrong, as a sentence.
        op: The graph node that failed, where there is one.
        node_def: The same, by TensorFlow's name.
    """

    def __init__(self, message: str, op: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.op = op

    @property
    def node_def(self) -> Any:
        return self.op


class InvalidArgumentError(OpError, ValueError):
    """An input's value, shape or dtype is not one that the op takes.

    It is a `ValueError` as well, which is what TensorFlow raises for the same mistake while tracing.
    """


class DtypeMismatchError(InvalidArgumentError, TypeError):
    """An input has a dtype that the op does not take there. Nothing is promoted silently: cast with `tf.cast`."""


class NotFoundError(OpError):
    """Something asked for by name does not exist."""


class AlreadyExistsError(OpError):
    """Something to be created exists already."""


class FailedPreconditionError(OpError):
    """The system is not in the state that the op needs, e.g. a variable was not initialised."""


class OutOfRangeError(OpError):
    """An op went past the end of its input."""


class PermissionDeniedError(OpError):
    """The caller may not do that, e.g. write into a file that is open for reading."""


class UnknownError(OpError):
    """Something failed that `tf.errors` has no kind for, such as a Python function that a graph calls."""


class UnimplementedError(OpError, NotImplementedError):
    """The op, or this use of it, is not available on this backend."""


class DataLossError(OpError):
    """Data that was read back is damaged."""


class ResourceExhaustedError(OpError):
    """Memory or another resource ran out."""


class InternalError(OpError):
    """An invariant of modtf was broken."""


class AbortedError(OpError):
    """The op was given up."""


class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs a value, e.g. as the condition of an `if`."""
