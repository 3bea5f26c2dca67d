"""`save`: objects as a SavedModel."""

from __future__ import annotations

import inspect
import keyword
import os
from typing import Any

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction

from .assets import asset_path_of, copy_assets
from .attributes import encode_dtype, encode_shape
from .bundle import BundleWriter
from .checkpoints.objects import OBJECT_GRAPH_KEY, attribute_of, describe_objects, saved_values, value_key
from .errors import SavedModelError
from .graph_writing import GraphWriter
from .main_graph import MainGraph
from .model_folder import ASSETS, MODEL_FILE, replacing, variables_prefix, write_synced
from .object_tree import SIGNATURES, ObjectTree, concrete_functions, traced_children_of_root
from .options import SaveOptions
from .protos.graph_pb2 import VersionDef
from .protos.object_graph_pb2 import (
    SavedBareConcreteFunction,
    SavedConcreteFunction,
    SavedConstant,
    SavedFunction,
    SavedObject,
    SavedUserObject,
    SavedVariable,
)
from .protos.saved_model_pb2 import MetaGraphDef, SavedModel
from .resources import CREATE, INITIALIZE
from .saved_gradients import describe
from .saved_resources import handle_of, is_resource
from .signatures import SignatureMap, find_default, make_signatures, tensor_names
from .structures import encode_function_spec, encode_structure

SERVE = "serve"
"""The tag of models that are saved to be used."""

_FORMAT = "2.21.0"
"""The TensorFlow whose format this is; readers ask for it."""


def save(
    obj: Any, export_dir: str | os.PathLike[str], signatures: Any = None, options: SaveOptions | None = None
) -> None:
    """Writes an object with its variables and functions as a SavedModel (`tf.saved_model.save`).

    What is saved is what the attributes lead to: variables, modules, lists, tuples and dicts of them, and the
    `tf.function`s, each with the traces it has. A function that was never called is traced if it has an
    `input_signature`, and otherwise cannot be called after loading. Plain Python methods are not saved.

    The model is written beside `export_dir` and then takes its place, so that a crash leaves the old model or the new.

    Args:
        obj: a `tf.Module`, or another object with `trackable_children()`.
        export_dir: the folder to write; a model that is there already is replaced.
        signatures: what servers can call: a `tf.function` with an `input_signature` or a concrete function, or a dict of
            them by name. They must give tensors, or lists or dicts of them. By default the only function of `obj` that
            has an `input_signature` becomes "serving_default".
        options: see `SaveOptions`.

    Raises:
        SavedModelError: something cannot be saved; then nothing is written.
    """
    if tf.inside_function():
        raise SavedModelError("tf.saved_model.save is not supported inside a traced tf.function; call it outside.")
    if not hasattr(obj, "trackable_children"):
        raise SavedModelError(
            f"An object can be saved if it has trackable_children(), as a tf.Module does; this is {obj!r}."
        )
    with tf.init_scope():
        children = traced_children_of_root(obj)
        if signatures is None:
            found = find_default(children)
            signatures = {} if found is None else found
        tree = ObjectTree(obj, {**children, SIGNATURES: make_signatures(signatures)})
        object_graph = describe_objects(tree).SerializeToString()
        values = dict(saved_values(tree))
        meta_graph = _meta_graph(tree, object_graph, options or SaveOptions())
    with replacing(export_dir) as folder:
        assets = [path for path in map(asset_path_of, tree.objects) if path is not None]
        for name, asset in zip(copy_assets(assets, folder / ASSETS), meta_graph.asset_file_def, strict=True):
            asset.filename = name
        prefix = variables_prefix(folder)
        os.mkdir(os.path.dirname(prefix))
        with BundleWriter(prefix) as bundle:
            for key, value in values.items():
                bundle.add(key, value)
            bundle.add(OBJECT_GRAPH_KEY, object_graph)
        proto = SavedModel(saved_model_schema_version=1, meta_graphs=[meta_graph])
        write_synced(folder / MODEL_FILE, proto.SerializeToString(deterministic=True))


def _meta_graph(tree: ObjectTree, object_graph: bytes, options: SaveOptions) -> MetaGraphDef:
    proto = MetaGraphDef()
    main, writer = MainGraph(), GraphWriter(options.experimental_custom_gradients)
    variables = dict(tree.variables())
    for variable in variables.values():
        main.add_variable(variable)
    for number, item in enumerate(tree.objects):
        proto.object_graph_def.nodes.append(_saved_object(tree, number, item, main, writer))
        path = asset_path_of(item)
        if path is not None:
            proto.object_graph_def.nodes[number].asset.asset_file_def_index = len(proto.asset_file_def)
            proto.asset_file_def.add().tensor_info.name = f"{main.add_constant(path)}:0"
    for item in tree.objects:
        handle = handle_of(item)
        if handle is not None:
            main.add_table(handle, _functions_of(tree, item, CREATE)[0])
    main.add_initializer([
        function for item in tree.objects if handle_of(item) is not None for function in _functions_of(tree, item, INITIALIZE)
    ])  # fmt: skip
    for concrete in tree.concrete_functions():
        name = writer.name_of(concrete.graph)
        proto.object_graph_def.concrete_functions[name].CopyFrom(_saved_concrete_function(tree, concrete))
    main.add_signatures(_signatures_of(tree))
    saved: dict[str, Any] = {value_key(tree, number): variable for number, variable in variables.items()}
    for number in tree.contents:
        item = tree.objects[number]
        saved[value_key(tree, number, attribute_of(item) or "")] = item
    proto.saver_def.CopyFrom(main.add_saver(saved, (OBJECT_GRAPH_KEY, object_graph)))

    graph, ops = writer.write(main.graph)
    proto.graph_def.CopyFrom(graph)
    for key, signature in main.signature_defs.items():
        proto.signature_def[key].CopyFrom(signature)
    for key, collection in main.collections.items():
        proto.collection_def[key].CopyFrom(collection)
    for gradient in writer.gradients:
        describe(proto, gradient, writer.name_of(gradient.graph))
    info = proto.meta_info_def
    info.stripped_op_list.CopyFrom(ops)
    info.stripped_default_attrs = True
    info.tags.append(SERVE)
    info.tensorflow_version = _FORMAT
    for alias, function in (options.function_aliases or {}).items():
        for concrete in concrete_functions(function):
            info.function_aliases[writer.name_of(concrete.graph)] = alias
    return proto


