"""Images: their sizes, colours, parts, boxes and files."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, i32, i64, some


def f32(values: Any) -> np.ndarray:
    """A float32 input."""
    return np.array(values, np.float32)


# ------------------------------------------------------------------------------------------------- sizes

_PIXELS = "float32 bfloat16 float16 int32 int64 uint8 int8 uint16 int16"
_CORNERS: tuple[dict[str, bool], ...] = ({}, {"align_corners": True}, {"half_pixel_centers": True})

for _op in ("ResizeBilinear", "ResizeBicubic", "ResizeNearestNeighbor"):
    case(_op, some(2, 4, 5, 3, low=-99, high=99), i32([6, 3]), dtypes=_PIXELS, smooth=False, orders=1)
    case(_op, Given([[[[1], [5]], [[2], [-7]], [[0], [3]]]]), i32([2, 3]), dtypes="float64")
    for _corners in _CORNERS:
        case(_op, some(1, 5, 3, 2), i32([3, 7]), dtypes="float32", smooth=False, orders=1, **_corners)
    case(_op, some(1, 1, 1, 1), i32([2, 3]), dtypes="float32", smooth=False, half_pixel_centers=True)
    case(_op, some(1, 2, 3, 1), i32([2, 3]), dtypes="float32", smooth=False)
    case(_op, some(0, 2, 3, 1), i32([4, 5]), dtypes="float32", smooth=False)
    mistake(_op, some(2, 3, 1), i32([4, 5]))
    mistake(_op, some(1, 2, 3, 1), i32([4, 0]), told_by="arguments")
    mistake(_op, some(1, 2, 3, 1), i32([4, 5, 6]))
    mistake(_op, some(1, 2, 3, 1), i32([4, 5]), told_by="arguments", align_corners=True, half_pixel_centers=True)
for _corners in _CORNERS:
    for _op in ("ResizeBilinearGrad", "ResizeBicubicGrad"):
        _float = some(1, 6, 3, 2, dtype="float32")
        case(_op, _float, some(1, 4, 5, 2), dtypes="float32", smooth=False, **_corners)
        case(_op, _float, some(1, 4, 5, 2), dtypes="float64", smooth=False, tolerance=1e5, **_corners)
case("ResizeBilinearGrad", some(1, 6, 3, 2, dtype="float32"), some(1, 4, 5, 2), dtypes="bfloat16 float16", smooth=False)
for _corners in _CORNERS:
    case("ResizeNearestNeighborGrad", some(1, 6, 3, 2), i32([4, 5]), dtypes="float64 float32 bfloat16 int32 uint8",
         smooth=False, **_corners)  # fmt: skip
mistake("ResizeNearestNeighborGrad", some(6, 3, 2), i32([4, 5]))

case("ResizeArea", some(2, 4, 5, 3, low=-99, high=99), i32([3, 2]), dtypes=_PIXELS, smooth=False)
case("ResizeArea", some(1, 5, 3, 1), i32([7, 3]), dtypes="float32", smooth=False)
case("ResizeArea", some(1, 5, 4, 1), i32([3, 6]), dtypes="float32", smooth=False, align_corners=True)
mistake("ResizeArea", some(1, 2, 3, 1), i32([-1, 5]), told_by="arguments")

_SCALED = (i32([3, 8]), f32([0.75, 1.6]), f32([0, 0]))
case("ScaleAndTranslate", some(2, 4, 5, 3, low=-99, high=99), *_SCALED, dtypes=_PIXELS, smooth=False)
for _kernel in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"):
    for _antialias in (False, True):
        _attrs = {"kernel_type": _kernel, "antialias": _antialias}
        case("ScaleAndTranslate", some(1, 7, 5, 2), *_SCALED, dtypes="float32", smooth=False, **_attrs)
    case("ScaleAndTranslateGrad", some(1, 3, 8, 2), some(1, 7, 5, 2), *_SCALED[1:], dtypes="float32", smooth=False,
         kernel_type=_kernel)  # fmt: skip
case(
    "ScaleAndTranslate", some(1, 6, 6, 1), i32([6, 6]), f32([0.7, 1.3]), f32([1.5, -2]), dtypes="float32", smooth=False
)
mistake("ScaleAndTranslate", some(1, 6, 6, 1), i32([6, 6]), f32([0, 1]), f32([0, 0]), told_by="arguments")
mistake("ScaleAndTranslate", some(1, 6, 6, 1), *_SCALED, told_by="arguments", kernel_type="boxy")

# ------------------------------------------------------------------------------------------------- colours

_FLOATS = "float64 float32 bfloat16 float16"
for _op in ("RGBToHSV", "HSVToRGB"):
    case(_op, some(2, 4, 3, low=0.1, high=1), dtypes=_FLOATS, smooth=False, orders=1, tolerance=4)
    case(_op, some(5, 3, low=-0.5, high=1.5), dtypes="float32", smooth=False, orders=1, tolerance=4)
case("RGBToHSV", Given([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.25]]), dtypes="float32")
for _op, _amounts in (("AdjustHue", (-0.7, 0.2, 1.0)), ("AdjustSaturation", (0.0, 0.4, 3.0))):
    for _amount in _amounts:
        case(_op, some(2, 4, 3, low=0, high=1), f32(_amount), dtypes="float32", smooth=False)
    mistake(_op, some(4, 4, 2), f32(0.5), told_by="arguments")
    mistake(_op, some(4, 3), f32(0.5))
for _shape in ((2, 3, 4, 3), (5, 2, 1)):
    case("AdjustContrastv2", some(*_shape), f32(1.7), dtypes="float32", smooth=False)
mistake("AdjustContrastv2", some(4, 3), f32(0.5))

# ------------------------------------------------------------------------------------------------- parts

_BOXES = [[0, 0, 1, 1], [0.11, 0.23, 0.72, 0.94], [0.93, 0.81, 0.22, 0.13], [-0.31, -0.22, 1.33, 1.14], [2, 2, 3, 3]]
_WHICH = i32([0, 1, 1, 0, 1])
for _method in ("bilinear", "nearest"):
    for _size in ([3, 4], [1, 1]):
        case("CropAndResize", some(2, 5, 6, 2, low=-99, high=99), f32(_BOXES), _WHICH, i32(_size),
             dtypes="float32 float64 float16 uint8 int32", smooth=False, orders=1, method=_method,
             extrapolation_value=7.5)  # fmt: skip
        case("CropAndResizeGradImage", some(5, *_size, 2, dtype="float32"), f32(_BOXES), _WHICH, i32([2, 5, 6, 2]),
             dtypes="float32", smooth=False, method=_method, T="float32")  # fmt: skip
case("CropAndResize", some(1, 4, 5, 2), some(3, 4, low=0.05, high=0.95, dtype="float32"), i32([0, 0, 0]), i32([3, 2]),
     dtypes="float32", smooth=False, orders=1, tolerance=4)  # fmt: skip
case("CropAndResize", some(1, 4, 5, 2), f32(np.zeros((0, 4))), i32([]), i32([3, 2]), dtypes="float32", smooth=False)
case("CropAndResizeGradBoxes", some(5, 3, 4, 2, dtype="float32"), some(2, 5, 6, 2), f32(_BOXES), _WHICH,
     dtypes="float32 float64 uint8", smooth=False, tolerance=4)  # fmt: skip
mistake("CropAndResize", some(1, 4, 5, 2), f32([[0, 0, 1]]), i32([0]), i32([3, 2]))
mistake("CropAndResize", some(1, 4, 5, 2), f32([[0, 0, 1, 1]]), i32([0]), i32([0, 2]), told_by="arguments")
mistake("CropAndResize", some(1, 4, 5, 2), f32([[0, 0, 1, np.nan]]), i32([0]), i32([3, 2]), told_by="values")

for _op in ("ExtractGlimpse", "ExtractGlimpseV2"):
    for _centered, _normalized, _offset in (
        (True, True, 0.3), (False, True, 0.2), (True, False, 1.0), (False, False, -1.0),
    ):  # fmt: skip
        case(_op, some(2, 6, 5, 2, dtype="float32"), i32([4, 3]), f32([[0, 0], [_offset, -_offset]]), dtypes="float32",
             smooth=False, centered=_centered, normalized=_normalized, uniform_noise=False, noise="zero")  # fmt: skip
    mistake(_op, some(2, 6, 5, 2), i32([4, 3]), f32([[0, 0, 0]]))

_TRANSFORM = [[0.83, 0.13, -1.37, 0.21, 1.17, 0.29, 0.013, -0.021], [1, 0, 2.23, 0, 1, -1.19, 0, 0]]
for _mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
    for _how in ("NEAREST", "BILINEAR"):
        _attrs = {"interpolation": _how, "fill_mode": _mode}
        case("ImageProjectiveTransformV2", some(2, 5, 6, 2), f32(_TRANSFORM), i32([4, 7]),
             dtypes="float32 bfloat16" if _how == "BILINEAR" else "float32 float64 int32 uint8", smooth=False, orders=1,
             tolerance=20, **_attrs)  # fmt: skip
        case("ImageProjectiveTransformV3", some(2, 5, 6, 2), f32(_TRANSFORM[:1]), i32([4, 7]), f32(3), dtypes="float32",
             smooth=False, orders=1, tolerance=20, **_attrs)  # fmt: skip
case("ImageProjectiveTransformV3", some(2, 0, 6, 2), f32(_TRANSFORM), i32([4, 7]), f32(3), dtypes="float32",
     smooth=False, orders=0, interpolation="BILINEAR")  # fmt: skip
mistake("ImageProjectiveTransformV2", some(1, 5, 6, 2), f32([[1, 0]]), i32([4, 7]), told_by="arguments",
        interpolation="NEAREST")  # fmt: skip

# ------------------------------------------------------------------------------------------------- boxes

for _depth in (1, 3, 4):
    _drawn = [[[0, 0, 1, 1], [0.2, -0.5, 0.6, 0.4]], [[0.7, 0.7, 0.2, 0.2], [0.1, 0.5, 2, 0.9]]]
    case("DrawBoundingBoxes", some(2, 6, 7, _depth), f32(_drawn), dtypes="float32 float16", smooth=False)
    case("DrawBoundingBoxesV2", some(2, 6, 7, _depth), f32(_drawn), f32([[0.1, 0.2, 0.3, 0.4]]), dtypes="float32",
         smooth=False)  # fmt: skip
mistake("DrawBoundingBoxes", some(2, 6, 7, 3), f32([[[0, 0, 1]]]))
mistake("DrawBoundingBoxes", some(1, 6, 7, 2), f32([[[0, 0, 1, 1]]]), told_by="arguments")

_RECTANGLES = Given(
    [[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1.1, 11.1, 0.1, 10.1], [0, 100, 1, 101]]
)
_SCORES = Given([0.9, 0.75, 0.6, 0.95, 0.5, 0.3])
_HALF_OR_FLOAT = "float32 float16"
for _count in (3, 30, 0):
    case("NonMaxSuppression", f32(_RECTANGLES.values), f32(_SCORES.values), i32(_count), dtypes="float32")
    case("NonMaxSuppressionV2", _RECTANGLES, _SCORES, i32(_count), f32(0.3), dtypes=_HALF_OR_FLOAT)
    case("NonMaxSuppressionV3", _RECTANGLES, _SCORES, i32(_count), f32(0.5), f32(0.4), dtypes=_HALF_OR_FLOAT)
    for _pad in (False, True):
        case("NonMaxSuppressionV4", _RECTANGLES, _SCORES, i32(_count), f32(0.5), f32(0.4), dtypes=_HALF_OR_FLOAT,
             pad_to_max_output_size=_pad)  # fmt: skip
        for _sigma in (0.0, 0.5):
            case("NonMaxSuppressionV5", _RECTANGLES, _SCORES, i32(_count), Given(0.5), Given(0.2), Given(_sigma),
                 dtypes="float32", pad_to_max_output_size=_pad)  # fmt: skip
_OVERLAPS = [[1, 0.6, 0.1, 0], [0.6, 1, 0.2, 0.9], [0.1, 0.2, 1, 0.3], [0, 0.9, 0.3, 1]]
case("NonMaxSuppressionWithOverlaps", f32(_OVERLAPS), f32([0.1, 0.7, 0.9, 0.7]), i32(4), f32(0.5), f32(0.1),
     dtypes="float32")  # fmt: skip
mistake("NonMaxSuppressionV3", some(3, 5), some(3), i32(2), f32(0.5), f32(0))
mistake("NonMaxSuppressionV3", some(3, 4), some(2), i32(2), f32(0.5), f32(0))
mistake("NonMaxSuppressionV3", some(3, 4), some(3), i32(2), f32(1.5), f32(0), told_by="arguments")
mistake("NonMaxSuppressionV3", some(3, 4), some(3), i32(-2), f32(0.5), f32(0), told_by="arguments")
mistake("NonMaxSuppressionWithOverlaps", some(3, 4), some(3), i32(2), f32(0.5), f32(0))

_SIDE_BY_SIDE = f32(_RECTANGLES.values).reshape(1, 6, 1, 4) / 20
_OF_CLASSES = f32(
    [[0.9, 0.8, 0.1], [0.7, 0.85, 0.2], [0.6, 0.5, 0.3], [0.95, 0.45, 0.4], [0.5, 0, 0.15], [0.3, 0.25, 0]]
)
for _pad in (False, True):
    for _clip in (False, True):
        case("CombinedNonMaxSuppression", _SIDE_BY_SIDE, _OF_CLASSES[None], i32(2), i32(9), f32(0.5), f32(0.12),
             dtypes="float32", pad_per_class=_pad, clip_boxes=_clip)  # fmt: skip
case("CombinedNonMaxSuppression", np.tile(_SIDE_BY_SIDE, (1, 1, 3, 1)), _OF_CLASSES[None], i32(4), i32(5), f32(0.2),
     f32(0), dtypes="float32")  # fmt: skip
mistake("CombinedNonMaxSuppression", f32(np.zeros((1, 6, 2, 4))), _OF_CLASSES[None], i32(2), i32(9), f32(0.5), f32(0))

_OBJECT = f32([[[0.1, 0.2, 0.5, 0.9]]])
for _seed in range(4):
    case("StatelessSampleDistortedBoundingBox", i32([100, 120, 3]), _OBJECT, f32(0.3), i64([_seed, 5]), dtypes="float32",
         aspect_ratio_range=[0.5, 2.0], area_range=[0.1, 0.9])  # fmt: skip
case("StatelessSampleDistortedBoundingBox", i64([7, 5, 3]), f32(np.zeros((1, 0, 4))), f32(0.1), i32([1, 2]),
     dtypes="float32", use_image_if_no_bounding_boxes=True)  # fmt: skip
mistake("StatelessSampleDistortedBoundingBox", i32([7, 5, 3]), f32(np.zeros((1, 0, 4))), f32(0.1), i32([1, 2]),
        told_by="arguments")  # fmt: skip
mistake("StatelessSampleDistortedBoundingBox", i32([7, 5]), _OBJECT, f32(0.1), i32([1, 2]))

# ------------------------------------------------------------------------------------------------- files


def _file(text: str) -> np.ndarray:
    return np.array(base64.b85decode(text), object)


def _png(width: int, height: int, depth: int, kind: int, chunks: tuple[tuple[bytes, bytes], ...] = ()) -> np.ndarray:
    """A PNG file of many different samples, whose rows are filtered in all ways."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    row = (width * samples * depth + 7) // 8
    pixels = (np.arange(height * row) * 37 % 251).astype(np.uint8).reshape(height, row)
    rows = b"".join(bytes([number % 5]) + line.tobytes() for number, line in enumerate(pixels))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")):
        parts += [struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(name + content))]
    return np.array(b"".join(parts), object)


