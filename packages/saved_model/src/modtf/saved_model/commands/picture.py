"""What a picture of a graph shows: its nodes, without what would hide them, and the tensors that flow between them.

Calls are replaced by the nodes of what they call. Constants, variables, and what is computed of these alone are no nodes of
the picture, but facts about the nodes that take them; identities are left out.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..attributes import decode_shape
from ..control_edges import CALL_OPS
from ..errors import NotFoundError, SavedModelError
from ..graph_reading import FunctionReader
from ..protos.graph_pb2 import AttrValue, FunctionDef, NodeDef
from ..protos.tensor_pb2 import DT_RESOURCE, TensorShapeProto
from ..signatures import DEFAULT_KEY
from ..tensor_protos import make_ndarray
from ..version1.main_nodes import MERGES, NEXT_ITERATIONS
from ..version1.superseded import is_read
from .opened import INIT_OP, OpenedModel, shape_list
from .text import shape_text, type_name
from .used_ops import find_op, needed_nodes, source_of, tensor_names

_PASSED_THROUGH = frozenset({"Identity", "ReadVariableOp", "StopGradient", "PreventGradient", "Enter", "RefEnter"})
_VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2", "HashTableV2", "HashTable", "MutableHashTableV2"})
_SHOWN_ATTRS = 8
_TIMES = "\N{MULTIPLICATION SIGN}"
_MAX_CALLS = 60
_MAX_NODES = 200_000
"""How many nodes a graph may have with all that it calls: functions that call each other often make large ones."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor that a node of the picture gives."""

    source: int
    shape: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A tensor that is no wire: variables, or a constant, or what is computed of them."""

    names: tuple[str, ...]
    shape: str = ""


@dataclass(slots=True)
class Item:
    """A node of the picture.

    Attributes:
        path: its name, with the scopes that it is in.
        op: its op; "input" or "output" for what the function takes and gives.
        facts: what else is to be said of it.
    """

    path: str
    op: str
    facts: list[str]


@dataclass(slots=True)
class Picture:
    """A graph to be drawn.

    Attributes:
        title: what is drawn.
        items: the nodes.
        wires: the tensors: from which item, to which, and their shapes as text.
        nodes: how many nodes the graph has, those included that are not drawn.
        everything: whether constants, variables and identities are among the items.
    """

    title: str
    everything: bool = False
    items: list[Item] = field(default_factory=list)
    wires: list[tuple[int, int, str]] = field(default_factory=list)
    nodes: int = 0


def picture_of_function(model: OpenedModel, name: str, everything: bool = False) -> Picture:
    """Returns the picture of a function of the file.

    Raises:
        NotFoundError: there is none of that name.
    """
    function = model.functions.get(name)
    if function is None:
        near = difflib.get_close_matches(name, model.functions, 3, 0.4) or list(model.functions)[:3]
        hint = f" Similar ones: {', '.join(map(repr, near))}." if near else ""
        raise NotFoundError(f"{model.path}: has no function {name!r}.{hint}")
    builder = _Builder(model, Picture(f"{model.folder.resolve().name}: function {name}", everything))
    sources = builder.arguments(function)
    results = builder.body(function, "", sources, (name,))
    for output in function.signature.output_arg:
        builder.add_output(output.name, [results.get(output.name)])
    return builder.finished()


def picture_of_signature(model: OpenedModel, name: str | None, everything: bool = False) -> Picture:
    """Returns the picture of a signature; of the default one, or the only one, if none is named.

    Raises:
        NotFoundError: there is no such signature.
    """
    signatures = {key: value for key, value in model.proto.signature_def.items() if key != INIT_OP}
    there = ", ".join(map(repr, sorted(signatures))) or "none"
    if name is None:
        if DEFAULT_KEY not in signatures and len(signatures) != 1:
            functions = ", ".join(map(repr, list(model.functions)[:3]))
            raise NotFoundError(
                f"{model.path}: choose a signature by --signature ({there}) or a function by --function ({functions}, ...)."
            )
        name = DEFAULT_KEY if DEFAULT_KEY in signatures else next(iter(signatures))
    if name not in signatures:
        raise NotFoundError(f"{model.path}: has no signature {name!r}, but: {there}.")
    signature = signatures[name]
    inputs = {source_of(name): key for key, info in signature.inputs.items() for name in tensor_names(info)}
    builder = _Builder(model, Picture(f"{model.folder.resolve().name}: signature {name}", everything))
    outputs = {key: tensor_names(info) for key, info in sorted(signature.outputs.items())}
    wanted = {source_of(reference) for references in outputs.values() for reference in references}
    value = builder.main_graph(wanted, inputs)
    for key, references in outputs.items():
        builder.add_output(key, [value(reference) for reference in references])
    return builder.finished()


class _Builder:
    """A picture while it is made."""

    def __init__(self, model: OpenedModel, picture: Picture) -> None:
        self.picture = picture
        self._model = model
        self._everything = picture.everything
        self._calls: Counter[str] = Counter()
        self._op_defs = {op.name: op for op in model.proto.meta_info_def.stripped_op_list.op}
        self._reader = FunctionReader(model.proto.graph_def, model.proto.meta_info_def.stripped_op_list, model.path)

    def arguments(self, function: FunctionDef) -> dict[str, Wire | Weights]:
        """The sources of a function's arguments: items for those that are given, weights for what is captured."""
        saved = self._model.proto.object_graph_def.concrete_functions.get(function.signature.name)
        bound = list(saved.bound_inputs) if saved is not None else []
        objects = self._model.proto.object_graph_def.nodes
        shapes = function.attr["_input_shapes"].list.shape if "_input_shapes" in function.attr else ()
        first = len(function.signature.input_arg) - len(bound)
        sources: dict[str, Wire | Weights] = {}
        for place, argument in enumerate(function.signature.input_arg):
            if place >= first and 0 <= bound[place - first] < len(objects):
                captured = objects[bound[place - first]]
                shape = _shape(captured.variable.shape) if captured.HasField("variable") else ""
                sources[argument.name] = Weights((_named(captured.variable.name or argument.name, shape),), shape)
            elif argument.type == DT_RESOURCE:
                sources[argument.name] = Weights((argument.name,))
            else:
                shape = _shape(shapes[place]) if place < len(shapes) else ""
                facts = [f"{type_name(argument.type)} {shape}"]
                sources[argument.name] = Wire(self._add(argument.name, "input", facts, ()), shape)
        return sources

    def add_output(self, name: str, sources: Sequence[Wire | Weights | None]) -> None:
        self._add(name, "output", [], sources)

    def finished(self) -> Picture:
        """The picture; unless everything is to be drawn, without nodes that nothing comes of."""
        picture = self.picture
        if self._everything:
            return picture
        takes: dict[int, list[int]] = {}
        for source, target, _ in picture.wires:
            takes.setdefault(target, []).append(source)
        left = [
            number
            for number, item in enumerate(picture.items)
            if item.op in ("input", "output") or _has_effects(item.op)
        ]
        needed = set(left)
        while left:
            more = [source for source in takes.get(left.pop(), ()) if source not in needed]
            needed.update(more)
            left.extend(more)
        places = {number: place for place, number in enumerate(sorted(needed))}
        picture.items = [picture.items[number] for number in places]
        picture.wires = [
            (places[source], places[target], shape) for source, target, shape in picture.wires if target in places
        ]
        return picture

    def body(
        self, function: FunctionDef, prefix: str, sources: dict[str, Wire | Weights], calls: tuple[str, ...]
    ) -> dict[str, Wire | Weights]:
        """Adds the nodes of a function; returns the sources of what it gives."""
        shapes = _Shapes(self._reader, function.signature.name, function.node_def)
        outputs: dict[str, list[Wire | Weights | None]] = {}
        nodes = {node.name: node for node in function.node_def}

        def value(reference: str) -> Wire | Weights | None:
            name, _, place = reference.partition(":")
            if name in sources:
                return sources[name]
            arg, _, number = place.partition(":")
            return _at(outputs.get(name), self._output_number(nodes.get(name), arg, number))

        for node in _in_order(function.node_def):
            given = [value(reference) for reference in node.input if not reference.startswith("^")]
            before = [_at(outputs.get(reference[1:]), 0) for reference in node.input if reference.startswith("^")]
            outputs[node.name] = self._node(node, prefix, given, before, shapes, calls)
        found = {name: value(reference) for name, reference in function.ret.items()}
        return {name: source for name, source in found.items() if source is not None}

    def main_graph(self, wanted: set[str], inputs: dict[str, str]) -> Callable[[str], Wire | Weights | None]:
        """Adds the nodes of the main graph that the wanted ones need; returns what finds a tensor by its name."""
        nodes = {node.name: node for node in self._model.proto.graph_def.node}
        needed = needed_nodes(nodes, wanted)
        shapes = _Shapes(None, "", ())
        outputs: dict[str, list[Wire | Weights | None]] = {}

        def value(reference: str) -> Wire | Weights | None:
            name, _, number = reference.partition(":")
            return _at(outputs.get(name), int(number) if number.isdecimal() else 0)

        for node in _in_order([node for name, node in nodes.items() if name in needed]):
            if node.name in inputs:
                dtype = f"{type_name(node.attr['dtype'].type)} " if "dtype" in node.attr else ""
                shape = _shape(node.attr["shape"].shape) if "shape" in node.attr else shapes.of(node, 0)
                wire = Wire(self._add(inputs[node.name], "input", [f"{dtype}{shape}"], ()), shape)
                outputs[node.name] = [wire]
                continue
            given = [value(reference) for reference in node.input if not reference.startswith("^")]
            before = [_at(outputs.get(reference[1:]), 0) for reference in node.input if reference.startswith("^")]
            outputs[node.name] = self._node(node, "", given, before, shapes, ())
        self._close_loops(nodes, needed, outputs)
        return value

    def _close_loops(
        self, nodes: dict[str, NodeDef], needed: set[str], outputs: dict[str, list[Wire | Weights | None]]
    ) -> None:
        """Adds the tensors that go back in loops of TensorFlow 1: their sources come after what takes them."""
        for name in needed & nodes.keys():
            if nodes[name].op not in MERGES:
                continue
            target = _at(outputs.get(name), 0)
            for reference in nodes[name].input:
                back = nodes.get(source_of(reference))
                source = _at(outputs.get(source_of(reference)), 0)
                is_back = back is not None and back.op in NEXT_ITERATIONS
                if is_back and isinstance(target, Wire) and isinstance(source, Wire):
                    self.picture.wires.append((source.source, target.source, source.shape))

    def _node(
        self,
        node: NodeDef,
        prefix: str,
        given: Sequence[Wire | Weights | None],
        before: Sequence[Wire | Weights | None],
        shapes: _Shapes,
        calls: tuple[str, ...],
    ) -> list[Wire | Weights | None]:
        """Adds what a node stands for; returns the sources of its outputs."""
        self.picture.nodes += 1
        if self.picture.nodes > _MAX_NODES:
            raise SavedModelError(
                f"{self._model.path}: the graph has more than {_MAX_NODES:,} nodes with all that it calls; choose a "
                "smaller one by --function."
            )
        called = self._called(node)
        if called is not None and called.signature.name not in calls and len(calls) < _MAX_CALLS:
            return self._call(node, called, prefix, given, calls)
        path = f"{prefix}{node.name}"
        if not self._everything:
            folded = self._folded(node, path, given, shapes)
            if folded is not None:
                return folded
            before = ()
        item = self._add(path, node.op, list(_attr_facts(node)), [*given, *before])
        return [Wire(item, shapes.of(node, number)) for number in range(self._output_count(node))]

    def _folded(
        self, node: NodeDef, path: str, given: Sequence[Wire | Weights | None], shapes: _Shapes
    ) -> list[Wire | Weights | None] | None:
        """What a node that is no item passes on; None if it is to be one."""
        if node.op == "NoOp":
            return []
        if node.op == "Const":
            return [Weights((_constant_text(node),), shapes.of(node, 0))]
        if node.op in _VARIABLES:
            shape = _shape(node.attr["shape"].shape) if "shape" in node.attr else ""
            name = node.attr["shared_name"].s.decode("utf-8", "replace") if "shared_name" in node.attr else ""
            return [Weights((_named(name or path, shape),), shape)]
        if node.op in _PASSED_THROUGH and given:
            return [given[0]]
        if node.op == "IdentityN":
            return list(given)
        known = [source for source in given if source is not None]
        if known and all(isinstance(source, Weights) for source in known) and not _keeps_apart(node.op):
            names = tuple(dict.fromkeys(name for source in known for name in source.names))  # type: ignore[union-attr]
            count = self._output_count(node)
            return [Weights(names, shapes.of(node, number)) for number in range(count)]
        return None

    def _called(self, node: NodeDef) -> FunctionDef | None:
        if node.op in CALL_OPS and "f" in node.attr:
            return self._model.functions.get(node.attr["f"].func.name)
        return self._model.functions.get(node.op)

    def _call(
        self,
        node: NodeDef,
        called: FunctionDef,
        prefix: str,
        given: Sequence[Wire | Weights | None],
        calls: tuple[str, ...],
    ) -> list[Wire | Weights | None]:
        arguments = [argument.name for argument in called.signature.input_arg]
        sources = {name: source for name, source in zip(arguments, given, strict=False) if source is not None}
        name = called.signature.name
        scope = f"{prefix}{clean_name(name)}"
        self._calls[scope] += 1
        if self._calls[scope] > 1:
            scope = f"{scope}_{self._calls[scope] - 1}"
        results = self.body(called, f"{scope}/", sources, (*calls, name))
        return [results.get(output.name) for output in called.signature.output_arg]

    def _add(self, path: str, op: str, facts: list[str], given: Sequence[Wire | Weights | None]) -> int:
        number = len(self.picture.items)
        for source in given:
            if isinstance(source, Weights):
                facts.extend(f"takes {name}" for name in source.names)
            elif source is not None:
                self.picture.wires.append((source.source, number, source.shape))
        self.picture.items.append(Item(path, op, list(dict.fromkeys(facts))))
        return number

    def _output_count(self, node: NodeDef) -> int:
        outputs = self._outputs_of(node)
        return sum(_length(node, number, types) for _, number, types in outputs) if outputs else 1

    def _output_number(self, node: NodeDef | None, arg: str, number: str) -> int:
        place = int(number) if number.isdecimal() else 0
        if node is None:
            return 0
        called = self._called(node)
        names = [output.name for output in called.signature.output_arg] if called is not None else []
        if called is not None and node.op not in CALL_OPS:
            return names.index(arg) if arg in names else 0
        for name, number_attr, types in self._outputs_of(node):
            if name == arg:
                return place
            place += _length(node, number_attr, types)
        return 0 if self._outputs_of(node) else int(number) if number.isdecimal() else 0

    def _outputs_of(self, node: NodeDef) -> list[tuple[str, str, str]]:
        """An op's outputs: their names, and the attributes that say how many tensors they are."""
        if node.op in self._op_defs:
            return [(arg.name, arg.number_attr, arg.type_list_attr) for arg in self._op_defs[node.op].output_arg]
        op = find_op(node.op)
        if op is None:
            return []
        schema = op.schema
        lists = {var.name for var in schema.type_vars.values() if var.is_list}
        lists |= {attr.name for attr in schema.attrs if attr.is_list}
        return [
            (arg.name, arg.number or "", arg.type if isinstance(arg.type, str) and arg.type in lists else "")
            for arg in schema.outputs
        ]


