"""Every op against TensorFlow: values, dtypes, shapes; at once and inside functions, whatever is known while tracing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.cases import CASES, COVERED_ELSEWHERE, OPS
from modtf.core.conformance.checking import compare, fits, says_as_much, tensors
from modtf.core.conformance.examples import Case, Example
from modtf.core.conformance.goldens import golden_of
from modtf.core.conformance.report import Report


def test_every_op_has_a_case() -> None:
    without = set(OPS) - {case.op for case in CASES} - set(COVERED_ELSEWHERE)
    assert not without, "add cases for these in modtf/core/conformance/cases"


@pytest.mark.parametrize("example", [example for case in CASES for example in case.examples], ids=str)
def test_eager(example: Example, report: Report) -> None:
    golden = golden_of(example)
    given = tensors(example.arrays)
    outputs = example.call(_raw(example), given)
    assert len(outputs) == len(golden.outputs)
    for index, (output, expected) in enumerate(zip(outputs, golden.outputs, strict=True)):
        compare(f"output {index} of {example}", output, expected, example.case.tolerance)
    for tensor, array in zip(given, example.arrays, strict=True):
        compare(f"an input of {example} after the call", tensor, array, 0)
    report.passed.add(example.case.op)


@pytest.mark.parametrize(
    "case", [case for case in CASES if any(np.ndim(a) > 1 for a in case.examples[0].arrays)], ids=str
)
def test_eager_on_transposed_inputs(case: Case) -> None:
    """A backend's transposition may be a view; it must compute with views, too."""
    example = case.examples[0]
    given = [
        tf.raw_ops.Transpose(x=tensor, perm=list(range(array.ndim))[::-1]) if array.ndim > 1 else tensor
        for tensor, array in zip(
            tensors([array.T.copy() if array.ndim > 1 else array for array in example.arrays]),
            example.arrays,
            strict=True,
        )
    ]
    _check(example, example.call(_raw(example), given))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_in_a_function(case: Case) -> None:
    """Shapes are known, and what the table does not vary (axes, shapes) is constant."""
    example = case.examples[0]
    specs = [tf.TensorSpec(array.shape, array.dtype) for array in _varied(example)]
    concrete = tf.function(_with_constants(example)).get_concrete_function(*specs)
    _check_traced_shapes(example, concrete, 0)
    _check(example, concrete(*tensors(_varied(example))))


@pytest.mark.parametrize("case", [case for case in CASES if case.is_first or case.has_fixed_inputs], ids=str)
def test_in_a_function_of_unknown_sizes(case: Case) -> None:
    """Ranks are known, and everything is an argument, axes and shapes too."""
    example = case.examples[0]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in example.arrays]
    function = tf.function(lambda *given: example.call(_raw(example), given), input_signature=specs)
    _check(example, function(*tensors(example.arrays)))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("known", ["rank", "nothing"])
def test_tracing(case: Case, known: str) -> None:
    """While tracing, as much is known about the results as TensorFlow knows, and nothing wrong."""
    example = case.examples[0]
    specs = [tf.TensorSpec([None] * array.ndim if known == "rank" else None, array.dtype) for array in _varied(example)]
    concrete = tf.function(_with_constants(example)).get_concrete_function(*specs)
    _check_traced_shapes(example, concrete, 1 if known == "rank" else 2)


def _raw(example: Example) -> Callable[..., Any]:
    return getattr(tf.raw_ops, example.case.op)


def _varied(example: Example) -> list[np.ndarray]:
    return [example.arrays[index] for index in example.varied]


def _with_constants(example: Example) -> Callable[..., Any]:
    def function(*given: Any) -> Any:
        remaining = iter(given)
        inputs = [
            next(remaining) if index in example.varied else tf.constant(array)
            for index, array in enumerate(example.arrays)
        ]
        return example.call(_raw(example), inputs)

    return function


def _check(example: Example, outputs: list[Any]) -> None:
    for index, (output, expected) in enumerate(zip(outputs, golden_of(example).outputs, strict=True)):
        compare(f"output {index} of {example}", output, expected, example.case.tolerance)


def _check_traced_shapes(example: Example, concrete: Any, row: int) -> None:
    golden = golden_of(example)
    assert len(concrete.outputs) == len(golden.outputs)
    for output, expected, theirs in zip(concrete.outputs, golden.outputs, golden.shapes[row], strict=True):
        ours = output.dims
        assert output.dtype == expected.dtype
        assert fits(ours, expected.shape), f"{example}: traced as {ours}, but the shape is {expected.shape}"
        # TensorFlow is wrong about Equal of unknown sizes: what does not fit is not asked for.
        as_much = says_as_much(ours, theirs) or not fits(theirs, expected.shape)
        assert as_much, f"{example}: traced as {ours}, where TensorFlow knows {theirs}"
