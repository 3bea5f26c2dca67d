"""PNG files, as libpng reads and writes them for TensorFlow: to any number of channels, with 8 or 16 bits each.

W3C, "Portable Network Graphics (PNG) Specification", third edition.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

import numpy as np

from modtf.core.extras import require
from modtf.core.values.errors import InvalidArgumentError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GREY: 1, _COLOUR: 3, _PALETTE: 1, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_DEPTHS = {
    _GREY: (1, 2, 4, 8, 16),
    _COLOUR: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16),
    _COLOUR_ALPHA: (8, 16),
}
_LARGEST_SIDE = 1_000_000
_LARGEST_DEFLATION = 1040
"""How many bytes at most come out of one that is compressed."""

# ------------------------------------------------------------------------------------------------- reading


class _File(NamedTuple):
    """What stands in a file: its header, the compressed rows, palette and transparency."""

    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool
    rows: bytes
    palette: np.ndarray
    transparency: bytes | None


def _invalid(why: str, contents: bytes) -> InvalidArgumentError:
    return InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: {why}")


def _parsed(contents: bytes) -> _File:
    header: tuple[int, ...] | None = None
    rows: list[bytes] = []
    palette, transparency = np.zeros((0, 3), np.uint8), None
    place = len(SIGNATURE)
    while True:
        if place + 12 > len(contents):
            raise _invalid("it ends before its last chunk", contents)
        length, name = struct.unpack_from(">I4s", contents, place)
        if place + 12 + length > len(contents):
            raise _invalid(f"it ends within the chunk {name!r}", contents)
        content = contents[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", contents, place + 8 + length)
        place += 12 + length
        if zlib.crc32(name + content) != checksum:
            if name[0:1].islower():  # one that may be ignored
                continue
            raise _invalid(f"the checksum of the chunk {name!r} is wrong", contents)
        if header is None and (name != b"IHDR" or length != 13):
            raise _invalid("it does not begin with a header", contents)
        if name == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif name == b"PLTE":
            palette = np.frombuffer(content[: length // 3 * 3], np.uint8).reshape(-1, 3)
        elif name == b"tRNS":
            transparency = content
        elif name == b"IDAT":
            rows.append(content)
        elif name == b"IEND":
            break
        elif name[0:1].isupper():
            raise _invalid(f"it has the unknown chunk {name!r}", contents)
    assert header is not None
    width, height, depth, kind, compression, filtering, interlace = header
    if not 0 < width <= _LARGEST_SIDE or not 0 < height <= _LARGEST_SIDE or width * height >= 1 << 29:
        raise _invalid(f"its size is {width} by {height}", contents)
    if depth not in _DEPTHS.get(kind, ()) or compression or filtering or interlace > 1:
        raise _invalid(f"its header says {header[2:]}", contents)
    if kind == _PALETTE and not len(palette):
        raise _invalid("it lacks a palette", contents)
    data = b"".join(rows)
    if width * height * depth * _SAMPLES[kind] // 8 > len(data) * _LARGEST_DEFLATION:
        raise _invalid("it has too little data for its size", contents)
    return _File(width, height, depth, kind, bool(interlace), data, palette, transparency)


def _samples(file: _File, contents: bytes) -> np.ndarray:
    """The samples as they stand in the file, [height, width, samples]."""
    images = require("PIL.Image", extra="image", what="Decoding PNG")

    def read(mode: str, raw: str) -> np.ndarray:
        try:
            image = images.frombytes(mode, (file.width, file.height), file.rows, "zip", raw, int(file.interlaced))
        except (ValueError, OSError) as error:
            raise _invalid(f"its pixels cannot be read: {error}", contents) from None
        pixels = np.asarray(image)
        return pixels.reshape(file.height, file.width, -1)

    if file.depth < 8:
        return read("P", f"P;{file.depth}")
    if file.depth == 8:
        mode = {_GREY: "L", _COLOUR: "RGB", _PALETTE: "P", _GREY_ALPHA: "LA", _COLOUR_ALPHA: "RGBA"}[file.kind]
        return read(mode, mode)
    if file.kind == _GREY:
        return read("I;16", "I;16B").astype(np.uint16)
    if file.kind == _GREY_ALPHA:
        return read("RGBA", "RGBA").copy().view(">u2").astype(np.uint16)
    mode = "RGB" if file.kind == _COLOUR else "RGBA"
    high, low = (read(mode, f"{mode};16{order}").astype(np.uint16) for order in "BL")
    return (high << 8) | low


def _grey(colours: np.ndarray, wide: bool) -> np.ndarray:
    """Luminance, with weights in 32768ths; of 8 bits, fractions are cut off."""
    red, green, blue = (colours[..., index : index + 1].astype(np.uint32) for index in range(3))
    total = 9797 * red + 19234 * green + 3737 * blue + (16384 if wide else 0)
    same = (red == green) & (green == blue)
    return np.where(same, red, total >> 15).astype(colours.dtype)


def decode(contents: bytes, channels: int, wide: bool) -> np.ndarray:
    """Returns the pixels of a PNG file.

    Args:
        contents: The file.
        channels: 1 (grey), 2 (with alpha), 3 (colour) or 4 (with alpha); 0 for as many as the file has.
        wide: Whether they are to be uint16 rather than uint8.

    Returns:
        An array [height, width, channels].
    """
    file = _parsed(contents)
    samples = _samples(file, contents)
    if not channels:
        channels = _SAMPLES[file.kind]
        if file.kind == _PALETTE:
            channels = 3 if file.transparency is None else 4
    colours, alpha = _colours_and_alpha(file, samples)
    deep = file.depth == 16
    if channels < 3 and colours.shape[2] == 3:
        colours = _grey(colours, deep)
    elif channels >= 3 and colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    if channels % 2 == 0:
        if alpha is None:  # opaque by the file's own number of bits, and so in TensorFlow even where it has less than 8
            alpha = np.full(colours.shape[:2], (1 << file.depth) - 1, colours.dtype)
        colours = np.concatenate([colours, alpha[..., None]], axis=2)
    if deep:
        return colours if wide else (colours >> 8).astype(np.uint8)
    return colours.astype(np.uint16) * 257 if wide else colours


def _colours_and_alpha(file: _File, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Grey or colours, of 8 or 16 bits, and alpha where the file has any."""
    if file.kind == _PALETTE:
        indices = np.minimum(samples[..., 0], len(file.palette) - 1)
        if file.transparency is None:
            return file.palette[indices], None
        opacity = np.full(len(file.palette), 255, np.uint8)
        given = np.frombuffer(file.transparency, np.uint8)[: len(opacity)]
        opacity[: len(given)] = given
        return file.palette[indices], opacity[indices]
    if file.kind in (_GREY_ALPHA, _COLOUR_ALPHA):
        return samples[..., :-1], samples[..., -1]
    alpha = None
    if file.transparency is not None and len(file.transparency) >= 2 * _SAMPLES[file.kind]:
        key = np.frombuffer(file.transparency[: 2 * _SAMPLES[file.kind]], ">u2") & ((1 << file.depth) - 1)
        opaque = 65535 if file.depth == 16 else 255
        alpha = np.where((samples == key).all(axis=2), 0, opaque).astype(samples.dtype)
    if file.depth < 8:
        samples = samples * np.uint8(255 // ((1 << file.depth) - 1))
    return samples, alpha


# ------------------------------------------------------------------------------------------------- writing


def encode(pixels: np.ndarray, compression: int) -> bytes:
    """Returns pixels [height, width, channels], uint8 or uint16, as a PNG file.

    Args:
        pixels: The pixels; 1 to 4 channels.
        compression: zlib's level, 0 to 9, or -1 for its default.
    """
    height, width, channels = pixels.shape
    kind = {1: _GREY, 2: _GREY_ALPHA, 3: _COLOUR, 4: _COLOUR_ALPHA}[channels]
    depth = 8 * pixels.dtype.itemsize
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    window = 15
    size = height * (rows.shape[1] + 1)
    while size + 262 <= 1 << (window - 1) and window > 8:
        window -= 1
    filtered = _filtered(rows, channels * depth // 8)
    # zlib cannot do with a window of 256 bytes, and takes one of 512 for it
    compressor = zlib.compressobj(compression, zlib.DEFLATED, max(window, 9), 9, zlib.Z_FILTERED)
    data = _with_window(compressor.compress(filtered.tobytes()) + compressor.flush(), size)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    chunks += [(b"IDAT", data[start : start + 8192]) for start in range(0, len(data), 8192)]
    parts = [SIGNATURE]
    for name, content in [*chunks, (b"IEND", b"")]:
        parts += [struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(name + content))]
    return b"".join(parts)


def _with_window(data: bytes, size: int) -> bytes:
    """Compressed data whose header says the smallest window that its decoder needs, as libpng writes it."""
    exponent = max(8, (size - 1).bit_length())
    if size > 16384 or exponent > 8 + (data[0] >> 4):
        return data
    first = data[0] & 15 | exponent - 8 << 4
    second = data[1] & 0xE0
    return bytes([first, second + 31 - (256 * first + second) % 31]) + data[2:]


def _filtered(rows: np.ndarray, step: int) -> np.ndarray:
    """Each row as differences from its neighbours, by the filter after which it is smallest, with its number in front."""
    best = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], axis=1)
    least = _magnitude(rows)
    left, up, corner = np.zeros_like(rows), np.zeros_like(rows), np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    up[1:] = rows[:-1]
    corner[1:, step:] = rows[:-1, :-step]
    for number, prediction in enumerate((left, up, _average(left, up), _paeth(left, up, corner)), 1):
        differences = rows - prediction
        size = _magnitude(differences)
        better = size < least
        best[better, 0], best[better, 1:] = number, differences[better]
        least = np.minimum(least, size)
    return best


def _magnitude(rows: np.ndarray) -> np.ndarray:
    return np.minimum(rows, np.uint8(0) - rows).sum(axis=1, dtype=np.int64)


def _average(left: np.ndarray, up: np.ndarray) -> Any:
    return (left & up) + ((left ^ up) >> 1)


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    a, b, c = (part.astype(np.int16) for part in (left, up, corner))
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
