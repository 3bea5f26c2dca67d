"""Protocol Buffers' wire format, as far as the few messages need that core reads and writes itself.

https://protobuf.dev/programming-guides/encoding. A message is a range of one `bytes` object, so that messages inside
messages are not copied. No size or count in the data is trusted: what does not fit raises `DamagedMessage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_MASK = (1 << 64) - 1
_LONGEST = 10  # bytes of a 64-bit varint
_FEW = 24  # bytes that a loop decodes faster than NumPy


class DamagedMessage(ValueError):
    """The bytes are not a message of the kind that is read."""


Field = tuple[int, int, int, int]
"""A field of a message: its number, how it is encoded (its wire type), and where its content starts and ends."""


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """Yields the fields of the message in `data[start:end]`.

    Raises:
        DamagedMessage: It is cut off, or uses an encoding that has gone out of use.
    """
    while start < end:
        key = data[start]
        if key < 0x80:  # as nearly all keys and many lengths are, which are read here for speed
            start += 1
        else:
            key, start = read_varint(data, start, end)
        wire_type = key & 7
        if wire_type == BYTES:
            length = data[start] if start < end else 0x80
            if length < 0x80:
                start += 1
            else:
                length, start = read_varint(data, start, end)
            stop = start + length
        elif wire_type == VARINT:
            _, stop = read_varint(data, start, end)
        elif wire_type in (FIXED32, FIXED64):
            stop = start + (4 if wire_type == FIXED32 else 8)
        else:
            raise DamagedMessage(f"wire type {wire_type} at byte {start}")
        if stop > end or key < 8:
            raise DamagedMessage(
                f"field {key >> 3} at byte {start} of {start} to {stop}, in a message that ends at {end}"
            )
        yield key >> 3, wire_type, start, stop
        start = stop


def read_varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Returns the unsigned 64-bit number at `data[start]`, and where it ends."""
    value = shift = 0
    for at in range(start, min(end, start + _LONGEST)):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK, at + 1
        shift += 7
    raise DamagedMessage(f"a number at byte {start} does not end")


def signed(value: int) -> int:
    """Returns the int64 whose bits are those of an unsigned number."""
    return value - (1 << 64) if value >> 63 else value


def read_varints(data: bytes, start: int, end: int) -> np.ndarray:
    """Returns all numbers that fill `data[start:end]`, one after the other, as int64."""
    if end - start <= _FEW:
        values = []
        while start < end:
            value, start = read_varint(data, start, end)
            values.append(signed(value))
        return np.array(values, np.int64)
    octets = np.frombuffer(data, np.uint8, end - start, start)
    ends = np.flatnonzero(octets < 0x80)
    if len(ends) == len(octets):
        return octets.astype(np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    if not len(ends) or ends[-1] != len(octets) - 1 or (ends - starts).max() >= _LONGEST:
        raise DamagedMessage(f"a number from byte {start} on does not end")
    places = np.arange(len(octets)) - np.repeat(starts, ends - starts + 1)
    parts = (octets & np.uint8(0x7F)).astype(np.uint64) << (places * 7).astype(np.uint64)
    return np.bitwise_or.reduceat(parts, starts).view(np.int64)


def varint(value: int) -> bytes:
    """Returns an integer, negative ones as 64-bit numbers, encoded."""
    value &= _MASK
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def bytes_field(number: int, content: bytes) -> bytes:
    """Returns a field with a string, or a message, encoded."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def varint_field(number: int, value: int) -> bytes:
    """Returns a field with an integer, encoded."""
    return varint(number << 3 | VARINT) + varint(value)


def fixed32_field(number: int, content: bytes) -> bytes:
    """Returns a field with four bytes, encoded."""
    return varint(number << 3 | FIXED32) + content


def packed_field(number: int, values: Iterable[int]) -> bytes:
    """Returns a field with several integers, encoded."""
    return bytes_field(number, b"".join(map(varint, values)))
