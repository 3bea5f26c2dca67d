"""What a call of an op is like: what the rules in `exceptions.py` ask."""

from __future__ import annotations

import itertools

import numpy as np
from variations import Call

from modtf import core


def has_nan(call: Call) -> bool:
    return any(
        array.dtype.kind in "fcV" and not array.dtype.names and np.isnan(wide(array)).any() for array in call.arrays
    )


def is_wild(call: Call) -> bool:
    return not all(
        np.isfinite(wide(array)).all() for array in call.arrays if array.dtype.kind in "fcV" and not array.dtype.names
    )


def has_empty(call: Call) -> bool:
    """Whether there is nothing in an input or a result."""
    from comparison import ours

    if any(array.size == 0 for array in call.arrays):
        return True
    return not refused_here(call) and any(0 in output.shape for output in ours(call)[1])


def wide(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def refused_here(call: Call) -> bool:
    """Whether modtf refuses the call."""
    from comparison import OUR_REFUSALS, ours

    try:
        ours(call)
    except OUR_REFUSALS:
        return True
    return False


def beyond_window(call: Call) -> bool:
    image, window = call.inputs["input"].shape, call.inputs["filter"].shape
    return len(image) != 5 or len(window) != 5 or any(a < b for a, b in zip(image[1:4], window[:3], strict=True))


def another_maximum(call: Call) -> bool:
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
    return pooled.shape != given.shape or not np.array_equal(wide(pooled), wide(given))


def positive_definite(call: Call) -> bool:
    matrices = call.inputs["input"]
    try:
        np.linalg.cholesky(matrices.astype(np.complex128 if matrices.dtype.kind == "c" else np.float64))
    except np.linalg.LinAlgError:
        return False
    return True


def refused_for(call: Call, *words: str) -> bool:
    """Whether modtf refuses the call with a message that holds one of the words."""
    from comparison import OUR_REFUSALS, ours

    try:
        ours(call)
    except OUR_REFUSALS as error:
        return any(word in str(error) for word in words)
    return False


def malformed_sparse(call: Call) -> bool:
    """Whether indices of a sparse tensor are out of bounds, out of order or repeated, or its parts do not fit together."""
    for name, indices in call.inputs.items():
        parts = [indices] if not isinstance(indices, list) else indices
        if not name.endswith("indices"):
            continue
        prefix = name.removesuffix("indices")
        shapes = next((call.inputs[f"{prefix}{what}"] for what in _SHAPES if f"{prefix}{what}" in call.inputs), None)
        shapes = shapes if isinstance(shapes, list) else [shapes] * len(parts)
        values = call.inputs.get(f"{prefix}values")
        values = values if isinstance(values, list) else [values] * len(parts)
        if any(malformed(*trio) for trio in zip(parts, values, shapes, strict=True)):
            return True
    return False


_SHAPES = ("shape", "dense_shape", "shapes")


def malformed(indices: np.ndarray, values: np.ndarray | None, shape: np.ndarray | None) -> bool:
    if indices.ndim != 2 or (values is not None and values.shape != indices.shape[:1]):
        return True
    rows = [tuple(row) for row in indices.tolist()]
    if any(a >= b for a, b in itertools.pairwise(rows)):
        return True
    if shape is None:
        return False
    return shape.shape != indices.shape[1:] or bool(((indices < 0) | (indices >= shape)).any())


def of_other_windows(call: Call) -> bool:
    """Whether `grad` has not the shape that pooling gives."""
    image = core.constant(call.inputs["input"].astype(np.float32))
    attrs = {name: call.attrs[name] for name in ("ksize", "strides", "padding")}
    try:
        return core.raw_ops.MaxPool(input=image, **attrs).shape != call.inputs["grad"].shape
    except (core.errors.OpError, ValueError):
        return True


def ours_of(call: Call) -> np.ndarray:
    """The first result, or nothing if the call is refused."""
    from comparison import ours

    return np.zeros(0) if refused_here(call) else ours(call)[1][0].numpy()


def condition(matrix: np.ndarray) -> float:
    """The ratio of the largest singular value to the smallest."""
    if matrix.ndim < 2 or not matrix.size:
        return 1.0
    wide = matrix.astype(np.complex128 if matrix.dtype.kind == "c" else np.float64)
    values = np.linalg.svd(wide, compute_uv=False)
    return float((values[..., 0] / np.maximum(values[..., -1], 1e-300)).max())


def is_ignored(text: bytes) -> bool:
    """Whether a string holds nothing but what is not UTF-8."""
    return bool(text) and not text.decode(errors="ignore")


def at_edges(call: Call) -> bool:
    """Whether a value is as good as at the edge of a bin that can only be rounded."""
    values, ends = wide(call.inputs["values"]), wide(call.inputs["value_range"])
    if refused_here(call):
        return False
    step = (ends[1] - ends[0]) / int(call.inputs["nbins"])
    places = (values - ends[0]) / step
    return step != round(step) and bool((np.abs(places - np.round(places)) < 1e-6).any())


def has_complex(call: Call) -> bool:
    return any(array.dtype.kind == "c" for array in call.arrays)


def largest(call: Call) -> float:
    return max((float(np.max(np.abs(wide(a)), initial=0)) for a in call.arrays if a.dtype.kind in "fiu"), default=0.0)
