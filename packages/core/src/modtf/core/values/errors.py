"""The errors that ops and functions raise, by TensorFlow's names (`tf.errors`)."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ABORTED", "ALREADY_EXISTS", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION", "INTERNAL",
    "INVALID_ARGUMENT", "NOT_FOUND", "OK", "OUT_OF_RANGE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED", "UNAVAILABLE", "UNIMPLEMENTED", "UNKNOWN", "AbortedError", "AlreadyExistsError",
    "CancelledError", "DataLossError", "DeadlineExceededError", "FailedPreconditionError", "InternalError",
    "InvalidArgumentError", "NotFoundError", "OpError", "OperatorNotAllowedInGraphError", "OutOfRangeError",
    "PermissionDeniedError", "ResourceExhaustedError", "UnauthenticatedError", "UnavailableError",
    "UnimplementedError", "UnknownError",
]  # fmt: skip

# The canonical status codes, which gRPC and others share: https://grpc.io/docs/guides/status-codes/
OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An op could not be carried out.

    It is made of a message and the node, `NotFoundError(message, op)`, or of what TensorFlow makes it of:
    `NotFoundError(node_def, op, message)`, and for this class the error code behind.

    Attributes:
        message: What went wrong, as a sentence.
        op: The graph node that failed, where there is one.
        node_def: The same, by TensorFlow's name.
        error_code: The number of the kind of error, such as `tf.errors.NOT_FOUND`.
        experimental_payloads: What else a remote service said of it; nothing.
    """

    error_code: int = UNKNOWN

    def __init__(self, message: Any, op: Any = None, *args: Any) -> None:
        node_def = op
        if args:
            node_def, message = message, args[0]
        if len(args) > 1:
            self.error_code = args[1]
        super().__init__(message)
        self.message = message
        self.op = op
        self._node_def = node_def

    @property
    def node_def(self) -> Any:
        return self._node_def

    @property
    def experimental_payloads(self) -> dict[bytes, bytes]:
        return {}


class InvalidArgumentError(OpError, ValueError):
    """An input's value, shape or dtype is not one that the op takes.

    It is a `ValueError` as well, which is what TensorFlow raises for the same mistake while tracing.
    """

    error_code = INVALID_ARGUMENT


class DtypeMismatchError(InvalidArgumentError, TypeError):
    """An input has a dtype that the op does not take there. Nothing is promoted silently: cast with `tf.cast`."""


class NotFoundError(OpError):
    """Something asked for by name does not exist."""

    error_code = NOT_FOUND


class AlreadyExistsError(OpError):
    """Something to be created exists already."""

    error_code = ALREADY_EXISTS


class FailedPreconditionError(OpError):
    """The system is not in the state that the op needs, e.g. a variable was not initialised."""

    error_code = FAILED_PRECONDITION


class OutOfRangeError(OpError):
    """An op went past the end of its input."""

    error_code = OUT_OF_RANGE


class PermissionDeniedError(OpError):
    """The caller may not do that, e.g. write into a file that is open for reading."""

    error_code = PERMISSION_DENIED


class UnknownError(OpError):
    """Something failed that `tf.errors` has no kind for, such as a Python function that a graph calls."""

    error_code = UNKNOWN


class UnimplementedError(OpError, NotImplementedError):
    """The op, or this use of it, is not available on this backend."""

    error_code = UNIMPLEMENTED


class DataLossError(OpError):
    """Data that was read back is damaged."""

    error_code = DATA_LOSS


class ResourceExhaustedError(OpError):
    """Memory or another resource ran out."""

    error_code = RESOURCE_EXHAUSTED


class InternalError(OpError):
    """An invariant of modtf was broken."""

    error_code = INTERNAL


class AbortedError(OpError):
    """The op was given up."""

    error_code = ABORTED


class CancelledError(OpError):
    """The op was stopped by its caller."""

    error_code = CANCELLED


class DeadlineExceededError(OpError):
    """The op took longer than it was given."""

    error_code = DEADLINE_EXCEEDED


class UnavailableError(OpError):
    """A service cannot be reached now; it may be later."""

    error_code = UNAVAILABLE


class UnauthenticatedError(OpError):
    """A service does not know who asks."""

    error_code = UNAUTHENTICATED


class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs a value, e.g. as the condition of an `if`."""
