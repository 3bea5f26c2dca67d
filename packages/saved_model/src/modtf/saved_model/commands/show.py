"""`modtf saved-model show`: what a model is made of."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from .describing import describe
from .opened import add_model_arguments, command_errors, open_model
from .text import count_text, shape_text, size_text, table

_DEPTH, _CHILDREN, _OPS, _MAX_DEPTH = 2, 12, 24, 100
"""How much of the tree and of the ops is shown unless all is asked for."""


def add_to(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "show",
        help="show signatures, objects, parameters and ops",
        description="Shows what a model is made of. Values of variables are not read, and nothing is run.",
    )
    add_model_arguments(parser)
    parser.add_argument("--all", action="store_true", help="show all objects, functions and ops")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> None:
    """Runs the command."""
    with command_errors():
        facts = describe(open_model(arguments))
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return
    sections = [
        _head(facts),
        _signatures(facts),
        _tree(facts, arguments.all),
        _functions(facts) if arguments.all else [],
        _ops(facts, arguments.all),
        _backends(facts),
        _assets(facts),
    ]
    print("\n\n".join("\n".join(lines) for lines in sections if lines))


def _head(facts: dict[str, Any]) -> list[str]:
    files, variables = facts["size"]["files"], facts["variables"]
    parameters = "none"
    if variables["count"]:
        trainable = f"{variables['trainable_parameters']:,} of them trainable"
        least = "+" if variables["without_shape"] else ""
        parameters = f"{variables['parameters']:,}{least} in {count_text(variables['count'], 'variable')}, {trainable}"
        parameters += f"; {size_text(variables['bytes'])}"
    elif variables["stored_tensors"]:
        stored = count_text(variables["stored_tensors"], "stored tensor")
        parameters = f"{stored}; {size_text(variables['stored_bytes'])}"
    rows = [
        ("tags", ", ".join(facts["tags"]) or "none"),
        ("written by", f"TensorFlow {facts['tensorflow_version']}" if facts["tensorflow_version"] else "unknown"),
        ("kind", "objects and functions" if facts["has_objects"] else "a graph of TensorFlow 1, without objects"),
        ("on disk", f"{size_text(facts['size']['bytes'])} in {count_text(len(files), 'file')}"),
        ("parameters", parameters),
    ]
    if facts["other_models"]:
        rows.insert(1, ("other models", "; ".join(", ".join(tags) or "none" for tags in facts["other_models"])))
    if variables["error"]:
        rows.append(("variables", f"unreadable: {variables['error']}"))
    return [facts["folder"], *table(rows)]


def _signatures(facts: dict[str, Any]) -> list[str]:
    lines = [] if facts["signatures"] else ["Signatures: none"]
    for signature in facts["signatures"]:
        rows = [
            (way, item["name"], item["dtype"], shape_text(item["shape"]), item.get("kind", ""))
            for way, items in (("in", signature["inputs"]), ("out", signature["outputs"]))
            for item in items
        ]
        lines += [f"Signature {signature['name']}", *(table(rows) if rows else [])]
    return lines


class _Tree:
    """The lines of the tree of objects: each object with what is below it, the first time that it is come to."""

    def __init__(self, objects: list[dict[str, Any]], everything: bool) -> None:
        self._objects = objects
        self._everything = everything
        self._paths: dict[int, str] = {}
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, number: int, name: str, path: str, depth: int) -> None:
        item = self._objects[number]
        label = f"{'  ' * depth}{name}"
        if number in self._paths:
            self.rows.append((label, f"see {self._paths[number] or 'the root'}", "", ""))
            return
        self._paths[number] = path
        variables = self._variables_below(number)
        counts = [variable["parameters"] for variable in variables]
        parameters = f"{sum(count or 0 for count in counts):,}{'+' if None in counts else ''}" if variables else ""
        size = size_text(sum(variable["bytes"] or 0 for variable in variables)) if variables else ""
        self.rows.append((label, self._text(item), parameters, size))
        children = list(item["children"].items())
        if depth >= _MAX_DEPTH or (item["kind"] in ("function", "signatures") and not self._everything):
            return
        if not self._everything and (depth >= _DEPTH or (depth > 0 and len(children) > _CHILDREN)):
            return
        if not self._everything and all(child_number in self._paths for _, child_number in children):
            return
        shown = children if self._everything else children[:_CHILDREN]
        for child, child_number in shown:
            self.add(child_number, child, f"{path}.{child}" if path else child, depth + 1)
        if len(shown) < len(children):
            self.rows.append((f"{'  ' * (depth + 1)}...", f"{len(children) - len(shown)} more", "", ""))

    def _text(self, item: dict[str, Any]) -> str:
        kind, count = item["kind"], len(item["children"])
        if kind == "variable":
            return f"{item['dtype']} {shape_text(item['shape'])}{'' if item['trainable'] else ', not trainable'}"
        if kind == "function":
            return f"function, {count_text(len(item['traces']), 'trace')}"
        if kind == "trace":
            return f"trace {item['function']}"
        if kind == "asset":
            return f"asset {item['file']}"
        if kind in ("list", "tuple", "dict", "signatures"):
            return f"{kind} of {count}"
        return item.get("registered_name") or item.get("class") or kind

    def _variables_below(self, number: int) -> list[dict[str, Any]]:
        left, seen, found = [number], {number}, []
        while left:
            item = self._objects[left.pop()]
            if item["kind"] == "variable":
                found.append(item)
            for child in item["children"].values():
                if child not in seen:
                    seen.add(child)
                    left.append(child)
        return found


def _tree(facts: dict[str, Any], everything: bool) -> list[str]:
    if not facts["objects"]:
        return []
    tree = _Tree(facts["objects"], everything)
    tree.add(0, "root", "", 0)
    return ["Objects", *table([("", "", "parameters", "size"), *tree.rows], right=(2, 3))]


def _functions(facts: dict[str, Any]) -> list[str]:
    def tensors(items: list[dict[str, Any]]) -> str:
        return ", ".join(
            f"{item['name']}: {item['dtype']}{'' if item.get('shape') is None else ' ' + shape_text(item['shape'])}"
            for item in items
        )

    lines = ["Functions"]
    for function in facts["functions"]:
        captured = f", {function['captured']} captured" if function["captured"] else ""
        lines.append(f"  {function['name']} ({count_text(function['nodes'], 'node')}{captured})")
        lines.append(f"    ({tensors(function['inputs'])}) -> ({tensors(function['outputs'])})")
    return lines if facts["functions"] else []


def _ops(facts: dict[str, Any], everything: bool) -> list[str]:
    ops = list(facts["ops"].items())
    shown = ops if everything else ops[:_OPS]
    if not shown:
        return ["Ops: none"]
    unknown = set(facts["unknown_ops"])
    cells = [f"{count:>6,}  {name}{' (unknown)' if name in unknown else ''}" for name, count in shown]
    height = -(-len(cells) // 3)
    columns = [cells[place : place + height] for place in range(0, len(cells), height)]
    rows = [[column[place] if place < len(column) else "" for column in columns] for place in range(height)]
    lines = [f"Ops: {count_text(sum(facts['ops'].values()), 'node')} of {count_text(len(ops), 'kind')}"]
    lines += table(rows, indent=0)
    return lines + ([f"     ... {len(ops) - len(shown)} kinds more (--all)"] if len(shown) < len(ops) else [])


def _backends(facts: dict[str, Any]) -> list[str]:
    rows = [
        (backend["name"], "runs it" if backend["runs"] else f"does not run all of it: {'; '.join(backend['reasons'])}")
        for backend in facts["backends"]
    ]
    return ["Backends", *table(rows)]


def _assets(facts: dict[str, Any]) -> list[str]:
    rows = [
        (asset["name"], "missing" if asset["bytes"] is None else size_text(asset["bytes"])) for asset in facts["assets"]
    ]
    return ["Assets", *table(rows)] if rows else []
