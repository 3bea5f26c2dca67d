"""Images out of files and into them."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import dims_from_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.extras import require
from modtf.core.ops.image import gif as image_gif
from modtf.core.ops.image import jpeg as image_jpeg
from modtf.core.ops.image import png as image_png
from modtf.core.values.dtypes import DType, float32, uint8, uint16
from modtf.core.values.errors import InvalidArgumentError, UnimplementedError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_FIRST_BYTES = (
    (image_jpeg.MAGIC, "JPEG"),
    (image_png.SIGNATURE, "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
)


def _format_of(contents: bytes) -> str:
    for magic, name in _FIRST_BYTES:
        if contents.startswith(magic):
            return name
    if contents.startswith(b"RIFF") and contents[8:12] == b"WEBP":
        return "WebP"
    raise InvalidArgumentError(
        "Unknown image file format. One of JPEG, JPEG XL, PNG, GIF, BMP, WebP required; the contents are "
        f"{len(contents)} bytes that begin with {contents[:12]!r}"
    )


def _bytes_of(contents: np.ndarray) -> bytes:
    if contents.shape != ():
        raise InvalidArgumentError(f"contents must be a scalar, but its shape is {contents.shape}")
    data: bytes = contents.item()
    if not data:
        raise InvalidArgumentError("Input is empty.")
    return data


def _check_channels(channels: int) -> None:
    if channels not in (0, 1, 3, 4):
        raise InvalidArgumentError(f"channels must be 0, 1, 3 or 4, but is {channels}")


def _scaled(pixels: np.ndarray, dtype: DType) -> np.ndarray:
    """Pixels of 8 bits in another dtype."""
    if dtype is uint16:
        return pixels.astype(np.uint16) * np.uint16(256)
    return pixels.astype(np.float32) * np.float32(1 / 255) if dtype is float32 else pixels


# ------------------------------------------------------------------------------------------------- formats


def _png(contents: bytes, channels: int, dtype: DType) -> np.ndarray:
    pixels = image_png.decode(contents, channels, dtype is not uint8)
    return pixels.astype(np.float32) * np.float32(1 / 65535) if dtype is float32 else pixels


def _jpeg(contents: bytes, dtype: DType, options: image_jpeg.Options) -> np.ndarray:
    if options.channels == 4:
        raise InvalidArgumentError("JPEG does not support 4 channels")
    return _scaled(image_jpeg.decode(contents, options), dtype)


def _gif(contents: bytes, channels: int, dtype: DType, all_frames: bool) -> np.ndarray:
    if channels not in (0, 3):
        raise InvalidArgumentError(f"channels must be 0 or 3 for GIF, but is {channels}")
    return _scaled(image_gif.decode(contents, all_frames), dtype)


def _bmp(contents: bytes, channels: int, dtype: DType) -> np.ndarray:
    if channels == 1:
        raise InvalidArgumentError("channels must be 0, 3 or 4 for BMP, but is 1")
    if len(contents) < 32:
        raise InvalidArgumentError(f"Incomplete bmp content: {len(contents)} bytes, where the header needs 32")
    start, width, height, bits = *struct.unpack_from("<i", contents, 10), *struct.unpack_from("<iixxh", contents, 18)
    given = bits // 8
    if given not in (1, 3, 4) or bits % 8:
        raise InvalidArgumentError(f"A BMP file must have 8, 24 or 32 bits for each pixel; this one has {bits}")
    if width <= 0 or height == 0 or start < 0 or width * abs(height) >= (2**31 - 1) // 8:
        raise InvalidArgumentError(f"A BMP file of {width} by {height} pixels that begin at byte {start} is not valid")
    stride = (given * width + 3) // 4 * 4
    surplus = len(contents) - start - stride * abs(height)
    if surplus:
        raise InvalidArgumentError(f"The size of a BMP file must be that of header and pixels; it differs by {surplus}")
    rows = np.frombuffer(contents, np.uint8, offset=start).reshape(abs(height), stride)
    pixels = rows[:, : given * width].reshape(abs(height), width, given)
    if height > 0:
        pixels = pixels[::-1]
    pixels = pixels[..., [2, 1, 0, *range(3, given)]] if given > 1 else pixels
    channels = channels or given
    if given == 1 and channels > 1:
        pixels = np.repeat(pixels, 3, axis=2)
    if channels == 4 and pixels.shape[2] == 3:
        pixels = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    return _scaled(np.ascontiguousarray(pixels[..., :channels]), dtype)


def _webp(contents: bytes, channels: int, dtype: DType, all_frames: bool) -> np.ndarray:
    if channels == 1:
        raise InvalidArgumentError("WebP only supports 3 or 4 channels")
    if dtype is not uint8:
        raise InvalidArgumentError(f"WebP only supports uint8 for dtype, not {dtype.name}")
    images = require("PIL.Image", extra="image", what="Decoding WebP")
    try:
        with images.open(io.BytesIO(contents), formats=["WEBP"]) as image:
            animated = getattr(image, "n_frames", 1) > 1
            own = 4 if animated or image.mode == "RGBA" else 3
            if channels not in (0, own):
                raise InvalidArgumentError(f"The WebP image has {own} channels, not {channels}")
            frames = []
            for number in range(image.n_frames if all_frames else 1):
                image.seek(number)
                frames.append(np.asarray(image.convert("RGBA" if own == 4 else "RGB")))
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, InvalidArgumentError):
            raise
        raise InvalidArgumentError(f"Failed to decode WebP, data size {len(contents)}: {error}") from None
    return np.stack(frames)


def _jxl(contents: bytes, channels: int, dtype: DType) -> np.ndarray:
    if dtype is not uint8:
        raise InvalidArgumentError(f"JPEG XL only supports uint8 for dtype, not {dtype.name}")
    images = require("PIL.Image", extra="image", what="Decoding JPEG XL")
    try:
        require("pillow_jxl", extra="image", what="Decoding JPEG XL")
    except UnimplementedError:
        raise UnimplementedError(
            "Decoding JPEG XL needs pillow-jxl-plugin, which is not installed. Run `pip install pillow-jxl-plugin`."
        ) from None
    try:
        with images.open(io.BytesIO(contents)) as image:
            pixels = np.asarray(image)
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"Failed to decode JPEG XL, data size {len(contents)}: {error}") from None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if channels not in (0, pixels.shape[2]):
        raise InvalidArgumentError(f"The JPEG XL image has {pixels.shape[2]} channels, not {channels}")
    return pixels


# ------------------------------------------------------------------------------------------------- decoding


def _image_dims(contents: Tensor, *others: Tensor, **attrs: Any) -> Dims:
    with_rank(contents, 0, "contents")
    channels = attrs.get("channels", 0)
    if channels < 0:
        raise ValueError(f"channels must not be negative, but is {channels}")
    return None, None, channels or None


def _decoded(
    name: str, contents: np.ndarray, channels: int, dtype: DType, options: image_jpeg.Options, animated: bool
) -> np.ndarray:
    """What the decoding ops have in common: most of them read each other's formats."""
    _check_channels(channels)
    data = _bytes_of(contents)
    found = _format_of(data)
    if (name == "DecodeBmp" and found in ("JPEG", "PNG", "GIF")) or (
        found == "BMP" and name not in ("DecodeBmp", "DecodeImage")
    ):
        raise InvalidArgumentError(f"Trying to decode {found} format using a wrong op, {name}. Use tf.io.decode_image.")
    if found == "GIF" and name in ("DecodeWebP", "DecodeJxl"):
        raise InvalidArgumentError(f"Trying to decode GIF format using a wrong op, {name}. Use tf.io.decode_gif.")
    if name == "DecodeAndCropJpeg" and found != "JPEG":
        raise InvalidArgumentError(f"DecodeAndCropJpeg operation can run on JPEG only, but detected {found}.")
    if found == "JPEG":
        pixels = _jpeg(data, dtype, options._replace(channels=channels))
    elif found == "PNG":
        pixels = _png(data, channels, dtype)
    elif found == "BMP":
        pixels = _bmp(data, channels, dtype)
    elif found == "JPEG XL":
        pixels = _jxl(data, channels, dtype)
    elif found == "WebP":
        frames = _webp(data, channels, dtype, animated)
        return frames if animated else frames[0]
    else:
        frames = _gif(data, channels, dtype, animated)
        if name in ("DecodePng", "DecodeJpeg") and len(frames) > 1:
            raise InvalidArgumentError(
                f"Got {len(frames)} frames, but animated gifs can only be decoded by tf.io.decode_gif or "
                "tf.io.decode_image"
            )
        still = name in ("DecodePng", "DecodeJpeg") or not animated
        return frames[0] if still else frames
    return pixels[None] if name == "DecodeGif" else pixels


