"""Where in the user's program things come from."""

from __future__ import annotations

import sys
from types import FrameType

_PACKAGE = __name__.rsplit(".", 2)[0] + "."
_OTHERS = ("malt.", "modtf.layers.", "modtf.hub.", "contextlib")

_generated: dict[str, dict[int, tuple[str, int]]] = {}


def register_generated(filename: str, lines: dict[int, tuple[str, int]]) -> None:
    """Notes that a file was made of a user's: for each of its lines, the file and the line that it stands for."""
    _generated[filename] = lines


def is_generated(filename: str) -> bool:
    """Whether a file was made of a user's."""
    return filename in _generated


def original(filename: str, line: int) -> tuple[str, int]:
    """The user's own file and line."""
    lines = _generated.get(filename)
    if lines is None:
        return filename, line
    nearest = max((known for known in lines if known <= line), default=min(lines, default=None))
    return (filename, line) if nearest is None else lines[nearest]


def user_line() -> str:
    """The innermost line of the running program that is not modtf's own, as `"file.py:12"`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_PACKAGE) and not module.startswith(_OTHERS):
            file, line = original(frame.f_code.co_filename, frame.f_lineno)
            return f"{file}:{line}"
        frame = frame.f_back
    return ""
