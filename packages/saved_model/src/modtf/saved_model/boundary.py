"""The boundary between files and the program: what an altered file makes go wrong becomes one error that names it.

Readers check what they can say something about: sizes, numbers, names. Whatever else does not fit, such as an attribute that
an op's shape rule stumbles over, ends here.
"""

from __future__ import annotations

import os
from types import TracebackType

from google.protobuf.message import DecodeError

from modtf import core as tf

from .errors import DataLossError, NotFoundError, SavedModelError

_SIGNS_OF_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, DecodeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError, tf.errors.OpError,
)  # fmt: skip
_MAX_MESSAGE = 2000


class reading:
    """A context manager: within it, an error that an altered file caused is raised as a `SavedModelError`.

    Args:
        path: the file or folder that is read; the error names it.
        part: the part of it, such as "function 'f'"; empty for the whole.

    Raises:
        SavedModelError: an error within: the same if it is a SavedModelError that names the file.
    """

    __slots__ = ("_part", "_path")

    def __init__(self, path: str | os.PathLike[str], part: str = "") -> None:
        self._path = path
        self._part = part

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        path = os.fspath(self._path)
        where = f"{path}: {self._part}" if self._part else path
        if isinstance(error, SavedModelError):
            if path not in str(error) or len(str(error)) > 2 * _MAX_MESSAGE:
                raise type(error)(f"{where}: {shortened(str(error))}") from error.__cause__
        elif isinstance(error, RecursionError):
            raise DataLossError(f"{where}: is nested too deep.") from None
        elif isinstance(error, MemoryError):
            raise DataLossError(f"{where}: asks for more memory than there is: {shortened(str(error))}") from error
        elif isinstance(error, FileNotFoundError):
            raise NotFoundError(f"{where}: {error}") from error
        elif isinstance(error, OSError):
            raise SavedModelError(f"{where}: cannot be read: {error}") from error
        elif isinstance(error, _SIGNS_OF_DAMAGE):
            reason = shortened(str(error)) or "no reason given"
            raise DataLossError(f"{where}: contradicts itself ({type(error).__name__}): {reason}") from error


def shortened(text: object) -> str:
    """Returns a text that an error may quote: a file may put anything of any length in it."""
    full = str(text)
    return full if len(full) <= _MAX_MESSAGE else f"{full[:_MAX_MESSAGE]}..."