class _Shapes:
    """The shapes of what nodes give: those in the file, or else those that the ops' shape rules find."""

    def __init__(self, reader: FunctionReader | None, function: str, nodes: Sequence[NodeDef]) -> None:
        self._found: dict[str, list[str]] = {}
        if reader is None or all("_output_shapes" in node.attr for node in nodes):
            return
        try:
            graph = reader.graph(function)
        except SavedModelError:  # what is wrong with it is not the picture's affair
            return
        for node in graph.nodes:
            self._found[node.name] = [_dims_text(tensor.dims) for tensor in node.outputs]

    def of(self, node: NodeDef, number: int) -> str:
        if "_output_shapes" in node.attr:
            shapes = node.attr["_output_shapes"].list.shape
            return _shape(shapes[number]) if number < len(shapes) else ""
        found = self._found.get(node.name, [])
        return found[number] if number < len(found) else ""


def clean_name(function: str) -> str:
    """Returns the name that a function was written under, such as "call" of "__inference_call_1234"."""
    return re.sub(r"^__(?:inference|forward|backward)_(.+?)(?:_\d+)?$", r"\1", function)


def _at(sources: Sequence[Wire | Weights | None] | None, place: int) -> Wire | Weights | None:
    return sources[place] if sources is not None and 0 <= place < len(sources) else None


