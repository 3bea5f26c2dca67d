"""The judge of backends is judged: what is wrong with a backend, a case or a golden, the suite finds."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import conformance
from modtf.core.conformance import cases, checking, goldens, test_ops
from modtf.core.conformance.cases import CASES, MISTAKES, OPS
from modtf.core.conformance.examples import Example, some, uniform

BROKEN = '''
"""A backend with one mistake of each kind, for pytest's -p."""
import numpy as np
from modtf.core import contracts
from modtf.core.backends import selection


first = {}


def overwriting(xp, x):
    return xp.negative(x, out=x) if x.flags.writeable else xp.negative(x)


class Broken(contracts.ArrayBackend):
    name = "broken"
    xp = np
    kernels = {
        "Tanh": lambda xp, x: xp.tanh(x) * (1 + 1e-3),  # inexact
        "Sqrt": lambda xp, x: xp.asarray(xp.sqrt(x), xp.float32),  # of another dtype
        "Floor": lambda xp, x: xp.floor(x)[None],  # of another shape
        "Neg": overwriting,
        "SigmoidGrad": lambda xp, y, dy: 2 * dy * y * (1 - y),  # a gradient that is not the slope
        "Size": lambda xp, input, *, out_type: xp.asarray(input.ndim, out_type.np_dtype),  # another op
        "ReadVariableOp": lambda backend, resource, dtype: first.setdefault(id(resource), resource.read(backend)),
    }


selection._loaded["broken"] = Broken()
'''


def run_suite(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    command = [sys.executable, "-m", "pytest", "--pyargs", "modtf.core.conformance", "-q", "--tb=no"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_a_broken_backend_is_found_out(tmp_path):
    (tmp_path / "broken_backend.py").write_text(BROKEN)
    ops = ("Tanh", "Sqrt", "Floor", "Neg", "Sigmoid", "Size", "Exp")
    chosen = " or ".join(["test_side_effects", *(f"{op}-0 or {op}]" for op in ops)])
    result = run_suite(tmp_path, "-p", "broken_backend", "--backend", "broken", "-k", chosen)
    failed = set(re.findall(r"^FAILED \S+?::(\S+)", result.stdout, re.MULTILINE))
    for name in (
        "test_eager[Tanh-0]",
        "test_in_a_function[Tanh]",
        "test_eager[Sqrt-0]",
        "test_eager[Floor-0]",
        "test_eager[Neg-0]",
        "test_in_a_function_of_unknown_sizes[Sigmoid]",
        "test_finite_differences[Sigmoid]",
        "test_eager[Size-0]",
        "test_side_effects_in_order",
    ):
        assert name in failed, f"{name} passed, or was not run:\n{result.stdout}\n{result.stderr}"
    assert not [name for name in failed if "[Exp" in name]
    assert "conformance of the backend 'broken'" in result.stdout
    assert result.returncode == 1


def test_a_backend_that_is_not_installed(tmp_path):
    result = run_suite(tmp_path, "--backend", "nowhere")
    assert result.returncode == 4
    assert "no backend 'nowhere'. Installed: " in result.stderr
    assert "numpy" in result.stderr


def test_what_the_backend_did_itself_is_told(tmp_path):
    result = run_suite(tmp_path, "-k", "test_eager and Pow-0 and not float64", "--backend", "numpy")
    assert "1 ops checked" in result.stdout
    assert "0 fell back to NumPy" in result.stdout


def test_other_runs_of_pytest_get_no_option(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_nothing.py"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    result = subprocess.run([*command, "--backend", "numpy"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 4
    assert "--backend" in result.stderr


def test_an_op_without_a_case_is_found(monkeypatch):
    test_ops.test_every_op_has_a_case()
    monkeypatch.setattr(test_ops, "OPS", OPS | {"BrandNewOp"})
    with pytest.raises(AssertionError, match="BrandNewOp"):
        test_ops.test_every_op_has_a_case()


def test_exceptions_are_of_ops_without_cases():
    assert not set(cases.COVERED_ELSEWHERE) & {case.op for case in CASES}
    assert set(cases.COVERED_ELSEWHERE) <= OPS


def test_every_case_has_its_golden():
    for case in CASES:
        for example in case.examples:
            golden = goldens.golden_of(example)
            assert golden.outputs or case.op == "CheckNumerics"


def test_stale_goldens_are_refused(monkeypatch):
    example = CASES[0].examples[0]
    changed = Example(example.case, example.dtype)
    changed.arrays = [array + 1 for array in changed.arrays]
    with pytest.raises(LookupError, match="of other inputs"):
        goldens.golden_of(changed)
    changed.dtype = "complex128"
    with pytest.raises(LookupError, match="no golden"):
        goldens.golden_of(changed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float32([1, 2]), np.float32([1, 2.001])),
        (np.float32([1, 2]), np.float64([1, 2])),
        (np.float32([1, 2]), np.float32([[1, 2]])),
        (np.float32([1, 2]), np.float32([1, np.nan])),
        (np.float32([1, np.inf]), np.float32([1, -np.inf])),
        (np.int32([1, 2]), np.int32([1, 3])),
        (np.array([b"a"], object), np.array([b"b"], object)),
    ],
)
def test_differences_are_found(given, expected):
    checking.compare("the same", tf.constant(given), given)
    with pytest.raises(AssertionError):
        checking.compare("another", tf.constant(given), expected)


def test_nearly_equal_is_not_equal_bits():
    tensor = tf.constant(np.float32([1, 2]))
    nearly = np.nextafter(np.float32([1, 2]), np.float32(3))
    checking.compare("nearly", tensor, nearly)
    with pytest.raises(AssertionError):
        checking.compare("nearly", tensor, nearly, 0)


def test_numpy_sees_what_only_values_tell():
    for mistake in MISTAKES:
        for example in mistake.case.examples:
            with pytest.raises(tf.errors.InvalidArgumentError):
                example.call(getattr(tf.raw_ops, mistake.case.op), checking.tensors(example.arrays))


def test_inputs_are_the_same_everywhere():
    """The first numbers of SplitMix64 with the seed 0; goldens depend on them."""
    expected = [0.8833108082136426, 0.43152799704850997, 0.026433771592597743]
    np.testing.assert_array_equal(uniform(3, 0), expected)
    np.testing.assert_array_equal(some(2, low=0, high=9).array("int32", 0), [8, 4])
    assert some(2, 2).array("complex64", 1).dtype == np.complex64


def test_it_says_how_it_is_run():
    assert "--backend" in conformance.__doc__
