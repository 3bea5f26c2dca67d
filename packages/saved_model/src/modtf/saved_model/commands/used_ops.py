"""Which functions and ops of a file its objects and signatures come to, and what can run them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Op, get_backend, get_op

from ..protos.graph_pb2 import FunctionDef, NodeDef
from ..protos.saved_model_pb2 import TensorInfo
from ..version1.superseded import is_read
from .opened import OpenedModel

_LIBRARIES = {"image": "PIL", "scipy": "scipy", "strings": "re2"}
"""The library of each extra of modtf-core."""


def source_of(reference: str) -> str:
    """Returns the node or argument that an input names."""
    return reference.removeprefix("^").partition(":")[0]


def tensor_names(info: TensorInfo) -> list[str]:
    """Returns the names of the tensors of a signature's input or output: several if it is a composite one."""
    if info.WhichOneof("encoding") == "coo_sparse":
        parts = info.coo_sparse
        return [parts.values_tensor_name, parts.indices_tensor_name, parts.dense_shape_tensor_name]
    if info.WhichOneof("encoding") == "composite_tensor":
        return [name for component in info.composite_tensor.components for name in tensor_names(component)]
    return [info.name] if info.name else []


def needed_nodes(nodes: Mapping[str, NodeDef], wanted: Iterable[str]) -> set[str]:
    """Returns the names of the wanted nodes, and of all that they take or wait for."""
    needed = set(wanted)
    left = list(needed)
    while left:
        node = nodes.get(left.pop())
        for source in map(source_of, node.input if node is not None else ()):
            if source not in needed:
                needed.add(source)
                left.append(source)
    return needed


def called_by(node: NodeDef, functions: Iterable[str] | dict[str, Any]) -> Iterator[str]:
    """Yields the names of the functions that a node calls, whether they exist or not."""
    if node.op in functions:
        yield node.op
    for attr in node.attr.values():
        for function in (attr.func, *attr.list.func) if attr.WhichOneof("value") in ("func", "list") else ():
            if function.name:
                yield function.name


def is_version_1(model: OpenedModel) -> bool:
    """Whether the model has no objects, as TensorFlow 1 wrote them."""
    return not model.proto.object_graph_def.nodes


def main_nodes(model: OpenedModel) -> list[NodeDef]:
    """Returns the nodes of a version-1 model that its signatures come to; all of them, if it has no signatures."""
    nodes = {node.name: node for node in model.proto.graph_def.node}
    infos = [info for signature in model.proto.signature_def.values() for info in signature.outputs.values()]
    wanted = {source_of(name) for info in infos for name in tensor_names(info)}
    needed = needed_nodes(nodes, wanted) if wanted else nodes
    return [node for name, node in nodes.items() if name in needed]


def reachable_functions(model: OpenedModel) -> dict[str, FunctionDef]:
    """Returns the functions that objects, signatures, and in turn those call; without what saves and restores."""
    functions = model.functions
    left: list[str] = []
    if is_version_1(model):
        for node in main_nodes(model):
            left.extend(called_by(node, functions))
    objects = model.proto.object_graph_def.nodes
    savers = {
        number
        for node in objects
        for saveable in node.saveable_objects.values()
        for number in (saveable.save_function, saveable.restore_function)
    }
    for number, item in enumerate(objects):
        if number not in savers:
            left.extend(item.function.concrete_functions)
            left.append(item.bare_concrete_function.concrete_function_name)
    found: dict[str, FunctionDef] = {}
    while left:
        name = left.pop()
        if name in functions and name not in found:
            found[name] = functions[name]
            for node in functions[name].node_def:
                left.extend(called_by(node, functions))
    return found


def count_ops(model: OpenedModel) -> dict[str, int]:
    """Returns how many nodes there are of each op, in the functions that can be reached; the most frequent first."""
    counts: Counter[str] = Counter()
    functions = model.functions
    if is_version_1(model):
        counts.update(node.op for node in main_nodes(model))
    for function in reachable_functions(model).values():
        counts.update(node.op for node in function.node_def)
    return {
        op: count for op, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if op not in functions
    }


def find_op(name: str) -> Op | None:
    """Returns the op of that name, or None if the vocabulary lacks it."""
    try:
        return get_op(name)
    except tf.errors.NotFoundError:
        return None


def unknown_ops(ops: Iterable[str], version_1: bool) -> list[str]:
    """Returns the ops that neither the vocabulary nor, in a model of TensorFlow 1, the reader knows."""
    return [name for name in ops if not (is_read(name) if version_1 else find_op(name) is not None)]


def backend_facts(ops: Iterable[str], unknown: list[str]) -> list[dict[str, Any]]:
    """Returns for each installed backend whether it runs these ops, and if not, what is missing. For JSON."""
    known = {name: op for name in ops if (op := find_op(name)) is not None}
    own = [name for name, op in known.items() if op.kernel is None]
    extras = {op.extra: name for name, op in known.items() if op.extra and find_spec(_LIBRARIES[op.extra]) is None}
    rows: list[dict[str, Any]] = []
    for backend in tf.config.list_backends():
        reasons = [f"needs `pip install modtf-core[{extra}]` for {name}" for extra, name in sorted(extras.items())]
        if unknown:
            reasons.append(f"{len(unknown)} unknown ops: {', '.join(unknown)}")
        try:
            lacking = [name for name in own if name not in get_backend(backend).kernels] if own else []
        except (ImportError, RuntimeError, ValueError) as error:
            reasons.append(f"cannot be loaded: {error}")
            lacking = []
        if lacking:
            reasons.append(f"has no kernels for {', '.join(lacking)}")
        rows.append({"name": backend, "runs": not reasons, "reasons": reasons})
    return rows
