"""What can be wrong with a model: each check looks at one part of the files and yields what it finds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from modtf import core as tf
from modtf.core.contracts import Op

from ..bundle import BundleReader
from ..errors import SavedModelError
from ..graph_reading import FunctionReader
from ..loading import load
from ..model_folder import ASSETS, VARIABLES, variables_prefix
from ..op_defs import is_unreadable_function
from ..protos.graph_pb2 import FunctionDef, NodeDef
from ..protos.saved_model_pb2 import SignatureDef
from ..version1.main_nodes import NEXT_ITERATIONS
from .opened import OpenedModel
from .used_ops import called_by, count_ops, is_version_1, reachable_functions, source_of, tensor_names, unknown_ops

_SHOWN = 20
"""How many findings of a kind there may be in one function."""


class Finding(NamedTuple):
    """Something that is wrong.

    Attributes:
        file: the file, relative to the model's folder.
        part: the part of it.
        reason: what is wrong.
    """

    file: str
    part: str
    reason: str


def check_graph(model: OpenedModel) -> Iterator[Finding]:
    """Nodes whose inputs no node gives, that depend on themselves, or that call functions which are not there."""
    file = os.path.basename(model.path)
    functions = model.functions
    counts: dict[str, int] = {}
    for function in model.proto.graph_def.library.function:
        counts[function.signature.name] = counts.get(function.signature.name, 0) + 1
    for name, count in counts.items():
        if count > 1:
            yield Finding(file, f"function {name!r}", f"is there {count} times")
    for function in functions.values():
        part = f"function {function.signature.name!r}"
        arguments = [argument.name for argument in function.signature.input_arg]
        for reason in islice(_check_nodes(function.node_def, arguments, functions), _SHOWN):
            yield Finding(file, part, reason)
        for reason in _check_results(function):
            yield Finding(file, part, reason)
    for reason in islice(_check_nodes(model.proto.graph_def.node, (), functions), _SHOWN):
        yield Finding(file, "main graph", reason)
    for cycle in _cycles({name: _callees(function, functions) for name, function in functions.items()}):
        yield Finding(file, f"function {cycle[0]!r}", f"calls itself: {' calls '.join(cycle)}")
    for gradient in model.proto.graph_def.library.gradient:
        for name in (gradient.function_name, gradient.gradient_func):
            if name not in functions:
                yield Finding(file, "function library", f"has a gradient of or by {name!r}, which is not there")


def _check_nodes(
    nodes: Sequence[NodeDef], arguments: Sequence[str], functions: Mapping[str, FunctionDef]
) -> Iterator[str]:
    counts = Counter([*arguments, *(node.name for node in nodes)])
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield f"has several nodes or arguments of one name: {', '.join(twice[:8])}"
    for node in nodes:
        for reference in node.input:
            if source_of(reference) not in counts:
                yield f"node {node.name!r} ({node.op}) takes {reference!r}, which no node gives"
        for called in called_by(node, functions):
            if called not in functions:
                yield f"node {node.name!r} ({node.op}) calls the function {called!r}, which is not there"
    edges = {
        node.name: [source_of(reference) for reference in node.input] if node.op not in NEXT_ITERATIONS else []
        for node in nodes
    }
    for cycle in _cycles(edges):
        yield f"node {cycle[0]!r} depends on its own output: {' needs '.join(cycle)}"


def _check_results(function: FunctionDef) -> Iterator[str]:
    there = {node.name for node in function.node_def} | {argument.name for argument in function.signature.input_arg}
    for output in function.signature.output_arg:
        if output.name not in function.ret:
            yield f"says nothing of its output {output.name!r}"
    for name, reference in [*sorted(function.ret.items()), *sorted(function.control_ret.items())]:
        if source_of(reference) not in there:
            yield f"its output {name!r} is {reference!r}, which no node gives"


def _callees(function: FunctionDef, functions: Mapping[str, FunctionDef]) -> list[str]:
    return [called for node in function.node_def for called in called_by(node, functions)]


def _cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yields a way round each circle that a search in depth comes upon; at most one for each place where it begins."""
    state: dict[str, int] = {}  # 1 while what it leads to is visited, then 2
    for start in edges:
        if start in state:
            continue
        path, left = [start], [iter(edges[start])]
        state[start] = 1
        while path:
            following = next(left[-1], None)
            if following is None:
                state[path.pop()] = 2
                left.pop()
            elif state.get(following) == 1:
                way = path[path.index(following) :]
                yield [*way[:8], *(["..."] if len(way) > 8 else []), following]
                state[following] = 3  # found once is enough
            elif following in edges and following not in state:
                state[following] = 1
                path.append(following)
                left.append(iter(edges[following]))


