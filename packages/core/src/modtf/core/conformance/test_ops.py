"""Every op against TensorFlow: values, dtypes, shapes; at once and inside functions, whatever is known while tracing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.cases import CASES, CASES_OF, COVERED_ELSEWHERE, OPS
from modtf.core.conformance.checking import compare, fits, says_as_much, tensors
from modtf.core.conformance.examples import Case, Example
from modtf.core.conformance.goldens import golden_of
from modtf.core.conformance.report import Report


def test_every_op_has_a_case() -> None:
    without = set(OPS) - {case.op for case in CASES} - set(COVERED_ELSEWHERE)
    assert not without, "add cases for these in modtf/core/conformance/cases"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_eager(case: Case, report: Report) -> None:
    example = case.examples[0]
    given = tensors(example.arrays)
    _check(example, example.call(_raw(example), given))
    for tensor, array in zip(given, example.arrays, strict=True):
        compare(f"an input of {example} after the call", tensor, array, 0)
    if any(array.ndim > 1 for array in example.arrays):  # what the first call has compiled serves this one
        _check(example, example.call(_raw(example), _transposed(example)))
    report.passed.add(case.op)


def _transposed(example: Example) -> list[tf.Tensor]:
    """The inputs, made by transposing: a backend's transposition may be a view, and it must compute with views, too."""
    return [
        tf.raw_ops.Transpose(x=tensor, perm=list(range(array.ndim))[::-1]) if array.ndim > 1 else tensor
        for tensor, array in zip(
            tensors([array.T.copy() if array.ndim > 1 else array for array in example.arrays]),
            example.arrays,
            strict=True,
        )
    ]


@pytest.mark.parametrize("op", CASES_OF)
def test_in_a_function(op: str) -> None:
    """All cases with all dtypes, which a function at a time compiles faster than one at a time.

    Shapes are known, and what the table does not vary (axes, shapes) is constant.
    """
    examples = [example for case in CASES_OF[op] for example in case.examples]

    def program(*given: Any) -> Any:
        remaining = iter(given)
        return [_with_constants(example)(*itertools.islice(remaining, len(example.varied))) for example in examples]

    results = tf.function(program)(*tensors([array for example in examples for array in _varied(example)]))
    for example, outputs in zip(examples, results, strict=True):
        _check(example, outputs)


@pytest.mark.parametrize("op", CASES_OF)
def test_in_a_function_of_unknown_sizes(op: str) -> None:
    """Ranks are known, and everything is an argument, axes and shapes too."""
    examples = [case.examples[0] for case in CASES_OF[op]]
    arrays = [array for example in examples for array in example.arrays]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]

    def program(*given: Any) -> Any:
        remaining = iter(given)
        return [
            example.call(_raw(example), list(itertools.islice(remaining, len(example.arrays)))) for example in examples
        ]

    results = tf.function(program, input_signature=specs)(*tensors(arrays))
    for example, outputs in zip(examples, results, strict=True):
        _check(example, outputs)


_KNOWN: dict[str, Callable[[np.ndarray], Any]] = {
    "shapes": lambda array: array.shape,
    "ranks": lambda array: [None] * array.ndim,
    "nothing": lambda array: None,
}


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("known", _KNOWN)
def test_tracing(case: Case, known: str) -> None:
    """While tracing, as much is known about the results as TensorFlow knows, and nothing wrong."""
    example = case.examples[0]
    specs = [tf.TensorSpec(_KNOWN[known](array), array.dtype) for array in _varied(example)]
    concrete = tf.function(_with_constants(example)).get_concrete_function(*specs)
    golden = golden_of(example)
    assert len(concrete.outputs) == len(golden.outputs)
    shapes = golden.shapes[list(_KNOWN).index(known)]
    for output, expected, theirs in zip(concrete.outputs, golden.outputs, shapes, strict=True):
        ours = output.dims
        assert output.dtype == expected.dtype
        assert fits(ours, expected.shape), f"{example}: traced as {ours}, but the shape is {expected.shape}"
        # TensorFlow is wrong about some ops (Equal of unknown sizes): what does not fit is not asked for.
        as_much = not fits(theirs, expected.shape) or says_as_much(ours, theirs)
        assert as_much, f"{example}: traced as {ours}, where TensorFlow knows {theirs}"


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
    expected = golden_of(example).outputs
    assert len(outputs) == len(expected)
    for index, (output, array) in enumerate(zip(outputs, expected, strict=True)):
        compare(f"output {index} of {example}", output, array, example.case.tolerance)
