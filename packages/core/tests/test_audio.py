"""`tf.audio`: files and values are TensorFlow's."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from modtf import core as tf

_SOUND = np.array([[0.0, 0.5], [-0.5, 1.0], [-1.0, 2.0], [1 / 32767, -2.0]], np.float32)
_HEADER = "524946463400000057415645666d74201000000001000200401f0000007d00000400100064617461"
_READ = [[0, 0.5], [-0.5, 32767 / 32768], [-1, 32767 / 32768], [1 / 32768, -1]]


def test_files_of_sound() -> None:
    encoded = tf.audio.encode_wav(_SOUND, 8000)
    assert encoded.numpy().hex() == _HEADER + "10000000" + "00000040" + "00c0ff7f" + "0080ff7f" + "01000080"
    audio, rate = tf.audio.decode_wav(encoded)
    assert audio.numpy().tolist() == _READ and rate.numpy() == 8000 and rate.dtype is tf.int32


def test_halves_and_what_is_no_number() -> None:
    numbers = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 32766.5, -32767.5, np.nan, np.inf, -np.inf, 1e9]
    encoded = tf.audio.encode_wav(np.array(numbers, np.float32)[:, None] / 32768, 8000)
    expected = [1, 2, 3, -1, -2, -3, 32767, -32768, 0, 32767, -32768, 32767]
    assert np.frombuffer(encoded.numpy()[44:], "<i2").tolist() == expected


def test_channels_and_samples() -> None:
    encoded = tf.audio.encode_wav(_SOUND, 8000)
    audio = tf.audio.decode_wav(encoded, desired_channels=3, desired_samples=2).audio
    assert audio.numpy().tolist() == [[0, 0.5, 0.5], [-0.5, 32767 / 32768, 32767 / 32768]]
    audio = tf.audio.decode_wav(encoded, desired_channels=1, desired_samples=5).audio
    assert audio.numpy()[:, 0].tolist() == [0, -0.5, -1, 1 / 32768, 0]
    empty = tf.audio.decode_wav(tf.audio.encode_wav(np.zeros((0, 1), np.float32), 44100))
    assert empty.audio.shape == [0, 1] and empty.sample_rate.numpy() == 44100

    @tf.function
    def in_a_graph(contents: tf.Tensor) -> tf.Tensor:
        decoded = tf.audio.decode_wav(contents, desired_samples=3)
        assert decoded.audio.shape.as_list() == [3, None] and decoded.sample_rate.shape == []
        return decoded.audio

    assert in_a_graph(encoded).shape == [3, 2]


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _file(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _format(kind: int = 1, channels: int = 1, bits: int = 16, align: int | None = None, more: bytes = b"") -> bytes:
    size = channels * bits // 8
    return _chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, 8000, 8000 * size, align or size, bits) + more)


_DATA = _chunk(b"data", b"\1\0\2\0")


def test_other_chunks() -> None:
    junk = _chunk(b"JUNK", b"1234")
    odd = _chunk(b"LIST", b"INF") + b"\0"
    for file in (_file(_format(), _DATA), _file(junk, _format(more=b"\0\0"), junk, odd, _DATA, junk)):
        assert tf.audio.decode_wav(file).audio.numpy().tolist() == [[1 / 32768], [2 / 32768]]


_DAMAGED = {
    b"": "too short",
    b"RIFX" + _file(_format(), _DATA)[4:]: "Header mismatch",
    _file(_format(), _DATA)[:-1]: "too short",
    _file(_format(), _DATA) + b"x": "too short",
    _file(_format(), _chunk(b"data", b"\1\0\2")): "no whole samples",
    _file(_format(kind=3), _DATA): "Expected 1",
    _file(_format(bits=24), _DATA): "16-bit",
    _file(_format(align=5), _DATA): "bytes per sample",
    _file(_format(more=b"\0\0\0\0"), _DATA): "Expected 16 or 18",
    _file(_format(), _DATA, _DATA): "More than one data chunk",
    _file(_format()): "No data chunk",
    _file(_DATA): "before its fmt chunk",
    _file(_format()) + b"data" + struct.pack("<I", 2**32 - 1): "too large",
}


@pytest.mark.parametrize("file", _DAMAGED)
def test_damaged_files(file: bytes) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=_DAMAGED[file]):
        tf.audio.decode_wav(file)


def test_mistakes() -> None:
    silence = np.zeros((2, 1), np.float32)
    for audio, rate in ((np.zeros((2, 0), np.float32), 8000), (silence[0], 8000), (silence, 0), (silence, [8000])):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.audio.encode_wav(audio, rate)
    with pytest.raises(tf.errors.InvalidArgumentError, match="desired_channels"):
        tf.audio.decode_wav(_file(_format(), _DATA), desired_channels=-2)
