"""Rewriting functions by diastatic-malt, and the calls inside rewritten functions."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util  # noqa: F401 (malt uses it and imports only its parent)
import inspect
import sys
import threading
import warnings
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

from malt.core import converter
from malt.impl import api
from malt.operators.function_wrappers import FunctionScope
from malt.pyct import errors as malt_errors

from modtf.core.engine.autograph import enabled, operators
from modtf.core.engine.autograph.builtins import OVERLOADS
from modtf.core.engine.sources import is_generated, original, register_generated

_LEFT_ALONE = frozenset({"modtf", "malt", "numpy", "jax", "pandas", "matplotlib", "PIL", "scipy", "keras", "tensorflow",
                         "pytest", "_pytest", "IPython", "absl"}) | sys.stdlib_module_names  # fmt: skip
"""Packages whose functions are not rewritten."""

_OPTIONS = converter.ConversionOptions(
    recursive=True, user_requested=True, optional_features=(converter.Feature.ASSERT_STATEMENTS,)
)


class _Transpiler(api.PyToPy):
    """Malt's transpiler with core's operators under the name `ag__`."""

    _extra_locals: dict[str, Any] | None

    def get_extra_locals(self) -> dict[str, Any]:
        if self._extra_locals is None:
            (name, theirs), *_ = super().get_extra_locals().items()
            ours = ModuleType("modtf_autograph")
            ours.__dict__.update(theirs.__dict__)
            ours.__dict__.update({key: getattr(operators, key) for key in operators.__all__})
            ours.__dict__.update(converted_call=_converted_call_in_code, FunctionScope=_FunctionScope)
            self._extra_locals = {name: ours}
        return self._extra_locals

    def transform_ast(self, node: Any, ctx: Any) -> Any:
        """Rewrites a function; malt looks at the names of caught exceptions as nodes, where Python's trees have strings."""
        for handler in _handlers(node):
            handler.name = handler.name and ast.Name(handler.name, ast.Store())
        node = super().transform_ast(node, ctx)
        for handler in _handlers(node):
            handler.name = handler.name and getattr(handler.name, "id", handler.name)
        return node


def _handlers(node: Any) -> list[Any]:
    nodes = node if isinstance(node, (list, tuple)) else [node]
    return [inner for one in nodes for inner in ast.walk(one) if isinstance(inner, ast.ExceptHandler)]


class _FunctionScope(FunctionScope):
    """What rewritten functions' bodies run in."""

    def ret(self, value: Any, did_return: Any) -> Any:
        if operators.is_symbolic(did_return):
            raise ValueError(
                "A value must also be returned from the else branch. If a value is returned from one branch of a conditional "
                "on a tensor, or from inside a loop on tensors, a value must be returned from all paths."
            )
        return super().ret(value, did_return)


_transpiler = _Transpiler()
_lock = threading.RLock()
_warned: set[Any] = set()


def _converted_call_in_code(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None, scope: Any = None, **_: Any
) -> Any:
    """What calls in rewritten functions become."""
    return converted_call(function, args, kwargs or {}, scope=scope)


def converted_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    scope: Any = None,
    requested: bool = False,
) -> Any:
    """Calls a function, rewritten if it is one of the user's own.

    Args:
        function: The function.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        scope: Of a call in rewritten code, what malt knows of the function around it.
        requested: Whether the user asked for this very function to be rewritten, wherever it is from.
    """
    if not enabled.get():
        return function(*args, **kwargs)
    if isinstance(function, functools.partial):
        return converted_call(function.func, (*function.args, *args), {**function.keywords, **kwargs}, scope, requested)
    if _is_builtin(function):
        return _call_builtin(function, args, kwargs, scope)
    if _is_left_alone(function, requested):
        return function(*args, **kwargs)
    target, leading = _target(function)
    made = rewritten(target) if target is not None else None
    if made is None:
        return function(*args, **kwargs)
    try:
        return made(*leading, *args, **kwargs)
    except Exception as error:
        _say_where(error)
        raise


