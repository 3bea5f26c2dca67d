"""Bad input: one clear error, of TensorFlow's kind, that names the op; and everything works on afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.cases import CASES, MISTAKES
from modtf.core.conformance.cases.table import Mistake
from modtf.core.conformance.checking import compare, tensors
from modtf.core.conformance.examples import Case, Example
from modtf.core.contracts import get_op

_SEEN_BY_VALUES = [mistake for mistake in MISTAKES if mistake.told_by == "values"]
_SEEN_BY_SHAPES = [mistake for mistake in MISTAKES if mistake.told_by != "values"]


def _call(example: Example, given: Any) -> Any:
    return example.call(getattr(tf.raw_ops, example.case.op), given)


@pytest.mark.parametrize("mistake", _SEEN_BY_SHAPES, ids=str)
def test_eager(mistake: Mistake) -> None:
    for example in mistake.case.examples:
        with pytest.raises(tf.errors.InvalidArgumentError, match=mistake.case.op):
            _call(example, tensors(example.arrays))


@pytest.mark.parametrize("mistake", _SEEN_BY_VALUES, ids=str)
def test_eager_by_values(mistake: Mistake) -> None:
    """What only the values tell may pass unseen (on TensorFlow's GPUs it does), but not raise anything else."""
    for example in mistake.case.examples:
        try:
            _call(example, tensors(example.arrays))
        except tf.errors.InvalidArgumentError as error:
            assert mistake.case.op in str(error)


@pytest.mark.parametrize("mistake", [mistake for mistake in MISTAKES if mistake.told_by == "shapes"], ids=str)
def test_while_tracing(mistake: Mistake) -> None:
    for example in mistake.case.examples:
        varied = [example.arrays[index] for index in example.varied]

        def program(*given: Any, example: Example = example) -> Any:
            remaining = iter(given)
            inputs = [
                next(remaining) if index in example.varied else tf.constant(array)
                for index, array in enumerate(example.arrays)
            ]
            return _call(example, inputs)

        with pytest.raises((ValueError, TypeError)):
            tf.function(program).get_concrete_function(*(tf.TensorSpec(array.shape, array.dtype) for array in varied))


@pytest.mark.parametrize("mistake", _SEEN_BY_SHAPES, ids=str)
def test_while_running_a_function(mistake: Mistake) -> None:
    """Where tracing knew too little to tell."""
    example = mistake.case.examples[0]
    specs = [tf.TensorSpec(None, array.dtype) for array in example.arrays]
    function = tf.function(lambda *given: _call(example, given), input_signature=specs)
    with pytest.raises(tf.errors.InvalidArgumentError):
        function(*tensors(example.arrays))


def _other_dtype(case: Case) -> tuple[int, str] | None:
    """Which of the inputs to give in another dtype so that two inputs of one type variable differ."""
    example = case.examples[0]
    known = get_op(case.op).schema.type_vars
    types = {arg.name: arg.type for arg in get_op(case.op).schema.inputs}
    seen: dict[Any, int] = {}
    for index, name in enumerate(example.names):
        variable = types[name]
        if variable in seen and variable in known and not known[variable].is_list:
            return index, "int32" if example.arrays[index].dtype != np.int32 else "int64"
        seen[variable] = index
    return None


_FIRST_CASES = list({case.op: case for case in reversed(CASES)}.values())


@pytest.mark.parametrize("case", [case for case in _FIRST_CASES if _other_dtype(case)], ids=lambda case: case.op)
def test_inputs_of_different_dtypes(case: Case) -> None:
    example = case.examples[0]
    found = _other_dtype(case)
    assert found is not None
    index, dtype = found
    given = list(example.arrays)
    given[index] = np.zeros(given[index].shape, dtype)
    with pytest.raises(tf.errors.InvalidArgumentError, match=case.op):
        _call(example, tensors(given))
    with pytest.raises((TypeError, ValueError)):
        tf.function(lambda: _call(example, tensors(given)))()


@pytest.mark.parametrize("case", _FIRST_CASES, ids=lambda case: case.op)
def test_arguments_by_the_wrong_name(case: Case) -> None:
    example = case.examples[0]
    with pytest.raises(TypeError):
        example.call(lambda **given: getattr(tf.raw_ops, case.op)(no_such_argument=1, **given), tensors(example.arrays))


def test_everything_works_on_afterwards() -> None:
    variable = tf.Variable([1.0, 2.0])

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def update(x: Any) -> Any:
        return tf.raw_ops.MatMul(a=variable.assign_add([1.0, 1.0])[None], b=x)

    with pytest.raises(tf.errors.InvalidArgumentError):
        update(tf.constant([[1.0], [2.0], [3.0]]))
    compare("a call without mistakes", update(tf.constant([[0.0], [0.0]])), np.zeros((1, 1), np.float32))


def test_an_unknown_op_is_named() -> None:
    with pytest.raises(AttributeError, match="NoSuchOp"):
        tf.raw_ops.NoSuchOp  # noqa: B018 (looking it up is the mistake)
