"""`load`: a SavedModel as objects."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import get_backend

from .assets import Asset, find_asset
from .attributes import decode_dtype, decode_shape, decode_tensor
from .boundary import reading, shortened
from .bundle import BundleReader
from .checkpoints.objects import OBJECT_GRAPH_KEY, VARIABLE_VALUE
from .errors import DataLossError, NotFoundError
from .graph_reading import FunctionReader, warn_of_unknown_ops
from .model_folder import read_model_file, variables_prefix
from .object_tree import SIGNATURES
from .options import LoadOptions
from .protos.object_graph_pb2 import SavedObject, TrackableObjectGraph
from .protos.saved_model_pb2 import MetaGraphDef, SavedModel
from .resources import CREATE, RestoredResource, RestoredTable, make_private
from .restored import CallableRestoredObject, RestoredConcreteFunction, RestoredFunction, RestoredObject
from .saved_gradients import SavedGradients
from .signatures import SignatureMap
from .structures import decode_argument_names, decode_function_spec, decode_structure
from .version1.loading import Version1Loader

_LIST, _TUPLE = "trackable_list_wrapper", "trackable_tuple_wrapper"
_DICTS = ("trackable_dict_wrapper", "trackable_mapping_wrapper")
_MAX_PLACES = 1 << 20
"""How many places of all lists and tuples together may be empty."""
_MAX_DEPTH = 100


def load(
    export_dir: str | os.PathLike[str], tags: str | Sequence[str] | None = None, options: LoadOptions | None = None
) -> Any:
    """Loads a SavedModel that modtf, TensorFlow or Keras wrote (`tf.saved_model.load`).

    Variables are views of the mapped files. Functions are made ready when they are first called. Classes that the file
    names are not looked for: objects have the saved attributes and functions, and nothing else.

    Args:
        export_dir: the model's folder.
        tags: the tags of the model in the folder that is wanted, if there are several.
        options: see `LoadOptions`.

    Returns:
        The saved object: its variables, functions and parts as attributes, lists and dicts, a `tf.Module`. Its
        `signatures` maps names to functions that take named tensors and give a dict of tensors. Of a model that
        TensorFlow 1 wrote, there are `signatures`, `variables`, the `graph`, and `prune(feeds, fetches)`, which makes
        functions of parts of the graph.

    Raises:
        SavedModelError: a file is missing, truncated or altered, contradicts itself, or uses what is not read here.
    """
    with reading(export_dir):
        proto, path = read_model_file(export_dir)
        meta_graph = _tagged(proto, path, tags)
        loader = _Loader if meta_graph.object_graph_def.nodes else Version1Loader
        return loader(os.fspath(export_dir), path, meta_graph, options or LoadOptions()).load()


def _tagged(proto: SavedModel, path: str, tags: str | Sequence[str] | None) -> MetaGraphDef:
    found = [sorted(meta_graph.meta_info_def.tags) for meta_graph in proto.meta_graphs]
    if tags is None and len(found) == 1:
        return proto.meta_graphs[0]
    wanted = sorted({tags} if isinstance(tags, str) else set(tags or ()))
    if wanted in found:
        return proto.meta_graphs[found.index(wanted)]
    raise NotFoundError(
        f"{path}: has no model with the tags {wanted}; there are models with: {', '.join(map(str, found))}."
    )


class _Loader:
    """One model while its objects are made."""

    def __init__(self, export_dir: str, path: str, proto: MetaGraphDef, options: LoadOptions) -> None:
        self._export_dir = export_dir
        self._path = path
        self._proto = proto
        self._options = options
        self._nodes = proto.object_graph_def.nodes
        self._objects: dict[int, Any] = {}
        self._being_made: dict[int, None] = {}
        self._concrete: dict[str, RestoredConcreteFunction] = {}
        self._names: dict[int, str] = {}
        self._places_left = _MAX_PLACES
        gradients = SavedGradients(proto, self._object, path)
        self._functions = FunctionReader(proto.graph_def, proto.meta_info_def.stripped_op_list, path, gradients)
        self._main_nodes = {node.name: node for node in proto.graph_def.node}

    def load(self) -> Any:
        self._check_numbers()
        for number in range(len(self._nodes)):
            self._object(number)
        for number, node in enumerate(self._nodes):
            self._fill(self._objects[number], node)
        for child in self._nodes[0].children:
            if child.local_name == SIGNATURES and not isinstance(self._objects[child.node_id], SignatureMap):
                raise DataLossError(f"{self._path}: object {child.node_id}: should hold the signatures, and does not.")
        if not self._options.experimental_skip_checkpoint:
            self._restore_values()
        for item in self._objects.values():
            if isinstance(item, RestoredResource):
                item.initialize()
        warn_of_unknown_ops(self._path, self._functions.unknown_ops(self._concrete), stacklevel=3)
        return self._objects[0]

    def _check_numbers(self) -> None:
        for number, node in enumerate(self._nodes):
            for child in node.children:
                self._check_number(child.node_id, f"object {number}, child {child.local_name!r}")
        for name, function in self._proto.object_graph_def.concrete_functions.items():
            for bound in function.bound_inputs:
                self._check_number(bound, f"function {name!r}")

    def _check_number(self, number: int, what: str) -> None:
        if not 0 <= number < len(self._nodes):
            raise DataLossError(f"{self._path}: {what}: is object {number}, but there are {len(self._nodes)}.")

    def _make(self, number: int, node: SavedObject) -> Any:
        """Makes an object, without its children where they can be given to it afterwards."""
        what = f"{self._path}: object {number}"
        kind = node.WhichOneof("kind")
        if kind == "variable":
            return self._make_variable(node, what)
        if kind == "function":
            return self._make_function(number, node, what)
        if kind == "bare_concrete_function":
            return self._make_bare_function(node, what)
        if kind == "constant":
            return self._make_constant(node.constant.operation, what)
        if kind == "asset":
            return self._make_asset(node.asset.asset_file_def_index, what)
        if kind == "resource":
            return self._make_resource(node, what)
        if kind == "user_object" and node.user_object.identifier == "signature_map":
            return self._make_signatures(node, what)
        if kind == "user_object" and node.user_object.identifier == _TUPLE:
            return self._make_tuple(node, what)
        if kind == "user_object" and node.user_object.identifier == _LIST:
            return []
        if kind == "user_object" and node.user_object.identifier in _DICTS:
            return {}
        if kind is None and number and not node.ByteSize():
            raise DataLossError(f"{what}: is empty.")
        is_callable = any(child.local_name == "__call__" for child in node.children)
        return (CallableRestoredObject if is_callable else RestoredObject)(name="restored")

    def _object(self, number: int) -> Any:
        if number not in self._objects:
            if number in self._being_made or len(self._being_made) >= _MAX_DEPTH:
                chain = " needs ".join(map(str, [*list(self._being_made)[-8:], number]))
                raise DataLossError(f"{self._path}: objects need each other in a circle, or too deep: {chain}.")
            self._being_made[number] = None
            try:
                with reading(self._path, f"object {number}"):
                    self._objects[number] = self._make(number, self._nodes[number])
            finally:
                del self._being_made[number]
        return self._objects[number]

    def _fill(self, item: Any, node: SavedObject) -> None:
        """Gives an object its children."""
        if isinstance(item, list):
            for child in node.children:
                place = self._place(child.local_name)
                self._leave_empty(place - len(item), f"{self._path}: a list")
                item.extend([None] * (place + 1 - len(item)))
                item[place] = self._objects[child.node_id]
        elif isinstance(item, dict):
            item.update((child.local_name, self._objects[child.node_id]) for child in node.children)
        elif isinstance(item, RestoredObject):
            vars(item).update((child.local_name, self._objects[child.node_id]) for child in node.children)

    def _make_tuple(self, node: SavedObject, what: str) -> tuple[Any, ...]:
        places = {child.local_name: child.node_id for child in node.children if child.local_name.isdecimal()}
        size = 1 + max([self._place(name) for name in places], default=-1)  # of named tuples, names stand beside places
        self._leave_empty(size - len(places), what)
        return tuple([self._object(places[str(place)]) if str(place) in places else None for place in range(size)])

    def _place(self, name: str) -> int:
        """The place in a list or tuple that a child's name says."""
        if not name.isdecimal() or len(name) > 9:
            raise DataLossError(f"{self._path}: {shortened(name)!r} is no place in a list.")
        return int(name)

    def _leave_empty(self, places: int, what: str) -> None:
        """Counts the places of lists and tuples that nothing is in: there may be gaps, but not large ones."""
        self._places_left -= max(places, 0)
        if self._places_left < 0:
            raise DataLossError(f"{what}: leaves {places} places empty.")

    def _make_variable(self, node: SavedObject, what: str) -> tf.Variable:
        saved = node.variable
        made = tf.Variable.uninitialized(
            decode_shape(saved.shape, what), decode_dtype(saved.dtype), saved.name or "Variable", saved.trainable
        )
        for field, kind in (("synchronization", tf.VariableSynchronization), ("aggregation", tf.VariableAggregation)):
            try:
                setattr(made, field, kind(getattr(saved, field)))
            except ValueError as error:
                raise DataLossError(f"{what}: {error}") from None
        return made

    def _make_constant(self, operation: str, what: str) -> tf.Tensor:
        node = self._main_nodes.get(operation)
        if node is None or node.op != "Const" or "value" not in node.attr:
            raise DataLossError(f"{what}: is the constant {operation!r}, which the graph does not have.")
        return decode_tensor(node.attr["value"].tensor, f"{self._path}: node {operation!r}")

    def _make_asset(self, index: int, what: str) -> Asset:
        assets = self._proto.asset_file_def
        if not 0 <= index < len(assets):
            raise DataLossError(f"{what}: is asset {index}, but there are {len(assets)}.")
        return find_asset(self._export_dir, assets[index].filename, what)

    def _make_resource(self, node: SavedObject, what: str) -> RestoredResource:
        kind = RestoredTable if node.saveable_objects else RestoredResource
        create = next((child.node_id for child in node.children if child.local_name == CREATE), None)
        if create is None:
            return kind(None, what)
        for name in self._nodes[create].function.concrete_functions:
            if name in self._functions:
                make_private(self._functions.proto(name))
        function = self._object(create)
        if not isinstance(function, RestoredFunction):
            raise DataLossError(f"{what}: is made by object {create}, which is no function.")
        return kind(function, what)

    def _make_signatures(self, node: SavedObject, what: str) -> SignatureMap:
        functions = {child.local_name: self._object(child.node_id) for child in node.children}
        for name, function in functions.items():
            if not isinstance(function, RestoredConcreteFunction):
                raise DataLossError(f"{what}: the signature {name!r} is no function.")
        return SignatureMap(functions)

    def _make_function(self, number: int, node: SavedObject, what: str) -> RestoredFunction:
        signature, input_signature = decode_function_spec(node.function.function_spec, what)
        traces = [self._concrete_function(name) for name in node.function.concrete_functions]
        return RestoredFunction(self._name_in_parent(number), signature, input_signature if traces else None, traces)

    def _make_bare_function(self, node: SavedObject, what: str) -> RestoredConcreteFunction:
        saved = node.bare_concrete_function
        made = self._concrete_function(saved.concrete_function_name)
        count = len(made.structured_input_signature[0])
        if saved.HasField("function_spec"):
            names = decode_argument_names(saved.function_spec, what)
        else:
            names = list(saved.argument_keywords)
        if count and len(names) >= count:
            made.name_arguments(names[:count])
        return made

    def _name_in_parent(self, number: int) -> str:
        if not self._names:
            for node in self._nodes:
                for child in node.children:
                    self._names.setdefault(child.node_id, child.local_name)
        return self._names.get(number, "function")

    def _concrete_function(self, name: str) -> RestoredConcreteFunction:
        if name not in self._concrete:
            saved = self._proto.object_graph_def.concrete_functions.get(name)
            what = f"{self._path}: function {name!r}"
            if saved is None or name not in self._functions:
                raise DataLossError(f"{what}: is named by an object, but is not there.")
            captured, obstacle = self._captured(list(saved.bound_inputs))
            signature = decode_structure(saved.canonicalized_input_signature, what)
            fits = isinstance(signature, tuple) and len(signature) == 2
            if not fits or not isinstance(signature[0], tuple) or not isinstance(signature[1], dict):
                raise DataLossError(f"{what}: its arguments are {signature!r}, not a tuple and a dict.")
            dims = [tensor.array.dims if tensor.dtype is tf.resource else None for tensor in captured]
            self._concrete[name] = RestoredConcreteFunction(
                name,
                lambda: self._functions.graph(name, dims),
                captured,
                signature,
                decode_structure(saved.output_signature, what),
                obstacle,
                self._path,
            )
        return self._concrete[name]

    def _captured(self, numbers: list[int]) -> tuple[list[Any], str]:
        """The tensors of captured objects, and why there is none of one, if so."""
        captured: list[Any] = []
        for number in numbers:
            item = self._object(number)
            if isinstance(item, tf.Variable):
                captured.append(item.handle)
            elif isinstance(item, tf.Tensor):
                captured.append(item)
            elif isinstance(item, Asset):
                captured.append(item.asset_path)
            elif isinstance(item, RestoredResource):
                if item.resource_handle is None:
                    return captured, f"it uses object {number}, which {item.obstacle}"
                captured.append(item.resource_handle)
            else:
                kind = self._nodes[number].WhichOneof("kind")
                return captured, f"it uses object {number}, a {kind}, which is not read here."
        return captured, ""

    def _restore_values(self) -> None:
        """Gives variables, and tables that can change, their values."""
        variables = {number: item for number, item in self._objects.items() if isinstance(item, tf.Variable)}
        tables = [
            number for number, node in enumerate(self._nodes) if node.HasField("resource") and node.saveable_objects
        ]
        if not variables and not tables:
            return
        bundle = BundleReader(variables_prefix(self._export_dir))
        keys = self._checkpoint_keys(bundle)
        for number in tables:
            self._restore_table(number, bundle, keys)
        numpy_backend = get_backend("numpy")
        for number, variable in variables.items():
            what = f"{variables_prefix(self._export_dir)}.index: variable {variable.name!r}"
            if (number, VARIABLE_VALUE) not in keys:
                raise DataLossError(f"{what}: has no value.")
            entry = bundle[keys[number, VARIABLE_VALUE]]
            if entry.dtype != variable.dtype.np_dtype or not variable.shape.is_compatible_with(entry.shape):
                raise DataLossError(
                    f"{what}: its value is {entry.dtype} of shape {entry.shape}, but it is declared as "
                    f"{variable.dtype.name} of shape {variable.shape}."
                )
            variable.handle.array.assign(bundle.read(keys[number, VARIABLE_VALUE]), numpy_backend)

    def _restore_table(self, number: int, bundle: BundleReader, keys: Mapping[tuple[int, str], str]) -> None:
        what, item = f"{self._path}: object {number}", self._objects[number]
        for name, saveable in self._nodes[number].saveable_objects.items():
            if (number, name) not in keys:
                raise DataLossError(f"{what}: its value {name!r} is missing in the checkpoint.")
            functions = []
            for function in (saveable.save_function, saveable.restore_function):
                self._check_number(function, f"object {number}, value {name!r}")
                functions.append(self._object(function))
                if not isinstance(functions[-1], RestoredConcreteFunction):
                    raise DataLossError(f"{what}: object {function}, which saves or restores it, is no function.")
            with reading(self._path, f"object {number}, value {name!r}"):
                item.restore(*functions, bundle, name, keys[number, name])

    def _checkpoint_keys(self, bundle: BundleReader) -> dict[tuple[int, str], str]:
        """The names that the values of objects have, by their number and what of them it is.

        Both trees of objects, the model's and the checkpoint's, are walked together.
        """
        proto = TrackableObjectGraph()
        what = f"{variables_prefix(self._export_dir)}.index: {OBJECT_GRAPH_KEY}"
        try:
            proto.ParseFromString(np.asarray(bundle.read(OBJECT_GRAPH_KEY), object).item())
        except (ValueError, TypeError) as error:
            raise DataLossError(f"{what}: does not describe objects: {error}") from None
        keys: dict[tuple[int, str], str] = {}
        places_of: dict[int, dict[str, int]] = {}
        pairs = {0: 0} if proto.nodes else {}
        left = list(pairs.items())
        while left:
            ours, theirs = left.pop()
            if not 0 <= theirs < len(proto.nodes):
                raise DataLossError(f"{what}: there is no object {theirs}.")
            if theirs not in places_of:
                places_of[theirs] = {child.local_name: child.node_id for child in proto.nodes[theirs].children}
            places = places_of[theirs]
            if self._nodes[ours].HasField("variable") or self._nodes[ours].HasField("resource"):
                for attribute in proto.nodes[theirs].attributes:
                    keys[ours, attribute.name] = attribute.checkpoint_key
            for child in self._nodes[ours].children:
                if child.local_name in places and child.node_id not in pairs:
                    pairs[child.node_id] = places[child.local_name]
                    left.append((child.node_id, places[child.local_name]))
        return keys
