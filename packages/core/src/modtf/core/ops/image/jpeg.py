"""JPEG files, decoded as libjpeg does it for TensorFlow.

TensorFlow asks libjpeg for its fast transform and, at the same time, for interpolation between the coarser samples of
colour. Pillow gives the fast transform only without interpolation, which is therefore done here, as is the conversion
to RGB after it. ITU-T T.81 and T.871 define the format.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from modtf.core.extras import require
from modtf.core.values.errors import InvalidArgumentError

MAGIC = b"\xff\xd8\xff"


class Header(NamedTuple):
    """What a file says about its image.

    Attributes:
        width: Columns.
        height: Rows.
        sampling: For each component, how many samples it has across and down in the smallest unit.
        space: `"L"`, `"YCbCr"`, `"RGB"`, `"CMYK"` or `"YCCK"`.
        adobe: Whether Adobe's marker is there; if so, CMYK is stored inverted.
    """

    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]
    space: str
    adobe: bool


def _invalid(why: str, contents: bytes) -> InvalidArgumentError:
    return InvalidArgumentError(f"Invalid JPEG data or crop window, data size {len(contents)}: {why}")


_WITHOUT_CONTENT = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def header_of(contents: bytes) -> Header:
    """Reads the header.

    Raises:
        InvalidArgumentError: It is not that of a JPEG file.
    """
    if not contents.startswith(MAGIC[:2]):
        raise _invalid(f"it begins with {contents[:4]!r}", contents)
    place, jfif, transform = 2, False, -1
    while place + 4 <= len(contents):
        if contents[place] != 0xFF:
            place += 1
            continue
        marker = contents[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        place += 2
        if marker in _WITHOUT_CONTENT or marker == 0:
            continue
        if marker in (0xD9, 0xDA) or place + 2 > len(contents):
            break
        (length,) = struct.unpack_from(">H", contents, place)
        content = contents[place + 2 : place + length]
        if length < 2 or len(content) < length - 2:
            break
        if marker == 0xE0 and content[:5] == b"JFIF\0":
            jfif = True
        elif marker == 0xEE and content[:5] == b"Adobe" and len(content) >= 12:
            transform = content[11]
        elif marker in _FRAMES and len(content) >= 6:
            return _frame(content, jfif, transform, contents)
        place += length
    raise _invalid("it has no frame header", contents)


def _frame(content: bytes, jfif: bool, transform: int, contents: bytes) -> Header:
    depth, height, width, count = struct.unpack_from(">BHHB", content)
    if depth != 8 or not height or not width or count not in (1, 3, 4) or len(content) < 6 + 3 * count:
        raise _invalid(f"its frame has {depth} bits, {width} by {height} pixels and {count} components", contents)
    components = [content[6 + 3 * index : 9 + 3 * index] for index in range(count)]
    sampling = tuple((part[1] >> 4, part[1] & 15) for part in components)
    if not all(0 < side <= 4 for pair in sampling for side in pair):
        raise _invalid(f"its components are sampled {sampling}", contents)
    if count == 1:
        space = "L"
    elif count == 4:
        space = "CMYK" if transform in (-1, 0) else "YCCK"
    elif jfif:
        space = "YCbCr"
    elif transform >= 0:
        space = "YCbCr" if transform else "RGB"
    else:
        space = "RGB" if bytes(part[0] for part in components) == b"RGB" else "YCbCr"
    return Header(width, height, sampling, space, transform >= 0)


# ------------------------------------------------------------------------------------------------- decoding


class Options(NamedTuple):
    """How to decode.

    Attributes:
        channels: 1, 3, or 0 for as many as the file has, but not more than 3.
        ratio: By how much the image is made smaller: 1, 2, 4 or 8.
        fancy: Whether to interpolate between samples of colour.
        fast: Whether to take the transform that is less exact.
        recover: Whether what is missing at a file's end may be filled up.
        fraction: What part of the rows must be there; the others are black.
    """

    channels: int = 0
    ratio: int = 1
    fancy: bool = True
    fast: bool = True
    recover: bool = False
    fraction: float = 1.0


def decode(contents: bytes, options: Options) -> np.ndarray:
    """Returns the pixels of a JPEG file, [height, width, channels] in uint8."""
    header = header_of(contents)
    try:
        return _decoded(contents, header, options)
    except InvalidArgumentError:
        if options.fraction >= 1:
            raise
        rows = _rows_there(contents, header, options)
        if rows < options.fraction * -(-header.height // options.ratio):
            raise
    pixels = _decoded(contents, header, options._replace(recover=True)).copy()
    pixels[rows:] = 0
    return pixels


def _rows_there(contents: bytes, header: Header, options: Options) -> int:
    """How many rows of a file that ends too early can be decoded."""
    images = require("PIL.Image", extra="image", what="Decoding JPEG")
    mode = {"L": "L", "RGB": "RGB", "YCbCr": "YCbCr"}.get(header.space, "CMYK")
    image = images.new(mode, tuple(-(-side // options.ratio) for side in (header.width, header.height)))
    try:
        image.frombytes(contents, "jpeg", (mode, "", options.ratio, 1))
    except (ValueError, OSError):
        there = np.flatnonzero(np.asarray(image).reshape(image.height, -1).any(axis=1))
        return int(there[-1]) + 1 if there.size else 0
    return int(image.height)


def _decoded(contents: bytes, header: Header, options: Options) -> np.ndarray:
    channels = options.channels or min(len(header.sampling), 3)
    if channels == 1:
        if header.space in ("CMYK", "YCCK"):
            raise _invalid("it has four components, which cannot become grey", contents)
        return _read(contents, header, options, "L", draft=options.fast)[..., None]
    if header.space in ("CMYK", "YCCK"):
        return _from_cmyk(_read(contents, header, options, "CMYK", draft=options.fast), header.adobe)
    expansion = _expansion(header, options.ratio)
    interpolating = options.fancy and options.ratio < 8 and expansion in _INTERPOLATED
    if header.space != "YCbCr" or options.fast != interpolating or expansion not in _INTERPOLATED:
        # The two go together in Pillow: the fast transform without interpolation, the exact one with it.
        return _read(contents, header, options, "RGB", draft=options.fast)
    exact = _read(contents, header, options, "YCbCr", draft=options.fast)
    repeated = exact if options.fast else _read(contents, header, options, "YCbCr", draft=True)
    down, across = expansion
    blue, red = (repeated[::down, ::across, index] for index in (1, 2))
    if interpolating:
        blue, red = (_INTERPOLATED[expansion](plane)[: exact.shape[0], : exact.shape[1]] for plane in (blue, red))
    else:
        blue, red = repeated[..., 1], repeated[..., 2]
    return _to_rgb(exact[..., 0], blue, red)


def _read(contents: bytes, header: Header, options: Options, mode: str, draft: bool) -> np.ndarray:
    """Has libjpeg decode; a draft is made with the fast transform and without interpolation."""
    images = require("PIL.Image", extra="image", what="Decoding JPEG")
    size = tuple(-(-side // options.ratio) for side in (header.width, header.height))
    data = contents + b"\xff\xd9" if options.recover else contents
    try:
        image = images.frombytes(mode, size, data, "jpeg", mode, "", options.ratio, int(draft))
    except (ValueError, OSError) as error:
        raise _invalid(f"its pixels cannot be read: {error}", contents) from None
    return np.asarray(image)


def _expansion(header: Header, ratio: int) -> tuple[int, int]:
    """By how much the samples of colour are coarser, down and across, after decoding in a smaller size."""
    if len(header.sampling) != 3 or len(set(header.sampling[1:])) != 1:
        return 1, 1
    across, down = (max(sides) for sides in zip(*header.sampling, strict=True))
    own_across, own_down = header.sampling[1]
    least = size = 8 // ratio
    while size < 8 and across * least % (own_across * size * 2) == 0 and down * least % (own_down * size * 2) == 0:
        size *= 2
    return down * least // (own_down * size), across * least // (own_across * size)


def _across(plane: np.ndarray) -> np.ndarray:
    """Twice as many columns; each is 3/4 the nearer and 1/4 the farther sample."""
    if plane.shape[1] <= 2:
        return np.repeat(plane, 2, axis=1)
    wide = np.pad(plane, ((0, 0), (1, 1)), mode="edge").astype(np.int32)
    middle = 3 * wide[:, 1:-1]
    made = np.stack([(middle + wide[:, :-2] + 1) >> 2, (middle + wide[:, 2:] + 2) >> 2], axis=2)
    return made.reshape(len(plane), -1)


def _down(plane: np.ndarray) -> np.ndarray:
    """The same for rows."""
    high = np.pad(plane, ((1, 1), (0, 0)), mode="edge").astype(np.int32)
    middle = 3 * high[1:-1]
    made = np.stack([(middle + high[:-2] + 1) >> 2, (middle + high[2:] + 2) >> 2], axis=1)
    return made.reshape(-1, plane.shape[1])


def _both(plane: np.ndarray) -> np.ndarray:
    """The same for both at once."""
    if plane.shape[1] <= 2:
        return np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1)
    high = np.pad(plane, ((1, 1), (0, 0)), mode="edge").astype(np.int32)
    middle = 3 * high[1:-1]
    rows = np.stack([middle + high[:-2], middle + high[2:]], axis=1).reshape(-1, plane.shape[1])
    wide = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
    middle = 3 * wide[:, 1:-1]
    made = np.stack([(middle + wide[:, :-2] + 8) >> 4, (middle + wide[:, 2:] + 7) >> 4], axis=2)
    return made.reshape(len(rows), -1)


_INTERPOLATED: dict[tuple[int, int], Any] = {(1, 2): _across, (2, 1): _down, (2, 2): _both}
"""What libjpeg interpolates, by how much coarser samples are down and across."""


def _fixed(value: float) -> int:
    return int(value * 65536 + 0.5)


_HALF = 32768


def _to_rgb(light: np.ndarray, blue: np.ndarray, red: np.ndarray) -> np.ndarray:
    """The colours of T.871, by libjpeg's arithmetic of 16 fractional bits."""
    y, cb, cr = light.astype(np.int32), blue.astype(np.int32) - 128, red.astype(np.int32) - 128
    colours = [
        y + ((_fixed(1.402) * cr + _HALF) >> 16),
        y + ((-_fixed(0.34414) * cb - _fixed(0.71414) * cr + _HALF) >> 16),
        y + ((_fixed(1.772) * cb + _HALF) >> 16),
    ]
    return np.clip(np.stack(colours, axis=-1), 0, 255).astype(np.uint8)


