"""The dtypes by name, and conversion between them (`tf.dtypes`)."""

from modtf.core.api.elementwise import cast, complex, saturate_cast
from modtf.core.values.dtypes import ALL, DType, as_dtype, double, half

__all__ = ["DType", "as_dtype", "cast", "complex", "double", "half", "saturate_cast"]

for _dtype in ALL:
    globals()[_dtype.name] = _dtype
    __all__.append(_dtype.name)