def _bmp(width: int, height: int, bits: int) -> np.ndarray:
    stride = (width * bits // 8 + 3) // 4 * 4
    size = stride * abs(height)
    header = struct.pack("<2sIHHI", b"BM", 54 + size, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, size, 0, 0, 0, 0)
    return np.array(header + bytes(number * 29 % 256 for number in range(size)), object)


_JPEG = _file(
    "|JeWF01!$>Nk#wx0RR9200961|JwjV02B@n5)Ta&5)cv>6%-gAG9exu93DL^E+jHZKuk+VKt@GST61DhRc%&9Mr4R(ZFhTtf`Lw8jhBplmUD"
    "iAeE-`3Lje^R7akfOJ0T%Ed{ahKe0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0+R-e0=}F01*fP3IGuU0U`hb5"
    "di}c0sq7R7ytkR0RaF20000000000000021q25F!~h-;00IF61poj50000000000009IOG=TyU5+YIm!~hln0RaI30000000000000000s#d"
    "7!~h%-00II60{{R3000000000000IFK0~8}cQUBTi3<CiG0ucid06zdo)2j4rX%KlTi4vk*<mwf!1pHX(Nt$h;Iv~^32F;g%V!8Bs>VN;)"
)
_GREY_JPEG = _file(
    "|JeWF01!$>Nk#wx0RR9200961|JwjV02B@n5)Ta&5)cv>6%-gAG9exu93DL^E+jHZKuk+VKt@GST61DhRc%&9Mr4R(ZFhTtf`Lw8jhBplmUD"
    "iAeE+}z3kU!T01*KJ5di<h02crN0|5X40000000000000011O)^C!~h@=009I61Oos700000000000RRF61Q8M;F;N8*75~}*2mt{A06ze3z"
    "2-#+tex<qU#jbJ>u6Yf=k$$|MUGD@=Z*lyxXNQl=r8}-"
)
_GIF = _file(
    "M@dFFH(>|>1^|Ho0LTDZ000000000004x9i000O81^@sE6aWDT3_y^eKmY{|4ot|fp~Hp&0RSQS1OWg50st%k0000500aPm$TC_000000000"
    "002oL}R2oxYdAb^7g4-z~GARquC`2+y~00ICk0ssL31pov9fyiW9000000000000<BO0|*o#Kp=pF1`iTE2p}K;I{"
)
_WEBP = _file(
    "Qb|TedH?_bS4BclR!}%hZU6uPF9iSr0L^7Y|6>>R?|1(L3<3ZwGqZn$rL%d|VBAKMqEWw=nfa2u_!YTr+aNimd+)mc2l~kf^MC#^Joc$|=#}"
    "w25qTQ!{FZg}U4SKlJHpxjcz=Zt*O7kf0A)iDA}_(Rl&;^u1JU4YX;c"
)


def _decoded(op: str, *inputs: Any, **attrs: Any) -> None:
    case(op, *inputs, dtypes="string", **attrs)


def _refused(op: str, *inputs: Any, **attrs: Any) -> None:
    mistake(op, *inputs, dtypes="string", told_by="arguments", **attrs)


_PALETTE = (b"PLTE", bytes(range(40, 88)))
_KEY = (b"tRNS", bytes([0, 37, 0, 74, 0, 111]))
_PNGS = {
    "grey1": _png(5, 6, 1, 0),
    "grey4": _png(5, 6, 4, 0, ((b"tRNS", b"\0\3"),)),
    "grey16": _png(5, 6, 16, 0),
    "colour8": _png(5, 6, 8, 2, (_KEY,)),
    "colour16": _png(5, 6, 16, 2),
    "palette4": _png(5, 6, 4, 3, (_PALETTE,)),
    "palette4 with alpha": _png(5, 6, 4, 3, (_PALETTE, (b"tRNS", bytes([0, 100, 200])))),
    "grey and alpha8": _png(5, 6, 8, 4),
    "grey and alpha16": _png(5, 6, 16, 4),
    "colour and alpha8": _png(5, 6, 8, 6),
    "colour and alpha16": _png(5, 6, 16, 6),
}
for _contents in _PNGS.values():
    for _channels in (0, 1, 3, 4):
        for _dtype in ("uint8", "uint16"):
            _decoded("DecodePng", _contents, channels=_channels, dtype=_dtype)
    _decoded("DecodeImage", _contents, dtype="float32")
_decoded("DecodePng", _JPEG)
_refused("DecodePng", _GIF)
_refused("DecodePng", np.array(_PNGS["grey16"][()][:-20], object))
_refused("DecodePng", np.array(b"what is this?", object))
_refused("DecodePng", _PNGS["grey16"], channels=2)

for _contents in (_JPEG, _GREY_JPEG):
    for _channels in (0, 1, 3):
        for _dct in ("", "INTEGER_ACCURATE"):
            _decoded("DecodeJpeg", _contents, channels=_channels, dct_method=_dct)
    _decoded("DecodeJpeg", _contents, fancy_upscaling=False)
    _decoded("ExtractJpegShape", _contents)
    for _ratio in (2, 4, 8):
        _decoded("DecodeJpeg", _contents, ratio=_ratio)
_decoded("ExtractJpegShape", _JPEG, output_type="int64")
_decoded("DecodeAndCropJpeg", _GREY_JPEG, i32([2, 3, 5, 7]))
_decoded("DecodeAndCropJpeg", _JPEG, i32([0, 0, 10, 17]))
_refused("DecodeAndCropJpeg", _JPEG, i32([0, 0, 11, 17]))
_refused("DecodeAndCropJpeg", _GIF, i32([0, 0, 1, 1]))
_refused("DecodeJpeg", _JPEG, ratio=3)
_refused("DecodeJpeg", _JPEG, channels=4)
_refused("DecodeJpeg", np.array(_JPEG[()][:200], object))
_refused("ExtractJpegShape", _GIF)

_decoded("DecodeGif", _GIF)
_decoded("DecodeGif", _PNGS["colour8"])
_refused("DecodeGif", np.array(_GIF[()][:30], object))
for _bits in (8, 24, 32):
    for _channels in (0, 3, 4):
        _decoded("DecodeBmp", _bmp(5, 3, _bits), channels=_channels)
    _decoded("DecodeBmp", _bmp(3, -4, _bits))
_refused("DecodeBmp", _bmp(5, 3, 24), channels=1)
_refused("DecodeBmp", np.array(_bmp(5, 3, 24)[()][:-1], object))
_refused("DecodeBmp", _GIF)
_decoded("DecodeWebP", _WEBP)
_refused("DecodeWebP", _WEBP, channels=4)
for _contents in (_JPEG, _GIF, _bmp(5, 3, 24)):
    for _dtype in ("uint8", "uint16", "float32"):
        _decoded("DecodeImage", _contents, dtype=_dtype)
_decoded("DecodeImage", _GIF, expand_animations=False)
_decoded("DecodeImage", _WEBP, expand_animations=False)
_refused("DecodeImage", np.array(b"", object))
_refused("DecodeImage", _GIF, channels=4)
