"""Sound."""

from __future__ import annotations

import struct

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, i32

_SOUND = np.array([[0.0, 0.5], [-0.5, 1.0], [-1.0, 2.0], [1.5 / 32768, -2.5 / 32768], [0.25, -3.0]])
case("EncodeWav", Given(_SOUND), i32(8000), dtypes="float32", smooth=False)
mistake("EncodeWav", Given(np.zeros((2, 0))), i32(8000), told_by="arguments")
mistake("EncodeWav", Given(_SOUND), i32(0), told_by="arguments")
mistake("EncodeWav", Given(_SOUND[0]), i32(8000))


def _string(value: bytes) -> np.ndarray:
    return np.array(value, object)


def _wav(samples: list[int], channels: int = 1, bits: int = 16, before: bytes = b"", after: bytes = b"") -> bytes:
    """A WAV file, with other chunks before and after the one that says what it holds."""
    said = struct.pack("<HHIIHH", 1, channels, 8000, 8000 * channels * bits // 8, channels * bits // 8, bits)
    data = struct.pack(f"<{len(samples)}h", *samples)
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(said)) + said + after
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


_STEREO = _wav([1, -1, 32767, -32768, 0, 5], 2)
_LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
for _attrs in ({}, {"desired_channels": 1}, {"desired_channels": 3, "desired_samples": 2}, {"desired_samples": 5}):
    case("DecodeWav", _string(_STEREO), dtypes="string", smooth=False, **_attrs)
for _file in (_wav([]), _wav([7], before=b"JUNK" + _LIST[4:]), _wav([7], after=_LIST)):
    case("DecodeWav", _string(_file), dtypes="string", smooth=False)
for _damaged in (b"", _STEREO[:20], _STEREO[:-1], _STEREO + b"x", _wav([7], bits=8), _STEREO[:36], b"X" + _STEREO[1:]):
    mistake("DecodeWav", _string(_damaged), dtypes="string", told_by="arguments")
mistake("DecodeWav", _string(_STEREO), dtypes="string", desired_channels=-2)
