"""Puts the table of ops into `docs/ops.md` while mkdocs builds it, so that nothing generated is kept."""

from __future__ import annotations

import functools
import importlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

PAGE = "ops.md"
COUNTS, TABLE = "<!-- counts -->", "<!-- table of ops -->"
CONTROL = "modtf.core.ops.control"  # calls of functions are shown here, though they stand in the engine


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Called by mkdocs for each page, with what is written in its file."""
    return filled(markdown) if page.file.src_uri == PAGE else markdown


def filled(markdown: str) -> str:
    """Returns the page's text with counts and tables in their places."""
    ops, backends = all_ops(), other_backends()
    folders: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for op in ops:
        family = family_of(op)
        folder = CONTROL if family.startswith("modtf.core.engine.") else family.rpartition(".")[0]
        folders[folder][family].append(op)
    chapters = sorted((chapter(folder, families, backends) for folder, families in folders.items()), key=str.lower)
    return markdown.replace(COUNTS, counts(ops, backends)).replace(TABLE, "\n\n".join(chapters))


def all_ops() -> list[Any]:
    """Every op of core's vocabulary, by name; ops that others have added stand elsewhere."""
    from modtf.core import raw_ops
    from modtf.core.contracts import get_op

    ops = [get_op(name) for name in dir(raw_ops)]
    return [op for op in ops if not callable(op.kernel) or op.kernel.__module__.startswith("modtf.core.")]


def other_backends() -> dict[str, Any]:
    """The installed backends that bring kernels of their own."""
    from modtf.core import config
    from modtf.core.contracts import get_backend

    found = {name: get_backend(name) for name in config.list_backends()}
    return {name: backend for name, backend in found.items() if backend.kernels}


def family_of(op: Any) -> str:
    """The module where an op stands: its schema's, else its kernel's, else that which names it."""
    for family, text in sources().items():
        if re.search(rf'"{op.name}[\[(]', text):
            return family
    if callable(op.kernel):
        return str(op.kernel.__module__)
    # What the array namespace computes by itself is arithmetic.
    arithmetic = {family: text for family, text in sources().items() if family.startswith("modtf.core.ops.math.")}
    return next(family for family, text in arithmetic.items() if re.search(rf'"{op.name}\W', text))


@functools.cache
def sources() -> dict[str, str]:
    """The source code of each family, by its module's name."""
    folder = Path(importlib.import_module("modtf.core.ops").__file__ or "").parent
    files = sorted(folder.glob("*/*.py"))
    return {f"modtf.core.ops.{file.parent.name}.{file.stem}": file.read_text(encoding="utf-8") for file in files}


def counts(ops: list[Any], backends: dict[str, Any]) -> str:
    """What there is how often, as a list."""
    lines = {
        "ops": len(ops),
        "with a gradient": sum(gradient(op) == "yes" for op in ops),
        "through which no gradient flows by definition": sum(gradient(op) == "none flows" for op in ops),
        "without a gradient rule": sum(gradient(op) == "no" for op in ops),
        "computed on any backend's arrays": sum(not op.host_only for op in ops),
        "computed on the host": sum(op.host_only for op in ops),
        "that need an extra": sum(op.extra is not None for op in ops),
    }
    for name, backend in backends.items():
        lines[f"for which the backend `{name}` has a kernel of its own"] = sum(op.name in backend.kernels for op in ops)
    return "\n".join(f"- {count} {what}" for what, count in lines.items())


def chapter(folder: str, families: dict[str, list[Any]], backends: dict[str, Any]) -> str:
    """A folder's heading, what it says of itself, and its families."""
    name = folder.rpartition(".")[2]
    by_name = sorted(families, key=lambda family: family.rpartition(".")[2])
    sections = [section(name, family, families[family], backends) for family in by_name]
    about = first_sentence(folder) + f" {sum(map(len, families.values()))} ops."
    return "\n\n".join([heading(2, TITLES.get(name, name.capitalize()), name), about, *sections])


TITLES = {
    "array": "Arrays", "control": "Control flow and effects", "files": "Files and tables",
    "image": "Images", "linalg": "Linear algebra", "math": "Mathematics", "nn": "Neural networks",
    "ragged": "Ragged tensors", "random": "Random numbers", "sparse": "Sparse tensors", "state": "Variables",
}  # fmt: skip
"""What folders of ops are called on the page, where it is not their names."""


def section(folder: str, family: str, ops: list[Any], backends: dict[str, Any]) -> str:
    """A family's heading, what its file says of it, and its table."""
    name = family.rpartition(".")[2]
    rows = [f"| `{op.text}` | {gradient(op)} | {where(op, backends)} | {needs(op)} |" for op in ops]
    title = name.upper() if name == "ctc" else name.replace("_", " ").capitalize()
    table = "\n".join(["| Op | Gradient | Runs | Needs |", "|---|---|---|---|", *rows])
    return "\n\n".join([heading(3, title, f"{folder}-{name}"), first_sentence(family), table])


def heading(level: int, title: str, anchor: str) -> str:
    return f"{'#' * level} {title} {{ #{anchor.replace('_', '-')} }}"


def first_sentence(module: str) -> str:
    """What a module says of itself in its docstring's first paragraph."""
    return (importlib.import_module(module).__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def gradient(op: Any) -> str:
    if not op.has_gradient_rule:
        return "no"
    return "none flows" if op.gradient_rule is None else "yes"


def where(op: Any, backends: dict[str, Any]) -> str:
    own = [name for name, backend in backends.items() if op.name in backend.kernels]
    return ", ".join(["host" if op.host_only else "any", *(f"{name}'s own" for name in own)])


def needs(op: Any) -> str:
    return f"`modtf-core[{op.extra}]`" if op.extra else ""
