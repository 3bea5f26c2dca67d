"""GIF files: their frames, one drawn over the other as TensorFlow does.

CompuServe, "Graphics Interchange Format, Version 89a", 1990.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from modtf.core.extras import require
from modtf.core.values.errors import InvalidArgumentError


class _Frame(NamedTuple):
    """A frame as it stands in the file: its place, and what decodes to its pixels."""

    left: int
    top: int
    width: int
    height: int
    colours: np.ndarray | None
    transparent: int
    bits: int
    interlaced: bool
    blocks: bytes


class _TooShort(Exception):
    """The file ends where more must follow."""


class _Reader:
    """Takes a file apart from its beginning."""

    def __init__(self, contents: bytes) -> None:
        self.contents = contents
        self.place = 0

    def take(self, count: int) -> bytes:
        if self.place + count > len(self.contents):
            raise _TooShort
        self.place += count
        return self.contents[self.place - count : self.place]

    def blocks(self) -> tuple[bytes, bytes]:
        """Blocks up to an empty one: with their lengths, and their contents joined."""
        start, parts = self.place, []
        while count := self.take(1)[0]:
            parts.append(self.take(count))
        return self.contents[start : self.place], b"".join(parts)

    def colours(self, flags: int) -> np.ndarray | None:
        """The table of colours that follows if the flags say so."""
        if not flags & 0x80:
            return None
        return np.frombuffer(self.take(3 << (flags & 7) + 1), np.uint8).reshape(-1, 3)


def _frames(contents: bytes) -> list[_Frame]:
    """The frames that stand in the file in full."""
    frames: list[_Frame] = []
    try:
        for frame in _read(_Reader(contents)):
            frames.append(frame)
    except _TooShort:
        if not frames:
            raise InvalidArgumentError(
                f"Invalid GIF data (size {len(contents)}): it ends before its first frame does"
            ) from None
    if not frames:
        raise InvalidArgumentError(f"Invalid GIF data (size {len(contents)}): it does not contain any image")
    return frames


def _read(reader: _Reader) -> Iterator[_Frame]:
    reader.take(6)  # the signature and the version
    _, _, flags, _, _ = struct.unpack("<HHBBB", reader.take(7))
    shared = reader.colours(flags)
    transparent = -1
    while (kind := reader.take(1)) != b";":
        if kind == b"!":
            label = reader.take(1)[0]
            _, content = reader.blocks()
            if label == 0xF9 and len(content) >= 4:
                transparent = content[3] if content[0] & 1 else -1
        elif kind == b",":
            left, top, width, height, flags = struct.unpack("<HHHHB", reader.take(9))
            own = reader.colours(flags)
            bits = reader.take(1)[0]
            blocks, _ = reader.blocks()
            colours = shared if own is None else own
            yield _Frame(left, top, width, height, colours, transparent, bits, bool(flags & 0x40), blocks)
            transparent = -1
        else:
            raise InvalidArgumentError(f"Invalid GIF data (size {len(reader.contents)}): it has a block {kind!r}")


def _drawn(frame: _Frame, canvas: np.ndarray, number: int) -> None:
    images = require("PIL.Image", extra="image", what="Decoding GIF")
    try:
        pixels = images.frombytes(
            "L", (frame.width, frame.height), frame.blocks, "gif", frame.bits, int(frame.interlaced)
        )
    except (ValueError, OSError) as error:
        raise InvalidArgumentError(f"Invalid GIF data: frame {number} cannot be read: {error}") from None
    if frame.colours is None:
        raise InvalidArgumentError(f"Invalid GIF data: missing color map for frame {number}")
    indices = np.asarray(pixels)[: max(0, len(canvas) - frame.top), : max(0, canvas.shape[1] - frame.left)]
    seen = indices != frame.transparent
    beyond = indices[seen & (indices >= len(frame.colours))]
    if beyond.size:
        raise InvalidArgumentError(
            f"Invalid GIF data: found color index {beyond[0]} outside of color map range {len(frame.colours)}"
        )
    target = canvas[frame.top : frame.top + indices.shape[0], frame.left : frame.left + indices.shape[1]]
    target[seen] = frame.colours[indices[seen]]


def decode(contents: bytes, all_frames: bool) -> np.ndarray:
    """Returns the frames of a GIF file, [frames, height, width, 3] in uint8; only the first unless `all_frames`.

    They are as large as the largest frame. What a frame leaves free or transparent shows the one before it, or black.
    """
    frames = _frames(contents)
    height, width = max(frame.height for frame in frames), max(frame.width for frame in frames)
    if not height or not width:
        raise InvalidArgumentError(f"Invalid GIF data (size {len(contents)}): its frames are empty")
    made: list[np.ndarray] = []
    for number, frame in enumerate(frames if all_frames else frames[:1]):
        canvas = made[-1].copy() if made else np.zeros((height, width, 3), np.uint8)
        _drawn(frame, canvas, number)
        made.append(canvas)
    return np.stack(made)
