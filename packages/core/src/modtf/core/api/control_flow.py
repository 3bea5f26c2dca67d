"""`cond`, `case`, `switch_case` and `while_loop`: Python's own control flow when ops run at once, ops in functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.execution import execute
from modtf.core.engine.subgraphs import Subgraph, common_dims, share_captures, trace_subgraph, variant_of
from modtf.core.engine.tracing import map_leaves, spec_of
from modtf.core.engine.vocabulary import get_op
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import int32
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import handle_dims
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = ["case", "cond", "switch_case", "while_loop"]


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Returns `true_fn()` if the scalar `pred` is true, else `false_fn()`.

    In a function both are traced, and the one that is called for is run.

    Args:
        pred: A scalar bool tensor.
        true_fn: A function without arguments.
        false_fn: Another, whose result has the same structure and dtypes.
        name: A name for the node.

    Raises:
        TypeError: `pred` is a Python bool, a branch is not callable, or their results differ in structure or dtype.
    """
    for function, what in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(f"The 'tf.cond' {what} argument must be callable, but is {function!r}.")
    assert true_fn is not None and false_fn is not None
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool: use Python's own if.")
    condition = convert_to_tensor(pred)
    if not isinstance(condition, SymbolicTensor):
        if condition.dims != ():
            raise InvalidArgumentError(f"tf.cond's pred must be a scalar, but its shape is {condition.shape}.")
        return true_fn() if condition else false_fn()
    if condition.dims is not None and condition.dims != ():
        raise ValueError(f"tf.cond's pred must be a scalar, but its shape is {condition.shape}.")
    branches = [trace_subgraph(*item) for item in (("cond_true", true_fn), ("cond_false", false_fn))]
    graphs = [branch.graph for branch in branches]
    return _call_branches("If", condition, branches, {"then_branch": graphs[0], "else_branch": graphs[1]}, name)


def switch_case(branch_index: Any, branch_fns: Any, default: Callable[[], Any] | None = None,
                name: str = "switch_case") -> Any:  # fmt: skip
    """Returns the result of the branch with the number `branch_index`.

    Args:
        branch_index: A scalar int32 tensor.
        branch_fns: A list of functions without arguments, or a dict (or list of pairs) from numbers to functions.
        default: What is called for any other number; the branch with the highest number if it is not given.
        name: A name for the node.

    Raises:
        TypeError: `branch_fns` is none of these, or the results differ in structure or dtype.
        ValueError: A number is given twice, or is negative.
    """
    functions, fallback = _numbered(branch_fns, default)
    index = convert_to_tensor(branch_index, dtype_hint=int32)
    if not isinstance(index, SymbolicTensor):
        return functions.get(int(index), fallback)()  # type: ignore[call-overload]
    count = max(functions) + 1
    ordered = [functions.get(number, fallback) for number in range(count)]
    if default is not None:
        ordered.append(fallback)
    branches = [trace_subgraph(f"{name}_branch{number}", function) for number, function in enumerate(ordered)]
    attrs = {"branches": tuple(branch.graph for branch in branches)}
    return _call_branches("Case", index, branches, attrs, name)


