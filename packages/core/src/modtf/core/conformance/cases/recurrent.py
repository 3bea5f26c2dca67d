"""Recurrent cells as single ops."""

from __future__ import annotations

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import i64, some

_CELL = some(2, 3), some(2, 4), some(2, 4), some(7, 16), some(4), some(4), some(4), some(16)
_SEQUENCE = some(5, 2, 3), *_CELL[1:]

for _peephole in (False, True):
    case("LSTMBlockCell", *_CELL, dtypes="float32 float16", tolerance=4, smooth=False, use_peephole=_peephole)
    case("BlockLSTM", i64(5), *_SEQUENCE, dtypes="float32", smooth=False, use_peephole=_peephole)
    case("BlockLSTMV2", i64(5), *_SEQUENCE, dtypes="float32", smooth=False, use_peephole=_peephole)
case("LSTMBlockCell", *_CELL, dtypes="float32", smooth=False, forget_bias=0.0, cell_clip=0.25)
case("BlockLSTM", i64(5), *_SEQUENCE, dtypes="float32", smooth=False, forget_bias=0.5, cell_clip=-1.0)
case("BlockLSTMV2", i64(5), *_SEQUENCE, dtypes="float32", smooth=False, cell_clip=0.25)
case("GRUBlockCell", some(2, 3), some(2, 4), some(7, 8), some(7, 4), some(8), some(4), dtypes="float32", smooth=False)

_STEPS = (some(5, 2, 4, low=0.1, high=0.9),) * 9
for _peephole in (False, True):
    case(
        "BlockLSTMGrad",
        i64(5),
        *_SEQUENCE,
        *_STEPS,
        dtypes="float32",
        tolerance=20,
        smooth=False,
        use_peephole=_peephole,
    )
    case(
        "BlockLSTMGradV2",
        i64(5),
        *_SEQUENCE,
        *_STEPS,
        dtypes="float32",
        tolerance=20,
        smooth=False,
        use_peephole=_peephole,
    )

mistake("BlockLSTM", i64(5), *_CELL)
mistake("GRUBlockCell", some(3), some(2, 4), some(7, 8), some(7, 4), some(8), some(4))