def _decoding(name: str, attrs: str, output: str, shape: Any = _image_dims) -> None:
    def kernel(xp: Any, contents: np.ndarray, **given: Any) -> np.ndarray:
        channels = given.get("channels", 3 if name == "DecodeGif" else 0)
        animated = given.get("expand_animations", True)
        return _decoded(name, contents, channels, given.get("dtype", uint8), image_jpeg.Options(), animated)

    extra = None if name == "DecodeBmp" else "image"
    schema = f"{name}(contents: string{attrs}) -> (image: {output})"
    register(Op(schema, kernel=kernel, shape=shape, host_only=True, extra=extra))


def _frames_dims(contents: Tensor, *, channels: int = 3, **attrs: Any) -> Dims:
    return (None, *(_image_dims(contents, channels=channels) or ()))


def _still_or_frames_dims(contents: Tensor, *, expand_animations: bool, **attrs: Any) -> Dims:
    dims = _image_dims(contents, **attrs)
    return None if expand_animations else dims


_CHANNELS = ", *, channels: int = 0"
_decoding("DecodePng", f"{_CHANNELS}, dtype: type(uint8|uint16) = uint8", "dtype")
_decoding("DecodeBmp", _CHANNELS, "uint8")
_decoding("DecodeGif", "", "uint8", _frames_dims)
_decoding("DecodeWebP", f"{_CHANNELS}, dtype: type(uint8) = uint8", "dtype", _frames_dims)
_decoding("DecodeJxl", f"{_CHANNELS}, dtype: type(uint8) = uint8", "dtype")
_decoding(
    "DecodeImage",
    f"{_CHANNELS}, dtype: type(uint8|uint16|float32) = uint8, expand_animations: bool = True",
    "dtype",
    _still_or_frames_dims,
)