def _is_builtin(function: Any) -> bool:
    try:
        return getattr(builtins, getattr(function, "__name__", ""), None) is function
    except TypeError:
        return False


def _call_builtin(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Any) -> Any:
    if function is super and not args and scope is not None:
        return api.py_builtins.super_in_original_context(function, args, scope)
    if function in (eval, locals, globals) and scope is not None:
        from malt.operators import py_builtins as malt_builtins

        if function is eval:
            return malt_builtins.eval_in_original_context(function, args, scope)
        found = malt_builtins._find_originating_frame(scope, innermost=True)
        return found.f_locals if function is locals else found.f_globals
    return OVERLOADS.get(function.__name__, function)(*args, **kwargs)


def _is_left_alone(function: Any, requested: bool) -> bool:
    if inspect.isclass(function) or hasattr(function, "is_traced_function"):
        return True
    if getattr(function, "is_left_alone", False) or hasattr(function, "cache_info"):
        return True
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is not None and (is_generated(code.co_filename) or inspect.isgeneratorfunction(function)):
        return True
    return not requested and _package(function) in _LEFT_ALONE


def _package(function: Any) -> str:
    module = getattr(function, "__module__", None) or getattr(type(function), "__module__", None) or ""
    return str(module).partition(".")[0]


def _target(function: Any) -> tuple[FunctionType | None, tuple[Any, ...]]:
    """The function behind a method or a callable object, and what is to be passed before the arguments."""
    if isinstance(function, MethodType):
        inner = function.__func__
        return (inner, (function.__self__,)) if isinstance(inner, FunctionType) else (None, ())
    if isinstance(function, FunctionType):
        return function, ()
    call = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(call, FunctionType) and _package(call) not in _LEFT_ALONE:
        return call, (function,)
    return None, ()


def rewritten(function: FunctionType) -> Callable[..., Any] | None:
    """Returns what a function is rewritten as; `None`, after a warning, if that is not possible."""
    if hasattr(function, "__wrapped__"):  # its source is that of the function that it is wrapped around
        return None
    try:
        with _lock:
            made, _, source_map = _transpiler.transform(function, converter.ProgramContext(options=_OPTIONS))
    except Exception as error:
        _warn_once(function, error)
        return None
    filename = made.__code__.co_filename
    if not is_generated(filename):
        lines = {at.lineno: (origin.loc.filename, origin.loc.lineno) for at, origin in source_map.items()}
        register_generated(filename, lines)
    return made


def _warn_once(function: FunctionType, error: Exception) -> None:
    if isinstance(error, malt_errors.InaccessibleSourceCodeError) or function.__code__ in _warned:
        return
    _warned.add(function.__code__)
    cause = str(error).strip().partition("\n")[0]  # what follows are syntax trees
    warnings.warn(
        f"AutoGraph could not rewrite {function.__qualname__} and runs it as it is, so that if, while and for on tensors fail "
        f"in it. Cause: {cause}. Decorate it with @tf.autograph.experimental.do_not_convert to silence this.",
        stacklevel=3,
    )


def _say_where(error: Exception) -> None:
    """Adds the user's own lines to an error raised in rewritten code, once."""
    if getattr(error, "_modtf_located", False):
        return
    lines: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if is_generated(filename):
            file, line = original(filename, trace.tb_lineno)
            where = f'File "{file}", line {line}, in {_plain_name(trace.tb_frame.f_code.co_name)}'
            if not lines or lines[-1] != where:
                lines.append(where)
        trace = trace.tb_next
    if lines:
        error.add_note("in user code:\n" + "\n".join(f"    {line}" for line in lines))
        try:
            error._modtf_located = True  # type: ignore[attr-defined]
        except AttributeError:
            pass


def _plain_name(name: str) -> str:
    return name.removeprefix("ag____").removeprefix("ag__")
