"""Steps of optimizers as single ops, against what TensorFlow makes of the same variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.conformance.report import Report
from modtf.core.contracts import get_op

_HYPERPARAMETERS = {
    "alpha": 0.3, "lr": 0.1, "rho": 0.9, "momentum": 0.7, "epsilon": 0.01, "l1": 0.05, "l2": 0.2, "l2_shrinkage": 0.1,
    "lr_power": -0.5, "beta1_power": 0.9, "beta2_power": 0.99, "beta1": 0.8, "beta2": 0.95, "logbase": 1.0,
    "sign_decay": 0.5, "beta": 0.8,
}  # fmt: skip
_VARIABLE = np.array([[1.0, -2.0], [3.0, 4.0], [5.0, -6.0]])
_SLOT = np.array([[1.5, 2.0], [1.0, 3.0], [2.0, 1.0]])
_GRADIENT = np.array([[0.1, -0.3], [0.5, 0.2], [0.4, -1.0]])
_INDICES = np.array([2, 0, 2], np.int32)

# The variable and its slots after two steps; of the sparse ops, their first and last row.
# fmt: off
_EXPECTED: dict[str, list[list[float]]] = {
    "ResourceApplyAdaMax": [[-0.5805134, -3.4520128], [0.996, 1.172], [1.35375, 1.805]],
    "ResourceApplyAdadelta": [[0.9789341, -1.9369294], [1.2169, 1.6371], [1.2171079, 1.638895]],
    "ResourceApplyAdagrad": [[0.983751, -1.95893], [1.52, 2.18]],
    "ResourceApplyAdagradDA": [[-0.1198871, -0.0813547], [1.7, 1.4], [1.52, 2.18]],
    "ResourceApplyAdagradV2": [[0.983882, -1.9592092], [1.52, 2.18]],
    "ResourceApplyAdam": [[0.8138228, -2.1971704], [0.996, 1.172], [1.354725, 1.813775]],
    "ResourceApplyAdamWithAmsgrad": [[0.8205297, -2.1904209], [0.996, 1.172], [1.354725, 1.813775], [1.5, 2.0]],
    "ResourceApplyAddSign": [[0.984, -2.012], [0.996, 1.172]],
    "ResourceApplyCenteredRMSProp": [[-0.8097026, -4.3159219], [0.32275, 0.348], [1.2169, 1.6371], [0.7507232, 0.9393294]],
    "ResourceApplyFtrl": [[-0.1268047, -0.1336413], [1.52, 2.18], [1.6640749, 2.0766465]],
    "ResourceApplyFtrlV2": [[-0.1404507, -0.1050493], [1.52, 2.18], [1.837773, 1.6430542]],
    "ResourceApplyGradientDescent": [[0.94, -1.82]],
    "ResourceApplyKerasMomentum": [[2.758, 0.461], [0.718, 1.031]],
    "ResourceApplyMomentum": [[0.7945, -2.157], [0.905, 0.47]],
    "ResourceApplyPowerSign": [[0.9670256, -1.9636082], [0.996, 1.172]],
    "ResourceApplyProximalAdagrad": [[0.9444854, -1.8993957], [1.52, 2.18]],
    "ResourceApplyProximalGradientDescent": [[0.8074938, -1.5874867]],
    "ResourceApplyRMSProp": [[-0.8086001, -4.3188104], [1.2169, 1.6371], [0.7500283, 0.941054]],
    "ResourceSparseApplyAdadelta": [
        [0.8955865, -2.0421049, 4.8950578, -5.7384722],
        [1.2625, 1.6276, 1.342789, 0.851761],
        [1.2667852, 1.6284209, 1.3458347, 0.8506693],
    ],
    "ResourceSparseApplyAdagrad": [[0.9268482, -2.0278703, 4.9328711, -5.825698], [2.0, 2.08, 2.34, 3.18]],
    "ResourceSparseApplyAdagradDA": [
        [-0.159407, -0.1497783, -0.1792784, 0.0786652],
        [2.5, 2.4, 3.0, -1.6],
        [2.0, 2.08, 2.34, 3.18],
    ],
    "ResourceSparseApplyAdagradV2": [[0.92738, -2.0276775, 4.933319, -5.8268952], [2.0, 2.08, 2.34, 3.18]],
    "ResourceSparseApplyCenteredRMSProp": [
        [-0.9088747, -4.4235964, 1.3090955, -7.3006001],
        [0.39875, 0.443, 0.41674, -0.065845],
        [1.2625, 1.6276, 1.342789, 0.851761],
        [0.8138798, 1.0077508, 0.5421961, 0.0472623],
    ],
    "ResourceSparseApplyFtrl": [
        [-0.1054599, -0.1790906, -0.1870292, -0.1617279],
        [2.0, 2.08, 2.34, 3.18],
        [1.5836125, 2.7045182, 2.9858085, 2.9987133],
    ],
    "ResourceSparseApplyFtrlV2": [
        [-0.1189554, -0.1499811, -0.2472469, -0.0456941],
        [2.0, 2.08, 2.34, 3.18],
        [1.7798658, 2.273051, 3.9310492, 0.883121],
    ],
    "ResourceSparseApplyKerasMomentum": [[2.65, 0.326, 8.37627, -3.78091], [0.65, 0.946, 0.41017, 0.42039]],
    "ResourceSparseApplyMomentum": [[0.6865, -2.292, 4.47545, -5.73132], [1.585, 1.32, 1.1805, -1.5628]],
    "ResourceSparseApplyProximalAdagrad": [[0.8926351, -1.965877, 4.6591438, -5.4828256], [2.0, 2.08, 2.34, 3.18]],
    "ResourceSparseApplyProximalGradientDescent": [[0.5874867, -1.8624956, 3.6440672, -4.0142926]],
    "ResourceSparseApplyRMSProp": [
        [-0.9015503, -4.4208729, 1.3183718, -7.3033134],
        [1.2625, 1.6276, 1.342789, 0.851761],
        [0.8090644, 1.0060235, 0.5381585, 0.0479399],
    ],
}
# fmt: on


@pytest.mark.parametrize("in_function", [False, True], ids=["eager", "in a function"])
@pytest.mark.parametrize("name", _EXPECTED)
def test_two_steps(name: str, in_function: bool, report: Report) -> None:
    is_sparse = "Sparse" in name
    variables: list[Any] = []
    given: dict[str, Any] = {}
    for arg in get_op(name).schema.inputs:
        if arg.type is tf.resource:
            value = _VARIABLE if arg.name == "var" else _SLOT / 4 if arg.name == "mg" else _SLOT
            variables.append(tf.Variable(value if is_sparse else value[0]))
            given[arg.name] = variables[-1].handle
        elif arg.name in ("grad", "delta"):
            given[arg.name] = tf.constant(_GRADIENT if is_sparse else _GRADIENT[0])
        elif arg.name == "indices":
            given[arg.name] = tf.constant(_INDICES)
        elif arg.name == "global_step":
            given[arg.name] = tf.constant(3, tf.int64)
        else:
            given[arg.name] = tf.constant(_HYPERPARAMETERS[arg.name], tf.float64)

    def step() -> Any:
        getattr(tf.raw_ops, name)(**given)
        return variables[0].value()

    run = tf.function(step) if in_function else step
    run()
    compare("what is read after the steps", run(), variables[0].numpy())
    for place, (variable, expected) in enumerate(zip(variables, _EXPECTED[name], strict=True)):
        value = variable.numpy()
        np.testing.assert_allclose(
            value[[0, 2]].reshape(-1) if is_sparse else value, expected, 1e-6, 2e-7, err_msg=f"{name}: variable {place}"
        )
        if is_sparse:
            np.testing.assert_array_equal(
                value[1], (_SLOT / 4 if value[1, 0] < 1 else _SLOT if place else _VARIABLE)[1]
            )
    report.passed.add(name)


def test_mistakes() -> None:
    variable, slot = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0, 3.0])
    gradient, rate = tf.constant([1.0, 2.0]), tf.constant(0.1)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        tf.raw_ops.ResourceApplyAdagrad(var=variable.handle, accum=slot.handle, lr=rate, grad=gradient)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=gradient, delta=gradient)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        tf.raw_ops.ResourceSparseApplyAdagrad(
            var=variable.handle, accum=variable.handle, lr=rate, grad=gradient, indices=tf.constant([0, 2])
        )
    np.testing.assert_array_equal(variable.numpy(), [1.0, 2.0])
