"""Core's graphs out of the nodes of a main graph."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf import core as tf
from modtf.core.contracts import Graph, SymbolicTensor, get_op, is_stateful

from ..attributes import decode_dtype, decode_shape
from ..errors import DataLossError, SavedModelError, UnsupportedError
from ..graph_reading import FunctionReader
from ..node_reading import Dims, NodeReader
from ..protos.graph_pb2 import NodeDef
from .main_nodes import MainNodes, Source
from .raising import VALUE_INDEX, Conditional, Loop, Raised, Step
from .superseded import TRANSLATIONS, assigns, reference_op
from .tensor_arrays import TensorArrays
from .values import Reference, TensorArray

_WITHOUT_RESULT = frozenset({"NoOp", "ControlTrigger"})
_SHAPES_KNOWN_SINCE = 24
"""The version of graphs since which a Placeholder of no dimensions is a scalar; before, its shape was not known."""

_numbers = itertools.count()


class Feed(NamedTuple):
    """What a function takes.

    Attributes:
        source: the output of the main graph that it is given in place of.
        spec: its dtype and what is known of its shape; None for those of the output.
    """

    source: Source
    spec: tf.TensorSpec | None = None


class Builder:
    """Makes graphs of parts of a main graph.

    Args:
        nodes: the main graph.
        functions: the functions that it calls, and its ops.
        state: for outputs that stand for variables, tables and the like, what they stand for: a tensor to capture, or a
            `Reference`.
    """

    def __init__(
        self, nodes: MainNodes, functions: FunctionReader, state: Callable[[NodeDef], tf.Tensor | Reference | None]
    ) -> None:
        self.nodes = nodes
        self.functions = functions
        self.state = state

    def build(
        self,
        name: str,
        feeds: Sequence[Feed],
        fetches: Sequence[Source],
        operations: Sequence[str] = (),
        given: Mapping[Source, tf.Tensor] | None = None,
    ) -> Graph:
        """Returns the graph that computes some outputs of others.

        Args:
            name: its name.
            feeds: what it takes.
            fetches: what it gives.
            operations: what it runs besides.
            given: tensors that stand for outputs.

        Raises:
            SavedModelError: the nodes contradict each other, or use what is not read.
        """
        given = given or {}
        raised = Raised(self.nodes, fetches, operations, {feed.source for feed in feeds} | set(given))
        arrays, assigned = TensorArrays(), self._assigned(raised)
        while True:
            scope = _Scope(self, Graph(name), raised, arrays, assigned, None)
            scope.known.update(given)
            for feed in feeds:
                scope.known[feed.source] = scope.add_feed(feed)
            scope.take(raised.steps)
            scope.graph.outputs = [scope.value(source) for source in fetches]
            if not arrays.learn():
                return scope.graph

    def fed_spec(self, source: Source, spec: tf.TensorSpec) -> tf.TensorSpec:
        """Returns what is fed, given what a signature says of it: where the graph says another thing, the graph counts."""
        node = self.nodes[source.node] if source.node in self.nodes else NodeDef()
        shape, dtype, what = spec.shape, spec.dtype, f"{self.nodes.where}: node {node.name!r}"
        known = [node.attr["_output_shapes"].list.shape[source.output]] if _has_shape(node, source.output) else []
        if node.op in ("Placeholder", "PlaceholderWithDefault"):
            if "dtype" in node.attr:
                dtype = decode_dtype(node.attr["dtype"].type)
            proto = node.attr["shape"].shape
            if proto.unknown_rank or proto.dim or self.nodes.producer >= _SHAPES_KNOWN_SINCE:
                known.append(proto)
        for proto in known:
            own = decode_shape(proto, what)
            shape = shape.merge_with(own) if shape.is_compatible_with(own) else own
        return tf.TensorSpec(shape, dtype, spec.name)

    def _assigned(self, raised: Raised) -> frozenset[int]:
        """The ids of the reference variables that are assigned to."""
        found: set[int] = set()
        for name in raised.ordered:
            seen: set[str] = set()
            while name not in seen and (assigns(self.nodes[name].op) or seen):  # from the reference to the variable
                seen.add(name)
                state = self.state(self.nodes[name])
                if isinstance(state, Reference):
                    found.add(id(state.variable))
                elif self.nodes.inputs(name):
                    name = raised.behind(self.nodes.inputs(name)[0]).node
        return frozenset(found)


class _Scope(NodeReader):
    """A graph while it is made: the main one, a side of a conditional, or a loop's condition or body.

    Attributes:
        known: what stands for outputs of nodes: tensors of the graph or from outside, or what is none here.
    """

    def __init__(
        self,
        builder: Builder,
        graph: Graph,
        raised: Raised,
        arrays: TensorArrays,
        assigned: frozenset[int],
        outer: _Scope | None,
    ) -> None:
        super().__init__(builder.functions, graph, builder.nodes.where)
        self.builder = builder
        self.arrays = arrays
        self.known: dict[Source, Any] = {}
        self._raised = raised
        self._assigned = assigned
        self._outer = outer
        self._loop_dims: dict[str, list[Dims]] = {} if outer is None else outer._loop_dims

    def inner(self, name: str) -> _Scope:
        """Returns the scope of a graph inside this one."""
        return _Scope(
            self.builder, Graph(f"{name}_{next(_numbers)}", self.graph), self._raised, self.arrays, self._assigned, self
        )

    # --------------------------------------------------------------------------------------------- values

    def item(self, source: Source) -> Any:
        """Returns what stands for an output: a tensor of this graph, a `Reference` or a `TensorArray`."""
        source = self._raised.behind(source)
        scope: _Scope | None = self
        while scope is not None and source not in scope.known:
            scope = scope._outer
        if scope is None:
            raise DataLossError(f"{self.where}: {str(source)!r} is no tensor of the graph.")
        found = scope.known[source]
        return self.graph.capture(found) if isinstance(found, tf.Tensor) else found

    def value(self, source: Source) -> SymbolicTensor:
        """Returns the tensor that stands for an output; of a reference variable, what it holds now."""
        found = self.item(source)
        if isinstance(found, Reference):
            with self.graph.as_default():
                read: Any = tf.raw_ops.ReadVariableOp(resource=self.handle(found), dtype=found.variable.dtype)
            return read
        if isinstance(found, TensorArray):
            raise UnsupportedError(f"{self.where}: the TensorArray {source.node!r} is used as a tensor.")
        return found

    def handle(self, found: Any) -> SymbolicTensor:
        """Returns the handle of a reference variable; of other resources the tensor itself."""
        return self.graph.capture(found.variable.handle) if isinstance(found, Reference) else found

    def is_assigned(self, found: Reference) -> bool:
        """Whether a reference variable is assigned to where this graph belongs."""
        return id(found.variable) in self._assigned

    def add_feed(self, feed: Feed) -> SymbolicTensor:
        """Adds an input of the graph."""
        source = feed.source
        node = self.builder.nodes[source.node]
        spec = feed.spec or tf.TensorSpec(None, self._fed_dtype(node, source))
        spec = self.builder.fed_spec(source, spec)
        return self.graph.add_input(spec.dtype, spec.shape, spec.name or node.name)

    def _fed_dtype(self, node: NodeDef, source: Source) -> tf.DType:
        """The dtype of an output, from its node's attributes."""
        op = self.reader.op(node.op)
        dtypes = declared_dtypes(op, node, f"{self.where}: node {node.name!r}")
        if source.output >= len(dtypes):
            raise DataLossError(f"{self.where}: {str(source)!r} is fed, but its node has {len(dtypes)} outputs.")
        return dtypes[source.output]

    # --------------------------------------------------------------------------------------------- steps

    def take(self, steps: Sequence[Step]) -> None:
        """Adds what the steps do."""
        for step in steps:
            try:
                if isinstance(step, Conditional):
                    self._add_conditional(step)
                elif isinstance(step, Loop):
                    self._add_loop(step)
                else:
                    self.add(step)
            except SavedModelError as error:
                raise self.builder.nodes.located(step.name, error) from None
            except (TypeError, ValueError, IndexError, tf.errors.OpError) as error:
                raise DataLossError(f"{self.where}: node {step.name!r} cannot be: {error}") from error

    def add(self, proto: NodeDef) -> None:
        """Adds a node."""
        if Source(proto.name, 0) in self.known or proto.op in _WITHOUT_RESULT:
            return
        if proto.op == "Placeholder":
            raise UnsupportedError("what is fetched depends on this placeholder, which is not among what is fed.")
        sources = self.builder.nodes.inputs(proto.name)
        state = self.builder.state(proto)
        if state is not None:
            self.known[Source(proto.name, 0)] = state
            return
        if proto.op in TRANSLATIONS:
            count, translate = TRANSLATIONS[proto.op]
            if len(sources) != count:
                raise DataLossError(f"the op {proto.op} has {count} inputs, but here {len(sources)}.")
            self.give(proto, translate(self, proto, [self.item(source) for source in sources]))
            return
        changed = reference_op(self.reader, proto)
        if changed is not None:
            items = [self.item(source) for source in sources]
            self._add_reference_op(proto, changed, items, sources)
            return
        inputs = [self.value(source) for source in sources]
        if proto.op in self.reader:
            node = self.append_call(proto, inputs)
        else:
            node = self.append(proto, *self._interpreted(proto, inputs))
        self.give(proto, node.outputs)

    def give(self, proto: NodeDef, results: Sequence[Any]) -> None:
        """Says what stands for a node's outputs."""
        self.known.update((Source(proto.name, index), result) for index, result in enumerate(results))

    def _interpreted(self, proto: NodeDef, inputs: list[SymbolicTensor]) -> Any:
        op, attrs, dtypes = self.interpret(proto, inputs)
        return op, inputs, attrs, dtypes

    def _add_reference_op(self, proto: NodeDef, changed: NodeDef, items: list[Any], sources: Sequence[Source]) -> None:
        """Adds an op on a reference variable as the op on the variable's handle."""
        schema = self.reader.op(changed.op).schema
        inputs = []
        for place, item in enumerate(items):
            takes_handle = place < len(schema.inputs) and schema.inputs[place].type is tf.resource
            inputs.append(self.handle(item) if takes_handle else self.value(sources[place]))
        node = self.append(changed, *self._interpreted(changed, inputs))
        self.give(proto, node.outputs or [items[0]])

    def _add_conditional(self, step: Conditional) -> None:
        sides = [self.inner(f"{step.name}_{what}") for what in ("false", "true")]
        for value, (side, steps) in enumerate(zip(sides, step.sides, strict=True)):
            side.take(steps)
            results = [side.value(result[value]) for result in step.results.values()]
            for place in step.places.values():
                results.append(side.graph.constant(np.array(place[value], np.int32), tf.int32))
            side.graph.outputs = results
        otherwise, then = (side.graph for side in sides)
        dtypes = [tensor.dtype for tensor in then.outputs]
        if dtypes != [tensor.dtype for tensor in otherwise.outputs]:
            raise DataLossError("the two sides of the conditional give different types.")
        predicate = self.value(step.predicate)
        captured = _close(self.graph, [otherwise, then])
        op = get_op("If" if is_stateful(then) or is_stateful(otherwise) else "StatelessIf")
        attrs = op.schema.canonical_attrs({"then_branch": then, "else_branch": otherwise, "Tout": dtypes})
        node = self.append(NodeDef(name=step.name, op=op.name), op, [predicate, *captured], attrs, dtypes)
        names = [Source(name, 0) for name in step.results]
        names += [Source(name, VALUE_INDEX) for name in step.places]
        self.known.update(zip(names, node.outputs, strict=True))

    def _add_loop(self, step: Loop) -> None:
        first = [self.value(variable.first) for variable in step.variables]
        dims: list[Dims] = [tensor.dims for tensor in first]
        if step.variables:
            dims = [
                _common(*item) for item in zip(dims, self._loop_dims.get(step.variables[0].name, dims), strict=True)
            ]
        while True:
            condition, body = (self.inner(f"{step.name}_{what}") for what in ("cond", "body"))
            for scope in (condition, body):
                for variable, tensor, size in zip(step.variables, first, dims, strict=True):
                    made = scope.graph.add_input(tensor.dtype, size, variable.name)
                    made.handle_dims = tensor.handle_dims
                    scope.known[Source(variable.name, 0)] = made
            body.take(step.body)
            body.graph.outputs = [body.value(variable.following) for variable in step.variables]
            found = [_common(size, tensor.dims) for size, tensor in zip(dims, body.graph.outputs, strict=True)]
            if found == dims:
                break
            dims = self._loop_dims[step.variables[0].name] = (
                found  # what changes from iteration to iteration is not known
            )
        if [tensor.dtype for tensor in body.graph.outputs] != [tensor.dtype for tensor in first]:
            raise DataLossError("the loop's body gives other types than it takes.")
        condition.take(step.condition)
        condition.graph.outputs = [condition.value(step.predicate)]
        captured = _close(self.graph, [condition.graph, body.graph])
        body.graph.outputs = [*body.graph.outputs, *body.graph.inputs[len(first) :]]
        op = get_op("While" if is_stateful(condition.graph) or is_stateful(body.graph) else "StatelessWhile")
        inputs = [*first, *captured]
        shapes = tuple([tensor.shape for tensor in body.graph.inputs])
        attrs = op.schema.canonical_attrs({"cond": condition.graph, "body": body.graph, "output_shapes": shapes})
        dtypes = [tensor.dtype for tensor in inputs]
        node = self.append(NodeDef(name=step.name, op=op.name), op, inputs, attrs, dtypes)
        for variable, tensor in zip(step.variables, node.outputs, strict=False):
            self.known.update((Source(name, 0), tensor) for name in variable.exits)