def check_functions(model: OpenedModel) -> Iterator[Finding]:
    """Functions that contradict themselves or their ops' schemas; only where their nodes fit together."""
    file = os.path.basename(model.path)
    op_list = model.proto.meta_info_def.stripped_op_list
    reader = FunctionReader(model.proto.graph_def, op_list, model.path)
    for name, function in reachable_functions(model).items():
        part = f"function {name!r}"
        try:
            graph = reader.graph(name)
        except SavedModelError as error:
            yield Finding(file, part, str(error).removeprefix(f"{model.path}: ").removeprefix(f"{part}: "))
            continue
        last = graph.nodes[-1].op if graph.nodes else None
        if last is not None and is_unreadable_function(last):
            unknown = unknown_ops({node.op for node in function.node_def}, False)
            if not unknown:  # of which one is told anyway
                yield Finding(file, part, f"fails when it is run: {_complaint(last)}")


def _complaint(op: Op) -> str:
    """What an op that stands for a function which is not understood says when it is run."""
    try:
        op.kernel(None)  # type: ignore[misc,operator]
    except tf.errors.UnimplementedError as error:
        return str(error)
    return "it is not understood"


def check_ops(model: OpenedModel) -> Iterator[Finding]:
    """Ops that nothing here can run."""
    ops = count_ops(model)
    for name in unknown_ops(ops, is_version_1(model)):
        yield Finding(
            os.path.basename(model.path), f"op {name!r}",
            f"is not in modtf's vocabulary, but used {ops[name]} times; functions fail that come to it",
        )  # fmt: skip


def check_signatures(model: OpenedModel) -> Iterator[Finding]:
    """Signatures whose tensors no node gives."""
    file = os.path.basename(model.path)
    nodes = {node.name for node in model.proto.graph_def.node}
    for name, signature in sorted(model.proto.signature_def.items()):
        for what, tensor in _tensors_of(signature):
            if source_of(tensor) not in nodes:
                yield Finding(file, f"signature {name!r}", f"its {what} is {tensor!r}, which no node gives")


def _tensors_of(signature: SignatureDef) -> Iterator[tuple[str, str]]:
    for way, infos in (("input", signature.inputs), ("output", signature.outputs)):
        for key in sorted(infos):
            for tensor in tensor_names(infos[key]):
                yield f"{way} {key!r}", tensor


def check_assets(model: OpenedModel) -> Iterator[Finding]:
    """Assets that are missing or leave the folder."""
    folder = model.folder / ASSETS
    for asset in model.proto.asset_file_def:
        file, part = f"{ASSETS}/{asset.filename}", "asset"
        try:
            path = (folder / asset.filename).resolve()
        except (OSError, ValueError) as error:
            yield Finding(file, part, f"is no name of a file: {error}")
            continue
        if not path.is_relative_to(folder.resolve()):
            yield Finding(file, part, "lies outside of the model's folder")
        elif not path.is_file():
            yield Finding(file, part, "is missing")


def check_variables(model: OpenedModel) -> Iterator[Finding]:
    """Data files that are missing, and tensors whose bytes do not have their checksum."""
    prefix = Path(variables_prefix(model.folder))
    index = f"{prefix.relative_to(model.folder)}.index"
    if not Path(f"{prefix}.index").exists():
        if any(node.WhichOneof("kind") == "variable" for node in model.proto.object_graph_def.nodes):
            yield Finding(index, "file", "is missing, but the model has variables")
        return
    try:
        bundle = BundleReader(prefix)
    except SavedModelError as error:
        yield Finding(index, "bundle", _relative(str(error), model))
        return
    for name in bundle:
        try:
            bundle.read(name)
        except SavedModelError as error:
            yield _finding(_relative(str(error), model), index, f"tensor {name!r}")


def _finding(message: str, file: str, part: str) -> Finding:
    """What an error says, which begins with the file and the part, perhaps of the index and then of a data file."""
    while True:
        begin, _, rest = message.partition(": ")
        if begin.startswith(f"{VARIABLES}{os.sep}"):
            file = begin
        elif begin != part:
            return Finding(file, part, message.removeprefix(f"{part} "))
        message = rest


def check_loading(model: OpenedModel) -> Iterator[Finding]:
    """Whatever else keeps the model from being loaded: objects that are not there, variables without values."""
    try:
        loaded: Any = load(model.folder, list(model.proto.meta_info_def.tags))
        for name in getattr(loaded, "signatures", ()):
            _ = loaded.signatures[name].graph  # made when it is first asked for
    except SavedModelError as error:
        file = os.path.basename(model.path)
        yield Finding(file, "model", _relative(str(error), model).removeprefix(f"{file}: "))


def _relative(reason: str, model: OpenedModel) -> str:
    return reason.replace(f"{model.folder}{os.sep}", "")


def check(model: OpenedModel) -> list[Finding]:
    """Returns all that is wrong with a model, each thing once."""
    findings = [*check_graph(model), *check_signatures(model)]
    if not findings:  # else the same would be found again, in other words
        findings += check_functions(model)
    findings += [*check_ops(model), *check_assets(model), *check_variables(model)]
    if not findings:
        findings += check_loading(model)
    return list(dict.fromkeys(findings))
