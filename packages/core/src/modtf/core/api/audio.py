"""Sound out of WAV files and into them (`tf.audio`)."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values.tensors import Tensor

__all__ = ["decode_wav", "encode_wav"]


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: str | None = None) -> Any:
    """Returns the sound in a WAV file of 16 bits a sample.

    Args:
        contents: The file's content, a scalar string.
        desired_channels: How many channels are wanted: the first ones, or more, which repeat the last; -1 for all.
        desired_samples: How many samples are wanted: the first ones, or more, which are zeros; -1 for all.
        name: A name for the graph node.

    Returns:
        A named tuple of `audio`, float32 in [-1, 1) of shape `[samples, channels]`, and `sample_rate`, how many samples there
        are in a second, a scalar int32.

    Raises:
        InvalidArgumentError: It is no such file.
    """
    return raw.DecodeWav(contents, desired_channels=desired_channels, desired_samples=desired_samples, name=name)


def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Tensor:
    """Returns sound as a WAV file of 16 bits a sample.

    Args:
        audio: The samples, float32 of shape `[samples, channels]`; what is not in [-1, 1) is cut off.
        sample_rate: How many samples there are in a second, a scalar int32.
        name: A name for the graph node.

    Returns:
        The file's content, a scalar string.

    Raises:
        InvalidArgumentError: There are no channels, or `sample_rate` is not positive.
    """
    return raw.EncodeWav(audio, sample_rate, name=name)
