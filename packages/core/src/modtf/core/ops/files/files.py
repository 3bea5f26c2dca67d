"""Reading, writing and finding files."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from modtf.core.engine.vocabulary import op
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.local_files import content_of, explained, local_path, matching
from modtf.core.values.tensors import Tensor


def _path(filename: np.ndarray) -> str:
    if filename.ndim:
        raise InvalidArgumentError(f"Input filename tensor must be scalar, but had shape: {list(filename.shape)}.")
    return local_path(filename.item())


def _check_scalars(*tensors: Tensor) -> None:
    for tensor in tensors:
        if tensor.dims not in (None, ()):
            raise ValueError(f"A file's name and content must be scalars, but a shape is {tensor.shape}")


def _contents_dims(filename: Tensor) -> tuple[()]:
    _check_scalars(filename)
    return ()


@op("ReadFile(filename: string) -> (contents: string)", shape=_contents_dims, host_only=True, volatile=True)
def read_file(xp: object, filename: np.ndarray) -> bytes:
    with explained():
        return content_of(_path(filename))


def _written_dims(filename: Tensor, contents: Tensor) -> list[None]:
    _check_scalars(filename, contents)
    return []


@op("WriteFile(filename: string, contents: string) -> ()", shape=_written_dims, host_only=True, stateful=True)
def write_file(xp: object, filename: np.ndarray, contents: np.ndarray) -> tuple[()]:
    path = _path(filename)
    if contents.ndim:
        raise InvalidArgumentError(f"Contents tensor must be scalar, but had shape: {list(contents.shape)}.")
    with explained():
        with contextlib.suppress(FileExistsError):  # something that is no folder, which the next line complains of
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents.item())
    return ()


@op(
    "MatchingFiles(pattern: string) -> (filenames: string)",
    shape=lambda pattern: (None,),
    host_only=True,
    volatile=True,
)
def matching_files(xp: object, pattern: np.ndarray) -> np.ndarray:
    if pattern.ndim > 1:
        raise InvalidArgumentError(
            f"Input pattern tensor must be scalar or vector, but had shape: {list(pattern.shape)}."
        )
    found = sorted(os.fsencode(path) for item in pattern.reshape(-1) for path in matching(os.fsdecode(item)))
    array = np.empty(len(found), object)
    array[:] = found
    return array


for _op in (read_file, write_file, matching_files):
    _op.gradient(None)
