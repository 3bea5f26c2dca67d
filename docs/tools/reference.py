"""Makes the reference's pages while mkdocs builds the documentation: one for each namespace, from what it holds.

What stands in several namespaces is described in one of them, and the others refer to it.
"""

from __future__ import annotations

import inspect
from types import ModuleType, SimpleNamespace
from typing import Any

FOLDER, TITLE = "reference", "Reference"
INDEX = f"{FOLDER}/index.md"


def on_config(config: Any) -> None:
    """Called by mkdocs first: puts the pages behind the others in the navigation."""
    pages = [{name: path_of(name)} for name in namespaces()]
    config.nav.append({TITLE: [INDEX, *pages]})


def on_files(files: Any, config: Any) -> None:
    """Called by mkdocs with the files that it found: adds the pages."""
    from mkdocs.structure.files import File

    for path, text in all_pages().items():
        files.append(File.generated(config, path, content=text))


def namespaces() -> dict[str, ModuleType]:
    """Every namespace that programs name, by its name, `tf` first."""
    from modtf import core
    from modtf.core import contracts

    found = {"tf": core}
    for name, value in public(core).items():
        if isinstance(value, ModuleType) and name not in ("raw_ops", "keras"):
            _add(f"tf.{name}", value, found)
    _add("tf.config", core.config, found)  # a file of core that is a namespace, too
    found["modtf.core.contracts"] = contracts
    order = sorted(found, key=lambda name: (not name.startswith("tf"), name.lower()))
    return {name: found[name] for name in order}


def _add(name: str, module: ModuleType, found: dict[str, ModuleType]) -> None:
    found[name] = module
    for part, value in public(module).items():
        if isinstance(value, ModuleType) and value not in found.values():
            _add(f"{name}.{part}", value, found)


def public(module: ModuleType) -> dict[str, Any]:
    """What a namespace offers: `__all__` and what is loaded when first asked for; without `__all__`, what `dir` says."""
    names = [name for name in dir(module) if not name.startswith("_")]
    if hasattr(module, "__all__"):
        lazy = sorted({*names} - bound_by(module)) if "__dir__" in vars(module) else []
        names = list(dict.fromkeys([*module.__all__, *lazy, *NOT_LISTED.get(module.__name__, ())]))
    values = ((name, getattr(module, name)) for name in names)
    return {name: value for name, value in values if name == "experimental" or not _is_part(value, name, module)}


def bound_by(module: ModuleType) -> set[str]:
    """The names that a module's own statements use and bind: its imports and definitions."""
    return set(compile(inspect.getsource(module), module.__name__, "exec").co_names)


NOT_LISTED = {"modtf.hub": ("KerasLayer",)}
"""What `__all__` leaves out, since it is there only together with another package."""


def _is_part(value: Any, name: str, module: ModuleType) -> bool:
    """Whether a name in a package is no more than one of its files, which `__all__` would have named."""
    listed = name in getattr(module, "__all__", ())
    return isinstance(value, ModuleType) and not listed and value.__name__ == f"{module.__name__}.{name}"


def path_of(namespace: str) -> str:
    """The page of a namespace."""
    return f"{FOLDER}/{namespace.removeprefix('tf.').replace('.', '_')}.md"


def all_pages() -> dict[str, str]:
    """Returns each page's text by its path."""
    found = namespaces()
    homes: dict[int, str] = {}  # of each function and class, the name under which it is described
    for name, value in public(found["tf"]).items():
        if inspect.isclass(value) and is_described(value):
            homes[id(value)] = f"tf.{name}"
    for namespace in sorted(found, key=_rank):
        for name, value in public(found[namespace]).items():
            if is_described(value):
                homes.setdefault(id(value), f"{namespace}.{name}")
    pages = {path_of(namespace): page(namespace, module, homes) for namespace, module in found.items()}
    return {INDEX: index(found), **pages}


