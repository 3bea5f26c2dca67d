"""Sound out of WAV files and into them: 16 bits a sample, uncompressed.

The format: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991, chapter 2: a RIFF file of
form WAVE, in which a chunk `fmt ` says what the samples in the chunk `data` are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_RIFF = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_PCM = 1
_SCALE = 32768
_LARGEST = 2**31 - 1


def _chunks(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and content of each chunk."""
    place = _RIFF.size
    while place < len(contents):
        if len(contents) < place + _CHUNK.size:
            raise InvalidArgumentError(
                f"Data too short: {len(contents) - place} bytes stand where a chunk should begin"
            )
        name, size = _CHUNK.unpack_from(contents, place)
        place += _CHUNK.size
        if size > _LARGEST:
            raise InvalidArgumentError(
                f"WAV data chunk {name!r} is too large: {size} bytes, but the limit is {_LARGEST}"
            )
        if len(contents) < place + size:
            raise InvalidArgumentError(
                f"Data too short: the chunk {name!r} has {len(contents) - place} of the {size} bytes that it says it has"
            )
        yield name, contents[place : place + size]
        place += size
        if size % 2 and contents[place : place + 1] == b"\0":  # which makes the length even, as the format wants it
            place += 1


def _read_format(chunk: bytes) -> tuple[int, int]:
    """How many channels there are, and how many samples a second."""
    if len(chunk) not in (16, 18):
        raise InvalidArgumentError(f"Bad format chunk size for WAV: Expected 16 or 18, but got {len(chunk)}")
    kind, channels, rate, bytes_per_second, bytes_per_sample, bits = _FORMAT.unpack_from(chunk)
    if kind != _PCM:
        raise InvalidArgumentError(f"Bad audio format for WAV: Expected 1 (PCM), but got {kind}")
    if channels < 1:
        raise InvalidArgumentError("Bad number of channels for WAV: Expected at least 1, but got 0")
    if bits != 16:
        raise InvalidArgumentError(f"Can only read 16-bit WAV files, but received {bits}")
    if bytes_per_sample != 2 * channels:
        raise InvalidArgumentError(
            f"Bad bytes per sample in WAV header: Expected {2 * channels} but got {bytes_per_sample}"
        )
    if bytes_per_second != rate * bytes_per_sample:
        raise InvalidArgumentError(
            f"Bad bytes per second in WAV header: Expected {rate * bytes_per_sample} but got {bytes_per_second}"
        )
    return channels, rate


def read(contents: bytes) -> tuple[np.ndarray, int]:
    """Returns the samples, [samples, channels] in [-1, 1), and how many there are in a second.

    Raises:
        InvalidArgumentError: It is no WAV file of 16-bit samples, or a damaged one.
    """
    if len(contents) < _RIFF.size:
        raise InvalidArgumentError(f"Data too short: a WAV file has a header, but these are {len(contents)} bytes")
    riff, _, wave = _RIFF.unpack_from(contents)
    for found, expected in ((riff, b"RIFF"), (wave, b"WAVE")):
        if found != expected:
            raise InvalidArgumentError(f"Header mismatch: Expected {expected!r} but found {found!r}")
    said: tuple[int, int] | None = None
    samples: np.ndarray | None = None
    for name, chunk in _chunks(contents):
        if name == b"fmt ":
            said = _read_format(chunk)
        elif name == b"data":
            if said is None:
                raise InvalidArgumentError("The data chunk of a WAV file stands before its fmt chunk, or there is none")
            if samples is not None:
                raise InvalidArgumentError("More than one data chunk found in WAV")
            if len(chunk) % (2 * said[0]):
                raise InvalidArgumentError(
                    f"Data too short: {len(chunk)} bytes are no whole samples of {said[0]} channels"
                )
            samples = np.frombuffer(chunk, "<i2").reshape(-1, said[0])
    if samples is None or said is None:
        raise InvalidArgumentError("No data chunk found in WAV")
    return samples.astype(np.float32) / np.float32(_SCALE), said[1]


def written(audio: np.ndarray, rate: int) -> bytes:
    """Returns a WAV file."""
    scaled = np.nan_to_num(audio.astype(np.float64) * _SCALE, posinf=_SCALE, neginf=-_SCALE)
    away_from_zero = np.trunc(scaled + np.copysign(0.5, scaled))
    data = np.clip(away_from_zero, -_SCALE, _SCALE - 1).astype("<i2").tobytes()
    channels = audio.shape[1]
    described = _FORMAT.pack(_PCM, channels, rate, rate * channels * 2 % 2**32, channels * 2, 16)
    body = b"".join([_CHUNK.pack(b"fmt ", len(described)), described, _CHUNK.pack(b"data", len(data)), data])
    return _RIFF.pack(b"RIFF", 4 + len(body), b"WAVE") + body


def _decoded_dims(contents: Tensor, *, desired_channels: int, desired_samples: int) -> list[Dims]:
    with_rank(contents, 0, "contents")
    for name, value in (("desired_channels", desired_channels), ("desired_samples", desired_samples)):
        if value < -1:
            raise ValueError(f"{name} must be >= -1, got {value}")
    return [tuple(None if size == -1 else size for size in (desired_samples, desired_channels)), ()]


@op(
    "DecodeWav(contents: string, *, desired_channels: int = -1, desired_samples: int = -1) "
    "-> (audio: float32, sample_rate: int32)",
    shape=_decoded_dims,
    host_only=True,
)
def decode_wav(
    xp: Any, contents: np.ndarray, *, desired_channels: int, desired_samples: int
) -> tuple[np.ndarray, np.ndarray]:
    if np.ndim(contents):
        raise InvalidArgumentError(f"contents must be scalar, got shape {list(np.shape(contents))}")
    for name, value in (("desired_channels", desired_channels), ("desired_samples", desired_samples)):
        if value < -1:
            raise InvalidArgumentError(f"{name} must be >= -1, got {value}")
    samples, rate = read(np.asarray(contents).item())
    count, channels = samples.shape
    if desired_channels != -1:  # more of them than there are repeat the last
        samples = samples[:, np.minimum(np.arange(desired_channels), channels - 1)]
    if desired_samples != -1:
        samples = np.pad(samples[:desired_samples], ((0, max(desired_samples - count, 0)), (0, 0)))
    return samples, np.array(rate).astype(np.int32)


def _encoded_dims(audio: Tensor, sample_rate: Tensor) -> Dims:
    with_rank(audio, 2, "audio")
    with_rank(sample_rate, 0, "sample_rate")
    return ()


@op("EncodeWav(audio: float32, sample_rate: int32) -> (contents: string)", shape=_encoded_dims, host_only=True)
def encode_wav(xp: Any, audio: np.ndarray, sample_rate: np.ndarray) -> np.ndarray:
    if audio.ndim != 2:
        raise InvalidArgumentError(f"audio must be 2-dimensional, but has shape {list(audio.shape)}")
    if np.ndim(sample_rate):
        raise InvalidArgumentError(f"sample_rate must be a scalar, but has shape {list(np.shape(sample_rate))}")
    if not 0 < audio.shape[1] < 2**16:
        raise InvalidArgumentError(f"num_channels must be in (0, 2^16), got: {audio.shape[1]}")
    if int(sample_rate) <= 0:
        raise InvalidArgumentError(f"sample_rate must be in (0, 2^32), got: {int(sample_rate)}")
    return np.array(written(audio, int(sample_rate)), object)
