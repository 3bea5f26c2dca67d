"""Arguments in blocks: a list of tensors, one for each block of rows, instead of all rows in one tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.array import concat
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import common_batch, common_batch_tensor, flipped, joined, over_batch
from modtf.core.engine import raw
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class Blockwise(LinearOperator):
    """An operator in blocks, which takes tensors and lists of one tensor for each block of its columns.

    Kinds give `_row_blocks` and `_column_blocks`, one operator for each block of rows or columns, whose dimension it has;
    and what multiplies and solves in blocks.
    """

    def _row_blocks(self) -> Sequence[LinearOperator]:
        raise NotImplementedError

    def _column_blocks(self) -> Sequence[LinearOperator]:
        raise NotImplementedError

    def _multiply_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        raise NotImplementedError

    def _solve_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        raise NotImplementedError

    def _all_blocks(self) -> Sequence[LinearOperator]:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------- sizes

    def _row_sizes(self) -> list[int | None]:
        return [block.range_dimension for block in self._row_blocks()]

    def _column_sizes(self) -> list[int | None]:
        return [block.domain_dimension for block in self._column_blocks()]

    def _shape(self) -> TensorShape:
        batch = common_batch([operator.batch_shape for operator in self._all_blocks()])
        rows, columns = self._row_sizes(), self._column_sizes()
        return batch.concatenate([None if None in sizes else sum(sizes) for sizes in (rows, columns)])

    def _shape_tensor(self) -> Tensor:
        batch = common_batch_tensor([operator.batch_shape_tensor() for operator in self._all_blocks()])
        rows = sum(block.range_dimension_tensor() for block in self._row_blocks())
        return joined(batch, rows, sum(block.domain_dimension_tensor() for block in self._column_blocks()))

    # ------------------------------------------------------------------------------------------------- arguments

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """Returns the product A x; of a list of tensors, one for each block of columns, a list for the blocks of rows."""
        blocks = self._listed(x, -1 if adjoint_arg else -2, adjoint)
        if blocks is None:
            return super().matmul(x, adjoint, adjoint_arg, name)
        with self._name_scope(name):
            return self._multiply_blocks([flipped(block, adjoint_arg) for block in blocks], adjoint)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """Returns the product A x of vectors; of a list of them, one for each block of columns, a list."""
        blocks = self._listed(x, -1, adjoint)
        if blocks is None:
            return super().matvec(x, adjoint, name)
        with self._name_scope(name):
            return _of_columns(self._multiply_blocks, blocks, adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """Solves A x = rhs; of a list of tensors, one for each block of rows, for a list for the blocks of columns."""
        blocks = self._listed(rhs, -1 if adjoint_arg else -2, not adjoint)
        if blocks is None:
            return super().solve(rhs, adjoint, adjoint_arg, name)
        self._check_solvable()
        with self._name_scope(name):
            return self._solve_blocks([flipped(block, adjoint_arg) for block in blocks], adjoint)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """Solves A x = rhs of vectors; of a list of them, one for each block of rows, for a list."""
        blocks = self._listed(rhs, -1, not adjoint)
        if blocks is None:
            return super().solvevec(rhs, adjoint, name)
        self._check_solvable()
        with self._name_scope(name):
            return _of_columns(self._solve_blocks, blocks, adjoint)

    def _listed(self, x: Any, axis: int, by_rows: bool) -> list[Tensor] | None:
        """The blocks of an argument; `None` if it is not in blocks.

        A list is, if it has as many items as there are blocks, of the blocks' sizes.
        """
        sizes = self._row_sizes() if by_rows else self._column_sizes()
        if not isinstance(x, (list, tuple)) or len(x) != len(sizes):
            return None
        shapes = [np.shape(block) if not hasattr(block, "shape") else tuple(block.shape) for block in x]
        if any(len(shape) < -axis for shape in shapes):
            return None
        blocks = [self._operand(block) for block in x]
        for size, shape in zip(sizes, shapes, strict=True):
            if None not in (size, shape[axis]) and size != shape[axis]:
                raise ValueError(
                    f"Blocks of sizes {sizes} are needed; got {[shape[axis] for shape in shapes]} along axis {axis}."
                )
        return blocks

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        blocks = self._split(flipped(x, adjoint_arg), by_rows=adjoint)
        return self._concatenated(self._multiply_blocks(blocks, adjoint))

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        blocks = self._split(flipped(rhs, adjoint_arg), by_rows=not adjoint)
        return self._concatenated(self._solve_blocks(blocks, adjoint))

    def _split(self, x: Tensor, by_rows: bool) -> list[Tensor]:
        if by_rows:
            sizes: Any = self._row_sizes()
            if None in sizes:
                sizes = joined(*(block.range_dimension_tensor() for block in self._row_blocks()))
        else:
            sizes = self._column_sizes()
            if None in sizes:
                sizes = joined(*(block.domain_dimension_tensor() for block in self._column_blocks()))
        sizes = np.array(sizes, np.int32) if isinstance(sizes, list) else sizes
        return list(raw.SplitV(x, sizes, np.int32(-2), num_split=len(self._row_blocks())))

    def _concatenated(self, blocks: list[Tensor]) -> Tensor:
        """Blocks as one tensor, all broadcast to one batch."""
        return concat(broadcast(blocks), -2)


def broadcast(blocks: Sequence[Tensor], rank: int = 2) -> list[Tensor]:
    """Tensors broadcast to one batch, whatever their last dimensions."""
    batches = [block.shape[:-rank] if block.shape.rank is not None else TensorShape(None) for block in blocks]
    if all(batch == batches[0] and batch.is_fully_defined() for batch in batches):
        return list(blocks)
    vector = lambda: common_batch_tensor([raw.Shape(block)[:-rank] for block in blocks])  # noqa: E731
    return [over_batch(block, common_batch(batches), vector, rank) for block in blocks]


def _of_columns(function: Callable[..., list[Tensor]], blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
    from modtf.core.api.linalg.operators.shapes import column, without_column

    return [without_column(block) for block in function([column(block) for block in blocks], adjoint)]
