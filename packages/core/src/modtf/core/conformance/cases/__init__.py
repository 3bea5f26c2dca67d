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
    "recurrent",
    "image",
    "audio",
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

_ELSEWHERE = {
    "has no inputs, and every other case is made of it": "Const",
    "needs a library that is none of core's extras": "DecodeJxl",
    "stands for what is not looked at: test_control_flow": "FakeParam",
    "takes functions: test_control_flow": "Case For If StatelessCase StatelessIf StatelessWhile While",
    "takes or gives lists of tensors: test_control_flow": (
        "EmptyTensorList TensorListConcat TensorListConcatLists TensorListConcatV2 TensorListElementShape "
        "TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack "
        "TensorListPushBack TensorListReserve TensorListResize TensorListScatter "
        "TensorListScatterIntoExistingList TensorListScatterV2 TensorListSetItem TensorListSplit "
        "TensorListStack"
    ),
    "calls a Python function: test_effects": "EagerPyFunc PyFunc PyFuncStateless",
    "gives nothing: test_effects": "Assert PrintV2",
    "is of files: test_effects": "MatchingFiles ReadFile WriteFile",
    "tells the time: test_effects": "Timestamp",
    "has neither inputs nor outputs: test_functions": "NoOp",
    "is an argument of a function: test_functions": "Placeholder",
    "takes a function: test_functions": "PartitionedCall StatefulPartitionedCall",
    "draws anew at each call: test_random": (
        "FixedUnigramCandidateSampler LearnedUnigramCandidateSampler LogUniformCandidateSampler Multinomial "
        "NonDeterministicInts ParameterizedTruncatedNormal RandomGamma RandomPoissonV2 RandomShuffle "
        "RandomStandardNormal RandomUniform RandomUniformInt ThreadUnsafeUnigramCandidateSampler TruncatedNormal "
        "UniformCandidateSampler"
    ),
    "is of a generator's variable: test_random": (
        "RngReadAndSkip RngSkip StatefulRandomBinomial StatefulStandardNormalV2 StatefulTruncatedNormal "
        "StatefulUniform StatefulUniformFullInt StatefulUniformInt"
    ),
    "makes or takes a table: test_tables": (
        "AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable "
        "AnonymousMutableHashTableOfTensors DestroyResourceOp HashTableV2 InitializeTableFromTextFileV2 "
        "InitializeTableV2 LookupTableExportV2 LookupTableFindV2 LookupTableImportV2 LookupTableInsertV2 "
        "LookupTableRemoveV2 LookupTableSizeV2 MutableDenseHashTableV2 MutableHashTableOfTensorsV2 "
        "MutableHashTableV2"
    ),
    "is of variables: test_variables": (
        "AssignAddVariableOp AssignSubVariableOp AssignVariableOp ReadVariableOp ResourceGather "
        "ResourceGatherNd ResourceStridedSliceAssign VarHandleOp VarIsInitializedOp VariableShape"
    ),
    "is of iterators: the package's own test_data_functions": (
        "AnonymousIteratorV3 DatasetCardinality IteratorGetNext IteratorGetNextAsOptional IteratorGetNextSync "
        "IteratorV2 MakeIterator OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone"
    ),
    "TensorFlow has no CPU kernel of it: the package's own test_image_boxes": "GenerateBoundingBoxProposals",
    "draws anew at each call: the package's own test_image_boxes": (
        "SampleDistortedBoundingBox SampleDistortedBoundingBoxV2"
    ),
    "other builds of libjpeg write other bytes: the package's own test_image_codecs": (
        "EncodeJpeg EncodeJpegVariableQuality"
    ),
    "other builds of zlib write other bytes: the package's own test_image_codecs": "EncodePng",
    "takes or gives variants: the package's own test_ragged_tensors": (
        "RaggedTensorFromVariant RaggedTensorToVariant RaggedTensorToVariantGradient"
    ),
    "TensorFlow has no CPU kernel of it: the package's own test_signal": "FFTND IFFTND IRFFTND RFFTND",
}
COVERED_ELSEWHERE = {
    **{op: reason for reason, ops in _ELSEWHERE.items() for op in ops.split()},
    **{op: "takes variables: test_training" for op in OPS if op.startswith(("ResourceApply", "ResourceSparseApply"))},
    **{op: "is of variables: test_variables" for op in OPS if op.startswith("ResourceScatter")},
}
"""Ops without a case, and why."""

__all__ = ["CASES", "CASES_IN", "CASES_OF", "COVERED_ELSEWHERE", "MISTAKES", "OPS"]
