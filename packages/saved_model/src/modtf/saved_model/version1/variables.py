"""The variables of a version-1 graph, and their values."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from modtf import core as tf
from modtf.core.contracts import get_backend

from ..attributes import decode_dtype, decode_shape
from ..checkpoint_files import open_checkpoint
from ..errors import DataLossError
from ..protos.graph_pb2 import NodeDef
from ..protos.saved_model_pb2 import MetaGraphDef, VariableDef
from .main_nodes import MainNodes
from .values import Reference

REFERENCES = frozenset({"Variable", "VariableV2"})
HANDLES = frozenset({"VarHandleOp"})

_COLLECTIONS = ("variables", "local_variables", "trainable_variables", "model_variables")
_TRAINABLE, _LOCAL = "trainable_variables", "local_variables"


class Variables:
    """The variables that the nodes of a graph stand for.

    Args:
        nodes: the graph.
        proto: the file's model, whose collections say what is trainable.
        where: the file, for errors.

    Attributes:
        all: the variables, first those that the file lists, in its order.
        local_initializers: the nodes which give their values to variables that are not saved.
    """

    def __init__(self, nodes: MainNodes, proto: MetaGraphDef, where: str) -> None:
        self._where = where
        self._by_name: dict[str, tf.Variable] = {}
        self._by_node: dict[str, tf.Variable] = {}
        described = {
            name: [
                _parsed(data, f"{where}: collection {name!r}") for data in proto.collection_def[name].bytes_list.value
            ]
            for name in _COLLECTIONS
            if name in proto.collection_def
        }
        trainable = {item.variable_name for item in described.get(_TRAINABLE, ())}
        for node in nodes.all():
            if node.op in REFERENCES or node.op in HANDLES:
                self._add(node, trainable)
        self.local_initializers = [item.initializer_name for item in described.get(_LOCAL, ()) if item.initializer_name]
        listed = (item.variable_name.removesuffix(":0") for items in described.values() for item in items)
        named = [self._by_node[name] for name in listed if name in self._by_node]
        self.all = list({id(variable): variable for variable in [*named, *self._by_name.values()]}.values())

    def state(self, node: NodeDef) -> tf.Tensor | Reference | None:
        """Returns what a node stands for, if it stands for a variable."""
        variable = self._by_node.get(node.name)
        if variable is None:
            return None
        return variable.handle if node.op in HANDLES else Reference(variable)

    def restore(self, prefix: str) -> None:
        """Gives the variables that have no value yet what a checkpoint holds under their names."""
        left = [variable for variable in self.all if variable.handle.array.value is None]
        if not left:
            return
        checkpoint = open_checkpoint(prefix)
        numpy_backend = get_backend("numpy")
        for variable in left:
            key = variable.name.removesuffix(":0")
            if key in checkpoint:
                variable.handle.array.assign(checkpoint.read(key), numpy_backend)

    def _add(self, node: NodeDef, trainable: Iterable[str]) -> None:
        what = f"{self._where}: node {node.name!r}"
        name = node.attr["shared_name"].s.decode("utf-8", "replace") or node.name
        if name not in self._by_name:
            self._by_name[name] = tf.Variable.uninitialized(
                decode_shape(node.attr["shape"].shape, what),
                decode_dtype(node.attr["dtype"].type),
                node.name,
                f"{node.name}:0" in trainable,
            )
        self._by_node[node.name] = self._by_name[name]


def _parsed(data: bytes, what: str) -> VariableDef:
    try:
        return VariableDef.FromString(data)
    except DecodeError as error:
        raise DataLossError(f"{what}: does not describe a variable: {error}") from None
