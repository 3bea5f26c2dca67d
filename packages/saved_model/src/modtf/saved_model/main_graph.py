"""The graph that servers run: variables, constants, the signatures with their placeholders, and how to save and restore.

TensorFlow's `tf.saved_model.load` takes variables and functions from the object graph instead, and needs of this graph
the constants only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction, Graph, Handle, SymbolicTensor, call_graph, trace

from .attributes import encode_dtype, encode_shape
from .checkpoint_ops import restore_v2, save_v2
from .node_names import NodeNames
from .protos.saved_model_pb2 import CollectionDef, SaverDef, SignatureDef, TensorInfo
from .protos.tensor_pb2 import TensorShapeProto
from .signatures import SignatureMap, tensor_names
from .structures import encode_structure

INIT_KEY = "__saved_model_init_op"
_INIT_COLLECTION = "saved_model_main_op"
_METHOD = "tensorflow/serving/predict"


class MainGraph:
    """The graph while it is made.

    Attributes:
        graph: the graph.
        signature_defs: the signatures, and the op that initialises what needs it.
        collections: the same op, where older readers look for it.
    """

    def __init__(self) -> None:
        self.graph = Graph("main")
        self.signature_defs: dict[str, SignatureDef] = {}
        self.collections: dict[str, CollectionDef] = {}
        self._names = NodeNames()
        self._captured: dict[int, SymbolicTensor] = {}

    def add_variable(self, variable: tf.Variable) -> None:
        """Adds the handle of a variable."""
        with self.graph.as_default():
            name = self._names.node(variable.name.rpartition(":")[0])
            handle = tf.raw_ops.VarHandleOp(dtype=variable.dtype, shape=variable.shape, shared_name=name, name=name)
        handle.handle_dims = variable.shape.dims
        self._captured[id(variable.handle.array)] = handle

    def add_constant(self, tensor: tf.Tensor) -> str:
        """Adds a constant; returns the name of its node."""
        constant = self.graph.constant(np.asarray(tensor), tensor.dtype, self._names.node("Const"))
        self._captured[id(tensor)] = constant
        return constant.node.name

    def add_signatures(self, signatures: SignatureMap) -> None:
        """Adds a call of each signature."""
        for key, concrete in signatures.items():
            self.signature_defs[key] = self._add_signature(key, concrete)

    def add_table(self, handle: tf.Tensor, create: ConcreteFunction) -> None:
        """Adds a table, which a function makes."""
        self._captured[_key(handle)] = self._call(create, [])[0]

    def add_initializer(self, functions: Sequence[ConcreteFunction]) -> None:
        """Adds the op that initialises, by calling functions."""
        if functions:
            init = self._call(trace(_initializing(functions), (), {}, "_traced_initialize"), [])[0].node
        else:
            with self.graph.as_default():
                init = tf.raw_ops.NoOp(name=self._names.node("NoOp"))
        info = TensorInfo(name=init.name, tensor_shape=TensorShapeProto(unknown_rank=True))
        self.signature_defs[INIT_KEY] = SignatureDef(outputs={INIT_KEY: info})
        self.collections[_INIT_COLLECTION] = CollectionDef(node_list=CollectionDef.NodeList(value=[init.name]))

    def add_saver(self, variables: dict[str, Any], object_graph: tuple[str, bytes]) -> SaverDef:
        """Adds what saves the variables and tables to a checkpoint, and restores them from one.

        Args:
            variables: the variables, and tables that can change, by their names in the checkpoint.
            object_graph: the name and the value of the description of the objects, which a checkpoint holds as well.
        """
        spec = tf.TensorSpec([], tf.string, "file_prefix")
        placeholder = self.graph.placeholder(tf.string, (), self._names.node("saver_filename"))
        saved = self._call(trace(_saving(variables, object_graph), (spec,), {}, "_traced_save"), [placeholder])
        restored = self._call(trace(_restoring(variables), (spec,), {}, "_traced_restore"), [placeholder])
        return SaverDef(
            filename_tensor_name=placeholder.name,
            save_tensor_name=saved[0].name,
            restore_op_name=restored[0].node.name,
            version=SaverDef.V2,
        )

    def _add_signature(self, key: str, concrete: ConcreteFunction) -> SignatureDef:
        names = tensor_names(concrete)
        proto = SignatureDef(method_name=_METHOD)
        placeholders = []
        for name, tensor in zip(names, concrete.graph.inputs, strict=False):
            placeholders.append(self.graph.placeholder(tensor.dtype, tensor.dims, self._names.node(f"{key}_{name}")))
            proto.inputs[name].CopyFrom(_info(placeholders[-1]))
        outputs = self._call(concrete, placeholders)
        left = iter(outputs)
        for name in sorted(concrete.structured_outputs):
            proto.outputs[name].CopyFrom(_output_info(concrete.structured_outputs[name], left))
        return proto

    def _call(self, concrete: ConcreteFunction, arguments: list[SymbolicTensor]) -> list[Any]:
        captured = [self._captured[_key(tensor)] for tensor in concrete.captured_inputs]
        with self.graph.as_default():
            outputs = call_graph(concrete.graph, [*arguments, *captured])
        node = outputs[0].node
        node.name = self._names.node(node.type)
        return outputs


def _key(tensor: Any) -> int:
    return id(tensor.array if isinstance(tensor, Handle) else tensor)


def _info(tensor: SymbolicTensor) -> TensorInfo:
    return TensorInfo(
        name=tensor.name,
        dtype=encode_dtype(tensor.dtype),
        tensor_shape=encode_shape(tensor.dims),
    )


def _output_info(output: Any, tensors: Iterator[SymbolicTensor]) -> TensorInfo:
    """What a signature says of an output, which takes the tensors that it consists of."""
    spec: Any = getattr(output, "type_spec", output)
    parts = [_info(next(tensors)) for _ in tf.nest.flatten(output, expand_composites=True)]
    sparse_spec: Any = tf.SparseTensorSpec
    if isinstance(spec, sparse_spec):
        indices, values, dense_shape = [part.name for part in parts]
        sparse = TensorInfo.CooSparse(
            indices_tensor_name=indices, values_tensor_name=values, dense_shape_tensor_name=dense_shape
        )
        return TensorInfo(coo_sparse=sparse, dtype=encode_dtype(output.dtype), tensor_shape=encode_shape(output.shape))
    if isinstance(spec, tf.TypeSpec) and not isinstance(spec, tf.TensorSpec):
        proto = encode_structure(spec, "a signature's output").type_spec_value
        return TensorInfo(composite_tensor=TensorInfo.CompositeTensor(type_spec=proto, components=parts))
    return parts[0]


def _initializing(functions: Sequence[ConcreteFunction]) -> Callable[[], tf.Tensor]:
    def initialize() -> tf.Tensor:
        for function in functions:
            function.call_flat([])
        return tf.constant(1)

    return initialize


def _saving(variables: dict[str, Any], object_graph: tuple[str, bytes]) -> Any:
    def save(file_prefix: tf.Tensor) -> tf.Tensor:
        named = {name: tensor for key, item in variables.items() for name, tensor in _saved_tensors(key, item).items()}
        names = [*named, object_graph[0]]
        values = [*named.values(), tf.constant(object_graph[1])]
        save_v2(file_prefix, tf.constant(names), tf.constant([""] * len(names)), values)
        return file_prefix

    return save


def _restoring(variables: dict[str, Any]) -> Any:
    dtypes = {
        key: {key: item.dtype}
        if isinstance(item, tf.Variable)
        else {name: tensor.dtype for name, tensor in _saved_tensors(key, item).items()}
        for key, item in variables.items()
    }

    def restore(file_prefix: tf.Tensor) -> tf.Tensor:
        names = {name: dtype for named in dtypes.values() for name, dtype in named.items()}
        if names:
            slices = tf.constant([""] * len(names))
            values = restore_v2(file_prefix, tf.constant(list(names)), slices, dtypes=list(names.values()))
            restored = dict(zip(names, values, strict=True))
            for key, item in variables.items():
                if isinstance(item, tf.Variable):
                    tf.raw_ops.AssignVariableOp(item.handle, restored[key])
                else:
                    item._restore_from_tensors({name.removeprefix(key): restored[name] for name in dtypes[key]})
        return file_prefix

    return restore


def _saved_tensors(key: str, item: Any) -> dict[str, tf.Tensor]:
    """What a checkpoint has of a variable or table, by the names that it has there."""
    if isinstance(item, tf.Variable):
        return {key: tf.raw_ops.ReadVariableOp(item.handle, dtype=item.dtype)}
    return {key + ending: tensor for ending, tensor in item._serialize_to_tensors().items()}
