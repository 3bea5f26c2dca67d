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
    for name in sorted(dir(core)):
        value = getattr(core, name)
        # Core's folders and files are attributes, too; of those only `config` is meant.
        inside = isinstance(value, ModuleType) and value.__name__ == f"{core.__name__}.{name}" and name != "config"
        if isinstance(value, ModuleType) and not name.startswith("_") and not inside and name not in ("raw_ops", "keras"):
            _add(f"tf.{name}", value, found)
    found["modtf.core.contracts"] = contracts
    return found


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
    values = {name: getattr(module, name) for name in names}
    return {name: value for name, value in values.items() if name == "experimental" or not _is_part(value, name, module)}


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
    for namespace in sorted(found, key=_rank):
        for name, value in public(found[namespace]).items():
            if is_described(value):
                homes.setdefault(id(value), f"{namespace}.{name}")
    pages = {path_of(namespace): page(namespace, module, homes) for namespace, module in found.items()}
    return {INDEX: index(found), **pages}


def _rank(namespace: str) -> tuple[bool, bool, bool, int]:
    """Where what stands in several namespaces is described: `tf.add` is an abbreviation of `tf.math.add`."""
    return (not namespace.startswith("tf"), namespace == "tf", "experimental" in namespace, -namespace.count("."))


def is_described(value: Any) -> bool:
    """Whether something has a description of its own: functions and classes, unless they are made by other projects."""
    is_ours = getattr(value, "__module__", "").startswith("modtf.") and not value.__module__.endswith("_pb2")
    return is_ours and (inspect.isclass(value) or inspect.isfunction(value))


def index(found: dict[str, ModuleType]) -> str:
    """The page that names all others."""
    rows = [f"| [`{name}`]({path_of(name).removeprefix(FOLDER + '/')}) | {about(module)} |" for name, module in found.items()]
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
        elif homes[id(value)] == full:
            described.append(directive(full, where_defined(value, f"{module.__name__}.{name}")))
        else:
            home = homes[id(value)]
            elsewhere.append(f"[`{name}`][{where_defined(value, home)}]" + ("" if home.endswith(f".{name}") else f" (`{home}`)"))
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


def directive(name: str, path: str) -> str:
    """What mkdocstrings replaces by the description of a function or class."""
    return f"::: {path}\n    options:\n      heading: {name}\n      toc_label: {name.rpartition('.')[2]}"