def _signatures_of(tree: ObjectTree) -> SignatureMap:
    return next(item for item in tree.objects if isinstance(item, SignatureMap))


def _functions_of(tree: ObjectTree, item: Any, name: str) -> list[ConcreteFunction]:
    """The traces of a table's function of that name, if it has one."""
    children = dict(tree.children[tree.number_of(item)])
    return concrete_functions(tree.objects[children[name]])[:1] if name in children else []


def _saved_object(tree: ObjectTree, number: int, item: Any, main: MainGraph, writer: GraphWriter) -> SavedObject:
    proto = SavedObject()
    for name, child in tree.children[number]:
        proto.children.add(node_id=child, local_name=name)
    if isinstance(item, tf.Variable):
        proto.variable.CopyFrom(
            SavedVariable(
                dtype=encode_dtype(item.dtype),
                shape=encode_shape(item.shape),
                trainable=item.trainable,
                synchronization=item.synchronization.value,  # type: ignore[arg-type]
                aggregation=item.aggregation.value,  # type: ignore[arg-type]
                name=_name(item),
            )
        )
    elif asset_path_of(item) is not None:
        pass  # which file it is comes later
    elif isinstance(item, tf.Tensor):
        proto.constant.CopyFrom(SavedConstant(operation=main.add_constant(item)))
    elif isinstance(item, ConcreteFunction):
        proto.bare_concrete_function.CopyFrom(_saved_bare_function(item, writer))
    elif hasattr(item, "is_traced_function"):
        proto.function.CopyFrom(_saved_function(item, writer))
    elif is_resource(item):
        proto.resource.SetInParent()
    else:
        version = VersionDef(producer=1, min_consumer=1)
        proto.user_object.CopyFrom(SavedUserObject(identifier=_identifier(item), version=version))
    if number in tree.contents:
        save, restore = map(tree.number_of, tree.contents[number])
        attribute = attribute_of(item) or ""
        proto.saveable_objects[attribute].save_function = save
        proto.saveable_objects[attribute].restore_function = restore
    return proto


def _identifier(item: Any) -> str:
    """How TensorFlow names the kinds of objects without a form of their own in the file."""
    if isinstance(item, SignatureMap):
        return "signature_map"
    for kind, identifier in _CONTAINERS.items():
        if isinstance(item, kind):
            return identifier
    return "_generic_user_object"


_CONTAINERS = {list: "trackable_list_wrapper", tuple: "trackable_tuple_wrapper", dict: "trackable_dict_wrapper"}


def _saved_function(function: Any, writer: GraphWriter) -> SavedFunction:
    what = f"The function {getattr(function, '__name__', function)!r}"
    return SavedFunction(
        concrete_functions=[writer.name_of(concrete.graph) for concrete in concrete_functions(function)],
        function_spec=encode_function_spec(function.function_type, function.input_signature, what),
    )


def _saved_bare_function(concrete: ConcreteFunction, writer: GraphWriter) -> SavedBareConcreteFunction:
    keywords = tensor_names(concrete)
    args, kwargs = concrete.structured_input_signature
    proto = SavedBareConcreteFunction(
        concrete_function_name=writer.name_of(concrete.graph),
        argument_keywords=keywords,
        allowed_positional_arguments=len(keywords) if args or len(keywords) == 1 else 0,
    )
    names = [*concrete.argument_names()[: len(args)], *kwargs]
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in names) and len(set(names)) == len(names):
        kinds = [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(args) + [inspect.Parameter.KEYWORD_ONLY] * len(kwargs)
        signature = inspect.Signature([inspect.Parameter(*item) for item in zip(names, kinds, strict=True)])
        proto.function_spec.CopyFrom(encode_function_spec(signature, None, f"The function {concrete.name!r}"))
    return proto


def _saved_concrete_function(tree: ObjectTree, concrete: ConcreteFunction) -> SavedConcreteFunction:
    what = f"The function {concrete.name!r}"
    outputs = tf.nest.map_structure(_spec_of_output, concrete.structured_outputs)
    return SavedConcreteFunction(
        bound_inputs=[tree.number_of(tensor) for tensor in concrete.captured_inputs],
        canonicalized_input_signature=encode_structure(concrete.structured_input_signature, f"{what}, arguments"),
        output_signature=encode_structure(outputs, f"{what}, outputs"),
    )


def _spec_of_output(item: Any) -> tf.TypeSpec | None:
    if item is None or (isinstance(item, tf.TypeSpec) and not isinstance(item, tf.TensorSpec)):
        return item
    return item.type_spec if hasattr(item, "type_spec") else tf.TensorSpec(item.shape, item.dtype)


def _name(variable: tf.Variable) -> str:
    return variable.name.rpartition(":")[0]
