"""`tf.data.experimental`: functions for `Dataset.apply`, most of them the older form of a method, and a few more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.data.applying import GroupByReducer, checked_scalar
from modtf.core.api.data.base import AUTOTUNE, DatasetBase, build
from modtf.core.api.data.base import INFINITE as INFINITE_CARDINALITY
from modtf.core.api.data.base import UNKNOWN as UNKNOWN_CARDINALITY
from modtf.core.api.data.dataset import Dataset
from modtf.core.api.data.functions import TracedFunction, scalar_of, traced_until_stable
from modtf.core.api.data.iterators import Iterator, Optional
from modtf.core.api.data.making import Listed
from modtf.core.api.data.options import (
    AutoShardPolicy,
    AutotuneAlgorithm,
    AutotuneOptions,
    DistributeOptions,
    ExternalStatePolicy,
    OptimizationOptions,
    ThreadingOptions,
)
from modtf.core.api.data.ordering import AssertSize
from modtf.core.api.data.records import TFRecordWriter as _Writer
from modtf.core.api.data.structures import hosted, merged_specs, normalized, specs_of
from modtf.core.values import nest
from modtf.core.values.dtypes import int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import Tensor

__all__ = [
    "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "AutoShardPolicy", "AutotuneAlgorithm", "AutotuneOptions",
    "Counter", "DistributeOptions", "ExternalStatePolicy", "OptimizationOptions", "Optional", "RandomDataset", "Reducer",
    "TFRecordWriter", "ThreadingOptions", "assert_cardinality", "at", "bucket_by_sequence_length", "cardinality",
    "choose_from_datasets", "dense_to_ragged_batch", "dense_to_sparse_batch", "enumerate_dataset", "from_list",
    "from_variant", "get_next_as_optional", "get_single_element", "get_structure", "group_by_reducer", "group_by_window",
    "ignore_errors", "map_and_batch", "parallel_interleave", "prefetch_to_device", "rejection_resample",
    "sample_from_datasets", "scan", "shuffle_and_repeat", "take_while", "to_variant", "unbatch", "unique",
]  # fmt: skip

Transformation = Callable[[Any], Dataset]
"""What `Dataset.apply` takes."""


# ------------------------------------------------------------------------------------------------- methods as functions


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any], bucket_boundaries: Sequence[int], bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None, padding_values: Any = None, pad_to_bucket_boundary: bool = False, no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:  # fmt: skip
    """Returns what applies `Dataset.bucket_by_sequence_length`."""
    return lambda dataset: dataset.bucket_by_sequence_length(
        element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values, pad_to_bucket_boundary,
        no_padding, drop_remainder,
    )  # fmt: skip


def dense_to_ragged_batch(
    batch_size: Any, drop_remainder: Any = False, row_splits_dtype: Any = int64
) -> Transformation:
    """Returns what applies `Dataset.ragged_batch`."""
    return lambda dataset: dataset.ragged_batch(batch_size, drop_remainder, row_splits_dtype)


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Returns what applies `Dataset.sparse_batch`."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


def enumerate_dataset(start: Any = 0) -> Transformation:
    """Returns what applies `Dataset.enumerate`."""
    return lambda dataset: dataset.enumerate(start)


def group_by_window(
    key_func: Callable[..., Any], reduce_func: Callable[..., Any], window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:  # fmt: skip
    """Returns what applies `Dataset.group_by_window`."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


def ignore_errors(log_warning: bool = False) -> Transformation:
    """Returns what applies `Dataset.ignore_errors`."""
    return lambda dataset: dataset.ignore_errors(log_warning)


def map_and_batch(
    map_func: Callable[..., Any], batch_size: Any, num_parallel_batches: Any = None, drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Transformation:  # fmt: skip
    """Returns what applies `Dataset.map`, then `Dataset.batch`."""
    return lambda dataset: dataset.map(map_func, num_parallel_calls).batch(batch_size, drop_remainder)


def parallel_interleave(
    map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1, sloppy: Any = False,
    buffer_output_elements: Any = None, prefetch_input_elements: Any = None,
) -> Transformation:  # fmt: skip
    """Returns what applies `Dataset.interleave`."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """Returns what applies `Dataset.prefetch`; elements get to the backend's device when they are given out."""
    return lambda dataset: dataset.prefetch(AUTOTUNE if buffer_size is None else buffer_size)


def rejection_resample(
    class_func: Callable[..., Any], target_dist: Any, initial_dist: Any = None, seed: Any = None
) -> Transformation:
    """Returns what applies `Dataset.rejection_resample`."""
    return lambda dataset: dataset.rejection_resample(class_func, target_dist, initial_dist, seed)


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """Returns what applies `Dataset.scan`."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """Returns what applies `Dataset.shuffle`, then `Dataset.repeat`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def take_while(predicate: Callable[..., Any]) -> Transformation:
    """Returns what applies `Dataset.take_while`."""
    return lambda dataset: dataset.take_while(predicate)


def unbatch() -> Transformation:
    """Returns what applies `Dataset.unbatch`."""
    return lambda dataset: dataset.unbatch()


def unique() -> Transformation:
    """Returns what applies `Dataset.unique`."""
    return lambda dataset: dataset.unique()


def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False) -> Dataset:
    """`Dataset.choose_from_datasets`, which by default skips datasets that have ended."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def sample_from_datasets(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Dataset:
    """`Dataset.sample_from_datasets`."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def Counter(start: Any = 0, step: Any = 1, dtype: Any = int64) -> Dataset:
    """`Dataset.counter`."""
    return Dataset.counter(start, step, dtype)


