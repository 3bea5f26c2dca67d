"""The calls of every op of the vocabulary that are compared with TensorFlow's: a family a file, a line or few a call."""

from __future__ import annotations

from importlib import import_module

from modtf.core import raw_ops
from modtf.core.conformance.cases.table import CASES, MISTAKES
from modtf.core.conformance.examples import Case

CASES_IN: dict[str, list[Case]] = {}
"""The cases by table."""
for _table in (
    "elementwise",
    "reductions",
    "arrays",
    "indexing",
    "matrices",
    "segments",
    "searching",
    "neural",
    "random",
):
    _known = len(CASES)
    import_module(f"{__name__}.{_table}")
    CASES_IN[_table] = CASES[_known:]

CASES_OF: dict[str, list[Case]] = {}
"""The cases by op."""
for _case in CASES:
    CASES_OF.setdefault(_case.op, []).append(_case)

OPS = frozenset(dir(raw_ops))
"""The ops that core itself has: plugins add theirs later, when an op is asked for that core lacks."""

COVERED_ELSEWHERE = {
    "AssignAddVariableOp": "takes a variable: test_variables",
    "AssignSubVariableOp": "takes a variable: test_variables",
    "AssignVariableOp": "takes a variable: test_variables",
    "Const": "has no inputs, and every other case is made of it",
    "Multinomial": "draws anew at each call: test_random",
    "NoOp": "has neither inputs nor outputs: test_functions",
    "PartitionedCall": "takes a function: test_functions",
    "Placeholder": "is an argument of a function: test_functions",
    "RandomShuffle": "draws anew at each call: test_random",
    "RandomStandardNormal": "draws anew at each call: test_random",
    "RandomUniform": "draws anew at each call: test_random",
    "RandomUniformInt": "draws anew at each call: test_random",
    "ReadVariableOp": "takes a variable: test_variables",
    "ResourceGather": "takes a variable: test_variables",
    "RngReadAndSkip": "takes a variable: test_random",
    "RngSkip": "takes a variable: test_random",
    "StatefulPartitionedCall": "takes a function: test_functions",
    "TruncatedNormal": "draws anew at each call: test_random",
    "VarHandleOp": "makes a variable: test_variables",
    "VarIsInitializedOp": "takes a variable: test_variables",
    "VariableShape": "takes a variable: test_variables",
}
"""Ops without a case, and why."""

__all__ = ["CASES", "CASES_IN", "CASES_OF", "COVERED_ELSEWHERE", "MISTAKES", "OPS"]
