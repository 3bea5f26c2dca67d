"""Functions of `tf.io` that make tensors of serialized examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modtf.core.api.io.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    RaggedFeature,
    SparseFeature,
    VarLenFeature,
)
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

__all__ = ["parse_example", "parse_sequence_example", "parse_single_example", "parse_single_sequence_example"]

Features = Mapping[str, Any]


class _Wanted:
    """What an op is asked for, worked out from a dict of features.

    Args:
        features: The features.
        kinds: Which classes may be among them.
        in_lists: Whether the features are those of lists, which have a first axis of their own.

    Raises:
        ValueError: A feature is of no such class, or does not say what it must, or two contradict each other.
    """

    def __init__(self, features: Features, kinds: tuple[type, ...], in_lists: bool = False) -> None:
        self.features = features
        self.sparse: dict[str, DType] = {}
        self.dense: dict[str, tuple[Tensor, TensorShape]] = {}
        self.missing_assumed_empty: dict[str, bool] = {}
        self.ragged: dict[str, tuple[DType, DType]] = {}
        for key in sorted(features):
            feature = features[key]
            if not isinstance(feature, kinds):
                raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'.")
            if isinstance(feature, VarLenFeature):
                self._add_sparse(key, _dtype_of(feature, key))
            elif isinstance(feature, SparseFeature):
                for index_key in _index_keys(feature, key):
                    self._add_sparse(index_key, dtypes.int64)
                self._add_sparse(feature.value_key, _dtype_of(feature, key))
            elif isinstance(feature, RaggedFeature):
                self._add_ragged(key, feature)
            elif isinstance(feature, FixedLenFeature):
                self._add_dense(key, feature, _shape_of(feature, key))
            elif isinstance(feature, FixedLenSequenceFeature):
                self._add_sequence(key, feature, in_lists)
        both = sorted(self.ragged.keys() & (self.sparse.keys() | self.dense.keys()))
        if both:
            raise ValueError(f"Ragged keys must not be sparse or dense ones as well, as these are: {both}.")

    def _add_sparse(self, key: str, dtype: DType) -> None:
        if self.sparse.setdefault(key, dtype) is not dtype:
            raise ValueError(f"Conflicting type {self.sparse[key].name} vs {dtype.name} for feature {key}.")

    def _add_ragged(self, key: str, feature: RaggedFeature) -> None:
        parts = [(feature.value_key or key, feature.dtype)]
        parts += [(partition.key, dtypes.int64) for partition in feature.partitions if hasattr(partition, "key")]
        for name, dtype in parts:
            wanted = (dtype, feature.row_splits_dtype)
            if self.ragged.setdefault(name, wanted) != wanted:
                raise ValueError(f"Conflicting types for the ragged feature {name}: {self.ragged[name]} vs {wanted}.")

    def _add_dense(self, key: str, feature: FixedLenFeature, shape: TensorShape) -> None:
        dtype = _dtype_of(feature, key)
        dims = shape.as_list()
        if dims and dims[0] is None:
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. Received "
                f"feature={feature}."
            )
        if not shape.is_fully_defined():
            raise ValueError(f"All dimensions of shape for feature {key} need to be known but received {shape}.")
        if feature.default_value is None:
            default = _constant(np.empty(0, dtype.np_dtype), dtype)
        else:
            default = raw.Reshape(convert_to_tensor(feature.default_value, dtype), np.array(dims, np.int32))
        self.dense[key] = (default, shape)

    def _add_sequence(self, key: str, feature: FixedLenSequenceFeature, in_lists: bool) -> None:
        dtype, shape = _dtype_of(feature, key), _shape_of(feature, key)
        self.missing_assumed_empty[key] = bool(feature.allow_missing)
        if in_lists:
            self.dense[key] = (_constant(np.empty(0, dtype.np_dtype), dtype), shape)
            return
        if not feature.allow_missing:
            raise ValueError(
                "Unsupported: FixedLenSequenceFeature requires allow_missing to be True. Received "
                f"feature={feature} for feature {key}."
            )
        value: Any = feature.default_value
        if value is None:
            value = "" if dtype is dtypes.string else 0
        padding = raw.Reshape(convert_to_tensor(value, dtype), np.empty(0, np.int32))
        self.dense[key] = (padding, TensorShape([None]).concatenate(shape))

    @property
    def dense_shapes(self) -> list[TensorShape]:
        return [shape for _, shape in self.dense.values()]

    @property
    def dense_defaults(self) -> list[Tensor]:
        return [default for default, _ in self.dense.values()]

    @property
    def dense_dtypes(self) -> list[DType]:
        return [default.dtype for default, _ in self.dense.values()]

    @property
    def ragged_value_types(self) -> list[DType]:
        return [dtype for dtype, _ in self.ragged.values()]

    @property
    def ragged_split_types(self) -> list[DType]:
        return [dtype for _, dtype in self.ragged.values()]


def _dtype_of(feature: Any, key: str) -> DType:
    if feature.dtype is None:
        raise ValueError(f"Missing type for feature {key}. Received feature={feature}.")
    return as_dtype(feature.dtype)


def _shape_of(feature: Any, key: str) -> TensorShape:
    if feature.shape is None:
        raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
    return TensorShape(feature.shape)


def _index_keys(feature: SparseFeature, key: str) -> list[str]:
    if not feature.index_key:
        raise ValueError(f"Missing index_key for SparseFeature {feature} of feature {key}.")
    if not feature.value_key:
        raise ValueError(f"Missing value_key for SparseFeature {feature} of feature {key}.")
    return [feature.index_key] if isinstance(feature.index_key, str) else list(feature.index_key)


def _constant(array: np.ndarray, dtype: DType) -> Tensor:
    return convert_to_tensor(array, dtype)


def _keys(names: Mapping[str, Any]) -> Tensor:
    array = np.empty(len(names), object)
    array[:] = [name.encode() for name in names]
    return _constant(array, dtypes.string)


# ------------------------------------------------------------------------------------------------- examples

_EXAMPLE_KINDS = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature, RaggedFeature)


def parse_example(
    serialized: Any, features: Features, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """Parses `tf.train.Example`s.

    Args:
        serialized: The examples, a vector of strings; or one, a scalar.
        features: By name, what of an example is wanted: `FixedLenFeature`, `VarLenFeature`, `SparseFeature`,
            `RaggedFeature` or `FixedLenSequenceFeature`.
        example_names: A name for each example, for error messages.
        name: A name for the graph node.

    Returns:
        By name, a tensor, `SparseTensor` or `RaggedTensor` whose first axis is the examples (none, if there is one alone).

    Raises:
        ValueError: A feature does not say what it must.
        InvalidArgumentError: An example is damaged, or has not what is wanted of it.
    """
    if not features:
        raise ValueError(f"Argument `features` cannot be None or empty. Got {features}.")
    examples = convert_to_tensor(serialized, dtypes.string)
    wanted = _Wanted(features, _EXAMPLE_KINDS)
    if wanted.ragged and examples.ndim is None:
        raise ValueError("serialized must have statically-known rank to parse ragged features.")
    names = _constant(np.empty(0, object), dtypes.string) if example_names is None else example_names
    outputs = raw.ParseExampleV2(
        serialized=examples,
        names=names,
        sparse_keys=_keys(wanted.sparse),
        dense_keys=_keys(wanted.dense),
        ragged_keys=_keys(wanted.ragged),
        dense_defaults=wanted.dense_defaults,
        num_sparse=len(wanted.sparse),
        sparse_types=list(wanted.sparse.values()),
        ragged_value_types=wanted.ragged_value_types,
        ragged_split_types=wanted.ragged_split_types,
        dense_shapes=wanted.dense_shapes,
        name=name,
    )
    ragged = _ragged_values(outputs.ragged_values, outputs.ragged_row_splits, batched=examples.ndim != 0)
    return _assembled(
        wanted,
        (outputs.sparse_indices, outputs.sparse_values, outputs.sparse_shapes),
        outputs.dense_values,
        ragged,
    )


def parse_single_example(
    serialized: Any, features: Features, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """Parses one `tf.train.Example`.

    Args:
        serialized: The example, a scalar string.
        features: As for `parse_example`.
        example_names: A name for the example, for error messages.
        name: A name for the graph node.

    Returns:
        By name, a tensor, `SparseTensor` or `RaggedTensor`.

    Raises:
        ValueError: `serialized` is no scalar, or a feature does not say what it must.
        InvalidArgumentError: The example is damaged, or has not what is wanted of it.
    """
    if not features:
        raise ValueError(f"Argument `features` cannot be None or empty. Got {features}.")
    return parse_example(_scalar(serialized), features, example_names, name)


def _scalar(serialized: Any) -> Tensor:
    tensor = convert_to_tensor(serialized, dtypes.string)
    if tensor.dims not in (None, ()):
        raise ValueError(f"Input serialized must be a scalar, but its shape is {tensor.shape}.")
    return tensor


# ------------------------------------------------------------------------------------------------- sequences

_CONTEXT_KINDS = (VarLenFeature, FixedLenFeature, RaggedFeature)
_LIST_KINDS = (VarLenFeature, FixedLenSequenceFeature, RaggedFeature)


def parse_sequence_example(
    serialized: Any,
    context_features: Features | None = None,
    sequence_features: Features | None = None,
    example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Parses `tf.train.SequenceExample`s.

    Args:
        serialized: The examples, a vector of strings.
        context_features: By name, what of the context is wanted: `FixedLenFeature`, `VarLenFeature` or `RaggedFeature`.
        sequence_features: By name, what of the lists is wanted: `FixedLenSequenceFeature`, `VarLenFeature` or
            `RaggedFeature`.
        example_names: A name for each example, for error messages.
        name: A name for the graph node.

    Returns:
        Three dicts: the context's features; the lists', whose second axis is the steps; and, of each list that is a
        dense tensor, the number of steps in every example.

    Raises:
        ValueError: A feature does not say what it must, or nothing is wanted.
        InvalidArgumentError: An example is damaged, or has not what is wanted of it.
    """
    if not (context_features or sequence_features):
        raise ValueError("Both `context_features` and `sequence_features` are None or empty; nothing is asked for.")
    examples = convert_to_tensor(serialized, dtypes.string)
    context = _Wanted(context_features or {}, _CONTEXT_KINDS)
    lists = _Wanted(sequence_features or {}, _LIST_KINDS, in_lists=True)
    outputs = raw.ParseSequenceExampleV2(
        serialized=examples,
        debug_name=_constant(np.empty(0, object), dtypes.string) if example_names is None else example_names,
        context_sparse_keys=_keys(context.sparse),
        context_dense_keys=_keys(context.dense),
        context_ragged_keys=_keys(context.ragged),
        feature_list_sparse_keys=_keys(lists.sparse),
        feature_list_dense_keys=_keys(lists.dense),
        feature_list_ragged_keys=_keys(lists.ragged),
        feature_list_dense_missing_assumed_empty=_constant(
            np.array([lists.missing_assumed_empty[key] for key in lists.dense], bool), dtypes.bool_
        ),
        context_dense_defaults=context.dense_defaults,
        Ncontext_sparse=len(context.sparse),
        context_sparse_types=list(context.sparse.values()),
        context_ragged_value_types=context.ragged_value_types,
        context_ragged_split_types=context.ragged_split_types,
        context_dense_shapes=context.dense_shapes,
        Nfeature_list_sparse=len(lists.sparse),
        Nfeature_list_dense=len(lists.dense),
        feature_list_dense_types=lists.dense_dtypes,
        feature_list_sparse_types=list(lists.sparse.values()),
        feature_list_ragged_value_types=lists.ragged_value_types,
        feature_list_ragged_split_types=lists.ragged_split_types,
        feature_list_dense_shapes=lists.dense_shapes,
        name=name,
    )
    batched = examples.ndim != 0
    context_sparse = (outputs.context_sparse_indices, outputs.context_sparse_values, outputs.context_sparse_shapes)
    list_sparse = (
        outputs.feature_list_sparse_indices,
        outputs.feature_list_sparse_values,
        outputs.feature_list_sparse_shapes,
    )
    context_ragged = _ragged_values(outputs.context_ragged_values, outputs.context_ragged_row_splits, batched)
    list_ragged = _ragged_values(
        outputs.feature_list_ragged_values,
        outputs.feature_list_ragged_outer_splits,
        batched,
        outputs.feature_list_ragged_inner_splits,
    )
    return (
        _assembled(context, context_sparse, outputs.context_dense_values, context_ragged),
        _assembled(lists, list_sparse, outputs.feature_list_dense_values, list_ragged),
        dict(zip(lists.dense, outputs.feature_list_dense_lengths, strict=True)),
    )