def _jpeg_options(
    ratio: int, fancy_upscaling: bool, try_recover_truncated: bool, acceptable_fraction: float, dct_method: str
) -> image_jpeg.Options:
    if ratio not in (1, 2, 4, 8):
        raise InvalidArgumentError(f"ratio must be 1, 2, 4 or 8, but is {ratio}")
    if dct_method not in ("", "INTEGER_FAST", "INTEGER_ACCURATE"):
        raise InvalidArgumentError(f"dct_method must be '', 'INTEGER_FAST' or 'INTEGER_ACCURATE', not {dct_method!r}")
    return image_jpeg.Options(
        ratio=ratio,
        fancy=fancy_upscaling,
        fast=dct_method != "INTEGER_ACCURATE",
        recover=try_recover_truncated,
        fraction=acceptable_fraction,
    )


_JPEG = (
    f"{_CHANNELS}, ratio: int = 1, fancy_upscaling: bool = True, try_recover_truncated: bool = False, "
    "acceptable_fraction: float = 1.0, dct_method: string = '') -> (image: uint8)"
)


@op(f"DecodeJpeg(contents: string{_JPEG}", shape=_image_dims, host_only=True, extra="image")
def decode_jpeg(xp: Any, contents: np.ndarray, *, channels: int, **how: Any) -> np.ndarray:
    return _decoded("DecodeJpeg", contents, channels, uint8, _jpeg_options(**how), True)


def _cropped_dims(contents: Tensor, crop_window: Tensor, *, channels: int, **how: Any) -> Dims:
    window = merged(dims_from_value(crop_window), (None,) * 4) or (None,) * 4
    _, _, depth = _image_dims(contents, channels=channels) or (None,) * 3
    return window[2], window[3], depth


@op(
    f"DecodeAndCropJpeg(contents: string, crop_window: int32{_JPEG}", shape=_cropped_dims, host_only=True, extra="image"
)
def decode_and_crop_jpeg(
    xp: Any, contents: np.ndarray, crop_window: np.ndarray, *, channels: int, **how: Any
) -> np.ndarray:
    if crop_window.shape != (4,):
        raise InvalidArgumentError(f"crop_window must have four elements, but its shape is {crop_window.shape}")
    pixels = _decoded("DecodeAndCropJpeg", contents, channels, uint8, _jpeg_options(**how), True)
    top, left, height, width = (int(side) for side in crop_window)
    if height <= 0 or width <= 0 or top < 0 or left < 0 or top + height > len(pixels) or left + width > pixels.shape[1]:
        raise InvalidArgumentError(
            f"Invalid JPEG data or crop window: {crop_window.tolist()} of an image of {pixels.shape[:2]}"
        )
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


