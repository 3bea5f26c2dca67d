"""What reading a SavedModel or a checkpoint may raise. Every message names the file, the part and what was expected."""

from __future__ import annotations


class SavedModelError(Exception):
    """A SavedModel or checkpoint cannot be read or written."""


class DataLossError(SavedModelError):
    """A file is truncated, altered, or contradicts itself."""


class UnsupportedError(SavedModelError):
    """A file is sound, but uses a part of the format that is not read here."""


class NotFoundError(SavedModelError, FileNotFoundError):
    """A file that should be there is missing."""


class TensorNotFoundError(SavedModelError, KeyError):
    """A checkpoint has no tensor of that name."""

    __str__ = Exception.__str__  # KeyError would print the message as a quoted repr


class IncompatibleValueError(SavedModelError, ValueError):
    """A value of a checkpoint does not fit the variable that it belongs to."""
