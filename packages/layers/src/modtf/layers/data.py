"""Data in batches: from arrays and structures of them, and from anything that yields batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.layers import config

__all__ = ["ArrayBatches", "Batches", "StreamedBatches", "make_batches", "split_validation", "unpack_x_y_sample_weight"]


class Batches:
    """What training iterates over.

    A batch is a list of arrays: the leaves of `(x, y, sample_weight)` that are not `None`.

    Attributes:
        structure: `(x, y, sample_weight)` with a `tf.TensorSpec`, its batch size open, in the place of each array.
        steps: The number of batches, or `None` if it is not known.
    """

    structure: Any
    steps: int | None

    def epoch(self) -> Iterator[list[np.ndarray]]:
        """Yields the batches of one epoch."""
        raise NotImplementedError


class ArrayBatches(Batches):
    """Batches of arrays.

    Args:
        x: The inputs: an array or a structure of arrays.
        y: The labels, likewise, or `None`.
        sample_weight: The weights of the examples, likewise, or `None`.
        batch_size: How many examples a batch has; the last may have fewer.
        shuffle: Whether the examples are put in another order in each epoch; `"batch"` shuffles whole batches.
        class_weight: Weights by class number, to be multiplied with those of the examples.
        steps: How many batches an epoch has at most.

    Raises:
        ValueError: There are no examples, or not as many in all arrays.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
        steps: int | None = None,
    ) -> None:
        data = tuple(as_arrays(part) for part in (x, y, sample_weight))
        if class_weight is not None:
            data = _with_class_weights(data, class_weight)
        self._arrays = [leaf for leaf in tf.nest.flatten(data) if leaf is not None]
        counts = {len(array) for array in self._arrays}
        if len(counts) != 1:
            shapes = tf.nest.map_structure(lambda leaf: None if leaf is None else leaf.shape, data)
            raise ValueError(
                "All arrays need as many examples, along their first axis, but the shapes are "
                f"x={shapes[0]}, y={shapes[1]}, sample_weight={shapes[2]}."
            )
        (self._count,) = counts
        if self._count == 0:
            raise ValueError("There are no examples: the first axis of the arrays has size 0.")
        self._batch_size = 32 if batch_size is None else batch_size
        if not isinstance(self._batch_size, (int, np.integer)) or self._batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer; got {batch_size!r}.")
        self._shuffle = shuffle
        self.structure = tf.nest.map_structure(_spec, data)
        batches = -(-self._count // self._batch_size)
        self.steps = batches if steps is None else min(steps, batches)

    def epoch(self) -> Iterator[list[np.ndarray]]:
        size = self._batch_size
        starts = np.arange(0, self._count, size)
        if self._shuffle == "batch":
            np.random.shuffle(starts)
        if self._shuffle and self._shuffle != "batch":
            order = np.random.permutation(self._count)
            for start in starts[: self.steps]:
                chosen = order[start : start + size]
                yield [array[chosen] for array in self._arrays]
        else:
            for start in starts[: self.steps]:
                yield [array[start : start + size] for array in self._arrays]


class StreamedBatches(Batches):
    """Batches that something else makes: a generator, or an iterable such as a data loader, of `(x, y, sample_weight)`.

    Args:
        source: Yields batches: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` of arrays, tensors or structures of them.
        class_weight: Weights by class number, to be multiplied with those of the examples.
        steps: How many batches an epoch has; by default as many as there are. A generator can be used up only once, so
            with several epochs it must go on.

    Raises:
        ValueError: There are no batches.
    """

    def __init__(self, source: Any, class_weight: Mapping[int, float] | None = None, steps: int | None = None) -> None:
        self._source = source
        self._class_weight = class_weight
        self._goes_on = iter(source) is source
        self._iterator: Iterator[Any] | None = None
        try:
            self.steps = steps if steps is not None else len(source)
        except TypeError:
            self.steps = None
        self._first = self._whole(next(self._stream(), None))
        if self._first is None:
            raise ValueError("There are no batches: the data gave none.")
        self.structure = tf.nest.map_structure(_spec, self._first)
        if not self._goes_on:
            self._first = None
            self._iterator = None

    def _stream(self) -> Iterator[Any]:
        if self._iterator is None:
            self._iterator = iter(self._source)
        return self._iterator

    def _whole(self, batch: Any) -> Any:
        if batch is None:
            return None
        data = tuple(as_arrays(part) for part in unpack_x_y_sample_weight(batch))
        return data if self._class_weight is None else _with_class_weights(data, self._class_weight)

    def epoch(self) -> Iterator[list[np.ndarray]]:
        if not self._goes_on:
            self._iterator = None
        first = [] if self._first is None else [self._first]
        self._first = None
        rest = (self._whole(batch) for batch in self._stream())
        for number, data in enumerate(itertools.islice(itertools.chain(first, rest), self.steps)):
            found = tf.nest.map_structure(_spec, data)
            if _outline(found) != _outline(self.structure):
                raise ValueError(
                    f"Batch {number} has another structure or other dtypes than the first: {found}, not {self.structure}."
                )
            yield [leaf for leaf in tf.nest.flatten(data) if leaf is not None]


def make_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
) -> Batches:
    """Returns batches of whatever `fit`, `evaluate` and `predict` were given.

    Raises:
        ValueError: Nothing was given, or arguments do not go together.
    """
    if isinstance(x, Batches):
        return x
    if x is None:
        raise ValueError("There is no data: x is None.")
    if is_array(x) or isinstance(x, (list, tuple, Mapping)):
        return ArrayBatches(x, y, sample_weight, batch_size, shuffle, class_weight, steps)
    if not hasattr(x, "__iter__"):
        raise ValueError(f"Data must be arrays, structures of them, or something that yields batches; got {x!r}.")
    for name, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
        if value is not None:
            raise ValueError(f"{name} cannot be given with data that comes in batches: the batches have it.")
    return StreamedBatches(x, class_weight, steps)


