"""The table of ops can be made, and names every op of the vocabulary in one place."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modtf.core.contracts import get_op

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("table_of_ops", DOCS / "tools" / "table_of_ops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.filled((DOCS / module.PAGE).read_text())


@pytest.fixture(scope="module")
def names():
    """Core's ops, by a process of its own: to this one, other tests may have added more."""
    program = "from modtf.core import raw_ops; print(*dir(raw_ops))"
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()


def rows(page):
    return re.findall(r"^\| `(\w+)[\[(].* \| ([\w ]+) \| ([\w, ']+) \| (.*) \|$", page, flags=re.MULTILINE)


def test_each_op_has_one_row(page, names):
    assert sorted(name for name, *_ in rows(page)) == names
    assert f"- {len(names)} ops" in page


def test_rows_say_what_the_registry_says(page, names):
    said = {name: others for name, *others in rows(page)}
    assert said["MatMul"][0] == "yes"
    assert said["Greater"][0] == "none flows"
    assert said["StringLower"][1] == "host"
    assert said["MatrixLogarithm"][2] == "`modtf-core[scipy]`"
    assert {name for name, others in said.items() if others[2]} == {name for name in names if get_op(name).extra}


@pytest.mark.parametrize(
    ("op", "chapter", "family"),
    [
        ("Relu", "Neural networks", "Activations"), ("Abs", "Mathematics", "Elementwise"),
        ("Square", "Mathematics", "Elementwise"), ("BitwiseAnd", "Mathematics", "Bitwise"),
        ("BatchCholesky", "Linear algebra", "Batch matrices"), ("PartitionedCall", "Control flow and effects", "Calls"),
    ],
)  # fmt: skip
def test_ops_stand_under_their_family(page, op, chapter, family):
    ops_of_chapter = page.partition(f"\n## {chapter} {{")[2].partition("\n## ")[0]
    ops_of_family = ops_of_chapter.partition(f"\n### {family} {{")[2].partition("\n### ")[0]
    assert re.search(rf"^\| `{op}[\[(]", ops_of_family, flags=re.MULTILINE)


def test_headings_have_different_anchors(page):
    anchors = re.findall(r"\{ #(\S+) \}$", page, flags=re.MULTILINE)
    assert anchors and len(set(anchors)) == len(anchors)