def parse_single_sequence_example(
    serialized: Any,
    context_features: Features | None = None,
    sequence_features: Features | None = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parses one `tf.train.SequenceExample`.

    Args:
        serialized: The example, a scalar string.
        context_features: As for `parse_sequence_example`.
        sequence_features: As for `parse_sequence_example`.
        example_name: A name for the example, for error messages.
        name: A name for the graph node.

    Returns:
        Two dicts: the context's features, and the lists', whose first axis is the steps.

    Raises:
        ValueError: `serialized` is no scalar, a feature does not say what it must, or nothing is wanted.
        InvalidArgumentError: The example is damaged, or has not what is wanted of it.
    """
    context, lists, _ = parse_sequence_example(
        _scalar(serialized), context_features, sequence_features, example_name, name
    )
    return context, lists


# ------------------------------------------------------------------------------------------------- results


def _ragged_values(
    values: Sequence[Tensor], splits: Sequence[Tensor], batched: bool, inner: Sequence[Tensor] | None = None
) -> list[Any]:
    """The ragged tensors of an op's outputs; of one example alone, vectors."""
    if not values:
        return []
    from modtf.core.values.ragged import RaggedTensor

    rows: list[Any] = list(values)
    if inner is not None:
        rows = [RaggedTensor.from_row_splits(*pair, validate=False) for pair in zip(rows, inner, strict=True)]
    if batched:
        rows = [RaggedTensor.from_row_splits(*pair, validate=False) for pair in zip(rows, splits, strict=True)]
    return rows


def _assembled(
    wanted: _Wanted, sparse: tuple[Sequence[Tensor], ...], dense: Sequence[Tensor], ragged: Sequence[Any]
) -> dict[str, Any]:
    """By name, what the features shall become."""
    plain: dict[str, Any] = dict(zip(wanted.dense, dense, strict=True))
    if wanted.sparse:
        from modtf.core.values.sparse import SparseTensor

        for key, parts in zip(wanted.sparse, zip(*sparse, strict=True), strict=True):
            plain[key] = SparseTensor(*parts)
    plain.update(zip(wanted.ragged, ragged, strict=True))
    result: dict[str, Any] = {}
    for key in sorted(wanted.features):
        feature = wanted.features[key]
        if isinstance(feature, SparseFeature):
            result[key] = _merged_sparse(feature, [plain[name] for name in _index_keys(feature, key)], plain)
        elif isinstance(feature, RaggedFeature):
            from modtf.core.api.io.partitions import partitioned

            result[key] = partitioned(plain[feature.value_key or key], feature, plain)
        else:
            result[key] = plain[key]
    return result


def _merged_sparse(feature: SparseFeature, indices: Sequence[Any], plain: Mapping[str, Any]) -> Any:
    """A sparse tensor of values and their indices, which are the values of other sparse tensors."""
    from modtf.core.values.sparse import SparseTensor

    values = plain[feature.value_key]
    rank = values.indices.dims[1]
    batch = raw.Slice(values.indices, np.array([0, 0], np.int32), np.array([-1, rank - 1], np.int32))
    columns = [raw.ExpandDims(item.values, np.int32(1)) for item in indices]
    sizes = feature.size if isinstance(feature.size, (list, tuple)) else [feature.size]
    if len(sizes) != len(indices):
        raise ValueError(f"Expected as many sizes as index keys, but got {feature.size} for {feature.index_key}.")
    shape = raw.ConcatV2(
        [
            raw.Slice(values.dense_shape, np.array([0], np.int32), np.array([rank - 1], np.int32)),
            convert_to_tensor(np.array(sizes, np.int64)),
        ],
        np.int32(0),
    )
    merged = SparseTensor(raw.ConcatV2([batch, *columns], np.int32(1)), values.values, shape)
    if feature.already_sorted:
        return merged
    places, sorted_values = raw.SparseReorder(merged.indices, merged.values, merged.dense_shape)
    return SparseTensor(places, sorted_values, merged.dense_shape)
