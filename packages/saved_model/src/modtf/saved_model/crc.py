"""CRC-32C as TensorFlow's files hold it: masked, because a CRC of data that itself contains CRCs is weak."""

from __future__ import annotations

import google_crc32c
import numpy as np

_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | np.ndarray, crc: int = 0) -> int:
    """Returns the CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`, continued from `crc`.

    Args:
        data: bytes, or a contiguous array of any numeric dtype, read in place.
        crc: the unmasked CRC of what comes before `data`.
    """
    return google_crc32c.extend(crc, data)


def mask(crc: int) -> int:
    """Returns `crc` as it is stored: rotated right by 15 bits, plus a constant, modulo 2**32."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
