"""What Python's built-in functions do with tensors that have no value yet, in functions that AutoGraph rewrites."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from modtf.core.values.composites import CompositeTensor
from modtf.core.values.tensors import SymbolicTensor, Tensor
from modtf.core.values.variables import Variable


def is_symbolic(value: Any) -> bool:
    """Whether a value is a tensor without a value; variables have none while a function is traced."""
    return isinstance(value, (SymbolicTensor, Variable))


def _float(x: Any = 0.0) -> Any:
    if not is_symbolic(x):
        return float(x)
    from modtf.core.api.elementwise import cast

    if x.dtype.name == "string":
        from modtf.core.engine import raw

        return raw.StringToNumber(x)
    return cast(x, "float32")


def _int(x: Any = 0, *base: Any, **named_base: Any) -> Any:
    if not is_symbolic(x):
        return int(x, *base, **named_base)
    from modtf.core.api.elementwise import cast

    if x.dtype.name == "string":
        from modtf.core.engine import raw

        return raw.StringToNumber(x, out_type="int32")
    return cast(x, "int32")


def _len(s: Any) -> Any:
    if isinstance(s, SymbolicTensor) or (isinstance(s, Tensor) and s.dims):
        if s.dims == ():
            raise ValueError("len requires a tensor of rank 1 or more; got a scalar.")
        if s.dims is not None and s.dims[0] is not None:
            return s.dims[0]
        from modtf.core.api.array import shape

        return shape(s)[0]
    if isinstance(s, CompositeTensor) and hasattr(s, "nrows"):
        return s.nrows()
    return len(s)


def _print(*objects: Any, **kwargs: Any) -> Any:
    if not any(is_symbolic(item) for item in objects):
        return print(*objects, **kwargs)
    from modtf.core.api.side_effects import print as tensor_print

    kwargs.pop("flush", None)
    given = {key: value for key, value in kwargs.items() if value is not None}
    return tensor_print(*objects, output_stream=given.pop("file", sys.stdout), **given)


def _range(*limits: Any) -> Any:
    if not any(is_symbolic(item) for item in limits):
        return range(*limits)
    from modtf.core.api.array import range as tensor_range

    return tensor_range(*limits)


def _is_traced_over(*iterables: Any) -> bool:
    """Whether these are datasets in a function being traced, which Python's own loops would never come to the end of."""
    from modtf.core.engine.context import executing_eagerly

    return not executing_eagerly() and any(hasattr(item, "__autograph_iterator__") for item in iterables)


def _enumerate(iterable: Any, start: Any = 0) -> Any:
    if hasattr(iterable, "enumerate") and _is_traced_over(iterable):
        return iterable.enumerate(start)
    return enumerate(iterable, start)


def _next(iterator: Any, *default: Any) -> Any:
    if not default or not _is_traced_over(iterator):
        return next(iterator, *default)
    from modtf.core.api.control_flow import cond

    optional = iterator.get_next_as_optional()
    return cond(optional.has_value(), optional.get_value, lambda: default[0])


def _zip(*iterables: Any, strict: bool = False) -> Any:
    if iterables and hasattr(iterables[0], "zip") and _is_traced_over(*iterables):
        return iterables[0].zip(iterables)
    return zip(*iterables, strict=strict)


def _extreme(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not any(is_symbolic(item) for item in args):
            return plain(*args, **kwargs)
        from modtf.core.api import math

        if len(args) == 1:
            return getattr(math, f"reduce_{name}")(args[0], axis=0)
        result = args[0]
        for item in args[1:]:
            result = getattr(math, f"{name}imum")(result, item)
        return result

    return function


def _sorted(iterable: Any, *, key: Any = None, reverse: bool = False) -> Any:
    if not is_symbolic(iterable) or key is not None:
        return sorted(iterable, key=key, reverse=reverse)
    if iterable.shape.rank not in (None, 1):
        raise ValueError(f"sorted takes tensors of rank 1; got one of shape {iterable.shape}.")
    from modtf.core.api.sorting import sort

    return sort(iterable, axis=0, direction="DESCENDING" if reverse else "ASCENDING")


OVERLOADS: dict[str, Callable[..., Any]] = {
    "enumerate": _enumerate,
    "float": _float,
    "int": _int,
    "len": _len,
    "max": _extreme("max", max),
    "min": _extreme("min", min),
    "next": _next,
    "print": _print,
    "range": _range,
    "sorted": _sorted,
    "zip": _zip,
}
"""By the built-in's name."""