def is_array(value: Any) -> bool:
    """Whether a value is an array or tensor of some library."""
    return isinstance(value, (np.ndarray, tf.Tensor, tf.Variable)) or (
        hasattr(value, "__array__") and hasattr(value, "shape")
    )


def as_arrays(data: Any) -> Any:
    """Returns a structure with NumPy arrays as leaves: floating ones in `config.floatx()`, lists of numbers as arrays."""

    def one(leaf: Any) -> Any:
        if leaf is None:
            return None
        array = np.asarray(leaf)
        if array.dtype == object and not isinstance(leaf, np.ndarray):
            raise ValueError(f"Data must be arrays of numbers or strings; got {leaf!r}.")
        if array.ndim == 0:
            raise ValueError(f"Data must have a first axis of examples; got the scalar {leaf!r}.")
        wanted = tf.as_dtype(config.floatx()).as_numpy_dtype
        return array.astype(wanted) if array.dtype.kind == "f" and array.dtype != wanted else array

    if _is_list_of_values(data):
        return one(data)
    if isinstance(data, Mapping):
        return {key: as_arrays(item) for key, item in data.items()}
    if isinstance(data, (list, tuple)):
        return tuple(as_arrays(item) for item in data)
    return one(data)


def _is_list_of_values(data: Any) -> bool:
    """Whether it is a list of numbers or strings, or of lists of them, rather than a structure of arrays."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
        if isinstance(data, (bool, int, float, str, bytes, np.generic)):
            return True
    return False


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Returns `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` as three values.

    Raises:
        ValueError: There are more.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"A batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(data)}.")
    return (*data, *(None,) * (3 - len(data)))


def split_validation(data: tuple[Any, Any, Any], validation_split: float) -> tuple[Any, Any]:
    """Divides `(x, y, sample_weight)` into the first part, to train on, and the last, to validate on.

    Args:
        data: Arrays or structures of them.
        validation_split: The size of the last part, between 0 and 1.

    Raises:
        ValueError: The data is not arrays, or one of the parts would be empty.
    """
    if not 0 < validation_split < 1:
        raise ValueError(f"validation_split must be between 0 and 1; got {validation_split}.")
    if not (is_array(data[0]) or isinstance(data[0], (list, tuple, Mapping))):
        raise ValueError("validation_split needs arrays; for other data give validation_data.")
    arrays = tuple(as_arrays(part) for part in data)
    count = len(next(leaf for leaf in tf.nest.flatten(arrays) if leaf is not None))
    split = int(np.floor(count * (1.0 - validation_split)))
    if split == 0 or split == count:
        raise ValueError(f"validation_split={validation_split} of {count} examples leaves one part without any.")

    def part(chosen: slice) -> Any:
        return tf.nest.map_structure(lambda leaf: None if leaf is None else leaf[chosen], arrays)

    return part(slice(split)), part(slice(split, None))


def _spec(leaf: Any) -> Any:
    return None if leaf is None else tf.TensorSpec([None, *leaf.shape[1:]], tf.as_dtype(leaf.dtype))


def _outline(structure: Any) -> str:
    return repr(
        tf.nest.map_structure(lambda spec: None if spec is None else (spec.dtype.name, spec.shape.rank), structure)
    )


def _with_class_weights(data: Any, class_weight: Mapping[int, float]) -> Any:
    x, y, sample_weight = data
    if y is None or not isinstance(y, np.ndarray):
        raise ValueError("class_weight needs the labels of a model with one output.")
    one_hot = y.ndim > 1 and y.shape[-1] > 1
    classes = np.argmax(y, -1) if one_hot else np.round(y.reshape(y.shape[0], -1)[:, 0]).astype("int64")
    floating = tf.as_dtype(config.floatx()).as_numpy_dtype
    weights = np.ones(classes.shape, floating)
    for number, weight in class_weight.items():
        weights[classes == number] = weight
    return x, y, weights if sample_weight is None else weights * sample_weight
