"""A version-1 model: its graph, its state, and functions that are parts of the graph."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Graph, call_graph, scoped

from ..errors import DataLossError
from ..graph_reading import FunctionReader, is_known
from ..harmless import check_harmless
from ..node_reading import NodeReader
from ..protos.graph_pb2 import NodeDef
from ..protos.saved_model_pb2 import MetaGraphDef, SignatureDef, TensorInfo
from .building import Builder, Feed
from .functions import PrunedFunction
from .graph_view import GraphOperation, GraphTensor, GraphView
from .main_nodes import MainNodes, Source
from .superseded import is_read, successor
from .tensor_infos import Described, dense_inputs, described
from .values import Reference
from .variables import HANDLES, Variables


class Version1Graph:
    """The graph with what its nodes stand for.

    Args:
        proto: the file's model.
        path: the file, for errors.
        assets: tensors that stand for others of the graph: the paths of files.

    Attributes:
        variables: the variables.
        view: the graph, to look at.
    """

    def __init__(self, proto: MetaGraphDef, path: str, assets: Mapping[Source, tf.Tensor]) -> None:
        self._path = path
        self._assets = dict(assets)
        self._lock = threading.RLock()
        self._resources: dict[tuple[str, str, str], tf.Tensor] = {}
        self.nodes = MainNodes(proto.graph_def, path)
        self.functions = FunctionReader(proto.graph_def, proto.meta_info_def.stripped_op_list, path)
        self.variables = Variables(self.nodes, proto, path)
        self.view = GraphView(proto.graph_def, self.nodes, self._spec_of)
        self._builder = Builder(self.nodes, self.functions, self._state)

    # --------------------------------------------------------------------------------------------- functions

    def signature(self, key: str, proto: SignatureDef) -> PrunedFunction:
        """Returns a signature: a function of named tensors that gives a dict of tensors.

        Raises:
            DataLossError: it does not say what there is to know of its tensors.
        """
        what = f"{self._path}: signature {key!r}"
        given = sorted(dense_inputs(proto.inputs, what), key=lambda item: item[0])
        inputs = [(name, source, self._builder.fed_spec(source, spec)) for name, source, spec in given]
        outputs: dict[str, tf.TypeSpec] = {}
        fetches: list[Source] = []
        for name in sorted(proto.outputs):
            outputs[name], sources = described(proto.outputs[name], name, f"{what}, output {name!r}")
            fetches.extend(sources)
        feeds = [Feed(source, spec) for _, source, spec in inputs]
        for source in [*fetches, *(feed.source for feed in feeds)]:
            if source.node not in self.nodes:
                raise DataLossError(f"{what}: names {str(source)!r}, which is no tensor of the graph.")
        signature: tuple[tuple[Any, ...], dict[str, Any]] = ((), {name: spec for name, _, spec in inputs})
        return PrunedFunction(
            f"signature_{key}", lambda: self.build(key, feeds, fetches), signature, outputs, self._path
        )

    def prune(self, feeds: Any, fetches: Any, name: str | None = None, input_signature: Any = None) -> PrunedFunction:
        """Returns the part of the graph that leads from some tensors to others, as a function.

        Args:
            feeds: a structure of tensors of `graph`, or their names: what the function takes.
            fetches: a structure of tensors, operations or their names, or of TensorInfo messages: what it gives, with
                `None` for operations, which it runs.
            name: the function's name.
            input_signature: args and kwargs with a `TensorSpec` for each of the feeds; without it, these are given by
                position, or by the names of their nodes.

        Raises:
            KeyError: the graph has no such tensor or operation.
            ValueError: an operation is fed.
            SavedModelError: the fetches depend on a placeholder that is not fed, or on what is not read.
        """
        fetched = [self._fetched(fetch) for fetch in tf.nest.flatten(fetches)]
        operations = [fetch.name for fetch in fetched if isinstance(fetch, GraphOperation)]
        sources: list[Source] = []
        for fetch in fetched:
            if isinstance(fetch, Described):
                sources.extend(fetch.sources)
            elif isinstance(fetch, GraphTensor):
                sources.append(fetch.source)
        fed = [self._fed(feed) for feed in tf.nest.flatten(feeds)]
        specs: list[Any] = [None] * len(fed)
        if input_signature is not None:
            args, kwargs = input_signature
            input_signature = (tuple(args or ()), dict(kwargs or {}))
            specs = tf.nest.flatten(input_signature)
        given = [Feed(source, spec) for source, spec in zip(fed, specs, strict=True)]
        graph = self.build(name or "pruned", given, sources, operations)
        if input_signature is None:
            named = zip(fed, graph.inputs, strict=False)
            input_signature = (
                tuple([tf.TensorSpec(tensor.shape, tensor.dtype, source.node) for source, tensor in named]),
                {},
            )
        outputs = iter(graph.outputs)
        leaves: list[Any] = []
        for fetch in fetched:
            tensors = [next(outputs) for _ in range(_count(fetch))]
            if isinstance(fetch, Described):
                leaves.append(fetch.spec)
            else:
                leaves.append(tf.TensorSpec(tensors[0].shape, tensors[0].dtype) if tensors else None)
        structure = tf.nest.pack_sequence_as(fetches, leaves)
        return PrunedFunction(graph.name, lambda: graph, input_signature, structure, self._path)

    def _fetched(self, fetch: Any) -> Described | GraphTensor | GraphOperation:
        if type(fetch).__name__ == "TensorInfo":
            info = TensorInfo.FromString(fetch.SerializeToString())
            if info.WhichOneof("encoding") != "name" or ":" in info.name:
                return described(info, info.name, f"{self._path}: fetches")
            fetch = info.name
        return self.view.as_graph_element(fetch)

    def _fed(self, feed: Any) -> Source:
        element = self.view.as_graph_element(feed)
        if not isinstance(element, GraphTensor):
            raise ValueError(f"All feeds must be tensors; {element.name!r} is an operation.")
        return element.source

    def build(
        self,
        name: str,
        feeds: Sequence[Feed],
        fetches: Sequence[Source],
        operations: Sequence[str] = (),
    ) -> Graph:
        """Returns a part of the graph; its captures are the state that it uses."""
        fed = {feed.source for feed in feeds}
        given = {source: tensor for source, tensor in self._assets.items() if source not in fed}
        with self._lock, scoped(graph=None, tapes=()):
            return self._builder.build(name, feeds, fetches, operations, given)

    def run(self, feeds: Mapping[Source, tf.Tensor], operations: Sequence[str]) -> None:
        """Runs nodes, at once."""
        given = [Feed(source, tf.TensorSpec(tensor.shape, tensor.dtype)) for source, tensor in feeds.items()]
        graph = self.build("run", given, (), operations)
        check_harmless(graph, self._path)
        with scoped(graph=None, tapes=()):
            call_graph(graph, [*feeds.values(), *(outside for outside, _ in graph.captures)])

    def unknown_ops(self, signatures: Iterable[SignatureDef]) -> dict[str, int]:
        """Returns how often what signatures run uses each op that core does not have."""
        counts: Counter[str] = Counter()
        called: list[str] = []
        seen: set[str] = set()
        for proto in signatures:
            feeds = {source for _, source, _ in dense_inputs(proto.inputs, self._path)}
            fetches = [
                source.node
                for name in proto.outputs
                for source in described(proto.outputs[name], name, self._path).sources
            ]
            for name in self.nodes.in_order(fetches, feeds):
                node = self.nodes[name]
                if name not in seen and node.op not in self.functions and not is_read(node.op):
                    counts[node.op] += 1
                seen.add(name)
                called += [attr.func.name for attr in node.attr.values() if attr.func.name]
                called += [function.name for attr in node.attr.values() for function in attr.list.func]
                called += [node.op] if node.op in self.functions else []
        return dict(sorted((counts + Counter(self.functions.unknown_ops(set(called)))).items()))

    # --------------------------------------------------------------------------------------------- state

    def _spec_of(self, source: Source) -> tf.TensorSpec:
        """The spec of an output, found by making the graph that leads to it from all placeholders."""
        feeds = [
            Feed(Source(name, 0))
            for name in self.nodes.in_order([source.node], ())
            if self.nodes[name].op == "Placeholder"
        ]
        tensor = self.build("shapes", feeds, [source]).outputs[0]
        return tf.TensorSpec(tensor.shape, tensor.dtype, str(source))

    def _state(self, node: NodeDef) -> tf.Tensor | Reference | None:
        """What a node stands for that gives the handle of something which lives as long as the model."""
        found = self.variables.state(node)
        if found is not None:
            return found
        name = successor(node.op) or node.op
        if name in HANDLES or name in self.functions or not is_known(name):
            return None
        schema = self.functions.op(name).schema
        if [output.type for output in schema.outputs] != [tf.resource] or "shared_name" not in schema.attr_index:
            return None
        key = (
            name,
            node.attr["container"].s.decode("latin-1"),
            node.attr["shared_name"].s.decode("latin-1") or node.name,
        )
        if key not in self._resources:
            self._resources[key] = self._make_resource(name, node)
        return self._resources[key]

    def _make_resource(self, op: str, node: NodeDef) -> tf.Tensor:
        """Makes a table and the like, which no other model shares."""
        proto = NodeDef(name=node.name, op=op)
        schema = self.functions.op(op).schema
        for name, value in node.attr.items():
            if name in schema.attr_index and name not in ("container", "shared_name"):
                proto.attr[name].CopyFrom(value)
        graph = self._builder.build("arguments", (), self.nodes.inputs(node.name))
        reader = NodeReader(self.functions, graph, self._path)
        op_, attrs, dtypes = reader.interpret(proto, graph.outputs)
        made = reader.append(proto, op_, graph.outputs, attrs, dtypes)
        graph.outputs = list(made.outputs)
        return call_graph(graph, [outside for outside, _ in graph.captures])[0]


def _count(fetch: Described | GraphTensor | GraphOperation) -> int:
    """How many tensors are fetched."""
    if isinstance(fetch, Described):
        return len(fetch.sources)
    return int(isinstance(fetch, GraphTensor))
