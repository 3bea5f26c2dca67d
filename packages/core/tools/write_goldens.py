"""Writes the conformance suite's goldens: what TensorFlow computes for its cases, gradients and traced shapes included.

Run it after adding or changing cases, with TensorFlow installed:

    PYTHONPATH=packages/core/src python packages/core/tools/write_goldens.py [TABLE ...]

Without tables it writes those of all. It fails, writing nothing, if TensorFlow refuses a case or accepts what the table
of mistakes says it refuses.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # Eigen's kernels, which compute as every build of TensorFlow does

import numpy as np
import tensorflow as tf

from modtf.core.conformance.cases import CASES_IN, MISTAKES
from modtf.core.conformance.cases.table import Mistake
from modtf.core.conformance.examples import Example, flowing_gradient
from modtf.core.conformance.goldens import Golden, Writer
from modtf.core.contracts import get_op


def ctc_loss_v2(inputs: Any, labels_values: Any, **others: Any) -> Any:
    """The loss whose first class is the blank, by the one whose last is."""
    loss, gradient = tf.raw_ops.CTCLoss(inputs=tf.roll(inputs, -1, 2), labels_values=labels_values - 1, **others)
    return loss, tf.roll(gradient, 1, 2)


def block_lstm_v2(w: Any, b: Any, **others: Any) -> Any:
    """The op by its predecessor, whose gates have another order: TensorFlow's gradient takes no notice of that."""
    w, b = (tf.concat([tf.split(item, 4, -1)[gate] for gate in (0, 2, 1, 3)], -1) for item in (w, b))
    return tf.raw_ops.BlockLSTM(w=w, b=b, forget_bias=0.0, **{"cell_clip": 0.0, **others})


def values_above_vectors(input: Any) -> Any:
    """The eigenvalues as a row above the eigenvectors."""
    values, vectors = tf.linalg.eigh(input)
    return tf.concat([values[..., tf.newaxis, :], vectors], -2)


OF_BATCHES = (
    "Cholesky", "CholeskyGrad", "FFT", "FFT2D", "FFT3D", "IFFT", "IFFT2D", "IFFT3D", "MatrixBandPart",
    "MatrixDeterminant", "MatrixDiag", "MatrixDiagPart", "MatrixInverse", "MatrixSetDiag", "MatrixSolve", "MatrixSolveLs",
    "MatrixTriangularSolve", "SelfAdjointEigV2", "Svd",
)  # fmt: skip
"""Ops that old graphs call by names of their own where they are of batches."""

# What stands for ops that TensorFlow itself replaces before a graph runs, reads in old graphs only, has for GPUs alone, or
# gives a wrong gradient.
STAND_INS: dict[str, Callable[..., Any]] = {
    "BlockLSTMV2": block_lstm_v2,
    "AccumulateNV2": lambda inputs, shape: tf.raw_ops.AddN(inputs=inputs),
    "CTCLossV2": ctc_loss_v2,
    "TopK": lambda input, k: tf.raw_ops.TopKV2(input=input, k=k),
    "MatrixExponential": tf.linalg.expm,
    **{f"Batch{name}": getattr(tf.raw_ops, name) for name in OF_BATCHES},
    "BatchSelfAdjointEig": values_above_vectors,
    "SelfAdjointEig": values_above_vectors,
}


def raw_op(example: Example) -> Callable[..., Any]:
    """TensorFlow's raw op, taking the names of the op's definition where Python's are others (`axis` for `dim`)."""
    if example.case.op in STAND_INS:
        return STAND_INS[example.case.op]
    function = getattr(tf.raw_ops, example.case.op)
    schema = get_op(example.case.op).schema
    theirs = [name for name in inspect.signature(function).parameters if name != "name"]
    ours = [*schema.input_names, *schema.attr_index]
    open_theirs, open_ours = ([name for name in a if name not in b] for a, b in ((theirs, ours), (ours, theirs)))
    renamed = dict(zip(open_ours, open_theirs, strict=False))
    return lambda **given: function(**{renamed.get(name, name): value for name, value in given.items()})


