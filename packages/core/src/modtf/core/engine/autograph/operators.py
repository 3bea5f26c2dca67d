"""What statements and operators become in functions that AutoGraph rewrites.

The signatures are those that diastatic-malt's code calls. State is passed by `get_state` and `set_state`: the values of the
Python variables that a statement may change, in the order of `symbol_names`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from malt.operators.variables import Undefined, UndefinedReturnValue

from modtf.core.engine.autograph.builtins import is_symbolic
from modtf.core.engine.graphs import Graph
from modtf.core.engine.subgraphs import Subgraph, trace_subgraph
from modtf.core.engine.tracing import set_outputs, spec_of
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = ["and_", "assert_stmt", "eq", "for_stmt", "if_exp", "if_stmt", "not_", "not_eq", "or_", "while_stmt"]

_NUMBERS = (int, float, complex, np.ndarray, np.generic)

GetState = Callable[[], tuple[Any, ...]]
SetState = Callable[[tuple[Any, ...]], None]


# ------------------------------------------------------------------------------------------------- expressions


def if_exp(cond: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], expr_repr: str) -> Any:
    """`a if cond else b`."""
    if is_symbolic(cond):
        return _cond(_as_tensor(cond), if_true, if_false)
    return if_true() if cond else if_false()


def and_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """`a and b`."""
    first = a()
    return _cond(_as_tensor(first), b, lambda: first) if is_symbolic(first) else first and b()


def or_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """`a or b`."""
    first = a()
    return _cond(_as_tensor(first), lambda: first, b) if is_symbolic(first) else first or b()


def not_(a: Any) -> Any:
    """`not a`."""
    if is_symbolic(a):
        from modtf.core.api.math import logical_not

        return logical_not(_as_tensor(a))
    return not a


def eq(a: Any, b: Any) -> Any:
    """`a == b`."""
    return a == b


def not_eq(a: Any, b: Any) -> Any:
    """`a != b`."""
    return a != b


def assert_stmt(expression1: Any, expression2: Callable[[], Any]) -> None:
    """`assert expression1, expression2`."""
    if is_symbolic(expression1):
        from modtf.core.api.debugging import Assert

        message = expression2()
        Assert(expression1, [message] if not isinstance(message, (list, tuple)) else list(message))
        return
    assert expression1, expression2()


def _cond(condition: Tensor, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
    from modtf.core.api.control_flow import cond

    return cond(condition, if_true, if_false)


def _as_tensor(value: Any) -> Tensor:
    return convert_to_tensor(value)


# ------------------------------------------------------------------------------------------------- if


def if_stmt(
    cond: Any,
    body: Callable[[], None],
    orelse: Callable[[], None],
    get_state: GetState,
    set_state: SetState,
    symbol_names: Sequence[str],
    nouts: int,
) -> None:
    """`if cond: body else: orelse`; the first `nouts` of the state's values are used later."""
    if not is_symbolic(cond):
        body() if cond else orelse()
        return
    start = get_state()
    states: list[tuple[Any, ...]] = []
    traced: list[Subgraph] = []
    for name, branch in (("if_body", body), ("else_body", orelse)):

        def run(branch: Callable[[], None] = branch) -> None:
            set_state(start)
            branch()
            states.append(get_state()[:nouts])

        traced.append(trace_subgraph(name, run))
    set_state(start)
    set_state((*_merge_branches(_as_tensor(cond), traced, states, symbol_names), *start[nouts:]))


def _merge_branches(
    cond: Tensor, traced: Sequence[Subgraph], states: Sequence[Sequence[Any]], symbol_names: Sequence[str]
) -> list[Any]:
    """The values after the statement: tensors where the branches make a difference."""
    from modtf.core.api.control_flow import _call_branches

    merged: list[Any] = []
    tensors: list[tuple[Any, Any]] = []
    for name, first, second in zip(symbol_names, *states, strict=False):
        if second is not None and second is _negated(cond):
            second = True  # which it is wherever its opposite was not
        if _is_one_value(first, second):
            merged.append(first)
            continue
        pair = [first, second]
        for index, other in ((0, 1), (1, 0)):
            if isinstance(pair[index], UndefinedReturnValue):  # looked at only where the function has returned
                with traced[index].graph.as_default():
                    pair[index] = nest.map_structure(lambda leaf: _zeros(_spec_or_value(leaf)), pair[other])
        _check_defined(name, *pair)
        merged.append(_PENDING)
        tensors.append((pair[0], pair[1]))
    for index, item in enumerate(traced):
        item.outputs = set_outputs(item.graph, [pair[index] for pair in tensors], "a conditional in tf.function")
    branches = {"then_branch": traced[0].graph, "else_branch": traced[1].graph}
    results = iter(_call_branches("If", cond, list(traced), branches, None))
    return [next(results) if value is _PENDING else value for value in merged]


