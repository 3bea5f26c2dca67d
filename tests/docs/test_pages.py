"""The Python on every documentation page runs, from top to bottom."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from modtf import core as tf

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "packages").glob("*/README.md"))]
NEEDS_THE_WEB = ROOT / "packages" / "hub" / "README.md"


def program(page):
    """The page's blocks as one program, in the lines where they stand on the page, for errors to name these."""
    lines, inside = [], False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        lines.append(line if inside else "")
    return "\n".join(lines) + "\n"


def name_of(page):
    return str(page.relative_to(ROOT)).removesuffix(".md")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if program(page).strip() and page != NEEDS_THE_WEB], ids=name_of
)  # fmt: skip
def test_a_page_runs(page, tmp_path, monkeypatch):
    """As a module in a file, since AutoGraph reads the source code of functions."""
    monkeypatch.chdir(tmp_path)
    name = "page_" + re.sub(r"\W", "_", name_of(page))
    file = tmp_path / f"{name}.py"
    file.write_text(program(page))
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    backend = tf.config.get_backend()
    try:
        spec.loader.exec_module(module)
    finally:
        tf.config.set_backend(backend)