def _numbered(branch_fns: Any, default: Any) -> tuple[dict[int, Callable[[], Any]], Callable[[], Any]]:
    if isinstance(branch_fns, Mapping):
        pairs = list(branch_fns.items())
    elif isinstance(branch_fns, (list, tuple)):
        pairs = [item if isinstance(item, tuple) else (number, item) for number, item in enumerate(branch_fns)]
    else:
        raise TypeError(f"branch_fns must be a dict, list or tuple, not {type(branch_fns).__name__}.")
    if not pairs:
        raise ValueError("switch_case needs at least one branch.")
    functions: dict[int, Callable[[], Any]] = {}
    for number, function in pairs:
        if not isinstance(number, int) or number < 0 or number in functions:
            raise ValueError(f"The keys of branch_fns must be different non-negative ints; got {number!r}.")
        if not callable(function):
            raise TypeError(f"The branch {number} must be callable, but is {function!r}.")
        functions[number] = function
    return functions, default if default is not None else functions[max(functions)]


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Returns the result of the first function whose condition is true.

    Args:
        pred_fn_pairs: A list of pairs of a scalar bool tensor and a function without arguments.
        default: What is called if no condition is true; the last function if it is not given and tracing.
        exclusive: Whether more than one true condition is an error.
        strict: Without effect, as in TensorFlow 2.
        name: A name for the nodes.

    Raises:
        InvalidArgumentError: No condition is true and there is no `default`, or several are and `exclusive` is set.
        TypeError: The pairs are not what they should be.
    """
    pairs = list(pred_fn_pairs)
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(
                f"Each element of pred_fn_pairs must be a pair of a condition and a function, not {pair!r}."
            )
    if not pairs:
        raise ValueError("pred_fn_pairs must have at least one pair.")
    conditions = [convert_to_tensor(condition) for condition, _ in pairs]
    if exclusive or default is None:
        _check_conditions(conditions, exclusive, default is None)
    if default is None:
        *pairs, (_, default) = pairs
        conditions = conditions[: len(pairs)]
    result = default
    for condition, (_, function) in reversed(list(zip(conditions, pairs, strict=True))):
        result = _chosen(condition, function, result, name)
    return result()


def _chosen(condition: Tensor, function: Any, otherwise: Any, name: str) -> Callable[[], Any]:
    return lambda: cond(condition, function, otherwise, name)


def _check_conditions(conditions: Sequence[Tensor], exclusive: bool, needs_one: bool) -> None:
    from modtf.core.api.debugging import Assert
    from modtf.core.api.math import add_n, cast, less_equal

    count = add_n([cast(condition, int32) for condition in conditions])
    if exclusive:
        Assert(
            less_equal(count, 1),
            ["More than one condition evaluated as True but exclusive=True. Conditions:", *conditions],
        )
    if needs_one:
        Assert(less_equal(1, count), ["None of the conditions evaluated as True. Conditions:", *conditions])


def _call_branches(kind: str, selector: Tensor, branches: list[Subgraph], attrs: dict[str, Any], name: Any) -> Any:
    first = branches[0]
    for other in branches[1:]:
        _check_same(first, other, kind)
    _find_common_composites(branches)
    captured = share_captures(branches)
    graphs = [branch.graph for branch in branches]
    op = get_op(variant_of(f"Stateless{kind}", kind, graphs))
    dims = [tensor.dims for tensor in graphs[0].outputs]
    for graph in graphs[1:]:
        dims = [common_dims(a, tensor.dims) for a, tensor in zip(dims, graph.outputs, strict=True)]
    attrs = {
        **attrs,
        "Tout": tuple(tensor.dtype for tensor in graphs[0].outputs),
        "output_shapes": tuple(TensorShape(item) for item in dims),
    }
    results = execute(op, [selector, *captured], op.schema.canonical_attrs(attrs), name)
    remaining = iter(results if isinstance(results, list) else [])
    leaves = nest.flatten(first.outputs, expand_composites=True)
    flat = [None if leaf is None else next(remaining) for leaf in leaves]
    return nest.pack_sequence_as(first.outputs, flat, expand_composites=True)


def _find_common_composites(branches: Sequence[Subgraph]) -> None:
    """Makes the first branch's result one whose composites describe what any branch gives."""
    leaves = [nest.flatten(branch.outputs) for branch in branches]
    common = []
    for items in zip(*leaves, strict=True):
        if isinstance(items[0], CompositeTensor):
            spec: TypeSpec = items[0].type_spec
            for item in items[1:]:
                spec = spec.most_specific_compatible_type(item.type_spec)
            common.append(spec)
        else:
            common.append(items[0])
    branches[0].outputs = nest.pack_sequence_as(branches[0].outputs, common)


def _check_same(first: Subgraph, other: Subgraph, kind: str) -> None:
    what = "true_fn and false_fn arguments to tf.cond" if kind == "If" else "All branches of tf.switch_case"
    try:
        nest.assert_same_structure(first.outputs, other.outputs)
        a, b = (nest.flatten(item.outputs, expand_composites=True) for item in (first, other))
        same = [x is None for x in a] == [x is None for x in b]
    except ValueError:
        same = False
    if not same:
        raise TypeError(
            f"{what} must have the same number, type, and overall structure of return values.\n"
            f"One gives: {map_leaves(_brief, first.outputs)}\nAnother gives: {map_leaves(_brief, other.outputs)}"
        )
    for x, y in zip(a, b, strict=True):
        if x is not None and x.dtype is not y.dtype:
            raise TypeError(
                f"{what} must have the same number, type, and overall structure of return values; "
                f"one gives {_brief(x)} where another gives {_brief(y)}."
            )


def _brief(leaf: Any) -> Any:
    return leaf if leaf is None or isinstance(leaf, CompositeTensor) else f"{leaf.dtype.name}{leaf.shape}"