def _rank(namespace: str) -> tuple[bool, bool, bool, int]:
    """Where functions that stand in several namespaces are described: `tf.add` is an abbreviation of `tf.math.add`."""
    return (not namespace.startswith("tf"), namespace == "tf", "experimental" in namespace, -namespace.count("."))


def is_described(value: Any) -> bool:
    """Whether something has a description of its own: functions and classes, unless they are made by other projects."""
    module = getattr(value, "__module__", None) or ""
    is_ours = module.startswith("modtf.") and not module.endswith("_pb2")
    return is_ours and (inspect.isclass(value) or inspect.isfunction(value))


def index(found: dict[str, ModuleType]) -> str:
    """The page that names all others."""
    links = {name: f"[`{name}`]({path_of(name).removeprefix(FOLDER + '/')})" for name in found}
    rows = [f"| {link} | {about(found[name])} |" for name, link in links.items()]
    return "\n".join([f"# {TITLE}", "", INTRODUCTION, "", "| Namespace | Is |", "|---|---|", *rows])


INTRODUCTION = """Everything that programs name, by namespace. `tf` is `modtf.core`:

```
from modtf import core as tf
```

Names, arguments and defaults are TensorFlow's (in `tf.layers`, Keras 3's). `tf.keras` is another name of `tf.layers`, and
`tf.raw_ops` has the [ops](../ops.md)."""


def about(module: ModuleType) -> str:
    """The first sentence that a module says of itself."""
    return (module.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def page(namespace: str, module: ModuleType, homes: dict[int, str]) -> str:
    """A namespace's page: what it says of itself, its functions and classes, and what else it holds."""
    described, elsewhere, others = [], [], []
    for name, value in sorted(public(module).items(), key=lambda item: item[0].lower()):
        full = f"{namespace}.{name}"
        if not is_described(value):
            others += [] if isinstance(value, ModuleType) else values_in(full, value)
            continue
        home, path = homes[id(value)], where_defined(value, f"{module.__name__}.{name}")
        if home == full:
            described.append(directive(full, path, inherited(value, homes)))
        else:
            elsewhere.append(f"[`{name}`][{path}]" + ("" if home.endswith(f".{name}") else f" (`{home}`)"))
    parts = [f"# {namespace}", inspect.getdoc(module) or "", *described]
    if elsewhere:
        parts += ["## Also here", "Described in other namespaces: " + ", ".join(elsewhere) + "."]
    if others:
        parts += ["## Values", ", ".join(f"`{name}`" for name in others) + "."]
    return "\n\n".join(parts)


def values_in(name: str, value: Any) -> list[str]:
    """The names of a value, and of all in it if it is a collection of names."""
    return [f"{name}.{part}" for part in vars(value)] if isinstance(value, SimpleNamespace) else [name]


def where_defined(value: Any, default: str) -> str:
    """The path by which the source code finds a function or class."""
    module = inspect.getmodule(value)
    return f"{value.__module__}.{value.__qualname__}" if getattr(module, value.__qualname__, None) is value else default


def inherited(value: Any, homes: dict[int, str]) -> list[str]:
    """What a class has from bases that are described nowhere."""
    if not inspect.isclass(value):
        return []
    elsewhere = {part for base in value.__mro__[1:] if id(base) in homes for part in base.__mro__}
    bases = [base for base in value.__mro__[1:] if base not in elsewhere and base.__module__.startswith("modtf.")]
    names = {name for base in bases for name in vars(base) if not name.startswith("_")} - set(vars(value))
    return sorted(name for name in names if inspect.getdoc(inspect.getattr_static(value, name)))


def directive(name: str, path: str, inherited_members: list[str]) -> str:
    """What mkdocstrings replaces by the description of a function or class."""
    options = {"heading": name, "toc_label": name.rpartition(".")[2]}
    if inherited_members:
        options["inherited_members"] = f"[{', '.join(inherited_members)}]"
    lines = (f"      {option}: {value}" for option, value in options.items())
    return "\n".join([f"::: {path}", "    options:", *lines])