def numpy_of(tensor: Any) -> np.ndarray:
    array = np.asarray(tf.convert_to_tensor(tensor).numpy())
    if tensor.dtype.is_quantized:
        return array.view(tensor.dtype.as_numpy_dtype)
    return array.astype(object) if array.dtype.kind in "SU" else array


def golden_of(example: Example) -> Golden:
    tensors = [tf.constant(array) for array in example.arrays]
    sources = [tensors[index] for index in example.differentiable]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = example.call(raw_op(example), tensors)
    gradients = None
    if example.dtype in {other.dtype for other in example.case.gradient_examples} and sources:
        gradients = gradients_of(tape, outputs, sources)
    shapes = traced_shapes(example) if example.dtype == example.case.dtypes[0] else []
    return Golden([numpy_of(output) for output in outputs], gradients, shapes)


def gradients_of(tape: Any, outputs: Sequence[Any], sources: Sequence[Any]) -> list[np.ndarray | None] | None:
    targets = [output for output in outputs if output.dtype.is_floating or output.dtype.is_complex]
    flowing = [tf.constant(flowing_gradient(tuple(t.shape), t.dtype.name, i)) for i, t in enumerate(targets)]
    if not targets:
        return [None] * len(sources)
    try:
        gradients = tape.gradient(targets, sources, flowing)
    except LookupError:
        return None
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return []  # no kernel for a CPU
    return [None if gradient is None else numpy_of(gradient) for gradient in gradients]


def traced_shapes(example: Example) -> list[list[list[int | None] | None]]:
    """The outputs' shapes while tracing: the varied inputs' shapes known, their ranks only, nothing."""
    results = []
    for hide in (lambda shape: shape, lambda shape: [None] * len(shape), lambda shape: None):
        specs = [
            tf.TensorSpec(hide(example.arrays[i].shape), tf.as_dtype(example.arrays[i].dtype)) for i in example.varied
        ]

        @tf.function(input_signature=specs, autograph=False)
        def traced(*given: Any) -> Any:
            remaining = iter(given)
            tensors = [
                next(remaining) if index in example.varied else tf.constant(array)
                for index, array in enumerate(example.arrays)
            ]
            return example.call(raw_op(example), tensors)

        try:
            outputs = traced.get_concrete_function().outputs
        except ValueError:
            if not results:
                raise
            results.append([None] * len(results[0]))  # some ops' rules refuse what they do not know
            continue
        results.append([None if output.shape.rank is None else output.shape.as_list() for output in outputs])
    return results


def accepted(mistake: Mistake) -> list[str]:
    """The ways in which TensorFlow takes what the table says it refuses."""
    ways = []
    for example in mistake.case.examples:
        try:
            example.call(raw_op(example), [tf.constant(array) for array in example.arrays])
            ways.append(f"{example} runs")
        except tf.errors.InvalidArgumentError:
            pass
        except tf.errors.OpError as error:
            ways.append(f"{example} raises {type(error).__name__}: {error}")
        if mistake.told_by == "shapes":
            try:
                traced_shapes(example)
                ways.append(f"{example} can be traced")
            except (ValueError, TypeError):
                pass
    return ways


def main(tables: Sequence[str]) -> int:
    problems: list[str] = []
    writers: dict[str, Writer] = {}
    for table in tables or CASES_IN:
        writers[table] = Writer()
        for example in (example for case in CASES_IN[table] for example in case.examples):
            try:
                writers[table].add(example, golden_of(example))
            except Exception as error:
                problems.append(f"{example}: {type(error).__name__}: {str(error).splitlines()[0]}")
    named = {case.op for table in writers for case in CASES_IN[table]}
    for mistake in MISTAKES:
        if mistake.case.op in named:
            problems += accepted(mistake)
    if problems:
        print(*problems, sep="\n")
        return 1
    for table, writer in writers.items():
        print(f"{table}: {len(CASES_IN[table])} cases, {writer.write(table)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