def _from_cmyk(inks: np.ndarray, inverted: bool) -> np.ndarray:
    amounts = inks.astype(np.int32) if inverted else 255 - inks.astype(np.int32)
    return (amounts[..., :3] * amounts[..., 3:] // 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------------- encoding

_XMP = b"http://ns.adobe.com/xap/1.0/\0"


class Writing(NamedTuple):
    """How to encode; see TensorFlow's `EncodeJpeg`."""

    quality: int = 95
    progressive: bool = False
    optimize_size: bool = False
    chroma_downsampling: bool = True
    density_unit: str = "in"
    x_density: int = 300
    y_density: int = 300
    xmp_metadata: bytes = b""


def encode(pixels: np.ndarray, writing: Writing) -> bytes:
    """Returns pixels [height, width, 1 or 3] in uint8 as a JPEG file."""
    import io

    images = require("PIL.Image", extra="image", what="Encoding JPEG")
    image = images.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    file = io.BytesIO()
    image.save(
        file,
        "JPEG",
        quality=writing.quality,
        progressive=writing.progressive,
        optimize=writing.optimize_size,
        subsampling=2 if writing.chroma_downsampling and pixels.shape[2] == 3 else 0,
        dpi=(writing.x_density, writing.y_density),
    )
    made = bytearray(file.getvalue())
    if made[6:11] == b"JFIF\0":
        made[13] = 1 if writing.density_unit == "in" else 2
        made[14:18] = struct.pack(">HH", writing.x_density, writing.y_density)
    if writing.xmp_metadata:
        content = _XMP + writing.xmp_metadata
        if len(content) > 65533:
            raise InvalidArgumentError(
                f"XMP metadata of {len(writing.xmp_metadata)} bytes are too long for a JPEG file"
            )
        behind = 4 + struct.unpack_from(">H", made, 4)[0]
        made[behind:behind] = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return bytes(made)