_PENDING = object()


def _negated(cond: Any) -> Any:
    """What a condition is the opposite of, if it is one."""
    node = cond.node if isinstance(cond, SymbolicTensor) else None
    return node.inputs[0] if node is not None and node.op.name == "LogicalNot" else None


def _is_one_value(first: Any, second: Any) -> bool:
    """Whether both branches leave the same Python value, so that it need not become a tensor."""
    if isinstance(first, Undefined) and isinstance(second, Undefined):
        return True
    if isinstance(first, UndefinedReturnValue) and isinstance(second, UndefinedReturnValue):
        return True
    if isinstance(first, bool) and isinstance(second, bool):
        return first == second
    if isinstance(first, _NUMBERS) or not _is_plain(first):
        return False
    return first is second


def _is_plain(value: Any) -> bool:
    """Whether there is no tensor in a value that only a branch knows."""
    return not any(isinstance(leaf, (SymbolicTensor, CompositeTensor)) for leaf in nest.flatten(value))


def _check_defined(name: str, first: Any, second: Any) -> None:
    for value, other in ((first, "main"), (second, "else")):
        if isinstance(value, Undefined):
            raise ValueError(f"{name!r} must also be initialized in the {other} branch of a conditional on a tensor.")
    if (first is None) != (second is None):
        raise TypeError(
            f"{name!r} is None at the end of one branch of a conditional on a tensor, but not of the other. Give it a tensor "
            "of the same dtype in both."
        )


# ------------------------------------------------------------------------------------------------- loops


