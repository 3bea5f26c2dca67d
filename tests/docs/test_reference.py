"""The reference has a page for each namespace, and on it all that the namespace holds, described in one place."""

import functools
import importlib
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "docs" / "tools" / "reference.py"


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(reference):
    return reference.all_pages()


def descriptions(text):
    """The paths of what a page describes, by the names that it gives them."""
    return {
        name: path for path, name in re.findall(r"^::: (\S+)\n    options:\n      heading: (\S+)$", text, re.MULTILINE)
    }


def test_every_namespace_has_a_page(reference, pages):
    names = set(reference.namespaces())
    assert names >= {
        "tf", "tf.config", "tf.data", "tf.data.experimental", "tf.distribute", "tf.io.gfile", "tf.layers.optimizers",
        "tf.linalg.experimental", "tf.lookup", "tf.ragged", "tf.sparse", "tf.strings", "tf.train", "modtf.core.contracts",
    }  # fmt: skip
    assert not names & {"tf.api", "tf.engine", "tf.ops", "tf.values", "tf.keras", "tf.raw_ops"}
    assert set(pages) == {reference.INDEX, *map(reference.path_of, names)}
    assert all(f"`{name}`" in pages[reference.INDEX] for name in names)


def test_every_name_stands_on_its_page(reference, pages):
    for namespace, module in reference.namespaces().items():
        text = pages[reference.path_of(namespace)]
        found = descriptions(text)
        for name, value in reference.public(module).items():
            full = f"{namespace}.{name}"
            if not isinstance(value, ModuleType):
                assert full in found or f"[`{name}`][" in text or f"`{full}" in text, full


def test_what_is_described_is_there_and_says_what_it_is(pages):
    seen = {}
    for text in pages.values():
        for name, path in descriptions(text).items():
            assert path not in seen, f"{path} is described as {seen.get(path)} and as {name}"
            seen[path] = name
            value = resolve(path)
            assert value.__doc__ if inspect.isclass(value) else inspect.getdoc(value), path
    assert seen["modtf.core.api.elementwise.add"] == "tf.math.add"
    assert seen["modtf.hub.keras_layer.KerasLayer"] == "tf.hub.KerasLayer"
    assert seen["modtf.core.values.variables.Variable"] == "tf.Variable"


def resolve(path):
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, parts[end:], module)
    raise AssertionError(f"nothing is called {path}")