# ------------------------------------------------------------------------------------------------- loops


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeats `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` is true.

    Args:
        cond: From the loop variables to a scalar bool.
        body: From the loop variables to their next values, of the same structure and dtypes.
        loop_vars: A list, tuple or dict of tensors, composite tensors or structures of them.
        shape_invariants: For each loop variable the shape (or spec) that all its values fit; by default that of the first.
        parallel_iterations: Written into the node; without effect here.
        back_prop: Without effect: gradients are computed when they are asked for.
        swap_memory: Without effect.
        maximum_iterations: The most iterations, a scalar integer.
        name: A name for the node.

    Returns:
        The last values, in the structure of `loop_vars`.

    Raises:
        TypeError: `cond` or `body` is not callable.
        ValueError: `body` gives another structure, dtype, or a shape that does not fit.
    """
    for function, what in ((cond, "cond"), (body, "body")):
        if not callable(function):
            raise TypeError(f"'{what}' must be callable, but is {function!r}.")
    if contexts.executing_eagerly():
        return _run_loop(cond, body, loop_vars, maximum_iterations)
    return _LoopTracer(cond, body, loop_vars, shape_invariants, maximum_iterations).call(parallel_iterations, name)


def _arguments(structure: Any) -> Any:
    return structure if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields") else (structure,)


def _run_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any) -> Any:
    single = not isinstance(loop_vars, (list, tuple)) or len(loop_vars) == 1
    values = map_leaves(_as_value, loop_vars)
    remaining = None if maximum_iterations is None else int(maximum_iterations)
    while (remaining is None or remaining > 0) and cond(*_arguments(values)):
        result = body(*_arguments(values))
        if single and isinstance(loop_vars, (list, tuple)) and not _is_like(result, loop_vars):
            result = type(loop_vars)([result])
        nest.assert_same_structure(_as_list(values), _as_list(result))
        values = nest.pack_sequence_as(values, [_as_value(leaf) for leaf in nest.flatten(result)])
        remaining = None if remaining is None else remaining - 1
    return values


def _as_list(structure: Any) -> Any:
    return list(structure) if isinstance(structure, (list, tuple)) else structure


def _is_like(result: Any, loop_vars: Any) -> bool:
    return isinstance(result, (list, tuple)) and len(result) == len(loop_vars)


def _as_value(leaf: Any) -> Any:
    return leaf if leaf is None or isinstance(leaf, CompositeTensor) else convert_to_tensor(leaf)


class _LoopTracer:
    """Traces a loop's two functions and makes the node."""

    def __init__(self, cond: Any, body: Any, loop_vars: Any, shape_invariants: Any, maximum_iterations: Any) -> None:
        self._structure = map_leaves(_as_value, loop_vars)
        self._specs = self._with_invariants(shape_invariants)
        self._values = [leaf for leaf in nest.flatten(self._structure, expand_composites=True) if leaf is not None]
        leaves = nest.flatten(self._specs, expand_composites=True)
        self._arguments = [
            (spec.dtype, spec.shape.dims, handle_dims(value) if value.dtype.kind == "resource" else None)
            for spec, value in zip((leaf for leaf in leaves if leaf is not None), self._values, strict=True)
        ]
        self._limit = None if maximum_iterations is None else convert_to_tensor(maximum_iterations, dtype_hint=int32)
        self._condition = trace_subgraph("while_cond", self._guarded(cond), self._all_arguments, self._pack)
        self._body = trace_subgraph("while_body", self._counting(body), self._all_arguments, self._pack)

    def _with_invariants(self, shape_invariants: Any) -> Any:
        def spec(leaf: Any, invariant: Any) -> Any:
            if leaf is None:
                return None
            if isinstance(invariant, TypeSpec):
                return invariant
            if invariant is None or isinstance(leaf, CompositeTensor):
                return spec_of(leaf)
            shape = TensorShape(invariant)
            if not leaf.shape.is_subtype_of(shape):
                raise ValueError(
                    f"The shape invariant {shape} specified for a loop variable is not compatible with its initial shape "
                    f"{leaf.shape}."
                )
            return TensorSpec(shape, leaf.dtype)

        leaves = nest.flatten(self._structure)
        if shape_invariants is None:
            invariants: list[Any] = [None] * len(leaves)
        else:
            invariants = _flat_invariants(self._structure, shape_invariants)
        return nest.pack_sequence_as(
            self._structure, [spec(leaf, item) for leaf, item in zip(leaves, invariants, strict=True)]
        )

    @property
    def _all_arguments(self) -> list[Any]:
        counter = [] if self._limit is None else [(self._limit.dtype, (), None)]
        return [*counter, *self._arguments]

    def _pack(self, inputs: Sequence[SymbolicTensor]) -> list[Any]:
        """The loop variables, after the counter where there is one."""
        skip = 0 if self._limit is None else 1
        remaining = iter(inputs[skip:])
        leaves = nest.flatten(self._specs, expand_composites=True)
        flat = [None if leaf is None else next(remaining) for leaf in leaves]
        return [*inputs[:skip], *_arguments(nest.pack_sequence_as(self._specs, flat, expand_composites=True))]

    def _guarded(self, cond: Any) -> Callable[..., Any]:
        limit = self._limit

        def condition(*given: Any) -> Any:
            if limit is None:
                return _scalar(cond(*given))
            counter, *values = given
            return (counter < limit) & _scalar(cond(*values))

        return condition

    def _counting(self, body: Any) -> Callable[..., Any]:
        def step(*given: Any) -> Any:
            if self._limit is None:
                return self._checked(body(*given))
            counter, *values = given
            return [counter + 1, *self._checked(body(*values))]

        return step

    def _checked(self, result: Any) -> list[Any]:
        """The body's result as flat tensors that fit the loop variables."""
        structure = self._structure
        if isinstance(structure, (list, tuple)) and len(structure) == 1 and not _is_like(result, structure):
            result = [result]
        try:
            nest.assert_same_structure(_as_list(structure), _as_list(result))
        except ValueError as error:
            raise ValueError(
                "The body of tf.while_loop must return a structure like that of loop_vars.\n"
                f"loop_vars: {structure}\nreturned: {result}"
            ) from error
        flat = []
        names = nest.flatten(self._specs)
        for old, new, spec in zip(nest.flatten(structure), nest.flatten(result), names, strict=True):
            if old is None:
                continue
            value = _converted(old, new)
            if isinstance(value, Tensor):
                _check_fits(value, spec)
            flat.extend(nest.flatten(value, expand_composites=True))
        return flat

    def call(self, parallel_iterations: int, name: str | None) -> Any:
        start = [] if self._limit is None else [convert_to_tensor(0, dtype=self._limit.dtype)]
        captured = share_captures([self._condition, self._body])
        body = self._body.graph
        body.outputs = [*body.outputs, *body.inputs[self._body.argument_count :]]
        op = get_op(variant_of("StatelessWhile", "While", [self._condition.graph, body]))
        attrs = {
            "cond": self._condition.graph,
            "body": body,
            "output_shapes": tuple(tensor.shape for tensor in body.inputs),
            "parallel_iterations": parallel_iterations,
        }
        results = execute(op, [*start, *self._values, *captured], op.schema.canonical_attrs(attrs), name)
        remaining = iter(results[len(start) :])
        leaves = nest.flatten(self._specs, expand_composites=True)
        flat = [None if leaf is None else next(remaining) for leaf in leaves]
        return nest.pack_sequence_as(self._specs, flat, expand_composites=True)