def while_stmt(
    test: Callable[[], Any],
    body: Callable[[], None],
    get_state: GetState,
    set_state: SetState,
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    """`while test: body`."""
    start = get_state()
    graph = Graph("while_test", _current_graph())  # in which a look is taken at what the test gives
    if not _is_test_symbolic(test, graph):
        set_state(start)
        while True:
            result = test()
            if is_symbolic(result):
                break
            if not result:
                return
            body()
    _LoopStatement(test, body, get_state, set_state, symbol_names, opts).run()


def _current_graph() -> Any:
    from modtf.core.engine import context as contexts

    return contexts.current().graph


def _is_test_symbolic(test: Callable[[], Any], graph: Graph) -> bool:
    if graph.outer is None:
        return False
    with graph.as_default():
        return is_symbolic(test())


def for_stmt(
    iter_: Any,
    extra_test: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get_state: GetState,
    set_state: SetState,
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    """`for ... in iter_: body`; with `break` or `return` inside, as long as `extra_test` is true."""
    if hasattr(iter_, "__autograph_iterator__") and _current_graph() is not None:
        _for_iterator(iter_.__autograph_iterator__(), extra_test, body, get_state, set_state, symbol_names, opts)
        return
    if is_symbolic(iter_) or (isinstance(iter_, CompositeTensor) and not _is_plain(iter_)):
        _for_tensor(iter_, extra_test, body, get_state, set_state, symbol_names, opts)
        return
    for item in iter_:
        if extra_test is not None:
            go_on = extra_test()
            if is_symbolic(go_on):
                raise NotImplementedError(
                    "break and return on the value of a tensor are not supported in a for loop over a Python iterable, which "
                    "is unrolled while the function is traced. Iterate over a tensor: for i in tf.range(n)."
                )
            if not go_on:
                return
        body(item)


def _for_tensor(
    iter_: Any,
    extra_test: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get_state: GetState,
    set_state: SetState,
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    from modtf.core.api.array import shape

    rows: Any = iter_ if isinstance(iter_, CompositeTensor) else _as_tensor(iter_)
    count = shape(rows)[0] if isinstance(rows, Tensor) else convert_to_tensor(rows.nrows(), dtype=None)
    if isinstance(rows, Tensor) and rows.dims:
        static = rows.dims[0]
        count = count if static is None else convert_to_tensor(static, dtype="int32")
    index: list[Any] = [convert_to_tensor(0, dtype=count.dtype)]

    def with_index() -> tuple[Any, ...]:
        return (index[0], *get_state())

    def set_with_index(state: tuple[Any, ...]) -> None:
        index[0], *rest = state
        set_state(tuple(rest))

    def test() -> Any:
        inside = index[0] < count
        return inside if extra_test is None else and_(lambda: inside, extra_test)

    def step() -> None:
        item = rows[index[0]]
        index[0] = index[0] + 1
        body(item)

    names = ("the loop's counter", *symbol_names)
    _LoopStatement(test, step, with_index, set_with_index, names, opts).run()


def _for_iterator(
    iterator: Any,
    extra_test: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get_state: GetState,
    set_state: SetState,
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    """A loop over a dataset: what goes around, too, is its next element, which is taken only if the loop goes on."""
    from modtf.core.api.control_flow import cond

    upcoming: list[Any] = [iterator.get_next_as_optional()]
    ended = type(upcoming[0]).empty(upcoming[0].element_spec)

    def with_upcoming() -> tuple[Any, ...]:
        return (upcoming[0], *get_state())

    def set_with_upcoming(state: tuple[Any, ...]) -> None:
        upcoming[0], *rest = state
        set_state(tuple(rest))

    def step() -> None:
        body(upcoming[0].get_value())
        go_on = True if extra_test is None else extra_test()
        if is_symbolic(go_on):
            upcoming[0] = cond(go_on, iterator.get_next_as_optional, lambda: ended)
        else:
            upcoming[0] = iterator.get_next_as_optional() if go_on else ended

    names = ("the loop's next element", *symbol_names)
    loop = _LoopStatement(lambda: upcoming[0].has_value(), step, with_upcoming, set_with_upcoming, names, opts)
    loop.run(open_shapes=True)


class _LoopStatement:
    """A loop on tensors: its state is what goes around in a `while_loop`, Python values excepted that do not change."""

    def __init__(
        self,
        test: Callable[[], Any],
        body: Callable[[], None],
        get_state: GetState,
        set_state: SetState,
        symbol_names: Sequence[str],
        opts: dict[str, Any],
    ) -> None:
        self._test = test
        self._body = body
        self._get_state = get_state
        self._set_state = set_state
        self._names = symbol_names
        self._opts = opts
        self._start = list(get_state())
        self._varying: list[int] = []
        self._open: list[Any] | None = None

    def run(self, open_shapes: bool = False) -> None:
        """Traces the loop, and leaves the last values in the Python variables.

        Args:
            open_shapes: Whether sizes that change from one iteration to the next are left open by themselves.
        """
        self._start = self._with_first_values()
        self._varying = [index for index, value in enumerate(self._start) if _is_loop_value(value)]
        invariants = self._shape_invariants()
        if open_shapes and invariants is None:
            self._open = [nest.map_structure(_spec_or_value, self._start[index]) for index in self._varying]
        while True:
            try:
                self._set(self._traced(invariants if self._open is None else self._open))
                return
            except _OtherShapesError as found:
                self._open = found.specs

    def _traced(self, invariants: list[Any] | None) -> Any:
        from modtf.core.api.control_flow import while_loop

        return while_loop(
            self._cond,
            self._step,
            tuple(self._start[index] for index in self._varying),
            shape_invariants=None if invariants is None else tuple(invariants),
            maximum_iterations=self._opts.get("maximum_iterations"),
            parallel_iterations=self._opts.get("parallel_iterations", 10),
        )

    def _set(self, values: Sequence[Any]) -> None:
        state = list(self._start)
        for index, value in zip(self._varying, values, strict=True):
            state[index] = value
        self._set_state(tuple(state))

    def _cond(self, *values: Any) -> Any:
        self._set(values)
        return self._test()

    def _step(self, *values: Any) -> tuple[Any, ...]:
        self._set(values)
        self._body()
        after = self._get_state()
        for index, (old, new) in enumerate(zip(self._start, after, strict=True)):
            if index not in self._varying and new is not old and not _is_same(old, new):
                raise TypeError(
                    f"{self._names[index]!r} changes in a loop on tensors from {old!r} to {new!r}, which cannot be tensors. "
                    "Keep Python objects unchanged in such loops, or use a tf.TensorArray for a growing list."
                )
        results = tuple(self._checked(index, after[index]) for index in self._varying)
        if self._open is not None:
            _check_specs(self._open, results)
        return results

    def _checked(self, index: int, value: Any) -> Any:
        name, old = self._names[index], self._start[index]
        if value is None or isinstance(value, (Undefined, UndefinedReturnValue)):
            raise ValueError(f"{name!r} has no value after an iteration of a loop on tensors.")
        try:
            nest.assert_same_structure(old, value)
        except ValueError as error:
            raise TypeError(
                f"{name!r} does not have the same nested structure after one iteration of a loop on tensors.\n{error}"
            ) from None
        for first, second in zip(nest.flatten(old), nest.flatten(value), strict=True):
            before, after = (getattr(item, "dtype", None) for item in (_tensor_like(first), _tensor_like(second)))
            if before is not after:
                raise TypeError(
                    f"{name!r} has dtype {getattr(before, 'name', before)} before the loop, but dtype "
                    f"{getattr(after, 'name', after)} after one iteration."
                )
        return value

    def _shape_invariants(self) -> list[Any] | None:
        given = self._opts.get("shape_invariants")
        if given is None:
            return None
        by_id = {id(value): shape for value, shape in given}
        names = [self._start[index] for index in self._varying]
        return [
            by_id.get(id(value)) if not nest.is_nested(value) else nest.map_structure(lambda _: None, value)
            for value in names
        ]

    def _with_first_values(self) -> list[Any]:
        """The state before the loop, with zeros for variables that only the body defines."""
        missing = [index for index, value in enumerate(self._start) if _is_missing(value)]
        start = list(self._start)
        if not missing:
            return start
        specs: dict[int, Any] = {}

        def look() -> None:
            self._set_state(tuple(start))
            self._body()
            after = self._get_state()
            for index in missing:
                if not _is_missing(after[index]):
                    specs[index] = nest.map_structure(_spec_or_value, after[index])

        trace_subgraph("while_body_look", look)
        self._set_state(tuple(start))
        for index, spec in specs.items():
            start[index] = nest.map_structure(_zeros, spec)
        return start


class _OtherShapesError(Exception):
    """The values after an iteration do not fit the specs of those before; `specs` take both."""

    def __init__(self, specs: list[Any]) -> None:
        super().__init__()
        self.specs = specs


def _check_specs(specs: list[Any], values: Sequence[Any]) -> None:
    wider = [nest.map_structure(_common_spec, *pair) for pair in zip(specs, values, strict=True)]
    if wider != specs:
        raise _OtherShapesError(wider)


def _common_spec(spec: Any, value: Any) -> Any:
    other = _spec_or_value(value)
    return spec.most_specific_compatible_type(other) if isinstance(spec, TensorSpec) else spec


def _is_missing(value: Any) -> bool:
    return isinstance(value, (Undefined, UndefinedReturnValue))


def _is_loop_value(value: Any) -> bool:
    """Whether a value goes around in the loop as a tensor."""
    if value is None or _is_missing(value):
        return False
    leaves = nest.flatten(value)
    return bool(leaves) and all(isinstance(leaf, (*_NUMBERS, Tensor, CompositeTensor)) for leaf in leaves)


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, (list, tuple, dict)) and type(old) is type(new) and len(old) == len(new):
        return all(a is b for a, b in zip(nest.flatten(old), nest.flatten(new), strict=True))
    return _is_missing(old) or (isinstance(old, (str, bytes, bool)) and old == new)


def _tensor_like(value: Any) -> Any:
    return value if isinstance(value, (Tensor, CompositeTensor)) else convert_to_tensor(value)


def _spec_or_value(leaf: Any) -> Any:
    leaf = convert_to_tensor(leaf) if isinstance(leaf, _NUMBERS) else leaf
    return spec_of(leaf) if isinstance(leaf, (Tensor, CompositeTensor)) else leaf


def _zeros(spec: Any) -> Any:
    if not isinstance(spec, TypeSpec):
        return spec
    from modtf.core.api.array import zeros

    parts = [
        zeros([dim or 0 for dim in part.shape.dims or ()], part.dtype)
        for part in nest.flatten(spec, expand_composites=True)
    ]
    return nest.pack_sequence_as(spec, parts, expand_composites=True)
