"""Dividing the values of ragged features into rows, as further features say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modtf.core.api.io.features import RaggedFeature
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.tensors import Tensor

_MAKERS = {
    RaggedFeature.RowSplits: RaggedTensor.from_row_splits,
    RaggedFeature.RowLengths: RaggedTensor.from_row_lengths,
    RaggedFeature.RowStarts: RaggedTensor.from_row_starts,
    RaggedFeature.RowLimits: RaggedTensor.from_row_limits,
}


def partitioned(values: Any, feature: RaggedFeature, plain: Mapping[str, Any]) -> Any:
    """Divides a feature's values by all its partitions.

    Args:
        values: The values: of one example, a vector; of several, ragged, examples or steps by values; of the lists of
            several sequence examples, examples by steps by values.
        feature: What shall become of them.
        plain: The features that partitions are told by, of the same structure.
    """
    if not isinstance(values, RaggedTensor):
        for partition in reversed(feature.partitions):
            values = _divided(values, partition, feature, plain)
        return values
    steps = values.row_splits if values.ragged_rank > 1 else None
    rows = values if steps is None else values.values
    for partition in reversed(feature.partitions):
        rows = _divided_by_row(rows, partition, feature, plain, steps is not None)
    return rows if steps is None else RaggedTensor.from_row_splits(rows, steps, validate=feature.validate)


def _uniform(values: Any, length: int, feature: RaggedFeature) -> Any:
    if isinstance(values, RaggedTensor):
        return RaggedTensor.from_uniform_row_length(values, length, validate=feature.validate)
    shape = raw.ConcatV2([np.array([-1, length], np.int32), raw.Shape(values)[1:]], np.int32(0))
    return raw.Reshape(values, shape)


def _divided(values: Any, partition: Any, feature: RaggedFeature, plain: Mapping[str, Any]) -> Any:
    """The values of one example, divided."""
    if isinstance(partition, RaggedFeature.UniformRowLength):
        return _uniform(values, partition.length, feature)
    told = raw.Cast(plain[partition.key], DstT=feature.row_splits_dtype)
    if isinstance(partition, RaggedFeature.ValueRowIds):
        return RaggedTensor.from_value_rowids(values, told, validate=feature.validate)
    return _MAKERS[type(partition)](values, told, validate=feature.validate)


def _divided_by_row(rows: Any, partition: Any, feature: RaggedFeature, plain: Mapping[str, Any], in_lists: bool) -> Any:
    """The values of each of several examples, divided."""
    if isinstance(partition, RaggedFeature.UniformRowLength):
        length = convert_to_tensor(partition.length, rows.row_splits.dtype)
        inside = _uniform(rows.values, partition.length, feature)
        return RaggedTensor.from_row_splits(inside, rows.row_splits // length, validate=feature.validate)
    told = plain[partition.key].values if in_lists else plain[partition.key]
    lengths, counts = _lengths(partition, told, rows)
    inside = RaggedTensor.from_row_lengths(rows.values, lengths, validate=feature.validate)
    return RaggedTensor.from_row_lengths(inside, counts, validate=feature.validate)


def _lengths(partition: Any, told: Any, rows: Any) -> tuple[Tensor, Tensor]:
    """The lengths of all new rows, and how many of them each example has."""
    dtype = rows.row_splits.dtype
    nobody, none = convert_to_tensor([-1], dtype), convert_to_tensor(0, dtype)
    numbers, counts, examples = (
        raw.Cast(item, DstT=dtype) for item in (told.values, told.row_lengths(), told.value_rowids())
    )
    if isinstance(partition, RaggedFeature.RowLengths):
        return numbers, counts
    if isinstance(partition, RaggedFeature.RowStarts):
        is_last = raw.NotEqual(examples, _joined(examples[1:], nobody))
        ends = raw.GatherV2(raw.Cast(rows.row_lengths(), DstT=dtype), examples, np.int32(0))
        return raw.SelectV2(is_last, ends, _joined(numbers[1:], nobody)) - numbers, counts
    if isinstance(partition, RaggedFeature.ValueRowIds):
        largest = raw.UnsortedSegmentMax(numbers, examples, told.nrows())
        counts = raw.Maximum(largest, nobody[0]) + 1
        before = raw.Cumsum(counts, np.int32(0), exclusive=True)
        places = numbers + raw.GatherV2(before, examples, np.int32(0))
        total = raw.Sum(counts, np.array([0], np.int32))
        return raw.UnsortedSegmentSum(raw.OnesLike(places), places, total), counts
    is_first = raw.NotEqual(examples, _joined(nobody, examples[:-1]))
    lengths = numbers - raw.SelectV2(is_first, none, _joined(nobody, numbers[:-1]))
    if isinstance(partition, RaggedFeature.RowLimits):
        return lengths, counts
    others = raw.Reshape(raw.Where(raw.LogicalNot(is_first)), np.array([-1], np.int32))
    return raw.GatherV2(lengths, others, np.int32(0)), raw.Maximum(counts - 1, none)


def _joined(*parts: Tensor) -> Tensor:
    return raw.ConcatV2(list(parts), np.int32(0))
