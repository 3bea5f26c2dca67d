"""Runs the code cells of notebooks one after the other, and says which of them fail: what `guides.py` starts.

    python run_cells.py tensorflow|modtf NOTEBOOK ...

Prints one JSON object: for each notebook, for each of its code cells `null`, or the error that it ended with.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

CELL_SECONDS = 180


def code_cells(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells, without the lines that speak to the shell or to IPython.

    A cell of which nothing but comments remains is the empty string.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    kept = [
        "\n".join("" if line.lstrip().startswith(("!", "%")) else line for line in source.split("\n"))
        for source in sources
    ]
    return [source if _has_statements(source) else "" for source in kept]


def _has_statements(source: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in source.split("\n"))


def stand_in() -> None:
    """Makes `import tensorflow` give modtf's core, and `import keras` its layers."""
    core: Any = importlib.import_module("modtf.core")
    sys.modules["tensorflow"] = core
    for name in ("keras", "saved_model"):
        sys.modules[f"tensorflow.{name}"] = getattr(core, name)
    sys.modules["keras"] = core.keras


def run(notebook: Path) -> list[str | None]:
    """Runs a notebook in a namespace of its own; returns what each cell ended with."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    scope = module.__dict__
    scope["display"] = print
    outcomes: list[str | None] = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number, source in enumerate(code_cells(notebook)):
            path = Path(folder, f"cell_{number}.py")
            path.write_text(source, encoding="utf-8")  # AutoGraph reads the source of functions
            outcomes.append(_outcome(source, str(path), scope))
        os.chdir("/")
    return outcomes


def _outcome(source: str, path: str, scope: dict[str, Any]) -> str | None:
    signal.alarm(CELL_SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _execute(source, path, scope)
    except BaseException as error:
        message = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: {message[0][:200]}"
    finally:
        signal.alarm(0)
    return None


def _execute(source: str, path: str, scope: dict[str, Any]) -> None:
    """Runs a cell, and shows what its last line gives, as Jupyter does."""
    tree = ast.parse(source, path)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, path, "exec"), scope)
        return
    tree.body.pop()
    exec(compile(tree, path, "exec"), scope)
    value = eval(compile(ast.Expression(last.value), path, "eval"), scope)
    if value is not None:
        print(repr(value))


def _late(signum: int, frame: Any) -> None:
    raise TimeoutError(f"The cell ran for more than {CELL_SECONDS} s.")


def main(library: str, notebooks: list[str]) -> None:
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _late)
    if library == "modtf":
        stand_in()
    else:
        importlib.import_module(library)  # fails here, and not in every cell, where it is missing
    report = {name: run(Path(name).resolve()) for name in notebooks}
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
