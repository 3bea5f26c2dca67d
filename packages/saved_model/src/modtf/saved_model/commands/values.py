"""Values on the command line: inputs from .npy and .npz files and JSON, outputs as JSON and .npz.

Nothing is evaluated or unpickled. In JSON, strings are text; bytes that are not UTF-8 are `{"b64": "..."}`, as TF Serving
has them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import zipfile
import zlib
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import CommandError

from .text import shape_text

_ARCHIVE = re.compile(r"(?P<path>.*\.npz)(?::(?P<key>[^:]*))?", re.DOTALL)


def read_value(text: str, spec: tf.TensorSpec, what: str) -> tf.Tensor:
    """Returns the tensor that an argument stands for.

    Args:
        text: FILE.npy, FILE.npz, FILE.npz:KEY or JSON.
        spec: what the model takes.
        what: which input it is, for errors.

    Raises:
        CommandError: there is no such file, it is no array, or not what the model takes.
    """
    archive = _ARCHIVE.fullmatch(text)
    if archive:
        array = _from_archive(archive["path"], archive["key"], what)
    elif text.endswith(".npy"):
        array = _read_numpy(text, what)
        if not isinstance(array, np.ndarray):
            raise CommandError(f"{what}: {text!r} is an archive of arrays; name it .npz.")
    else:
        return _from_json(text, spec, what)
    return _checked(_as_tensor_array(array, spec), spec, what)


def _read_numpy(path: str, what: str) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise CommandError(f"{what}: there is no file {path!r}.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CommandError(f"{what}: {path!r} cannot be read as an array: {error}") from None


def _from_archive(path: str, key: str | None, what: str) -> np.ndarray:
    archive = _read_numpy(path, what)
    if isinstance(archive, np.ndarray):
        raise CommandError(f"{what}: {path!r} is one array; name it .npy.")
    with archive:
        there = ", ".join(map(repr, archive.files)) or "nothing"
        if key is None and len(archive.files) != 1:
            raise CommandError(f"{what}: {path!r} has {there}; say which by {path}:KEY.")
        if key is not None and key not in archive.files:
            raise CommandError(f"{what}: {path!r} has no array {key!r}, but {there}.")
        try:
            return archive[archive.files[0] if key is None else key]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise CommandError(f"{what}: {path!r} cannot be read as an array: {error}") from None


def _as_tensor_array(array: np.ndarray, spec: tf.TensorSpec) -> np.ndarray:
    """An array of a file as tensors have it: text as bytes, and types that .npy has no name for."""
    if array.dtype.kind == "U":
        return np.array([text.encode() for text in array.reshape(-1).tolist()] + [b""], object)[:-1].reshape(
            array.shape
        )
    if array.dtype.kind == "S":
        return array.astype(object)
    wanted = spec.dtype.np_dtype
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.itemsize == wanted.itemsize:
        return array.view(wanted)  # bfloat16 and the like
    return array


def _from_json(text: str, spec: tf.TensorSpec, what: str) -> tf.Tensor:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(
            f"{what}: {_shortened(text)} is no .npy or .npz file, and no JSON: {error}. Text is quoted: '\"text\"'."
        ) from None
    try:
        if spec.dtype is tf.string:
            array = _string_array(value)
        else:
            array = np.array(value)
            array = _cast(array, spec.dtype, value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CommandError(f"{what}: {_shortened(text)} is no {_spec_text(spec)}: {error}") from None
    return _checked(array, spec, what)


def _string_array(value: Any) -> np.ndarray:
    shape, items, level = [], [], [value]
    while level and all(isinstance(item, list) for item in level):
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            raise ValueError("the lists have different lengths")
        shape.append(lengths.pop())
        level = [inner for item in level for inner in item]
    for item in level:
        if isinstance(item, dict) and item.keys() == {"b64"} and isinstance(item["b64"], str):
            try:
                items.append(base64.b64decode(item["b64"], validate=True))
            except binascii.Error as error:
                raise ValueError(f"{item['b64']!r} is no base64: {error}") from None
        elif isinstance(item, str):
            items.append(item.encode())
        else:
            raise TypeError(f"{json.dumps(item)} is no text")
    array = np.empty(len(items), object)
    array[:] = items
    return array.reshape(shape)


def _cast(array: np.ndarray, dtype: tf.DType, value: Any) -> np.ndarray:
    """Numbers of JSON in the dtype that is wanted, if it can hold them."""
    kind = array.dtype.kind if array.size else "f"
    if kind not in "biuf" or (kind == "b") != (dtype.np_dtype == np.bool_ and array.size > 0):
        raise TypeError(
            f"it holds {'true or false' if kind == 'b' else 'what is no number' if kind in 'OUS' else 'numbers'}"
        )
    with np.errstate(all="ignore"):  # what does not fit is found below
        cast = array.astype(dtype.np_dtype)
    if dtype.is_integer and not np.array_equal(np.asarray(cast, np.object_), np.asarray(array, np.object_)):
        raise ValueError(f"{dtype.name} cannot hold all of its numbers")
    return cast


def _checked(array: np.ndarray, spec: tf.TensorSpec, what: str) -> tf.Tensor:
    try:
        tensor = tf.constant(array)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{what}: an array of {array.dtype} can be no tensor: {error}") from None
    if not spec.is_compatible_with(tensor):
        hint = ""
        if tensor.dtype is not spec.dtype:
            hint = f" Convert it: array.astype({spec.dtype.name!r})."
        elif spec.shape.rank is not None and len(tensor.shape) == spec.shape.rank - 1:
            hint = " It lacks a dimension: one for the batch?"
        raise CommandError(
            f"{what} is {tensor.dtype.name} of shape {shape_text(tensor.shape.dims)}; the model takes {_spec_text(spec)}.{hint}"
        )
    return tensor


def _spec_text(spec: tf.TensorSpec) -> str:
    return f"{spec.dtype.name} of shape {shape_text(spec.shape.dims)}"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def to_json(array: np.ndarray) -> Any:
    """Returns an array as lists; complex numbers as [real, imaginary]."""
    if array.dtype == object:
        return _nested([_text_or_base64(item) for item in array.reshape(-1).tolist()], array.shape)
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], -1).tolist()
    return (array if array.dtype.kind in "biuf" else array.astype(np.float64)).tolist()


def _nested(items: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return items[0]
    step = len(items) // shape[0] if shape[0] else 0
    return [_nested(items[place * step : (place + 1) * step], shape[1:]) for place in range(shape[0])]


def _text_or_base64(item: bytes) -> Any:
    try:
        return item.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(item).decode()}


def write_archive(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays to an .npz file; strings as bytes of a fixed length.

    Raises:
        CommandError: the file cannot be written, or a string ends in NUL, which such a file would lose.
    """
    if not path.endswith(".npz"):
        raise CommandError(f"--outputs: {path!r} must end in .npz.")
    plain: dict[str, Any] = {}
    for name, array in arrays.items():
        if array.dtype == object:
            if any(item.endswith(b"\0") for item in array.reshape(-1).tolist()):
                raise CommandError(f"output {name!r}: has strings that end in NUL, which .npz cannot hold; use --json.")
            array = array.astype(bytes)
        plain[name] = array
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **plain)
        os.replace(temporary, path)
    except OSError as error:
        raise CommandError(f"--outputs: {path!r} cannot be written: {error}") from None
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
