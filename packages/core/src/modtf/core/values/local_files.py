"""Files by path: what the ops and functions that read and write files have in common."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from typing import Any

from modtf.core.values.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    NotFoundError,
    OpError,
    PermissionDeniedError,
    UnimplementedError,
)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SPECIAL = re.compile(r"[*?\[\\]")
_ERRORS: dict[type[OSError], type[OpError]] = {
    FileNotFoundError: NotFoundError,
    NotADirectoryError: FailedPreconditionError,
    IsADirectoryError: FailedPreconditionError,
    FileExistsError: AlreadyExistsError,
    PermissionError: PermissionDeniedError,
}


def local_path(path: Any) -> str:
    """Returns a path as a string, that of a `file://` address without it.

    Raises:
        UnimplementedError: It is the address of a file elsewhere.
    """
    text = os.fsdecode(path)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return text
    if scheme[1].lower() != "file":
        raise UnimplementedError(
            f"File system scheme {scheme[1]!r} not implemented (file: {text!r}). Only local files can be read and written; "
            "copy it to this machine first."
        )
    return text[scheme.end() :]


def content_of(path: str) -> bytes:
    """Returns what a file holds.

    Raises:
        OSError: It cannot be read, or is a device, which may have no end: the name may come from a model.
    """
    with open(path, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "is a device, not a file", path)
        return file.read()


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raises the system's errors as those of `tf.errors`."""
    try:
        yield
    except OSError as error:
        kind = next((ours for theirs, ours in _ERRORS.items() if isinstance(error, theirs)), FailedPreconditionError)
        raise kind(f"{error.filename}; {error.strerror}") from error


def matching(pattern: str) -> list[str]:
    """Returns the paths of the files and folders that match a pattern, sorted.

    `*` stands for any characters but `/`, `?` for one, `[...]` for one of those inside; a backslash makes the next
    character an ordinary one.
    """
    pattern = local_path(pattern)
    if not _SPECIAL.search(pattern):
        return [pattern] if os.path.exists(pattern) else []
    found = ["/"] if pattern.startswith("/") else [""]
    for part in pattern.split("/"):
        if part:
            found = [path for folder in found for path in _matching_in(folder, part)]
    return sorted(found)


def _matching_in(folder: str, part: str) -> list[str]:
    if not _SPECIAL.search(part):
        path = os.path.join(folder, part)
        return [path] if os.path.exists(path) else []
    matches = re.compile(_expression(part), re.DOTALL).fullmatch
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder or ".") if matches(name)]
    except OSError:  # no folder, or not one that can be read
        return []


def _expression(part: str) -> str:
    """The regular expression of a pattern's part."""
    expression, at = "", 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            expression += ".*"
        elif char == "?":
            expression += "."
        elif char == "\\" and at < len(part):
            expression += re.escape(part[at])
            at += 1
        elif char == "[" and (end := part.find("]", at + 1 + (part[at : at + 1] in ("!", "^")))) > 0:
            inside = part[at:end].replace("\\", "\\\\").replace("[", "\\[")
            expression += f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]"
            at = end + 1
        else:
            expression += re.escape(char)
    return expression
