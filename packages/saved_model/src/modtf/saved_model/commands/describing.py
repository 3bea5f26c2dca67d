"""What a model's files say of it, as plain values for JSON. No variable's value is read, and nothing is run."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from ..bundle import BundleReader
from ..dtypes import numpy_dtype
from ..errors import DataLossError, SavedModelError
from ..model_folder import ASSETS, variables_prefix
from ..protos.graph_pb2 import FunctionDef
from ..protos.object_graph_pb2 import SavedObject
from ..protos.tensor_pb2 import DT_STRING
from .opened import INIT_OP, OpenedModel, shape_list, tensor_facts
from .text import type_name
from .used_ops import backend_facts, count_ops, is_version_1, unknown_ops

_CONTAINERS = {
    "trackable_list_wrapper": "list", "trackable_tuple_wrapper": "tuple", "trackable_dict_wrapper": "dict",
    "trackable_mapping_wrapper": "dict", "signature_map": "signatures", "_generic_user_object": "object",
}  # fmt: skip
_KINDS = {"bare_concrete_function": "trace", "resource": "table"}


def describe(model: OpenedModel) -> dict[str, Any]:
    """Returns all that `show` knows of a model.

    Raises:
        DataLossError: the file contradicts itself.
    """
    info = model.proto.meta_info_def
    ops = count_ops(model)
    unknown = unknown_ops(ops, is_version_1(model))
    objects = describe_objects(model)
    return {
        "folder": str(model.folder),
        "file": os.path.basename(model.path),
        "tags": list(info.tags),
        "other_models": [list(tags) for tags in model.others],
        "tensorflow_version": info.tensorflow_version,
        "has_objects": not is_version_1(model),
        "size": describe_files(model.folder),
        "variables": describe_variables(model, objects),
        "signatures": describe_signatures(model),
        "objects": objects,
        "functions": [describe_function(function, model) for name, function in sorted(model.functions.items())],
        "ops": ops,
        "unknown_ops": unknown,
        "backends": backend_facts(ops, unknown),
        "assets": [
            {"name": asset.filename, "bytes": _size(model.folder / ASSETS / asset.filename)}
            for asset in model.proto.asset_file_def
        ],
    }


def describe_files(folder: Path) -> dict[str, Any]:
    """Returns the sizes on disk of the files in a folder, and their sum."""
    files = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    return {"bytes": sum(files.values()), "files": files}


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def describe_signatures(model: OpenedModel) -> list[dict[str, Any]]:
    """Returns the signatures: their names, and the names, dtypes and shapes of what they take and give."""
    return [
        {
            "name": name,
            "method": signature.method_name,
            "inputs": [
                tensor_facts(key, signature.inputs[key], f"{model.path}: signature {name!r}, input {key!r}")
                for key in sorted(signature.inputs)
            ],
            "outputs": [
                tensor_facts(key, signature.outputs[key], f"{model.path}: signature {name!r}, output {key!r}")
                for key in sorted(signature.outputs)
            ],
        }
        for name, signature in sorted(model.proto.signature_def.items())
        if name != INIT_OP
    ]


def describe_function(function: FunctionDef, model: OpenedModel) -> dict[str, Any]:
    """Returns what a function in the file takes and gives, and how many nodes it has."""
    saved = model.proto.object_graph_def.concrete_functions.get(function.signature.name)
    arguments = function.signature.input_arg
    captured = len(saved.bound_inputs) if saved is not None else 0
    shapes = function.attr["_input_shapes"].list.shape if "_input_shapes" in function.attr else ()
    what = f"{model.path}: function {function.signature.name!r}"
    return {
        "name": function.signature.name,
        "inputs": [
            {
                "name": arg.name,
                "dtype": type_name(arg.type),
                "shape": shape_list(shapes[place], what) if place < len(shapes) else None,
            }
            for place, arg in enumerate(arguments[: len(arguments) - captured])
        ],
        "captured": captured,
        "outputs": [{"name": arg.name, "dtype": type_name(arg.type)} for arg in function.signature.output_arg],
        "nodes": len(function.node_def),
    }


def describe_objects(model: OpenedModel) -> list[dict[str, Any]]:
    """Returns the objects in the order of their numbers; children are given by number."""
    nodes = model.proto.object_graph_def.nodes
    objects = []
    for number, node in enumerate(nodes):
        children = {child.local_name: child.node_id for child in node.children}
        for name, child in children.items():
            if not 0 <= child < len(nodes):
                raise DataLossError(
                    f"{model.path}: object {number}, child {name!r}: is object {child}, but there are {len(nodes)}."
                )
        what = f"{model.path}: object {number}"
        objects.append({"id": number, **_describe_object(node, model, what), "children": children})
    return objects


def _describe_object(node: SavedObject, model: OpenedModel, what: str) -> dict[str, Any]:
    kind = node.WhichOneof("kind") or "object"
    if kind == "variable":
        shape = shape_list(node.variable.shape, what)
        known = shape is not None and None not in shape
        parameters = math.prod(size for size in shape or () if size is not None) if known else None
        return {
            "kind": "variable",
            "name": node.variable.name,
            "dtype": type_name(node.variable.dtype),
            "shape": shape,
            "trainable": node.variable.trainable,
            "parameters": parameters,
            "bytes": _bytes(node.variable.dtype, parameters),
        }
    if kind == "function":
        return {"kind": "function", "traces": list(node.function.concrete_functions)}
    if kind == "bare_concrete_function":
        return {"kind": "trace", "function": node.bare_concrete_function.concrete_function_name}
    if kind == "asset":
        index, assets = node.asset.asset_file_def_index, model.proto.asset_file_def
        return {"kind": "asset", "file": assets[index].filename if 0 <= index < len(assets) else None}
    if kind == "user_object":
        identifier = node.user_object.identifier
        made = {"kind": _CONTAINERS.get(identifier, "object")}
        if identifier not in _CONTAINERS:
            made["class"] = identifier
        return made | ({"registered_name": node.registered_name} if node.registered_name else {})
    return {"kind": _KINDS.get(kind, kind)}


def _bytes(data_type: int, parameters: int | None) -> int | None:
    if parameters is None or data_type == DT_STRING:
        return None
    try:
        return parameters * numpy_dtype(data_type).itemsize
    except SavedModelError:  # a type that no array can have
        return None


def describe_variables(model: OpenedModel, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns how many variables and parameters there are, and how many tensors the files hold."""
    variables = [item for item in objects if item["kind"] == "variable"]
    facts: dict[str, Any] = {
        "count": len(variables),
        "parameters": sum(item["parameters"] or 0 for item in variables),
        "without_shape": sum(item["parameters"] is None for item in variables),
        "trainable_parameters": sum(item["parameters"] or 0 for item in variables if item["trainable"]),
        "bytes": sum(item["bytes"] or 0 for item in variables),
        "stored_tensors": 0,
        "stored_bytes": 0,
        "error": None,
    }
    prefix = variables_prefix(model.folder)
    if not os.path.exists(f"{prefix}.index"):
        return facts
    try:
        entries = BundleReader(prefix)
    except SavedModelError as error:  # shown, since all else can be said
        return facts | {"error": str(error)}
    return facts | {
        "stored_tensors": len(entries),
        "stored_bytes": sum(entries[name].size for name in entries),
    }
