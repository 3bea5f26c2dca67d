"""Ops that stand under `tf.` as they are, without the defaults that the functions of their namespaces have."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.tensors import Tensor

__all__ = [
    "approx_top_k", "fftnd", "ifftnd", "irfftnd", "ragged_fill_empty_rows", "ragged_fill_empty_rows_grad",
    "random_index_shuffle", "rfftnd",
]  # fmt: skip


def fftnd(input: Any, fft_length: Any, axes: Any, name: str | None = None) -> Tensor:
    """Returns the discrete Fourier transform over some axes; see `tf.signal.fftnd`, which has defaults.

    Args:
        input: A complex tensor.
        fft_length: The length of the transform along each of the axes, an int32 vector.
        axes: The axes, an int32 vector.
        name: A name for the graph node.
    """
    return raw.FFTND(input, fft_length, axes, name=name)


def ifftnd(input: Any, fft_length: Any, axes: Any, name: str | None = None) -> Tensor:
    """Returns the inverse discrete Fourier transform over some axes; arguments as of `fftnd`."""
    return raw.IFFTND(input, fft_length, axes, name=name)


def rfftnd(input: Any, fft_length: Any, axes: Any, Tcomplex: Any = dtypes.complex64, name: str | None = None) -> Tensor:
    """Returns the half that says all of the transform of real numbers over some axes; see `tf.signal.rfftnd`.

    Args:
        input: A tensor of float32 or float64.
        fft_length: The length of the transform along each of the axes, an int32 vector.
        axes: The axes, an int32 vector.
        Tcomplex: The result's dtype: complex64, or complex128 of float64.
        name: A name for the graph node.
    """
    return raw.RFFTND(input, fft_length, axes, Tcomplex=Tcomplex, name=name)


def irfftnd(input: Any, fft_length: Any, axes: Any, Treal: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Undoes `rfftnd`; see `tf.signal.irfftnd`.

    Args:
        input: A complex tensor.
        fft_length: The length of the result along each of the axes, an int32 vector.
        axes: The axes, an int32 vector.
        Treal: The result's dtype: float32, or float64 of complex128.
        name: A name for the graph node.
    """
    return raw.IRFFTND(input, fft_length, axes, Treal=Treal, name=name)


def random_index_shuffle(index: Any, seed: Any, max_index: Any, rounds: int = 4, name: str | None = None) -> Tensor:
    """Returns where an index goes in a permutation of [0, max_index]; see `tf.random.experimental.index_shuffle`.

    Args:
        index: A scalar, or a vector, of integers.
        seed: Three integers, [3] or [n, 3], of uint32, int32, uint64 or int64.
        max_index: The largest index, a scalar or a vector.
        rounds: How many rounds of the cipher to use: an even number from 4 on.
        name: A name for the graph node.
    """
    return raw.RandomIndexShuffle(index, seed, max_index, rounds=rounds, name=name)


def approx_top_k(
    input: Any, k: int, reduction_dimension: int = -1, recall_target: float = 0.95, is_max_k: bool = True,
    reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """Returns the `k` greatest (or smallest) numbers along an axis; see `tf.nn.approx_max_k` and `approx_min_k`."""
    return raw.ApproxTopK(
        input, k=k, reduction_dimension=reduction_dimension, recall_target=recall_target, is_max_k=is_max_k,
        reduction_input_size_override=reduction_input_size_override, aggregate_to_topk=aggregate_to_topk, name=name,
    )  # fmt: skip


def ragged_fill_empty_rows(
    value_rowids: Any, values: Any, nrows: Any, default_value: Any, name: str | None = None
) -> Any:
    """Gives rows without values one: what `tf.sparse.fill_empty_rows` does, of ragged rows.

    Args:
        value_rowids: The row of each value, int64, ascending.
        values: The values, a vector.
        nrows: The number of rows, a scalar int64.
        default_value: What empty rows are given, a scalar.
        name: A name for the graph node.

    Returns:
        A named tuple of `output_value_rowids`, `output_values`, `empty_row_indicator` (of each row, whether it was empty) and
        `reverse_index_map` (where each value went).
    """
    return raw.RaggedFillEmptyRows(value_rowids, values, nrows, default_value, name=name)


def ragged_fill_empty_rows_grad(reverse_index_map: Any, grad_values: Any, name: str | None = None) -> Any:
    """Returns the gradients of the values and the default value of `ragged_fill_empty_rows`.

    Args:
        reverse_index_map: What that op returned.
        grad_values: The gradient of its values.
        name: A name for the graph node.
    """
    return raw.RaggedFillEmptyRowsGrad(reverse_index_map, grad_values, name=name)
