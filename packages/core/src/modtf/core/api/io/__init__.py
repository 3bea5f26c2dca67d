"""Reading, writing and parsing data (`tf.io`)."""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any

from modtf.core.api.io import gfile
from modtf.core.api.io.encodings import *
from modtf.core.api.io.encodings import __all__ as _encodings
from modtf.core.api.io.features import *
from modtf.core.api.io.features import __all__ as _features
from modtf.core.api.io.parsing import *
from modtf.core.api.io.parsing import __all__ as _parsing
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

_OF_IMAGES = frozenset(
    {
        "decode_and_crop_jpeg", "decode_bmp", "decode_gif", "decode_image", "decode_jpeg", "decode_png", "decode_webp",
        "encode_jpeg", "encode_png", "extract_jpeg_shape", "is_jpeg",
    }
)  # fmt: skip
"""Functions of `tf.image` that stand here too; loaded when they are first asked for."""
_OF_DATA = frozenset({"TFRecordOptions", "TFRecordWriter"})
"""Classes that stand beside the datasets of such files; loaded likewise."""

__all__ = [  # noqa: PLE0604 (they are strings)
    *_encodings, *_features, *_parsing, "decode_csv", "decode_json_example", "gfile", "match_filenames_once",
    "matching_files", "parse_tensor", "read_file", "serialize_tensor", "write_file",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _OF_IMAGES | _OF_DATA:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module("modtf.core.api." + ("image" if name in _OF_IMAGES else "data.records")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *_OF_IMAGES, *_OF_DATA})


# ------------------------------------------------------------------------------------------------- files


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """Returns the content of a file.

    Args:
        filename: Its path, a scalar string.
        name: A name for the graph node.

    Returns:
        A scalar string tensor.

    Raises:
        NotFoundError: There is no such file.
        FailedPreconditionError: It is a folder.
    """
    return raw.ReadFile(filename, name=name)


def write_file(filename: Any, contents: Any, name: str | None = None) -> Any:
    """Writes a file, making the folder it is in if there is none; what it held before is lost.

    Args:
        filename: Its path, a scalar string.
        contents: Its content, a scalar string.
        name: A name for the graph node.

    Raises:
        FailedPreconditionError: There is a folder of that name.
    """
    return raw.WriteFile(filename, contents, name=name)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """Returns the paths of the files and folders that match a pattern.

    Args:
        pattern: A string, or a vector of them, in which `*` stands for any characters but `/`, `?` for one, and `[...]`
            for one of those inside.
        name: A name for the graph node.

    Returns:
        A vector of strings, sorted.
    """
    return raw.MatchingFiles(pattern, name=name)


def match_filenames_once(pattern: Any, name: str | None = None) -> Variable:
    """Returns a variable with the paths that match a pattern now.

    Args:
        pattern: A pattern, or a vector of them; see `matching_files`.
        name: A name for the variable.
    """
    return Variable(lambda: matching_files(pattern), trainable=False, name=name)


# ------------------------------------------------------------------------------------------------- records


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """Returns the tensor that `serialize_tensor` made a string of.

    Args:
        serialized: A `TensorProto`, a scalar string.
        out_type: The tensor's dtype.
        name: A name for the graph node.

    Returns:
        The tensor; while tracing, its shape is unknown.

    Raises:
        InvalidArgumentError: It is no `TensorProto`, or of another dtype.
    """
    return raw.ParseTensor(serialized, out_type=out_type, name=name)


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """Returns a tensor as a string, a serialized `TensorProto`.

    Args:
        tensor: The tensor.
        name: A name for the graph node.

    Returns:
        A scalar string tensor.
    """
    return raw.SerializeTensor(tensor, name=name)


def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Any = None,
    name: str | None = None,
) -> list[Tensor]:
    """Splits records of comma-separated values into columns.

    Args:
        records: Strings, a record each, as RFC 4180 has them but without the line's end.
        record_defaults: For each column, a tensor that says by its dtype (float32, float64, int32, int64 or string) what
            the column is, and holds what stands for an empty field: one element, or none if there must be a field.
        field_delim: The character between fields.
        use_quote_delim: Whether fields may stand in double quotes.
        na_value: A further string that means an empty field.
        select_cols: The indices, ascending, of the columns that are wanted; by default all.
        name: A name for the graph node.

    Returns:
        A tensor for each column, of the shape of `records`.

    Raises:
        ValueError: `select_cols` is not as it must be.
        InvalidArgumentError: A record has too few or too many fields, or one that is not of its column's dtype.
    """
    columns = list(select_cols) if select_cols is not None else []
    if any(after <= before for before, after in itertools.pairwise(columns)):
        raise ValueError(f"select_cols is not strictly increasing: {columns}.")
    if any(column < 0 for column in columns):
        raise ValueError(f"select_cols contains negative values: {columns}.")
    if columns and len(columns) != len(record_defaults):
        raise ValueError(
            f"Length of select_cols and record_defaults do not match: {len(columns)} and {len(record_defaults)}."
        )
    return raw.DecodeCSV(
        records,
        [convert_to_tensor(default) for default in record_defaults],
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=columns,
        name=name,
    )


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Returns `tf.train.Example`s, which are written as JSON, in their binary form.

    Args:
        json_examples: Strings, an example each.
        name: A name for the graph node.

    Returns:
        A string tensor of the same shape.

    Raises:
        InvalidArgumentError: One is no example.
    """
    texts = convert_to_tensor(json_examples, dtypes.string)
    return raw.DecodeJSONExample(texts, name=name)