def RandomDataset(seed: Any = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
    """`Dataset.random`."""
    return Dataset.random(seed, rerandomize_each_iteration, name)


def cardinality(dataset: Any) -> Tensor:
    """`dataset.cardinality()`."""
    found: Tensor = dataset.cardinality()
    return found


def get_single_element(dataset: Any) -> Any:
    """`dataset.get_single_element()`."""
    return dataset.get_single_element()


def get_next_as_optional(iterator: Iterator) -> Optional:
    """`iterator.get_next_as_optional()`."""
    return iterator.get_next_as_optional()


def get_structure(dataset_or_iterator: Any) -> Any:
    """Returns the `element_spec` of a dataset or iterator.

    Raises:
        TypeError: It is neither.
    """
    if not isinstance(dataset_or_iterator, (DatasetBase, Iterator)):
        raise TypeError(f"A dataset or iterator is needed, not {dataset_or_iterator!r}.")
    return dataset_or_iterator.element_spec


def to_variant(dataset: DatasetBase) -> Tensor:
    """Returns the tensor that stands for a dataset in graphs."""
    return dataset._variant_tensor


def from_variant(variant: Tensor, structure: Any) -> Dataset:
    """Returns the dataset that a variant tensor stands for; `structure` is its `element_spec`."""
    return Dataset(variant, structure)


# ------------------------------------------------------------------------------------------------- more


def assert_cardinality(expected_cardinality: Any) -> Transformation:
    """Returns what has a dataset say how many elements it has, and checks that when it is iterated over.

    Args:
        expected_cardinality: The number, a scalar int64.

    Raises:
        FailedPreconditionError: When it is iterated over: there are more or fewer.
    """
    number = scalar_of(expected_cardinality, int64, "expected_cardinality")
    return lambda dataset: build(
        "_AssertCardinalityDataset", dataset.element_spec, lambda s, v: AssertSize(s[0], int(v[0])), [dataset], [number]
    )


def at(dataset: DatasetBase, index: Any) -> Any:
    """Returns the element with a number.

    Raises:
        OutOfRangeError: There is none.
    """
    if int(index) < 0:
        raise InvalidArgumentError(f"The index must not be negative, but is {int(index)}.")
    return iter(dataset.skip(index)).get_next()  # type: ignore[attr-defined]


def from_list(elements: Sequence[Any], name: str | None = None) -> Dataset:
    """Returns a dataset of the elements of a list, which have one structure, and one dtype and shape in each place.

    Raises:
        ValueError: There are none.
    """
    if not elements:
        raise ValueError("Invalid `elements`. `elements` should not be empty.")
    structures = [normalized(element) for element in elements]
    spec = specs_of(structures[0])
    for structure in structures[1:]:
        spec = merged_specs(spec, specs_of(structure))
    made = [tuple(hosted(leaf) for leaf in nest.flatten(structure)) for structure in structures]
    return build("_ListDataset", spec, lambda s, v: Listed(made))


class Reducer:
    """How `group_by_reducer` makes one element of the elements with one key.

    Args:
        init_func: From a key, a scalar int64, to the first state.
        reduce_func: From a state and an element to the next state.
        finalize_func: From the last state to the element.
    """

    def __init__(
        self, init_func: Callable[..., Any], reduce_func: Callable[..., Any], finalize_func: Callable[..., Any]
    ) -> None:
        self.init_func = init_func
        self.reduce_func = reduce_func
        self.finalize_func = finalize_func


def group_by_reducer(key_func: Callable[..., Any], reducer: Reducer) -> Transformation:
    """Returns what makes one element of all elements with the same key, in the order of the keys.

    Args:
        key_func: From an element, as in `Dataset.map`, to a scalar int64.
        reducer: What is made of them.

    Raises:
        ValueError: `key_func` gives something else.
    """

    def applied(dataset: Dataset) -> Dataset:
        key = dataset._traced(key_func, "group_by_reducer()")
        checked_scalar(key, int64, "key_func")
        first = TracedFunction(reducer.init_func, (TensorSpec((), int64),), "group_by_reducer()")
        step, state = traced_until_stable(
            reducer.reduce_func, first.output, dataset.element_spec, lambda output: output, "group_by_reducer()"
        )
        last = TracedFunction(reducer.finalize_func, (state,), "group_by_reducer()")
        return dataset._composed("_GroupByReducerDataset", last.output, GroupByReducer, key, first, step, last)

    return applied


class TFRecordWriter:
    """Writes datasets of scalar strings as TFRecord files.

    Args:
        filename: The file.
        compression_type: `None`, `""`, `"GZIP"` or `"ZLIB"`.
    """

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename = filename
        self._compression_type = compression_type

    def write(self, dataset: DatasetBase) -> None:
        """Writes a dataset.

        Raises:
            TypeError: Its elements are no scalar strings.
        """
        spec = dataset.element_spec
        if not isinstance(spec, TensorSpec) or spec.dtype.name != "string" or spec.shape.rank not in (0, None):
            raise TypeError(f"The dataset must have scalar `tf.string` elements, but they are {spec!r}.")
        with _Writer(self._filename, self._compression_type) as writer:
            for value in dataset.as_numpy_iterator():
                writer.write(np.asarray(value, object).item())
