"""`tf.image` and `tf.io`: images out of files and into them."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.image.colour import convert_image_dtype
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype, float32, int32, uint8, uint16
from modtf.core.values.tensors import Tensor

__all__ = [
    "decode_and_crop_jpeg", "decode_bmp", "decode_gif", "decode_image", "decode_jpeg", "decode_jxl", "decode_png",
    "decode_webp", "encode_jpeg", "encode_png", "extract_jpeg_shape", "is_jpeg",
]  # fmt: skip


def decode_image(
    contents: Any,
    channels: int | None = None,
    dtype: Any = uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """Decodes a file of any of the formats JPEG, PNG, GIF, BMP, WebP and JPEG XL, which its first bytes tell.

    Args:
        contents: The file, a scalar string.
        channels: 1 for grey, 3 for colours, 4 for colours with alpha; `None` or 0 for what the file has. No format
            has all of them.
        dtype: uint8, uint16 or a floating dtype; floating pixels are from 0 to 1.
        name: A name for the graph node.
        expand_animations: Whether GIF and WebP files give all their frames, in an axis of their own; if not, the first.

    Returns:
        A tensor [height, width, channels], or [frames, height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not a file of these, or cannot have such channels.
    """
    wanted = as_dtype(dtype)
    decoded_as = wanted if wanted in (uint8, uint16, float32) else uint16
    image = raw.DecodeImage(
        contents, channels=channels or 0, dtype=decoded_as, expand_animations=expand_animations, name=name
    )
    if decoded_as is not wanted:
        image = convert_image_dtype(image, wanted)
    return image


def decode_png(contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None) -> Tensor:
    """Decodes a PNG file (or a JPEG, or a GIF with one frame).

    Args:
        contents: The file, a scalar string.
        channels: 1 for grey, 3 for colours, 4 for colours with alpha; 0 for what the file has.
        dtype: uint8 or uint16.
        name: A name for the graph node.

    Returns:
        A tensor [height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodePng(contents, channels=channels, dtype=dtype, name=name)


def decode_jpeg(
    contents: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """Decodes a JPEG file (or a PNG, or a GIF with one frame).

    Args:
        contents: The file, a scalar string.
        channels: 1 for grey, 3 for colours; 0 for what the file has.
        ratio: By how much the image is made smaller while it is decoded: 1, 2, 4 or 8.
        fancy_upscaling: Whether to interpolate colours, which are stored more coarsely.
        try_recover_truncated: Whether to fill up what is missing at the file's end.
        acceptable_fraction: What part of the rows must be there; the others are black.
        dct_method: `"INTEGER_ACCURATE"`, or the less exact `"INTEGER_FAST"`, which `""` stands for.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodeJpeg(
        contents,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
        name=name,
    )


def decode_and_crop_jpeg(
    contents: Any,
    crop_window: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """Decodes a rectangle of a JPEG file.

    Args:
        contents: The file, a scalar string.
        crop_window: The first row and column, the height and the width, a vector int32.
        channels: As for `decode_jpeg`, and so for the other arguments.
        ratio: By how much the image is made smaller.
        fancy_upscaling: Whether to interpolate colours.
        try_recover_truncated: Whether to fill up what is missing at the file's end.
        acceptable_fraction: What part of the rows must be there.
        dct_method: Which transform to take.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not a JPEG file, or the window is not inside the image.
    """
    return raw.DecodeAndCropJpeg(
        contents,
        crop_window,
        channels=channels,
        ratio=ratio,
        fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated,
        acceptable_fraction=acceptable_fraction,
        dct_method=dct_method,
        name=name,
    )


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """Decodes the frames of a GIF file (or a JPEG or PNG file, which has one).

    Args:
        contents: The file, a scalar string.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [frames, height, width, 3]. Where a frame is transparent or does not reach, the one before it
        shows.

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodeGif(contents, name=name)


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """Decodes a BMP file of 8, 24 or 32 bits for each pixel, which are not compressed.

    Args:
        contents: The file, a scalar string.
        channels: 3 or 4; 0 for what the file has.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodeBmp(contents, channels=channels, name=name)


def decode_webp(contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None) -> Tensor:
    """Decodes the frames of a WebP file.

    Args:
        contents: The file, a scalar string.
        channels: 3 or 4, as the file has; 0 for what it has.
        dtype: uint8.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [frames, height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodeWebP(contents, channels=channels, dtype=dtype, name=name)


def decode_jxl(contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None) -> Tensor:
    """Decodes a JPEG XL file, for which the package pillow-jxl-plugin must be installed.

    Args:
        contents: The file, a scalar string.
        channels: 1, 3 or 4, as the file has; 0 for what it has.
        dtype: uint8.
        name: A name for the graph node.

    Returns:
        A tensor uint8 [height, width, channels].

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.DecodeJxl(contents, channels=channels, dtype=dtype, name=name)


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Returns whether strings begin as JPEG files do, a bool tensor of their shape.

    Args:
        contents: A string tensor.
        name: A name for the graph node.
    """
    return raw.Equal(raw.Substr(contents, 0, 3), np.array(b"\xff\xd8\xff", object), name=name)


def extract_jpeg_shape(contents: Any, output_type: Any = int32, name: str | None = None) -> Tensor:
    """Returns the height, width and number of components of a JPEG file without decoding it.

    Args:
        contents: The file, a scalar string.
        output_type: int32 or int64.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The contents are not such a file.
    """
    return raw.ExtractJpegShape(contents, output_type=output_type, name=name)


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """Returns images as PNG files.

    Args:
        image: A tensor uint8 or uint16 [..., height, width, channels]: 1 channel is grey, 2 are grey and alpha, 3 red,
            green and blue, 4 these and alpha.
        compression: From 0, none, to 9, most; -1 for the usual.
        name: A name for the graph node.

    Returns:
        A string tensor of the leading shape.

    Raises:
        InvalidArgumentError: An argument is not such.
    """
    return raw.EncodePng(convert_to_tensor(image), compression=compression, name=name)


def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    """Returns an image as a JPEG file.

    Args:
        image: A tensor uint8 [height, width, 1 or 3].
        format: `"grayscale"` or `"rgb"`, which must fit; `""` for what fits.
        quality: From 0 to 100.
        progressive: Whether the image is to become sharper while it is loaded.
        optimize_size: Whether to spend more time for a smaller file.
        chroma_downsampling: Whether to store colours more coarsely.
        density_unit: `"in"` or `"cm"`, for the next two.
        x_density: Columns in it.
        y_density: Rows in it.
        xmp_metadata: XMP to write into the file.
        name: A name for the graph node.

    Returns:
        A scalar string.

    Raises:
        InvalidArgumentError: An argument is not such.
    """
    return raw.EncodeJpeg(
        image,
        format=format,
        quality=quality,
        progressive=progressive,
        optimize_size=optimize_size,
        chroma_downsampling=chroma_downsampling,
        density_unit=density_unit,
        x_density=x_density,
        y_density=y_density,
        xmp_metadata=xmp_metadata,
        name=name,
    )
