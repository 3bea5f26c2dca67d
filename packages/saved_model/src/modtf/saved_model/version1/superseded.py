"""Ops on references, of which each has a successor on resources, and what else is not read as it stands in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modtf import core as tf

from ..graph_reading import FunctionReader, is_known
from ..protos.graph_pb2 import NodeDef
from . import tensor_arrays
from .tensor_arrays import Translation
from .values import Reference, TensorArray

if TYPE_CHECKING:
    from .building import _Scope

_SUCCESSORS = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    "IsVariableInitialized": "VarIsInitializedOp",
    **{
        name: f"{name}V2"
        for name in (
            "InitializeTable", "InitializeTableFromTextFile", "LookupTableExport", "LookupTableFind", "LookupTableImport",
            "LookupTableInsert", "LookupTableSize", "HashTable", "MutableDenseHashTable", "MutableHashTable",
            "MutableHashTableOfTensors",
        )
    },
}  # fmt: skip
_PREFIXES = ("Scatter", "Apply", "SparseApply", "StridedSliceAssign")
"""What the names of ops begin with whose successors are called the same with "Resource" before it."""

_STRUCTURE = frozenset(
    {
        "Variable", "VariableV2", "ControlTrigger", "LoopCond",
        *(f"{ref}{op}" for ref in ("", "Ref") for op in ("Switch", "Merge", "Enter", "Exit", "NextIteration")),
    }
)  # fmt: skip
"""Ops that are raised, or stand for variables."""

_VALUES = frozenset({"ScatterNd"})  # begins so, but takes no reference


def successor(op: str) -> str | None:
    """Returns the op on resources that an op on references has become; None if it is none."""
    if op in _SUCCESSORS:
        return _SUCCESSORS[op]
    if op.startswith(_PREFIXES) and op not in _VALUES:
        return f"Resource{op}" if is_known(f"Resource{op}") else None
    return None


def assigns(op: str) -> bool:
    """Whether an op assigns to the reference variable that is its first input."""
    return op != "IsVariableInitialized" and not op.startswith("LookupTable") and successor(op) is not None


def is_read(op: str) -> bool:
    """Whether an op of a version-1 graph is known, as it is or as its successor."""
    return op in TRANSLATIONS or op in _STRUCTURE or successor(op) is not None or is_known(op)


def reference_op(reader: FunctionReader, proto: NodeDef) -> NodeDef | None:
    """Returns a node of an op on references with the op's successor, or None if it is of no such op."""
    name = successor(proto.op)
    if name is None:
        return None
    schema = reader.op(name).schema
    changed = NodeDef(name=proto.name, op=name)
    for key, value in proto.attr.items():
        if key in schema.attr_index:
            changed.attr[key].CopyFrom(value)
    return changed


def _identity(scope: _Scope, proto: NodeDef, items: Sequence[Any]) -> Sequence[Any]:
    """Passes on what is no tensor, and gives the value of a variable.

    A copy of a reference variable shares the variable's memory in TensorFlow, so that whoever takes the copy sees what was
    assigned since. So a variable that is assigned is passed on itself, and read where it is needed.
    """
    item = items[0]
    if isinstance(item, TensorArray) or proto.op == "RefIdentity":
        return [item]
    if isinstance(item, Reference) and scope.is_assigned(item):
        return [item]
    with scope.graph.as_default():
        if isinstance(item, Reference):
            return [tf.raw_ops.ReadVariableOp(resource=scope.handle(item), dtype=item.variable.dtype, name=proto.name)]
        return [tf.raw_ops.Identity(input=item, name=proto.name)]


TRANSLATIONS: dict[str, tuple[int, Translation]] = {
    **tensor_arrays.TRANSLATIONS,
    "Identity": (1, _identity),
    "RefIdentity": (1, _identity),
}
"""For ops that are not read as they stand in the file, how many inputs they have, and what takes their place."""