def _flat_invariants(structure: Any, invariants: Any) -> list[Any]:
    """The shape invariants by loop variable; shapes may be lists, so the structure of the variables leads."""
    if not nest.is_nested(structure):
        return [invariants]
    if isinstance(structure, Mapping):
        return [item for key in sorted(structure) for item in _flat_invariants(structure[key], invariants[key])]
    if len(structure) != len(invariants):
        raise ValueError(f"There are {len(structure)} loop variables, but {len(invariants)} shape_invariants.")
    return [item for pair in zip(structure, invariants, strict=True) for item in _flat_invariants(*pair)]


def _scalar(condition: Any) -> Tensor:
    tensor = convert_to_tensor(condition)
    if tensor.dims is not None and tensor.dims != ():
        raise ValueError(f"The cond of tf.while_loop must give a scalar, but gave one of shape {tensor.shape}.")
    return tensor


def _converted(old: Any, new: Any) -> Any:
    if isinstance(new, CompositeTensor):
        return new
    try:
        return convert_to_tensor(new, dtype=old.dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"A loop variable is {old.dtype.name}, but the body of tf.while_loop gave {new!r}. {error}"
        ) from None


def _check_fits(value: Tensor, spec: Any) -> None:
    if not value.shape.is_subtype_of(spec.shape):
        raise ValueError(
            f"A loop variable enters the loop with shape {spec.shape}, but has shape {value.shape} after one iteration. "
            "To allow the shape to vary across iterations, use the `shape_invariants` argument of tf.while_loop to specify a "
            "less-specific shape."
        )
