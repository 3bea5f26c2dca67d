"""Base-128 varints: seven bits a byte, lowest first, the high bit set in all bytes but the last."""

from __future__ import annotations

from .errors import DataLossError

_MAX_BYTES = 10  # of a 64-bit number


def encode(value: int) -> bytes:
    """Returns the varint of `value`, an integer of 0 to 2**64 - 1."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: bytes, at: int, what: str) -> tuple[int, int]:
    """Reads the varint which begins at `data[at]`.

    Args:
        data: the bytes.
        at: where the varint begins.
        what: where the bytes come from, for the error.

    Returns:
        Its value, below 2**64, and the position behind it.

    Raises:
        DataLossError: the data end within the varint, or it has more than 64 bits.
    """
    value = 0
    for i, byte in enumerate(data[at : at + _MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if value >> 64:
                break
            return value, at + i + 1
    raise DataLossError(f"{what}: no 64-bit varint at byte {at} of {len(data)}; the file is truncated or altered.")


def decode_many(data: bytes, count: int, what: str) -> tuple[list[int], int]:
    """Reads `count` varints from the start of `data`; returns them and the position behind the last."""
    if count > len(data):
        raise DataLossError(f"{what}: {count} varints cannot stand in {len(data)} bytes; the file is altered.")
    values, at = [], 0
    for _ in range(count):
        value, at = decode(data, at, what)
        values.append(value)
    return values, at
