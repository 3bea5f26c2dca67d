"""Parsing `tf.train.SequenceExample`s: a context of features, and lists of features, a step an element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.engine.vocabulary import op
from modtf.core.ops.files.example_columns import (
    Place,
    Ragged,
    check_dense,
    dense_column,
    join,
    shown,
    sparse_rows,
    splits,
)
from modtf.core.ops.files.example_messages import Feature, find_sequence_features, find_steps, read_feature
from modtf.core.ops.files.parsing_examples import (
    FEATURE,
    check_count,
    check_serialized,
    dtypes_of,
    encoded,
    names_of,
    sparse_dims,
    sparse_lists,
    unbatched,
    unparsable,
)
from modtf.core.ops.files.wire_format import DamagedMessage
from modtf.core.values.dtypes import DType, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

Keys = Sequence[bytes]

# ------------------------------------------------------------------------------------------------- lists of features


class _DenseSteps:
    """A list of features which all have the same number of values; the lists are filled up to one length."""

    def __init__(self, key: bytes, dtype: DType, shape: TensorShape, may_be_missing: bool) -> None:
        self._key = key.decode("utf-8", "replace")
        self._dtype = dtype
        if not shape.is_fully_defined():
            raise InvalidArgumentError(f"The shape {shape} of the feature list {self._key} must be known.")
        self._dims = tuple(shape.as_list())
        self._size = shape.num_elements()
        self._may_be_missing = may_be_missing
        self._parts: list[np.ndarray] = []

    def add(self, steps: Sequence[Feature | None] | None, place: Place) -> None:
        """Adds the next example's list."""
        if steps is None and not self._may_be_missing:
            raise InvalidArgumentError(
                f"{place}, Feature list '{self._key}' is required but could not be found.  Did you mean to include it in "
                "feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?"
            )
        parts: list[Sequence[Any]] = []
        for index, feature in enumerate(steps or ()):
            at = Place(index, place.name)
            if feature is not None:
                check_dense(feature, self._dtype, at, self._key)
            values: Sequence[Any] = () if feature is None else feature.values
            if len(values) != self._size:
                raise InvalidArgumentError(
                    f"{at}, Key: {self._key}, Index: {index}.  Number of values != expected.  values size: {len(values)} "
                    f"but output shape: {shown(self._dims)}."
                )
            parts.append(values)
        self._parts.append(join(parts, self._dtype).reshape(len(parts), *self._dims))

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the values of all examples, along a first axis, and how many steps each has."""
        lengths = np.array([len(part) for part in self._parts], np.int64)
        shape = (len(lengths), lengths.max(initial=0), *self._dims)
        filled = np.full(shape, b"" if self._dtype is string else 0, self._dtype.np_dtype)
        for row, part in zip(filled, self._parts, strict=True):
            row[: len(part)] = part
        return filled, lengths


class _RaggedSteps:
    """A list of features with any number of values."""

    def __init__(self, key: bytes, dtype: DType) -> None:
        self._dtype = dtype
        self._steps = Ragged(key, dtype)
        self._counts: list[int] = []

    def add(self, steps: Sequence[Feature | None] | None, place: Place) -> None:
        """Adds the next example's list."""
        for index, feature in enumerate(steps or ()):
            self._steps.add(feature, Place(index, place.name))
        self._counts.append(len(steps or ()))

    def sparse(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns indices, values and shape of a sparse tensor: examples, steps, values."""
        counts = np.array(self._counts, np.int64)
        lengths = np.array(self._steps.lengths, np.int64)
        indices = np.concatenate([np.repeat(sparse_rows(counts), lengths, axis=0), sparse_rows(lengths)[:, 1:]], axis=1)
        shape = np.array([len(counts), counts.max(initial=0), lengths.max(initial=0)], np.int64)
        return indices, self._steps.values(), shape

    def ragged(self, split_dtype: DType) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the values, where the examples' steps start, and where the steps' values do."""
        return self._steps.values(), splits(self._counts, split_dtype), splits(self._steps.lengths, split_dtype)


class _Wanted(NamedTuple):
    """What is to be parsed: for each kind of features, their columns by name."""

    context: Sequence[tuple[bytes, Any]]
    lists: Sequence[tuple[bytes, Any]]

    def read(self, serialized: np.ndarray, names: np.ndarray) -> None:
        """Fills the columns."""
        for index, (data, name) in enumerate(zip(serialized.reshape(-1), names_of(names, serialized), strict=True)):
            place = Place(index, name)
            try:
                context, lists = find_sequence_features(data)
                for key, column in self.context:
                    span = context.get(key)
                    column.add(None if span is None else read_feature(data, span), place)
                for key, column in self.lists:
                    span = lists.get(key)
                    steps = None if span is None else [read_feature(data, step) for step in find_steps(data, span)]
                    column.add(steps, place)
            except DamagedMessage as error:
                raise unparsable(data, error) from None


class _Columns:
    """The columns of one call, and what the ops give of them in common."""

    def __init__(
        self,
        context_sparse: tuple[Keys, Sequence[DType]],
        context_dense: tuple[Keys, Sequence[np.ndarray], Sequence[TensorShape]],
        context_ragged: tuple[Keys, Sequence[DType]],
        list_sparse: tuple[Keys, Sequence[DType]],
        list_dense: tuple[Keys, Sequence[DType], Sequence[TensorShape], Sequence[bool]],
        list_ragged: tuple[Keys, Sequence[DType]],
    ) -> None:
        keys, defaults, shapes = context_dense
        for what, parts in (
            ("context_sparse", context_sparse),
            ("context_dense", context_dense),
            ("context_ragged", context_ragged),
            ("feature_list_sparse", list_sparse),
            ("feature_list_dense", list_dense),
            ("feature_list_ragged", list_ragged),
        ):
            for part in parts:
                check_count(f"{what}_keys", parts[0], "the number of its types and shapes", len(part))
        self.context_sparse = [Ragged(*item) for item in zip(*context_sparse, strict=True)]
        self.context_dense = [
            dense_column(*item) for item in zip(keys, dtypes_of(defaults), defaults, shapes, strict=True)
        ]
        self.context_ragged = [Ragged(*item) for item in zip(*context_ragged, strict=True)]
        self.list_sparse = [_RaggedSteps(*item) for item in zip(*list_sparse, strict=True)]
        self.list_dense = [_DenseSteps(*item) for item in zip(*list_dense, strict=True)]
        self.list_ragged = [_RaggedSteps(*item) for item in zip(*list_ragged, strict=True)]
        self._wanted = _Wanted(
            [
                *zip(context_sparse[0], self.context_sparse, strict=True),
                *zip(keys, self.context_dense, strict=True),
                *zip(context_ragged[0], self.context_ragged, strict=True),
            ],
            [
                *zip(list_sparse[0], self.list_sparse, strict=True),
                *zip(list_dense[0], self.list_dense, strict=True),
                *zip(list_ragged[0], self.list_ragged, strict=True),
            ],
        )

    def read(self, serialized: np.ndarray, names: np.ndarray) -> None:
        """Fills the columns from examples."""
        self._wanted.read(serialized, names)

    def context_results(self, batched: bool) -> list[np.ndarray]:
        """Indices, values and shapes of the sparse features, and the dense ones."""
        dense = unbatched([column.result() for column in self.context_dense], batched)
        return [array for kind in (*sparse_lists(self.context_sparse, batched), dense) for array in kind]

    def list_results(self, batched: bool) -> list[np.ndarray]:
        """Indices, values and shapes of the sparse lists, and the dense ones with their lengths."""
        dense = [column.result() for column in self.list_dense]
        kinds = [
            *sparse_lists(self.list_sparse, batched),
            unbatched([values for values, _ in dense], batched),
            unbatched([lengths for _, lengths in dense], batched),
        ]
        return [array for kind in kinds for array in kind]


# ------------------------------------------------------------------------------------------------- shapes


def _list_dims(batch: Dims, shapes: Sequence[TensorShape]) -> list[Dims]:
    return [None if batch is None or shape.dims is None else (*batch, None, *shape.dims) for shape in shapes]


def _context_dims(serialized: Tensor, sparse: int, shapes: Sequence[TensorShape]) -> list[Dims]:
    batch = serialized.dims
    dense = [None if batch is None or shape.dims is None else (*batch, *shape.dims) for shape in shapes]
    return [*sparse_dims(serialized, sparse), *dense]


def _features_dims(serialized: Tensor, sparse: int, shapes: Sequence[TensorShape]) -> list[Dims]:
    batch = serialized.dims
    return [*sparse_dims(serialized, sparse, 2), *_list_dims(batch, shapes), *[batch] * len(shapes)]


# ------------------------------------------------------------------------------------------------- the ops

_DENSE_OUTPUTS = (
    "context_sparse_indices: Ncontext_sparse * int64, context_sparse_values: context_sparse_types, "
    "context_sparse_shapes: Ncontext_sparse * int64, context_dense_values: Tcontext_dense"
)
_LIST_OUTPUTS = (
    "feature_list_sparse_indices: Nfeature_list_sparse * int64, feature_list_sparse_values: feature_list_sparse_types, "
    "feature_list_sparse_shapes: Nfeature_list_sparse * int64, feature_list_dense_values: feature_list_dense_types"
)
_LENGTHS = "feature_list_dense_lengths: Nfeature_list_dense * int64"
_TYPES = f"list(type({FEATURE})) = []"


def _v2_dims(
    serialized: Tensor,
    *inputs: Any,
    Ncontext_sparse: int,
    Nfeature_list_sparse: int,
    context_ragged_value_types: Any,
    context_dense_shapes: Sequence[TensorShape],
    feature_list_ragged_value_types: Any,
    feature_list_dense_shapes: Sequence[TensorShape],
    **attrs: Any,
) -> list[Dims]:
    if serialized.dims is not None and len(serialized.dims) > 1:
        raise ValueError(f"Expected serialized to be a scalar or vector, but its shape is {serialized.shape}")
    batch = serialized.dims
    rows: Dims = (None if batch[0] is None else batch[0] + 1,) if batch else (None,)
    context, lists = len(context_ragged_value_types), len(feature_list_ragged_value_types)
    return [
        *_context_dims(serialized, Ncontext_sparse, context_dense_shapes),
        *[(None,)] * context,
        *[rows] * context,
        *_features_dims(serialized, Nfeature_list_sparse, feature_list_dense_shapes),
        *[(None,)] * lists,
        *[rows] * lists,
        *[(None,)] * lists,
    ]


@op(
    f"ParseSequenceExampleV2[*Tcontext_dense: {FEATURE}](serialized: string, debug_name: string, "
    "context_sparse_keys: string, context_dense_keys: string, context_ragged_keys: string, "
    "feature_list_sparse_keys: string, feature_list_dense_keys: string, feature_list_ragged_keys: string, "
    "feature_list_dense_missing_assumed_empty: bool, context_dense_defaults: Tcontext_dense, *, "
    f"Ncontext_sparse: int = 0, context_sparse_types: {_TYPES}, context_ragged_value_types: {_TYPES}, "
    "context_ragged_split_types: list(type(index)) = [], context_dense_shapes: list(shape) = [], "
    f"Nfeature_list_sparse: int = 0, Nfeature_list_dense: int = 0, feature_list_dense_types: {_TYPES}, "
    f"feature_list_sparse_types: {_TYPES}, feature_list_ragged_value_types: {_TYPES}, "
    "feature_list_ragged_split_types: list(type(index)) = [], feature_list_dense_shapes: list(shape) = []) "
    f"-> ({_DENSE_OUTPUTS}, context_ragged_values: context_ragged_value_types, "
    f"context_ragged_row_splits: context_ragged_split_types, {_LIST_OUTPUTS}, {_LENGTHS}, "
    "feature_list_ragged_values: feature_list_ragged_value_types, "
    "feature_list_ragged_outer_splits: feature_list_ragged_split_types, "
    "feature_list_ragged_inner_splits: feature_list_ragged_split_types)",
    shape=_v2_dims,
    host_only=True,
)
def parse_sequence_example_v2(
    xp: Any,
    serialized: np.ndarray,
    debug_name: np.ndarray,
    context_sparse_keys: np.ndarray,
    context_dense_keys: np.ndarray,
    context_ragged_keys: np.ndarray,
    feature_list_sparse_keys: np.ndarray,
    feature_list_dense_keys: np.ndarray,
    feature_list_ragged_keys: np.ndarray,
    feature_list_dense_missing_assumed_empty: np.ndarray,
    context_dense_defaults: list[np.ndarray],
    **attrs: Any,
) -> list[np.ndarray]:
    check_serialized(serialized)
    columns = _Columns(
        (context_sparse_keys.reshape(-1).tolist(), attrs["context_sparse_types"]),
        (context_dense_keys.reshape(-1).tolist(), context_dense_defaults, attrs["context_dense_shapes"]),
        (context_ragged_keys.reshape(-1).tolist(), attrs["context_ragged_value_types"]),
        (feature_list_sparse_keys.reshape(-1).tolist(), attrs["feature_list_sparse_types"]),
        (
            feature_list_dense_keys.reshape(-1).tolist(),
            attrs["feature_list_dense_types"],
            attrs["feature_list_dense_shapes"],
            feature_list_dense_missing_assumed_empty.reshape(-1).tolist(),
        ),
        (feature_list_ragged_keys.reshape(-1).tolist(), attrs["feature_list_ragged_value_types"]),
    )
    columns.read(serialized, debug_name)
    batched = serialized.ndim == 1
    context_splits = [
        splits(column.lengths, dtype) if batched else np.empty(0, dtype.np_dtype)
        for column, dtype in zip(columns.context_ragged, attrs["context_ragged_split_types"], strict=True)
    ]
    ragged = [
        column.ragged(dtype)
        for column, dtype in zip(columns.list_ragged, attrs["feature_list_ragged_split_types"], strict=True)
    ]
    return [
        *columns.context_results(batched),
        *(column.values() for column in columns.context_ragged),
        *context_splits,
        *columns.list_results(batched),
        *(values for values, _, _ in ragged),
        *(outer if batched else outer[:0] for _, outer, _ in ragged),
        *(inner for _, _, inner in ragged),
    ]


def _v1_dims(
    serialized: Tensor,
    *inputs: Any,
    Ncontext_sparse: int,
    Nfeature_list_sparse: int,
    context_dense_shapes: Sequence[TensorShape],
    feature_list_dense_shapes: Sequence[TensorShape],
    **attrs: Any,
) -> list[Dims]:
    if serialized.dims is not None and len(serialized.dims) != 1:
        raise ValueError(f"Expected serialized to be a vector, but its shape is {serialized.shape}")
    return [
        *_context_dims(serialized, Ncontext_sparse, context_dense_shapes),
        *_features_dims(serialized, Nfeature_list_sparse, feature_list_dense_shapes),
    ]


@op(
    f"ParseSequenceExample[*Tcontext_dense: {FEATURE}](serialized: string, debug_name: string, "
    "context_dense_defaults: Tcontext_dense, *, feature_list_dense_missing_assumed_empty: list(string), "
    "context_sparse_keys: list(string), context_dense_keys: list(string), feature_list_sparse_keys: list(string), "
    "feature_list_dense_keys: list(string), Ncontext_sparse: int = 0, Ncontext_dense: int = 0, "
    f"Nfeature_list_sparse: int = 0, Nfeature_list_dense: int = 0, context_sparse_types: {_TYPES}, "
    f"feature_list_dense_types: {_TYPES}, context_dense_shapes: list(shape) = [], "
    f"feature_list_sparse_types: {_TYPES}, feature_list_dense_shapes: list(shape) = []) "
    f"-> ({_DENSE_OUTPUTS}, {_LIST_OUTPUTS}, {_LENGTHS})",
    shape=_v1_dims,
    host_only=True,
)
def parse_sequence_example(
    xp: Any, serialized: np.ndarray, debug_name: np.ndarray, context_dense_defaults: list[np.ndarray], **attrs: Any
) -> list[np.ndarray]:
    if serialized.ndim != 1:
        raise InvalidArgumentError(f"Expected serialized to be a vector, got shape: {list(serialized.shape)}.")
    for name in _KEY_NAMES:
        count = f"N{name.removesuffix('_keys')}"
        check_count(name, attrs[name], count, attrs[count])
    may_be_missing = attrs["feature_list_dense_missing_assumed_empty"]
    columns = _columns_of(
        [list(map(encoded, attrs[name])) for name in _KEY_NAMES],
        set(map(encoded, may_be_missing)),
        context_dense_defaults,
        attrs,
    )
    columns.read(serialized, debug_name)
    return [*columns.context_results(True), *columns.list_results(True)]


_KEY_NAMES = ("context_sparse_keys", "context_dense_keys", "feature_list_sparse_keys", "feature_list_dense_keys")


def _columns_of(
    keys: Sequence[Keys], may_be_missing: set[bytes], defaults: Sequence[np.ndarray], attrs: dict[str, Any]
) -> _Columns:
    context_sparse, context_dense, list_sparse, list_dense = keys
    return _Columns(
        (context_sparse, attrs["context_sparse_types"]),
        (context_dense, defaults, attrs["context_dense_shapes"]),
        ((), ()),
        (list_sparse, attrs["feature_list_sparse_types"]),
        (
            list_dense,
            attrs["feature_list_dense_types"],
            attrs["feature_list_dense_shapes"],
            [key in may_be_missing for key in list_dense],
        ),
        ((), ()),
    )


def _single_dims(
    serialized: Tensor,
    *inputs: Any,
    Ncontext_sparse: int,
    Nfeature_list_sparse: int,
    context_dense_shapes: Sequence[TensorShape],
    feature_list_dense_shapes: Sequence[TensorShape],
    **attrs: Any,
) -> list[Dims]:
    if serialized.dims not in (None, ()):
        raise ValueError(f"Expected serialized to be a scalar, but its shape is {serialized.shape}")
    sparse = [
        [*[(None, rank)] * count, *[(None,)] * count, *[(rank,)] * count]
        for count, rank in ((Ncontext_sparse, 1), (Nfeature_list_sparse, 2))
    ]
    return [
        *sparse[0],
        *(shape.dims for shape in context_dense_shapes),
        *sparse[1],
        *_list_dims((), feature_list_dense_shapes),
    ]


@op(
    f"ParseSingleSequenceExample[*Tcontext_dense: {FEATURE}](serialized: string, "
    "feature_list_dense_missing_assumed_empty: string, context_sparse_keys: Ncontext_sparse * string, "
    "context_dense_keys: Ncontext_dense * string, feature_list_sparse_keys: Nfeature_list_sparse * string, "
    "feature_list_dense_keys: Nfeature_list_dense * string, context_dense_defaults: Tcontext_dense, "
    "debug_name: string, *, Ncontext_sparse: int = 0, Ncontext_dense: int = 0, Nfeature_list_sparse: int = 0, "
    f"Nfeature_list_dense: int = 0, context_sparse_types: {_TYPES}, feature_list_dense_types: {_TYPES}, "
    f"context_dense_shapes: list(shape) = [], feature_list_sparse_types: {_TYPES}, "
    f"feature_list_dense_shapes: list(shape) = []) -> ({_DENSE_OUTPUTS}, {_LIST_OUTPUTS})",
    shape=_single_dims,
    host_only=True,
)
def parse_single_sequence_example(
    xp: Any,
    serialized: np.ndarray,
    feature_list_dense_missing_assumed_empty: np.ndarray,
    context_sparse_keys: list[np.ndarray],
    context_dense_keys: list[np.ndarray],
    feature_list_sparse_keys: list[np.ndarray],
    feature_list_dense_keys: list[np.ndarray],
    context_dense_defaults: list[np.ndarray],
    debug_name: np.ndarray,
    **attrs: Any,
) -> list[np.ndarray]:
    keys = (context_sparse_keys, context_dense_keys, feature_list_sparse_keys, feature_list_dense_keys)
    if any(key.ndim for part in keys for key in part) or feature_list_dense_missing_assumed_empty.ndim != 1:
        raise InvalidArgumentError("Keys must be scalars, and feature_list_dense_missing_assumed_empty a vector")
    columns = _columns_of(
        [[key.item() for key in part] for part in keys],
        set(feature_list_dense_missing_assumed_empty.tolist()),
        context_dense_defaults,
        attrs,
    )
    columns.read(serialized, debug_name)
    lists = columns.list_results(False)
    return [*columns.context_results(False), *lists[: len(lists) - len(columns.list_dense)]]


for _op in (parse_sequence_example_v2, parse_sequence_example, parse_single_sequence_example):
    _op.gradient(None)
