"""Puts the table of ops into `docs/ops.md` while mkdocs builds it, so that nothing generated is kept."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

PAGE = "ops.md"
COUNTS, TABLE = "<!-- counts -->", "<!-- table of ops -->"


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Called by mkdocs for each page, with what is written in its file."""
    return filled(markdown) if page.file.src_uri == PAGE else markdown


def filled(markdown: str) -> str:
    """Returns the page's text with counts and tables in their places."""
    ops, backends = all_ops(), other_backends()
    families = defaultdict(list)
    for op in ops:
        families[family_of(op)].append(op)
    tables = "\n\n".join(section(family, families[family], backends) for family in sorted(families))
    return markdown.replace(COUNTS, counts(ops, backends)).replace(TABLE, tables)


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
    """The module where an op stands: its kernel's, or that which names it where the array namespace has the kernel."""
    if callable(op.kernel):
        return str(op.kernel.__module__)
    folder = Path(importlib.import_module("modtf.core.ops").__file__ or "").parent
    files = (file for file in sorted(folder.rglob("*.py")) if re.search(rf'"{op.name}\W', file.read_text()))
    return ".".join(["modtf.core.ops", *next(files).relative_to(folder).with_suffix("").parts])


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


def section(family: str, ops: list[Any], backends: dict[str, Any]) -> str:
    """A family's heading, what its file says of it, and its table."""
    about = (importlib.import_module(family).__doc__ or "").partition("\n\n")[0]
    rows = [f"| `{op.text}` | {gradient(op)} | {where(op, backends)} | {needs(op)} |" for op in ops]
    heading = "## " + family.removeprefix("modtf.core.ops.").replace("_", " ").replace(".", ": ").capitalize()
    return "\n".join([heading, "", about, "", "| Op | Gradient | Runs | Needs |", "|---|---|---|---|", *rows])


def gradient(op: Any) -> str:
    if not op.has_gradient_rule:
        return "no"
    return "none flows" if op.gradient_rule is None else "yes"


def where(op: Any, backends: dict[str, Any]) -> str:
    own = [name for name, backend in backends.items() if op.name in backend.kernels]
    return ", ".join(["host" if op.host_only else "any", *(f"{name}'s own" for name in own)])


def needs(op: Any) -> str:
    return f"`modtf-core[{op.extra}]`" if op.extra else ""
