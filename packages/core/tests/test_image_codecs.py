"""`tf.image`: files. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

import builtins
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

pytest.importorskip("PIL.Image")


def picture(height: int = 24, width: int = 30, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 3 + k) * np.cos(y / 4 + k) / 2 + 0.5 for k in range(channels)]
    return (np.stack(waves, -1) * 255).astype(np.uint8)


def scalar(contents: bytes) -> Any:
    return tf.constant(contents)


# ------------------------------------------------------------------------------------------------- PNG


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [-1, 0, 9])
def test_png_there_and_back(channels: int, dtype: Any, compression: int) -> None:
    pixels = picture(channels=channels).astype(dtype) * (1 if dtype == np.uint8 else 251)
    file = tf.image.encode_png(pixels, compression)
    read = tf.image.decode_png(file, dtype=tf.as_dtype(dtype))
    np.testing.assert_array_equal(read.numpy(), pixels)


def test_png_files_are_those_of_libpng() -> None:
    file = tf.image.encode_png(np.zeros((2, 3, 1), np.uint8)).numpy()
    assert file[:33] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\3\0\0\0\2\x08\0\0\0\0" + struct.pack(
        ">I", zlib.crc32(b"IHDR\0\0\0\3\0\0\0\2\x08\0\0\0\0")
    )
    assert file[41:43] == b"\x08\x99"  # a window of 256 bytes is enough
    assert zlib.decompress(file[41:-16]) == bytes(8)


def test_png_of_a_batch() -> None:
    pixels = picture()[None, None].repeat(2, axis=0)
    files = tf.image.encode_png(pixels)
    assert files.shape.as_list() == [2, 1]
    np.testing.assert_array_equal(tf.image.decode_png(files[1, 0]).numpy(), pixels[1, 0])


def test_channels_of_png() -> None:
    pixels = np.uint8([[[10, 20, 30], [200, 200, 200]]])
    file = tf.image.encode_png(pixels)
    assert tf.image.decode_png(file, channels=1).numpy().ravel().tolist() == [18, 200]
    assert tf.image.decode_png(file, channels=4).numpy()[0, 0].tolist() == [10, 20, 30, 255]
    assert tf.image.decode_png(file, dtype=tf.uint16).numpy()[0, 0].tolist() == [2570, 5140, 7710]
    np.testing.assert_allclose(
        tf.image.decode_image(file, dtype=tf.float32).numpy()[0, 0], [10 / 255, 20 / 255, 30 / 255]
    )
    grey = tf.image.encode_png(np.uint16([[[1000]]]))
    assert tf.image.decode_png(grey).numpy().tolist() == [[[3]]]
    assert tf.image.decode_png(grey, channels=3).numpy().tolist() == [[[3, 3, 3]]]


def test_broken_png() -> None:
    file = tf.image.encode_png(picture()).numpy()
    for contents, why in (
        (file[:100], "it ends within the chunk b'IDAT'"),
        (file[:-12], "it ends before its last chunk"),
        (file[:60] + b"\0" + file[61:], "checksum of the chunk b'IDAT'"),
        (file[:8] + file[33:], "does not begin with a header"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=why):
            tf.image.decode_png(scalar(contents))


def test_png_that_promises_more_than_it_holds() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 20000, 20000, 8, 6, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0")
    parts = [b"\x89PNG\r\n\x1a\n"]
    for chunk in (header, data, b"IEND"):
        parts += [struct.pack(">I", len(chunk) - 4), chunk, struct.pack(">I", zlib.crc32(chunk))]
    with pytest.raises(tf.errors.InvalidArgumentError, match="too little data"):
        tf.image.decode_png(scalar(b"".join(parts)))


# ------------------------------------------------------------------------------------------------- JPEG


def test_jpeg_there_and_back() -> None:
    for channels in (1, 3):
        pixels = picture(channels=channels)
        file = tf.image.encode_jpeg(pixels, quality=100, chroma_downsampling=False)
        read = tf.image.decode_jpeg(file, dct_method="INTEGER_ACCURATE")
        assert read.shape == pixels.shape
        assert np.abs(read.numpy().astype(int) - pixels).max() <= 5


def test_decoding_as_tensorflow_asks_libjpeg_to() -> None:
    plane = picture(channels=1)
    pixels = np.concatenate([plane, plane // 2, 255 - plane], -1)
    made = [tf.image.adjust_jpeg_quality(pixels, quality).numpy()[3, 5].tolist() for quality in (10, 90)]
    assert made == [[196, 99, 56], [214, 111, 42]]
    made = tf.image.stateless_random_jpeg_quality(pixels, 10, 90, (1, 2)).numpy()[3, 5].tolist()
    assert made == [217, 112, 44]


def test_options_of_decoding_jpeg() -> None:
    file = tf.image.encode_jpeg(picture(25, 33))
    usual = tf.image.decode_jpeg(file).numpy()
    for other in ({"dct_method": "INTEGER_ACCURATE"}, {"fancy_upscaling": False}):
        changed = tf.image.decode_jpeg(file, **other).numpy()
        assert np.abs(changed.astype(int) - usual).max() > 0
    assert tf.image.decode_jpeg(file, ratio=4).shape.as_list() == [7, 9, 3]
    window = tf.image.decode_and_crop_jpeg(file, [8, 16, 10, 17])
    np.testing.assert_array_equal(window.numpy(), usual[8:18, 16:33])
    assert tf.image.extract_jpeg_shape(file).numpy().tolist() == [25, 33, 3]


def test_markers_of_encoding_jpeg() -> None:
    file = tf.image.encode_jpeg(picture(), density_unit="cm", x_density=11, y_density=7, xmp_metadata="<x/>").numpy()
    assert file[:20] == b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\2\0\x0b\0\7\0\0"
    assert file[20:24] == b"\xff\xe1\0\x23"
    assert file[24:57] == b"http://ns.adobe.com/xap/1.0/\0<x/>"
    assert b"\xff\xc2" in tf.image.encode_jpeg(picture(), progressive=True).numpy()
    np.testing.assert_array_equal(tf.image.is_jpeg([file, b"\x89PNG"]).numpy(), [True, False])


def test_truncated_jpeg() -> None:
    file = tf.image.encode_jpeg(picture(64, 64)).numpy()
    half = scalar(file[: len(file) * 2 // 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid JPEG data"):
        tf.image.decode_jpeg(half)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid JPEG data"):
        tf.image.decode_jpeg(half, acceptable_fraction=0.9)
    whole = tf.image.decode_jpeg(scalar(file)).numpy()
    partial = tf.image.decode_jpeg(half, acceptable_fraction=0.2).numpy()
    np.testing.assert_array_equal(partial[:8], whole[:8])
    assert not partial[-1].any()
    recovered = tf.image.decode_jpeg(half, try_recover_truncated=True).numpy()
    np.testing.assert_array_equal(recovered[:8], whole[:8])
    assert (recovered[-1] == 128).all()


# ------------------------------------------------------------------------------------------------- GIF and others


def animation() -> bytes:
    """Three frames of 4 by 3 pixels; the second and the third are a part only, and have a transparent pixel."""
    colours = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    parts = [b"GIF89a", struct.pack("<HHBBB", 4, 3, 0x81, 0, 0), colours]
    for left, top, width, height, indices in (
        (0, 0, 4, 3, [1] * 12),
        (1, 1, 2, 1, [2, 3]),
        (3, 2, 1, 1, [0]),
    ):
        parts.append(b"!\xf9\4" + bytes([1, 0, 0, 3]) + b"\0")
        parts.append(b"," + struct.pack("<HHHHB", left, top, width, height, 0) + b"\2")
        codes = [4, *(code for index in indices for code in (index, 4)), 5]  # cleared after each: always 3 bits
        bits = "".join(f"{code:03b}"[::-1] for code in codes)
        data = bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))
        parts.append(bytes([len(data)]) + data + b"\0")
    return b"".join([*parts, b";"])


def test_frames_are_drawn_over_each_other() -> None:
    frames = tf.image.decode_gif(scalar(animation())).numpy()
    red, green, black = [255, 0, 0], [0, 255, 0], [0, 0, 0]
    assert frames.shape == (3, 3, 4, 3)
    assert frames[0].reshape(-1, 3).tolist() == [red] * 12
    assert frames[1, 1].tolist() == [red, green, red, red]
    assert frames[2, 1].tolist() == [red, green, red, red]
    assert frames[2, 2].tolist() == [red, red, red, black]
    still = tf.image.decode_image(scalar(animation()), expand_animations=False)
    np.testing.assert_array_equal(still.numpy(), frames[0])
    np.testing.assert_array_equal(tf.image.decode_gif(scalar(animation()[:-20])).numpy(), frames[:2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="3 frames"):
        tf.image.decode_png(scalar(animation()))


def test_bmp() -> None:
    header = struct.pack("<2sIHHI", b"BM", 70, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, 2, 2, 1, 24, 0, 16, 0, 0, 0, 0
    )
    file = scalar(header + bytes([1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0]))
    assert tf.image.decode_bmp(file).numpy().tolist() == [[[9, 8, 7], [12, 11, 10]], [[3, 2, 1], [6, 5, 4]]]
    assert tf.image.decode_image(file, channels=4).numpy()[0, 0].tolist() == [9, 8, 7, 255]


def test_foreign_contents() -> None:
    for contents, what in ((b"hello, world", "hello"), (b"", "empty"), (b"II*\0", r"II\*")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=what):
            tf.image.decode_image(scalar(contents))
    with pytest.raises(tf.errors.InvalidArgumentError, match="detected PNG"):
        tf.image.decode_and_crop_jpeg(tf.image.encode_png(picture()), [0, 0, 1, 1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="begins with b'GIF8'"):
        tf.image.extract_jpeg_shape(scalar(animation()))


def test_in_a_function() -> None:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def prepared(contents: Any) -> Any:
        image = tf.image.decode_image(contents, channels=3, expand_animations=False)
        return tf.image.resize(tf.image.convert_image_dtype(image, tf.float32), [8, 8])

    assert prepared.get_concrete_function().outputs[0].shape.as_list() == [8, 8, 3]
    for file in (tf.image.encode_png(picture()), tf.image.encode_jpeg(picture()), scalar(animation())):
        assert prepared(file).shape.as_list() == [8, 8, 3]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = tf.image.encode_png(picture())
    imported = builtins.__import__

    def without_pillow(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("PIL")]:
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(tf.errors.UnimplementedError, match=r"pip install modtf-core\[image\]"):
        tf.image.decode_png(file)
    assert tf.image.encode_png(picture()).numpy() == file.numpy()  # needs nothing
