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
    "linalg",
    "fourier",
    "segments",
    "searching",
    "sparse",
    "ragged",
    "neural",
    "random",
    "strings",
    "special_rare",
    "arrays_rare",
    "quantization",
    "neural_rare",
    "image",
    "parsing",
    "debugging",
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
    "AnonymousHashTable": "makes a table: test_tables",
    "AnonymousMutableDenseHashTable": "makes a table: test_tables",
    "AnonymousMutableHashTable": "makes a table: test_tables",
    "AnonymousMutableHashTableOfTensors": "makes a table: test_tables",
    "Assert": "gives nothing: test_effects",
    "AssignAddVariableOp": "takes a variable: test_variables",
    "AssignSubVariableOp": "takes a variable: test_variables",
    "AssignVariableOp": "takes a variable: test_variables",
    "LogUniformCandidateSampler": "draws anew at each call: test_random",
    "UniformCandidateSampler": "draws anew at each call: test_random",
    "Const": "has no inputs, and every other case is made of it",
    "DecodeJxl": "needs a library that is none of core's extras",
    "DestroyResourceOp": "takes a table: test_tables",
    "EagerPyFunc": "calls a Python function: test_effects",
    "EncodeJpeg": "other builds of libjpeg write other bytes: the package's own test_image_codecs",
    "EncodeJpegVariableQuality": "other builds of libjpeg write other bytes: the package's own test_image_codecs",
    "EncodePng": "other builds of zlib write other bytes: the package's own test_image_codecs",
    "FFTND": "TensorFlow has no CPU kernel of it: the package's own test_signal",
    "GenerateBoundingBoxProposals": "TensorFlow has no CPU kernel of it: the package's own test_image_boxes",
    "HashTableV2": "makes a table: test_tables",
    "IFFTND": "TensorFlow has no CPU kernel of it: the package's own test_signal",
    "IRFFTND": "TensorFlow has no CPU kernel of it: the package's own test_signal",
    "InitializeTableFromTextFileV2": "takes a table: test_tables",
    "InitializeTableV2": "takes a table: test_tables",
    "LookupTableExportV2": "takes a table: test_tables",
    "LookupTableFindV2": "takes a table: test_tables",
    "LookupTableImportV2": "takes a table: test_tables",
    "LookupTableInsertV2": "takes a table: test_tables",
    "LookupTableRemoveV2": "takes a table: test_tables",
    "LookupTableSizeV2": "takes a table: test_tables",
    "MatchingFiles": "looks at files: test_effects",
    "Multinomial": "draws anew at each call: test_random",
    "MutableDenseHashTableV2": "makes a table: test_tables",
    "MutableHashTableOfTensorsV2": "makes a table: test_tables",
    "MutableHashTableV2": "makes a table: test_tables",
    "NoOp": "has neither inputs nor outputs: test_functions",
    "PartitionedCall": "takes a function: test_functions",
    "Placeholder": "is an argument of a function: test_functions",
    "PrintV2": "gives nothing: test_effects",
    "PyFunc": "calls a Python function: test_effects",
    "PyFuncStateless": "calls a Python function: test_effects",
    "RFFTND": "TensorFlow has no CPU kernel of it: the package's own test_signal",
    "RaggedTensorFromVariant": "takes variants: the package's own test_ragged_tensors",
    "RaggedTensorToVariant": "gives variants: the package's own test_ragged_tensors",
    "RaggedTensorToVariantGradient": "takes variants: the package's own test_ragged_tensors",
    "RandomShuffle": "draws anew at each call: test_random",
    "RandomStandardNormal": "draws anew at each call: test_random",
    "RandomUniform": "draws anew at each call: test_random",
    "RandomUniformInt": "draws anew at each call: test_random",
    "ReadFile": "looks at files: test_effects",
    "ReadVariableOp": "takes a variable: test_variables",
    "ResourceGather": "takes a variable: test_variables",
    "RngReadAndSkip": "takes a variable: test_random",
    "RngSkip": "takes a variable: test_random",
    "SampleDistortedBoundingBox": "draws anew at each call: the package's own test_image_boxes",
    "SampleDistortedBoundingBoxV2": "draws anew at each call: the package's own test_image_boxes",
    "StatefulPartitionedCall": "takes a function: test_functions",
    "Timestamp": "tells the time: test_effects",
    "TruncatedNormal": "draws anew at each call: test_random",
    "VarHandleOp": "makes a variable: test_variables",
    "VarIsInitializedOp": "takes a variable: test_variables",
    "VariableShape": "takes a variable: test_variables",
    "WriteFile": "writes files: test_effects",
    **{op: "takes variables: test_training" for op in OPS if op.startswith(("ResourceApply", "ResourceSparseApply"))},
    **{op: "takes a variable: test_variables" for op in OPS if op.startswith("ResourceScatter")},
    "ResourceGatherNd": "takes a variable: test_variables",
    "ResourceStridedSliceAssign": "takes a variable: test_variables",
}
"""Ops without a case, and why."""

__all__ = ["CASES", "CASES_IN", "CASES_OF", "COVERED_ELSEWHERE", "MISTAKES", "OPS"]
