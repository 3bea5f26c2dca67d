"""Looking for infinities and NaNs in what every op gives: `tf.debugging.enable_check_numerics`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine import graphs, raw
from modtf.core.engine.graphs import Node
from modtf.core.engine.vocabulary import Call, Op
from modtf.core.values import dtypes
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = ["disable_check_numerics", "enable_check_numerics"]

_CHECKED = frozenset({dtypes.bfloat16, dtypes.float16, dtypes.float32, dtypes.float64})
_HANDING_ON = frozenset(
    {
        "Case", "CheckNumerics", "CheckNumericsV2", "Concat", "ConcatV2", "Const", "EnsureShape", "ExpandDims", "Fill",
        "For", "GatherNd", "GatherV2", "Identity", "IdentityN", "If", "OnesLike", "Pack", "PartitionedCall", "Placeholder",
        "PreventGradient", "ReadVariableOp", "Reshape", "ResourceGather", "Reverse", "ReverseV2", "Select", "SelectV2",
        "Slice", "Split", "SplitV", "Squeeze", "StatefulPartitionedCall", "StatelessCase", "StatelessIf", "StatelessWhile",
        "StopGradient", "StridedSlice", "TensorListFromTensor", "TensorListGetItem", "TensorListStack", "Tile", "Transpose",
        "Unpack", "While", "ZerosLike",
    }
)  # fmt: skip
"""Ops that hand on the numbers which they are given, or what the ops of a graph have made of them."""


class _Checker:
    """Looks at what ops give when they run at once. It stands among the tapes, which are shown every call."""

    def concerns(self, op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...]) -> bool:
        return op.name not in _HANDING_ON

    def record(self, call: Call) -> None:
        for index, output in enumerate(call.outputs):
            if output.dtype not in _CHECKED or output.backend is None:
                continue
            values = np.asarray(output.on(NUMPY))
            if not np.isfinite(values).all():
                raise InvalidArgumentError(_message(call, index, "eagerly-executing", values), call.op)


_CHECKER: Any = _Checker()


def _message(call: Call, index: int, how: str, values: Any = None) -> str:
    output = call.outputs[index]
    lines = [
        f"Detected Infinity or NaN in output {index} of {how} op {call.op.name!r} (# of outputs: {len(call.outputs)})"
    ]
    lines.append(f"  dtype: {output.dtype.name}, shape: {output.shape}")
    if values is not None:
        found = {"-Inf": np.isneginf(values), "+Inf": np.isposinf(values), "NaN": np.isnan(values)}
        lines += [f"  # of {name} elements: {int(where.sum())}" for name, where in found.items() if where.any()]
    lines += [f"  input {number}: {item!r}" for number, item in enumerate(call.inputs)]
    if isinstance(call, Node):
        lines.append(f"  node: {call.name}, made at {call.source}")
    return "\n".join(lines)


def _with_checks(node: Node) -> list[SymbolicTensor]:
    """The node's outputs, those of floating dtypes by way of a node that checks them."""
    if node.op.name in _HANDING_ON:
        return list(node.outputs)
    return [
        raw.CheckNumericsV2(output, message=_message(node, index, "graph")) if output.dtype in _CHECKED else output
        for index, output in enumerate(node.outputs)
    ]


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Has every op that gives an infinity or a NaN raise an error, from now on.

    What ops run at once is looked at in the thread that calls this; what functions do, if they are traced later. Ops that
    hand on the numbers they are given, such as `tf.reshape`, are left out. It costs time; on a backend that compiles, a lot.

    Args:
        stack_height_limit: Without effect.
        path_length_limit: Without effect.
    """
    graphs.checked_outputs = _with_checks
    tapes = contexts.current().tapes
    if _CHECKER not in tapes:
        contexts.enter(tapes=(_CHECKER, *tapes))


def disable_check_numerics() -> None:
    """Ends what `enable_check_numerics` began. Functions that were traced in between go on checking."""
    graphs.checked_outputs = None
    tapes = contexts.current().tapes
    if _CHECKER in tapes:
        contexts.enter(tapes=tuple(tape for tape in tapes if tape is not _CHECKER))