def _length(node: NodeDef, number_attr: str, types_attr: str) -> int:
    if number_attr:
        return max(0, min(node.attr[number_attr].i, 10_000)) if number_attr in node.attr else 1
    return len(node.attr[types_attr].list.type) if types_attr and types_attr in node.attr else 1


def _in_order(nodes: Sequence[NodeDef]) -> Iterator[NodeDef]:
    """Yields the nodes so that each comes after what it takes; where they go round in circles, as they come."""
    by_name = {node.name: node for node in nodes}
    done: set[str] = set()
    begun: set[str] = set()
    for start in by_name:
        left = [start]
        while left:
            name = left[-1]
            if name in done:
                left.pop()
                continue
            begun.add(name)
            sources = [source_of(reference) for reference in by_name[name].input]
            if by_name[name].op in MERGES:  # a loop begins here: what goes back to it comes later
                sources = [
                    source for source in sources if source in by_name and by_name[source].op not in NEXT_ITERATIONS
                ]
            needed = [source for source in sources if source in by_name and source not in begun]
            if needed:
                left.extend(reversed(needed))
            else:
                done.add(left.pop())
                yield by_name[name]


def _shape(proto: TensorShapeProto) -> str:
    try:
        return _dims_text(shape_list(proto))
    except SavedModelError:
        return ""


