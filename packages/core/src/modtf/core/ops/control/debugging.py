"""Checking while a graph runs, printing, and the time."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import nothing, scalar, unchanged
from modtf.core.engine.vocabulary import Call, op
from modtf.core.ops.strings.format import summary
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.local_files import explained, local_path
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- assertions


def summarize_values(array: np.ndarray, limit: int) -> str:
    """Returns the first elements of a tensor as text: `[1 2][3...]...`; all of them if `limit` is negative."""
    limit = array.size if limit < 0 else limit
    flat = array.reshape(-1)[:limit].tolist() if array.dtype == object else list(array.reshape(-1)[:limit])
    texts = [_element_text(item) for item in flat]
    more = "..." if array.size > limit else ""
    if array.ndim < 2:
        return " ".join(texts) + more
    return _nested(array.shape, texts, 0)[0] + more


def _element_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return summary(np.asarray(value), -1).decode()


def _nested(shape: tuple[int, ...], texts: Sequence[str], start: int) -> tuple[str, int]:
    """The elements from `start` on in brackets, as far as there are any, and how many there are of them."""
    if len(shape) == 1:
        shown = texts[start : start + shape[0]]
        return " ".join(shown) + ("..." if len(shown) < shape[0] else ""), start + len(shown)
    text = ""
    for _ in range(shape[0]):
        if start >= len(texts):
            break
        inner, start = _nested(shape[1:], texts, start)
        text += f"[{inner}]"
    return text, start


@op(
    "Assert[*T](condition: bool, data: T, *, summarize: int = 3) -> ()",
    shape=lambda condition, data, **attrs: _checked_scalar(condition),
    host_only=True,
    stateful=True,
)
def assert_(xp: Any, condition: np.ndarray, data: Sequence[np.ndarray], *, summarize: int) -> tuple[()]:
    if np.ndim(condition):
        raise InvalidArgumentError(f"The condition should be a scalar: {list(condition.shape)}.")
    if not condition:
        shown = " ".join(f"[{summarize_values(np.asarray(item), summarize)}]" for item in data)
        raise InvalidArgumentError(f"assertion failed: {shown}")
    return ()


def _checked_scalar(condition: Tensor) -> list[None]:
    if condition.dims not in (None, ()):
        raise ValueError(f"The condition should be a scalar, but its shape is {condition.shape}")
    return []


@op(
    "CheckNumericsV2[T: floating](tensor: T, *, message: string) -> (output: T)",
    shape=unchanged,
    stateful=True,
    host_only=True,
)
def check_numerics_v2(xp: Any, tensor: np.ndarray, *, message: str) -> np.ndarray:
    if not np.isfinite(tensor).all():
        tests: dict[str, Callable[[Any], Any]] = {"-Inf": np.isneginf, "+Inf": np.isposinf, "NaN": np.isnan}
        wide = np.asarray(tensor, np.float64)
        found = [name for name, test in tests.items() if test(wide).any()]
        listed = (
            ", ".join(found[:-1]) + ("," if len(found) > 2 else "") + " and " + found[-1]
            if len(found) > 1
            else found[0]
        )
        raise InvalidArgumentError(f"{message} : Tensor had {listed} values")
    return tensor


@check_numerics_v2.gradient
def _(call: Call, dy: Tensor) -> Tensor:
    return raw.CheckNumericsV2(
        dy, message=f"Not a number (NaN) or infinity (Inf) values detected in gradient. {call['message']}"
    )


# ------------------------------------------------------------------------------------------------- printing

_LOGGERS = {"log(info)": logging.INFO, "log(warning)": logging.WARNING, "log(error)": logging.ERROR}
_FILE = "file://"


def write_text(stream: str, text: str) -> None:
    """Writes text to a stream by name: `stdout`, `stderr`, `log(LEVEL)` or `file://PATH`.

    Raises:
        InvalidArgumentError: There is no such stream.
    """
    if stream in ("stdout", "stderr"):
        target = getattr(sys, stream)
        target.write(text)
        target.flush()
    elif stream in _LOGGERS:
        logging.getLogger("modtf").log(_LOGGERS[stream], "%s", text.removesuffix("\n"))
    elif stream.startswith(_FILE):
        with explained(), open(local_path(stream), "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    else:
        raise InvalidArgumentError(
            f"Unknown output stream: {stream}, Valid streams are: stdout stderr {' '.join(_LOGGERS)} {_FILE}PATH."
        )


@op(
    "PrintV2(input: string, *, output_stream: string = 'stderr', end: string = '\\n') -> ()",
    shape=nothing,
    host_only=True,
    stateful=True,
)
def print_v2(xp: Any, input: np.ndarray, *, output_stream: str, end: str) -> tuple[()]:
    if input.ndim:
        raise InvalidArgumentError(f"Input is expected to be scalar, but got {list(input.shape)}.")
    write_text(output_stream, input.item().decode("utf-8", "replace") + end)
    return ()


@op(
    "Print[T, *U](input: T, data: U, *, message: string = '', first_n: int = -1, summarize: int = 3) -> (output: T)",
    shape=lambda input, data, **attrs: input.dims,
    host_only=True,
    stateful=True,
)
def print_(
    xp: Any, input: np.ndarray, data: Sequence[np.ndarray], *, message: str, first_n: int, summarize: int
) -> np.ndarray:
    """Prints whenever it runs: `first_n` counts the runs of a kernel, and kernels here keep nothing."""
    shown = "".join(f"[{summarize_values(np.asarray(item), summarize)}]" for item in data)
    write_text("stderr", f"{message}{shown}\n")
    return input


print_.gradient(lambda call, dy: (dy, *[None] * (len(call.inputs) - 1)))


# ------------------------------------------------------------------------------------------------- the time


@op("Timestamp() -> (ts: float64)", shape=scalar, host_only=True, stateful=True)
def timestamp(xp: Any) -> np.ndarray:
    return np.array(time.time())


for _op in (assert_, print_v2, timestamp):
    _op.gradient(None)
