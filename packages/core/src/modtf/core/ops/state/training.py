"""Steps of optimizers as single ops, which update variables and their slots; saved training programs use them.

Each rule is a formula that takes `var`, the slots, the gradient and the hyperparameters by name, and returns the new
values by name. Dense and sparse ops share it: the sparse ones apply it to the rows that indices name, one after the
other where a row is named again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine.binding import home
from modtf.core.engine.shape_rules import merged
from modtf.core.engine.vocabulary import Op, register
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import Resource, handle_dims
from modtf.core.values.tensors import Tensor

Rule = Callable[..., dict[str, Any]]

# ------------------------------------------------------------------------------------------------- ops of a rule


def _parsed(arguments: str) -> tuple[list[str], list[str]]:
    """The names of the resources and of the other inputs: `"var accum | lr grad"`."""
    resources, _, others = arguments.partition("|")
    return resources.split(), others.split()


@contextlib.contextmanager
def _locked(resources: list[Resource]) -> Iterator[None]:
    """Holds the locks of all, taken in one order whoever asks."""
    with contextlib.ExitStack() as stack:
        for resource in sorted(resources, key=id):
            stack.enter_context(resource.lock)
        yield


def _check(name: str, arrays: dict[str, Any], gradient: Any, others: dict[str, Any], rows: int | None) -> None:
    dims = arrays["var"].shape
    for slot, array in arrays.items():
        if array.shape != dims:
            raise InvalidArgumentError(
                f"var and {slot} do not have the same shape: {list(dims)} and {list(array.shape)}"
            )
    expected = dims if rows is None else (rows, *dims[1:])
    if gradient.shape != expected:
        raise InvalidArgumentError(
            f"The gradient must have the shape {list(expected)} for {name}, not {list(gradient.shape)}"
        )
    for given, value in others.items():
        if value.ndim:
            raise InvalidArgumentError(f"{given} must be a scalar, not of shape {list(value.shape)}")


def _rounds(indices: np.ndarray) -> Iterator[np.ndarray]:
    """Places in `indices`, so that none names the same row twice in a round."""
    order = np.argsort(indices, kind="stable")
    ordered = indices[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.intp)
    lengths = np.diff(np.append(starts, len(ordered)))
    for turn in range(int(lengths.max(initial=0))):
        yield order[starts[lengths > turn] + turn]


def _dims(resources: int, place: int, is_sparse: bool) -> Callable[..., list[Any]]:
    def rule(*inputs: Tensor, **attrs: Any) -> list[Any]:
        dims = merged(*(handle_dims(handle) for handle in inputs[:resources]))
        gradient = inputs[place].dims
        if is_sparse and dims is not None and gradient is not None:
            merged(dims[1:], gradient[1:])
        elif not is_sparse:
            merged(dims, gradient)
        return []

    return rule


def _step(name: str, rule: Rule, arguments: str, attrs: str = "", forms: str = "dense sparse") -> None:
    resources, others = _parsed(arguments)
    place = next(index for index, given in enumerate(others) if given in ("grad", "delta"))

    def dense(backend: Backend, *inputs: Any, use_locking: bool, **options: bool) -> tuple[()]:
        handles = list(inputs[: len(resources)])
        given = dict(zip(others, inputs[len(resources) :], strict=True))
        gradient = given.pop(others[place])
        with _locked(handles):
            xp = home(backend, handles[0].dtype).xp
            arrays = {slot: handle.read(backend) for slot, handle in zip(resources, handles, strict=True)}
            _check(name, arrays, gradient, given, None)
            new = rule(xp, **arrays, grad=gradient, **given, **options)
            for slot, handle in zip(resources, handles, strict=True):
                if slot in new:
                    handle.assign(xp.astype(new[slot], arrays[slot].dtype, copy=False), backend)
        return ()

    def sparse(backend: Backend, *inputs: Any, use_locking: bool, **options: bool) -> tuple[()]:
        handles = list(inputs[: len(resources)])
        given = dict(
            zip([*others[: place + 1], "indices", *others[place + 1 :]], inputs[len(resources) :], strict=True)
        )
        gradient, indices = given.pop(others[place]), given.pop("indices")
        with _locked(handles):
            arrays = {slot: handle.read(NUMPY).copy() for slot, handle in zip(resources, handles, strict=True)}
            _check(name, arrays, gradient, given, len(indices))
            bad = (indices < 0) | (indices >= len(arrays["var"]))
            if bad.any():
                at = int(np.argmax(bad))
                raise InvalidArgumentError(f"Index {indices[at]} at offset {at} in indices is out of range")
            for chosen in _rounds(indices):
                rows = indices[chosen]
                parts = {slot: array[rows] for slot, array in arrays.items()}
                for slot, values in rule(np, **parts, grad=gradient[chosen], **given, **options).items():
                    arrays[slot][rows] = values
            for slot, handle in zip(resources, handles, strict=True):
                handle.assign(arrays[slot], NUMPY)
        return ()

    taken = ", ".join(f"{slot}: resource" for slot in resources)
    options = f"use_locking: bool = False{attrs and ', '}{attrs}"
    types = {given: "int64" if given == "global_step" else "T" for given in others}
    if "dense" in forms:
        rest = ", ".join(f"{given}: {types[given]}" for given in others)
        schema = f"ResourceApply{name}[T: number|quantized]({taken}, {rest}, *, {options}) -> ()"
        shape = _dims(len(resources), len(resources) + place, False)
        register(Op(schema, kernel=dense, shape=shape, stateful=True, quiet=True)).gradient(None)
    if "sparse" in forms:
        named = [*others[:place], "grad", "indices", *others[place + 1 :]]
        types |= {"grad": "T", "indices": "Tindices"}
        rest = ", ".join(f"{given}: {types[given]}" for given in named)
        schema = f"ResourceSparseApply{name}[T: number|quantized, Tindices: index]({taken}, {rest}, *, {options}) -> ()"
        shape = _dims(len(resources), len(resources) + place, True)
        register(Op(schema, kernel=sparse, shape=shape, stateful=True, quiet=True, host_only=True)).gradient(None)


# ------------------------------------------------------------------------------------------------- rules


def _gradient_descent(xp: Any, var: Any, grad: Any, alpha: Any) -> dict[str, Any]:
    return {"var": var - alpha * grad}


def _momentum(xp: Any, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, use_nesterov: bool) -> dict[str, Any]:
    accum = accum * momentum + grad
    step = grad * lr + accum * momentum * lr if use_nesterov else accum * lr
    return {"var": var - step, "accum": accum}


def _keras_momentum(
    xp: Any, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, use_nesterov: bool
) -> dict[str, Any]:
    accum = accum * momentum - grad * lr
    return {"var": var + (accum * momentum - grad * lr if use_nesterov else accum), "accum": accum}


def _adagrad(xp: Any, var: Any, accum: Any, lr: Any, grad: Any, update_slots: bool) -> dict[str, Any]:
    accum = accum + grad * grad if update_slots else accum
    return {"var": var - grad * lr / xp.sqrt(accum), "accum": accum}


def _adagrad_v2(xp: Any, var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, update_slots: bool) -> dict[str, Any]:
    accum = accum + grad * grad if update_slots else accum
    return {"var": var - grad * lr / (xp.sqrt(accum) + epsilon), "accum": accum}


def _adagrad_da(
    xp: Any, var: Any, gradient_accumulator: Any, gradient_squared_accumulator: Any, grad: Any, lr: Any, l1: Any, l2: Any,
    global_step: Any,
) -> dict[str, Any]:  # fmt: skip
    total, squares = gradient_accumulator + grad, gradient_squared_accumulator + grad * grad
    step = xp.astype(global_step, var.dtype)
    shrunk = xp.sign(total) * xp.maximum(xp.abs(total) - l1 * step, xp.zeros_like(total))
    return {
        "var": -lr * shrunk / (l2 * step * lr + xp.sqrt(squares)),
        "gradient_accumulator": total,
        "gradient_squared_accumulator": squares,
    }


def _proximal(xp: Any, var: Any, rate: Any, l1: Any, l2: Any, grad: Any) -> Any:
    """Forward-backward splitting; Duchi and Singer, JMLR 10 (2009)."""
    moved = var - grad * rate
    return xp.sign(moved) * xp.maximum(xp.abs(moved) - rate * l1, xp.zeros_like(moved)) / (1 + l2 * rate)


def _proximal_gradient_descent(xp: Any, var: Any, alpha: Any, l1: Any, l2: Any, grad: Any) -> dict[str, Any]:
    return {"var": _proximal(xp, var, alpha, l1, l2, grad)}


def _proximal_adagrad(xp: Any, var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any) -> dict[str, Any]:
    accum = accum + grad * grad
    return {"var": _proximal(xp, var, lr / xp.sqrt(accum), l1, l2, grad), "accum": accum}


def _adadelta(
    xp: Any, var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any
) -> dict[str, Any]:
    accum = accum * rho + grad * grad * (1 - rho)
    step = xp.sqrt(accum_update + epsilon) / xp.sqrt(accum + epsilon) * grad
    return {"var": var - step * lr, "accum": accum, "accum_update": accum_update * rho + step * step * (1 - rho)}


def _rms_prop(
    xp: Any, var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> dict[str, Any]:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mom = mom * momentum + grad * lr / xp.sqrt(ms + epsilon)
    return {"var": var - mom, "ms": ms, "mom": mom}


def _centered_rms_prop(
    xp: Any, var: Any, mg: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any
) -> dict[str, Any]:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mg = mg + (grad - mg) * (1 - rho)
    mom = mom * momentum + grad * lr / xp.sqrt(ms - mg * mg + epsilon)
    return {"var": var - mom, "mg": mg, "ms": ms, "mom": mom}


def _moments(m: Any, v: Any, beta1: Any, beta2: Any, grad: Any) -> tuple[Any, Any]:
    return m + (grad - m) * (1 - beta1), v + (grad * grad - v) * (1 - beta2)


def _adam(
    xp: Any, var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any,
    grad: Any, use_nesterov: bool,
) -> dict[str, Any]:  # fmt: skip
    rate = lr * xp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = _moments(m, v, beta1, beta2, grad)
    ahead = m * beta1 + grad * (1 - beta1) if use_nesterov else m
    return {"var": var - rate * ahead / (xp.sqrt(v) + epsilon), "m": m, "v": v}


def _amsgrad(
    xp: Any, var: Any, m: Any, v: Any, vhat: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any,
    epsilon: Any, grad: Any,
) -> dict[str, Any]:  # fmt: skip
    rate = lr * xp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m, v = _moments(m, v, beta1, beta2, grad)
    vhat = xp.maximum(vhat, v)
    return {"var": var - rate * m / (xp.sqrt(vhat) + epsilon), "m": m, "v": v, "vhat": vhat}


def _ada_max(
    xp: Any, var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any
) -> dict[str, Any]:
    m = m + (grad - m) * (1 - beta1)
    v = xp.maximum(beta2 * v, xp.abs(grad))
    return {"var": var - lr / (1 - beta1_power) * (m / (v + epsilon)), "m": m, "v": v}


def _add_sign(xp: Any, var: Any, m: Any, lr: Any, alpha: Any, sign_decay: Any, beta: Any, grad: Any) -> dict[str, Any]:
    m = m * beta + grad * (1 - beta)
    return {"var": var - lr * (alpha + sign_decay * xp.sign(grad) * xp.sign(m)) * grad, "m": m}


def _power_sign(
    xp: Any, var: Any, m: Any, lr: Any, logbase: Any, sign_decay: Any, beta: Any, grad: Any
) -> dict[str, Any]:
    m = m * beta + grad * (1 - beta)
    return {"var": var - lr * xp.exp(logbase * sign_decay * xp.sign(grad) * xp.sign(m)) * grad, "m": m}


def _ftrl(
    xp: Any, var: Any, accum: Any, linear: Any, grad: Any, lr: Any, l1: Any, l2: Any, lr_power: Any,
    multiply_linear_by_lr: bool, l2_shrinkage: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """Follow the regularised leader; McMahan et al., Ad Click Prediction, KDD 2013."""
    pulled = grad if l2_shrinkage is None else grad + 2 * l2_shrinkage * var
    total = accum + grad * grad
    before, after = accum**-lr_power, total**-lr_power
    scale = lr if multiply_linear_by_lr else xp.ones_like(lr)
    linear = linear + pulled * scale - (after - before) * (scale / lr) * var
    limit = l1 * scale
    pull = limit * xp.sign(linear) - linear
    var = xp.where(xp.abs(linear) > limit, pull / (after * (scale / lr) + 2 * l2 * scale), xp.zeros_like(var))
    return {"var": var, "accum": total, "linear": linear}


_NESTEROV = "use_nesterov: bool = False"
_SLOTS = "update_slots: bool = True"
_LINEAR = "multiply_linear_by_lr: bool = False"

_step("GradientDescent", _gradient_descent, "var | alpha delta", forms="dense")
_step("Momentum", _momentum, "var accum | lr grad momentum", _NESTEROV)
_step("KerasMomentum", _keras_momentum, "var accum | lr grad momentum", _NESTEROV)
_step("Adagrad", _adagrad, "var accum | lr grad", _SLOTS)
_step("AdagradV2", _adagrad_v2, "var accum | lr epsilon grad", _SLOTS)
_step("AdagradDA", _adagrad_da, "var gradient_accumulator gradient_squared_accumulator | grad lr l1 l2 global_step")
_step("ProximalGradientDescent", _proximal_gradient_descent, "var | alpha l1 l2 delta")
_step("ProximalAdagrad", _proximal_adagrad, "var accum | lr l1 l2 grad")
_step("Adadelta", _adadelta, "var accum accum_update | lr rho epsilon grad")
_step("RMSProp", _rms_prop, "var ms mom | lr rho momentum epsilon grad")
_step("CenteredRMSProp", _centered_rms_prop, "var mg ms mom | lr rho momentum epsilon grad")
_step("Adam", _adam, "var m v | beta1_power beta2_power lr beta1 beta2 epsilon grad", _NESTEROV, forms="dense")
_step("AdamWithAmsgrad", _amsgrad, "var m v vhat | beta1_power beta2_power lr beta1 beta2 epsilon grad", forms="dense")
_step("AdaMax", _ada_max, "var m v | beta1_power lr beta1 beta2 epsilon grad", forms="dense")
_step("AddSign", _add_sign, "var m | lr alpha sign_decay beta grad", forms="dense")
_step("PowerSign", _power_sign, "var m | lr logbase sign_decay beta grad", forms="dense")
_step("Ftrl", _ftrl, "var accum linear | grad lr l1 l2 lr_power", _LINEAR)
_step("FtrlV2", _ftrl, "var accum linear | grad lr l1 l2 l2_shrinkage lr_power", _LINEAR)
