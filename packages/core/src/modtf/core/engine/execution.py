"""`execute`: the one door through which every op goes, to be computed now or to be traced into a graph."""

from __future__ import annotations

import collections
import functools
from collections.abc import Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.binding import Bound, bind
from modtf.core.engine.vocabulary import Call, Op
from modtf.core.values.errors import InvalidArgumentError, OpError
from modtf.core.values.tensors import EagerTensor, Tensor

_current = contexts.current


def execute(op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...] = (), name: str | None = None) -> Any:
    """Runs an op.

    Args:
        op: The op.
        inputs: Its input tensors, lists spread out.
        attrs: Its attributes, canonical, in the schema's order.
        name: A name for the graph node, where one is made.

    Returns:
        The output tensor, or a list of them if the schema has several outputs or a list.

    Raises:
        InvalidArgumentError: The inputs are not what the op takes.
        UnimplementedError: The backend cannot compute it.
    """
    context = _current()
    if context.graph is not None:
        return context.graph.trace(op, inputs, attrs, name)
    backend = context.backend
    try:
        bound = op.bound[backend, attrs, tuple([tensor.dtype for tensor in inputs])]
    except (KeyError, TypeError):
        if backend is None:
            from modtf.core.backends.selection import default_backend

            backend = default_backend()
        bound = bind(op, backend, attrs, [tensor.dtype for tensor in inputs])
    arrays = [
        tensor.array if tensor.backend is place else tensor.on(place) for tensor, place in zip(inputs, bound.placement)
    ]
    try:
        result = bound.call(*arrays)
    except Exception as error:
        result = _retry(bound, inputs, arrays, error)
    if bound.single:
        outputs = EagerTensor(result, bound.dtype, bound.home)
        if context.tapes:
            note(context.tapes, op, inputs, attrs, (outputs,))
        return outputs
    results = [EagerTensor(*item) for item in zip(result or (), bound.dtypes, bound.homes, strict=True)]
    if context.tapes:
        note(context.tapes, op, inputs, attrs, results)
    return results


def note(
    tapes: tuple[Any, ...], op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...], outputs: Sequence[Tensor]
) -> None:
    """Shows a call to the active tapes."""
    call = None
    for tape in tapes:
        if tape.concerns(op, inputs, attrs):
            if call is None:
                call = Call(op, tuple(inputs), attrs, outputs)
            tape.record(call)


def _retry(bound: Bound, inputs: Sequence[Tensor], arrays: Sequence[Any], error: Exception) -> Any:
    try:
        return bound.retry(error, arrays)
    except Exception as final:
        raise explain(final, bound.op, inputs, bound.attrs) from final


def explain(error: Exception, op: Op, inputs: Sequence[Any], attrs: tuple[Any, ...], node: Any = None) -> Exception:
    """Returns an error that names the op, what it was given and, of a graph's node, where the user made it."""
    if isinstance(error, OpError) and error.op is not None:
        return error
    message = str(error)
    if not isinstance(error, OpError):
        try:  # The shape rule states the mistake in TensorFlow's terms, where it is one of shapes.
            op.shape_rule(*op.schema.group(inputs, attrs), **dict(zip(op.schema.attr_index, attrs, strict=True)))
        except (ValueError, TypeError) as mistake:
            message = str(mistake)
        except Exception:
            pass
    given = ", ".join(
        f"{tensor.dtype.name}{list(tensor.dims) if tensor.dims is not None else '<unknown>'}" for tensor in inputs
    )
    where = f"\nNode {node.name!r}, made at {node.source}." if node is not None else ""
    kind = type(error) if isinstance(error, OpError) else InvalidArgumentError
    if isinstance(error, (MemoryError, KeyboardInterrupt)):
        return error
    return kind(f"{message.rstrip('.')}. [Op:{op.name}] Given: {given or 'no inputs'}.{where}", node or op)


def call_op(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None) -> Any:
    """Calls an op as `tf.raw_ops` does: inputs and attributes by name, values converted to tensors.

    Returns:
        The output; of several, a named tuple; of none, what tracing gives (a node) or `None`.

    Raises:
        TypeError: An argument is missing, unknown or of the wrong kind.
    """
    schema = op.schema
    if op.python_names is not None and kwargs:
        kwargs = {op.python_names.get(key, key): value for key, value in kwargs.items()}
    inputs: Any = args
    if len(args) != len(schema.inputs) or not schema.is_flat or not all([isinstance(item, Tensor) for item in args]):
        inputs, kwargs = _bind_inputs(op, args, kwargs)
        attrs = _canonical_attrs(op, kwargs)
        inputs = convert_inputs(schema, inputs, attrs)
    else:
        attrs = _canonical_attrs(op, kwargs)
    outputs = execute(op, inputs, attrs, name)
    if isinstance(outputs, Tensor):
        return outputs
    if not schema.outputs:
        return None if contexts.executing_eagerly() else outputs
    bindings = schema.bindings([tensor.dtype for tensor in inputs], attrs)
    grouped = schema.group_outputs(outputs, bindings, attrs)
    return grouped[0] if len(grouped) == 1 else _result_type(op)(*grouped)


def _bind_inputs(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Returns the inputs by name, and the keyword arguments that are not inputs."""
    names = op.schema.input_names
    if len(args) > len(names):
        raise TypeError(f"{op.name} takes {len(names)} inputs {list(names)}; got {len(args)}.")
    given = dict(zip(names, args, strict=False))
    rest = dict(kwargs)
    for key in names[len(args) :]:
        if key not in rest:
            raise TypeError(f"{op.name} needs the input {key!r}. Its inputs are {list(names)}.")
        given[key] = rest.pop(key)
    for (
        arg
    ) in op.schema.inputs:  # a list's length or dtypes may stand among the attributes, though they need not be given
        if arg.number in op.schema.attr_index:
            rest.setdefault(arg.number, len(given[arg.name]))
        elif arg.type in op.schema.attr_index and arg.type not in rest and op.schema.is_type_list(arg.type):
            given[arg.name] = [convert_to_tensor(item) for item in given[arg.name]]
            rest[str(arg.type)] = [tensor.dtype for tensor in given[arg.name]]
    return given, rest


def _canonical_attrs(op: Op, given: dict[str, Any]) -> tuple[Any, ...]:
    if not op.cacheable:
        return op.schema.canonical_attrs(given)
    key = tuple(
        [(name, type(value), value) for name, value in given.items()]
    )  # 1, 1.0 and True are equal, but not the same
    try:
        known = op.known_attrs.get(key)
    except TypeError:
        return op.schema.canonical_attrs(given)
    if known is None:
        known = op.known_attrs[key] = op.schema.canonical_attrs(given)
    return known


@functools.cache
def _result_type(op: Op) -> Any:
    return collections.namedtuple(op.name, [arg.name for arg in op.schema.outputs])


from modtf.core.values.conversion import convert_inputs, convert_to_tensor  # noqa: E402 (conversion makes lists of tensors by `execute`)
