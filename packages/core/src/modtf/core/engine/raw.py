"""The vocabulary as attributes: `raw.MatMul(a, b, transpose_a=True)` (public as `tf.raw_ops`)."""

from __future__ import annotations

from typing import Any as _Any  # `Any` itself is an op

from modtf.core.engine.vocabulary import REGISTRY, get_op
from modtf.core.values.errors import NotFoundError


def _find(name: str) -> _Any:
    if name.startswith("_"):  # no op does; and looking up others may load plugins
        raise AttributeError(name)
    try:
        op = get_op(name)
    except NotFoundError as error:
        raise AttributeError(str(error)) from None
    globals()[name] = op  # so that the next look-up is an ordinary one
    return op


__getattr__ = _find
"""Assigned rather than defined: mypy, in a cycle of imports, reads the annotation of a defined one unresolved."""


def __dir__() -> list[str]:
    from modtf.core.ops import load_all

    load_all()
    return sorted(REGISTRY)