@op(
    "ExtractJpegShape(contents: string, *, output_type: type(index) = int32) -> (image_shape: output_type)",
    shape=lambda contents, *, output_type: (with_rank(contents, 0, "contents"), (3,))[1],
    host_only=True,
)
def extract_jpeg_shape(xp: Any, contents: np.ndarray, *, output_type: DType) -> np.ndarray:
    header = image_jpeg.header_of(_bytes_of(contents))
    return np.array([header.height, header.width, len(header.sampling)], output_type.np_dtype)


# ------------------------------------------------------------------------------------------------- encoding


def _encoded_dims(image: Tensor, **attrs: Any) -> Dims:
    if image.dims is not None and len(image.dims) < 3:
        raise ValueError(f"image must be at least rank 3, but its shape is {list(image.dims)}")
    return None if image.dims is None else image.dims[:-3]


def _still_dims(image: Tensor, *others: Tensor, **attrs: Any) -> Dims:
    with_rank(image, 3, "image")
    return ()


@op(
    "EncodePng[T: uint8|uint16 = uint8](image: T, *, compression: int = -1) -> (contents: string)",
    shape=_encoded_dims,
    host_only=True,
)
def encode_png(xp: Any, image: np.ndarray, *, compression: int) -> np.ndarray:
    if not -1 <= compression <= 9:
        raise InvalidArgumentError(f"compression must be -1, for the default, or in [0, 9], but is {compression}")
    if image.ndim < 3 or image.shape[-1] not in (1, 2, 3, 4) or 0 in image.shape[-3:]:
        raise InvalidArgumentError(
            f"image must be [..., height, width, channels] with 1 to 4 channels, but its shape is {image.shape}"
        )
    files = np.empty(image.shape[:-3], object)
    for place in np.ndindex(files.shape):
        files[place] = image_png.encode(image[place], compression)
    return files


def _check_jpeg(image: np.ndarray, quality: int) -> None:
    if not 0 <= quality <= 100:
        raise InvalidArgumentError(f"quality must be in [0, 100], but is {quality}")
    if image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
        raise InvalidArgumentError(
            f"image must be [height, width, channels] with 1 or 3 channels, but its shape is {image.shape}"
        )
    if max(image.shape[:2]) > 65500:
        raise InvalidArgumentError(f"A JPEG image has at most 65500 rows and columns; the shape is {image.shape}")


@op(
    "EncodeJpeg(image: uint8, *, format: string(|grayscale|rgb) = '', quality: int = 95, progressive: bool = False, "
    "optimize_size: bool = False, chroma_downsampling: bool = True, density_unit: string(in|cm) = 'in', "
    "x_density: int = 300, y_density: int = 300, xmp_metadata: string = '') -> (contents: string)",
    shape=_still_dims,
    host_only=True,
    extra="image",
)
def encode_jpeg(xp: Any, image: np.ndarray, *, format: str, xmp_metadata: str, **how: Any) -> np.ndarray:
    _check_jpeg(image, how["quality"])
    if format and image.shape[2] != {"grayscale": 1, "rgb": 3}[format]:
        raise InvalidArgumentError(f"format is {format!r}, but the image has {image.shape[2]} channels")
    writing = image_jpeg.Writing(xmp_metadata=xmp_metadata.encode("utf-8", "surrogateescape"), **how)
    return np.array(image_jpeg.encode(image, writing), object)


@op(
    "EncodeJpegVariableQuality(images: uint8, quality: int32) -> (contents: string)",
    shape=_still_dims,
    host_only=True,
    extra="image",
)
def encode_jpeg_of_quality(xp: Any, image: np.ndarray, quality: np.ndarray) -> np.ndarray:
    if quality.shape != ():
        raise InvalidArgumentError(f"quality must be a scalar, but its shape is {quality.shape}")
    _check_jpeg(image, int(quality))
    return np.array(image_jpeg.encode(image, image_jpeg.Writing(quality=int(quality))), object)
