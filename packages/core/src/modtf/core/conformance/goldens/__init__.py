"""What TensorFlow computes for the cases, written by `tools/write_goldens.py` of this package's repository.

Each table of cases has a file of its own, which holds all arrays one after the other as `data`, and `index`, the JSON
that says what they are.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from modtf.core import as_dtype
from modtf.core.conformance.examples import Example

_FOLDER = Path(__file__).parent


class Golden(NamedTuple):
    """What TensorFlow makes of an example.

    Attributes:
        outputs: The results.
        gradients: For each of the example's differentiable inputs its gradient, or `None` where none flows. Empty if
            TensorFlow has a gradient of the op, but cannot compute it on a CPU; `None` if it has none, and for another
            dtype than gradients are compared for.
        shapes: The outputs' shapes as they are known while tracing, `None` for unknown: with the varied inputs' shapes
            known, with their ranks only, and with nothing; empty for another dtype than the case's first.
    """

    outputs: list[np.ndarray]
    gradients: list[np.ndarray | None] | None
    shapes: list[list[list[int | None] | None]]


class Writer:
    """Collects the goldens of one table of cases and writes them into its file."""

    def __init__(self) -> None:
        self._index: dict[str, Any] = {}
        self._data: list[bytes] = []

    def add(self, example: Example, golden: Golden) -> None:
        """Adds what TensorFlow makes of an example."""
        gradients = None if golden.gradients is None else [self._described(array) for array in golden.gradients]
        outputs = [self._described(array) for array in golden.outputs]
        self._index[str(example)] = [example.fingerprint, outputs, gradients, golden.shapes]

    def _described(self, array: np.ndarray | None) -> Any:
        if array is None:
            return None
        if array.dtype == object:
            return ["string", array.shape, [item.decode("latin-1") for item in array.ravel()]]
        return [as_dtype(array.dtype).name, array.shape, array.tobytes()]

    def write(self, table: str) -> int:
        """Writes the table's file and returns its size in bytes."""
        for _, outputs, gradients, _ in self._index.values():  # gradients after outputs, as `read` takes them
            for described in [*outputs, *(gradients or [])]:
                if described is not None and isinstance(described[-1], bytes):
                    self._data.append(described.pop())
        index = np.frombuffer(json.dumps(self._index, separators=(",", ":")).encode(), np.uint8)
        path = _FOLDER / f"{table}.npz"
        np.savez_compressed(path, index=index, data=np.frombuffer(b"".join(self._data), np.uint8))
        return path.stat().st_size


@functools.cache
def _read_all() -> dict[str, tuple[int, Golden]]:
    return {name: golden for path in sorted(_FOLDER.glob("*.npz")) for name, golden in _read(path).items()}


def _read(path: Path) -> dict[str, tuple[int, Golden]]:
    with np.load(path, allow_pickle=False) as file:
        index, data = json.loads(file["index"].tobytes()), file["data"].tobytes()
    position = 0

    def array(described: Any) -> np.ndarray | None:
        nonlocal position
        if described is None:
            return None
        name, shape, *strings = described
        if strings:
            made = np.empty(len(strings[0]), object)
            made[:] = [item.encode("latin-1") for item in strings[0]]
            return made.reshape(shape)
        dtype = np.dtype(as_dtype(name).as_numpy_dtype)
        count = int(np.prod(shape, dtype=np.int64))
        made = np.frombuffer(data, dtype, count, position).reshape(shape)
        position += made.nbytes
        return made

    def arrays(described: Any) -> Iterator[Any]:
        return map(array, described)

    known = {}
    for name, (fingerprint, outputs, gradients, shapes) in index.items():
        golden_outputs = list(arrays(outputs))
        golden_gradients = None if gradients is None else list(arrays(gradients))
        known[name] = (fingerprint, Golden(golden_outputs, golden_gradients, shapes))
    return known


def golden_of(example: Example) -> Golden:
    """Returns what TensorFlow makes of an example.

    Raises:
        LookupError: It was not written, or for other inputs.
    """
    fingerprint, golden = _read_all().get(str(example), (None, None))
    if golden is None or fingerprint != example.fingerprint:
        what = "is no golden" if golden is None else "is a golden, but of other inputs,"
        raise LookupError(
            f"There {what} for {example}. Write the goldens anew with packages/core/tools/write_goldens.py."
        )
    return golden