def _common(first: Dims, second: Dims) -> Dims:
    """The narrowest shape that both shapes fit."""
    return tf.TensorShape(first).most_specific_compatible_shape(tf.TensorShape(second)).dims


def _has_shape(node: NodeDef, index: int) -> bool:
    """Whether a node says the shape of an output."""
    return "_output_shapes" in node.attr and index < len(node.attr["_output_shapes"].list.shape)


def _close(outer: Graph, graphs: Sequence[Graph]) -> list[SymbolicTensor]:
    """Gives all graphs the same further inputs for what they take from outside; returns what those stand for."""
    outside = {id(tensor): tensor for graph in graphs for tensor, _ in graph.captures}
    for graph in graphs:
        known = {id(tensor): inside for tensor, inside in graph.captures}
        inputs = graph.arguments
        inputs += [known[key] if key in known else graph.stand_in(tensor) for key, tensor in outside.items()]
        graph.inputs = inputs
        graph.close()
    return [outer.capture(tensor) for tensor in outside.values()]


def declared_dtypes(op: Any, proto: NodeDef, what: str) -> list[tf.DType]:
    """Returns the dtypes of a node's outputs, from its attributes.

    Raises:
        UnsupportedError: they do not say them.
    """
    found: list[tf.DType] = []
    for output in op.schema.outputs:
        if not isinstance(output.type, str):
            dtypes = [output.type]
        elif output.type not in proto.attr:
            raise UnsupportedError(f"{what}: has no attribute {output.type!r}.")
        else:
            value = proto.attr[output.type]
            dtypes = [decode_dtype(number) for number in value.list.type] or [decode_dtype(value.type)]
        count = proto.attr[output.number].i if output.number and output.number in proto.attr else 1
        found.extend(dtypes * count)
    return found