def _dims_text(dims: Sequence[int | None] | None) -> str:
    if dims is None:
        return ""
    return _TIMES.join("?" if size is None else str(size) for size in dims) if dims else "scalar"


def _named(name: str, shape: str) -> str:
    return f"{name} ({shape})" if shape else name


def _constant_text(node: NodeDef) -> str:
    tensor = node.attr["value"].tensor
    try:
        shape = decode_shape(tensor.tensor_shape)
        count = shape.num_elements()
        if count is not None and count <= 8:
            array = np.asarray(make_ndarray(tensor))
            return f"constant {' '.join(np.array2string(array, separator=', ').split())}"
        return f"constant {type_name(tensor.dtype)} {shape_text(shape.dims)}"
    except SavedModelError:
        return "constant"


def _keeps_apart(op: str) -> bool:
    """Whether what an op gives is not decided by its inputs alone: of a loop's beginning, by what comes back too."""
    return op in MERGES or _has_effects(op)


def _has_effects(op: str) -> bool:
    found = find_op(op)
    return found.stateful if found is not None else not is_read(op)


def _attr_facts(node: NodeDef) -> Iterator[str]:
    """The attributes that tell something, as text."""
    shown = 0
    for name in sorted(node.attr):
        text = "" if name.startswith("_") or name in ("T", "dtype", "Tin", "Tout") else _attr_text(node.attr[name])
        if text and shown < _SHOWN_ATTRS:
            shown += 1
            yield f"{name} = {text}"


def _attr_text(value: AttrValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "s":
        return value.s[:80].decode("utf-8", "replace")
    if kind in ("i", "f", "b"):
        number = getattr(value, kind)
        return f"{number:g}" if kind == "f" else str(number)
    if kind == "shape":
        return _shape(value.shape)
    if kind == "func":
        return value.func.name
    if kind == "list":
        items: list[str] = [*map(str, value.list.i), *map(str, value.list.b), *(f"{item:g}" for item in value.list.f)]
        items += [item.name for item in value.list.func]
        return f"[{', '.join(items[:12])}]" if items else ""
    return ""
