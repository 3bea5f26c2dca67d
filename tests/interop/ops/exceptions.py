"""Where modtf is not compared with TensorFlow, and why. Each rule is as narrow as what it is about.

A rule need not be met in every run: how often TensorFlow's odd cases are drawn depends on the number of examples. The
report at the end says how often each was.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from variations import Call

from modtf import core

STATEFUL_HERE = {
    "NoOp": "a node that nobody takes anything from is kept in a graph only if it is stateful",
    "Placeholder": "the arguments of a function are neither merged nor folded",
}
"""Ops that are stateful in modtf and not in TensorFlow."""


class Rule(NamedTuple):
    """Calls that are not compared.

    Attributes:
        ops: Patterns of the ops' names.
        reason: Why.
        applies: Which of the calls.
        concerns: `"call"`, so that TensorFlow is not even called; `"values"`, so that only whether it raises is compared;
            or `"gradients"`.
    """

    ops: str
    reason: str
    applies: Callable[[Call], bool]
    concerns: str = "values"

    def covers(self, call: Call) -> bool:
        """Whether the call is one of those."""
        return any(fnmatch.fnmatchcase(call.op, ops) for ops in self.ops.split()) and self.applies(call)


def has_nan(call: Call) -> bool:
    return any(
        array.dtype.kind in "fcV" and not array.dtype.names and np.isnan(_wide(array)).any() for array in call.arrays
    )


def is_wild(call: Call) -> bool:
    return not all(
        np.isfinite(_wide(array)).all() for array in call.arrays if array.dtype.kind in "fcV" and not array.dtype.names
    )


def has_empty(call: Call) -> bool:
    """Whether there is nothing in an input or a result."""
    from comparison import ours

    if any(array.size == 0 for array in call.arrays):
        return True
    return not refused_here(call) and any(0 in output.shape for output in ours(call)[1])


def _wide(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def refused_here(call: Call) -> bool:
    """Whether modtf refuses the call."""
    from comparison import OUR_REFUSALS, ours

    try:
        ours(call)
    except OUR_REFUSALS:
        return True
    return False


def _beyond_window(call: Call) -> bool:
    image, window = call.inputs["input"].shape, call.inputs["filter"].shape
    return len(image) != 5 or len(window) != 5 or any(a < b for a, b in zip(image[1:4], window[:3], strict=True))


def _another_maximum(call: Call) -> bool:
    """Whether `orig_output` is not what pooling gives."""
    attrs = {key: value for key, value in call.attrs.items() if key != "explicit_paddings"}
    attrs |= {name: call.inputs[name].tolist() for name in ("ksize", "strides") if name in call.inputs}
    op = "MaxPool3D" if "3D" in call.op else "MaxPool"
    image = call.inputs["orig_input"].astype(np.float32)
    try:
        pooled = getattr(core.raw_ops, op)(input=core.constant(image), **attrs).numpy()
    except (core.errors.OpError, ValueError, TypeError):
        return False
    given = call.inputs["orig_output"]
    return pooled.shape != given.shape or not np.array_equal(_wide(pooled), _wide(given))


def _positive_definite(call: Call) -> bool:
    matrices = call.inputs["input"]
    try:
        np.linalg.cholesky(matrices.astype(np.complex128 if matrices.dtype.kind == "c" else np.float64))
    except np.linalg.LinAlgError:
        return False
    return True


def _refused_for_places(call: Call) -> bool:
    """Whether modtf refuses the call because of indices or splits that are out of bounds."""
    from comparison import OUR_REFUSALS, ours

    try:
        ours(call)
    except OUR_REFUSALS as error:
        return any(word in str(error) for word in ("out of bounds", "plits", "rows that are not in"))
    return False


def _largest(call: Call) -> float:
    return max((float(np.max(np.abs(_wide(a)), initial=0)) for a in call.arrays if a.dtype.kind in "fiu"), default=0.0)


RULES = [
    Rule(
        "AvgPoolGrad AvgPool3DGrad",
        "TensorFlow reads beyond the memory of a grad that has not the pooled shape",
        refused_here,
        "call",
    ),
    Rule("Conv3D", "TensorFlow crashes where the window is larger than the input", _beyond_window, "call"),
    Rule(
        "ArgMax ArgMin",
        "TensorFlow takes the memory of an int16 dimension for that of a longer integer",
        lambda call: call.inputs["dimension"].dtype == np.int16,
        "call",
    ),
    Rule("Round", "TensorFlow rounds integers to 0", lambda call: call.inputs["x"].dtype.kind == "i"),
    Rule(
        "Erf",
        "TensorFlow gives NaN for large doubles, and 1 for large floats",
        lambda call: (call.inputs["x"].dtype == np.float64 and is_wild(call)) or _largest(call) > 1e100,
    ),
    Rule(
        "MaxPool* SegmentMax SegmentMin UnsortedSegmentMax UnsortedSegmentMin",
        "which of NaN and a number Eigen takes for the larger depends on their order",
        has_nan,
    ),
    Rule(
        "Conv* Depthwise*",
        "an infinity times a zero of the padding is NaN in some of the ways to compute a convolution",
        is_wild,
    ),
    Rule(
        "MaxPool*Grad MaxPoolGradV2",
        "TensorFlow looks for the maximum again, rather than at orig_output",
        _another_maximum,
    ),
    Rule(
        "Conv* Depthwise*",
        "TensorFlow leaves the memory of a filter's gradient as it was where there is nothing to sum up",
        has_empty,
    ),
    Rule(
        "Conv* Depthwise*",
        "TensorFlow leaves the memory of a filter's gradient as it was where there is nothing to sum up",
        has_empty,
        "gradients",
    ),
    Rule(
        "FusedBatchNorm*",
        "the gradients of nothing's mean and variance are zero divided by zero, which TensorFlow leaves out",
        has_empty,
        "gradients",
    ),
    Rule(
        "FusedBatchNorm FusedBatchNormV2",
        "TensorFlow's kernel takes five axes, which its shape function refuses",
        lambda call: call.inputs["x"].ndim == 5,
        "call",
    ),
    Rule(
        "FusedBatchNorm*",
        "TensorFlow gives NaN for the statistics of nothing even where they are given",
        has_empty,
    ),
    Rule(
        "FusedBatchNormV3",
        "TensorFlow's kernel takes four axes in the order of five, which its shape function refuses",
        lambda call: len(call.attrs.get("data_format", "NHWC")) != call.inputs["x"].ndim,
        "call",
    ),
    Rule(
        "FusedBatchNormGrad*",
        "TensorFlow's kernels refuse formats for GPUs",
        lambda call: call.attrs.get("data_format", "NHWC") not in ("NHWC", "NDHWC"),
        "call",
    ),
    Rule(
        "MaxPool",
        "TensorFlow looks at explicit_paddings only if the padding is EXPLICIT, but for some values",
        lambda call: bool(call.attrs.get("explicit_paddings")) and call.attrs["padding"] != "EXPLICIT",
        "call",
    ),
    Rule(
        "Depthwise*Backprop*",
        "TensorFlow does not look at the dilations, though it has no kernel for others than 1",
        lambda call: "dilations" in call.attrs,
        "call",
    ),
    Rule(
        "TanhGrad SigmoidGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad",
        "TensorFlow looks at the number of elements instead of the shape",
        lambda call: (
            call.inputs["y"].shape != call.inputs["dy"].shape and call.inputs["y"].size == call.inputs["dy"].size
        ),
    ),
    Rule(
        "SqrtGrad RsqrtGrad FloorDiv Lgamma",
        "what overflows on the way to a number that can be represented depends on the order of the steps",
        lambda call: _largest(call) > 1e30,
    ),
    Rule("ClipByValue", "complex numbers have no order", lambda call: call.inputs["t"].dtype.kind == "c"),
    Rule("LowerBound UpperBound", "NaN has no place in an order", has_nan),
    Rule("CumulativeLogsumexp", "infinities less infinities come at other steps", is_wild),
    Rule(
        "Cholesky MatrixInverse MatrixSolve MatrixTriangularSolve SelfAdjointEigV2 Eig Svd Qr Lu LogMatrixDeterminant "
        "MatrixDeterminant MatrixSquareRoot MatrixLogarithm MatrixExponential CholeskyGrad BatchSvd BatchCholesky",
        "what LAPACK and Eigen make of matrices that are not finite, or not positive definite, is not specified",
        lambda call: is_wild(call) or (call.op.endswith("Cholesky") and not _positive_definite(call)),
    ),
    Rule(
        "RFFT* IRFFT* FFT* IFFT* SparseSegment*",
        "TensorFlow leaves the memory of results as it was where there is nothing to transform or sum up",
        has_empty,
    ),
    Rule(
        "SparseSegment*",
        "TensorFlow leaves the memory of results as it was where there is nothing to transform or sum up",
        has_empty,
        "gradients",
    ),
    Rule(
        "IRFFT*",
        "TensorFlow aborts for transforms of no length",
        lambda call: bool((call.inputs["fft_length"] < 1).any()),
        "call",
    ),
    Rule(
        "Sparse* Serialize*Sparse RaggedBincount RaggedGather",
        "TensorFlow checks indices and splits in some of the ops only, and reads beyond their memory in others",
        _refused_for_places,
        "call",
    ),
    Rule(
        "RaggedGather",
        "TensorFlow crashes where splits or indices are out of bounds",
        refused_here,
        "call",
    ),
    Rule(
        "FractionalMaxPoolGrad FractionalAvgPoolGrad",
        "TensorFlow crashes unless the inputs belong together, as those of the conformance cases do",
        lambda call: True,
        "call",
    ),
    Rule(
        "Inplace*",
        "TensorFlow takes rows beyond the last modulo their number, or writes beyond the memory",
        refused_here,
        "call",
    ),
    Rule(
        "Mean",
        "TensorFlow's mean of no complex numbers is 0, and that of no others NaN",
        lambda call: call.inputs["input"].dtype.kind == "c" and has_empty(call),
    ),
    Rule(
        "TopKV2 TopK",
        "the order is not specified",
        lambda call: call.attrs.get("sorted") is False,
    ),
    Rule(
        "Stateless*",
        "TensorFlow refuses unsigned seeds, which its registry allows",
        lambda call: "seed" in call.inputs and call.inputs["seed"].dtype.kind == "u",
        "call",
    ),
    Rule(
        "Stateless*",
        "TensorFlow reads beyond the memory of a counter that is too short",
        lambda call: "counter" in call.inputs and call.inputs["counter"].size < 2,
        "call",
    ),
    Rule(
        "MaxPool*V2",
        "TensorFlow does not look at the strides over images and channels, which have to be 1",
        lambda call: any(
            call.inputs[name].ndim != 1 or (call.inputs[name][[0, -1]] != 1).any() or (call.inputs[name] < 1).any()
            for name in ("strides", "ksize")
            if name in call.inputs and call.inputs[name].size
        ),
        "call",
    ),
    Rule(
        "AvgPool* MaxPool*",
        "TensorFlow does not look at the strides over images and channels, which have to be 1",
        lambda call: any(value < 1 for name in ("strides", "ksize") for value in call.attrs.get(name, ())),
        "call",
    ),
    Rule(
        "SoftmaxCrossEntropyWithLogits",
        "TensorFlow does not sum the gradients of what was broadcast",
        lambda call: call.inputs["features"].shape != call.inputs["labels"].shape,
        "gradients",
    ),
]


def rule_for(call: Call, concerns: str) -> Rule | None:
    """The first rule that covers the call."""
    return next((rule for rule in RULES if rule.concerns == concerns and rule.covers(call)), None)
