"""What the page of differences says is not there, is not there."""

import re
from pathlib import Path

import pytest

from modtf import core as tf

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"


def names_in(item):
    """The names in code in an item of the list of what is not there."""
    text = PAGE.read_text().partition("## Not there\n")[2].partition("\n## ")[0]
    return re.findall(r"`([\w.]+)`", text.partition(f"- **{item}.**")[2].partition("\n- **")[0])


@pytest.mark.parametrize("name", names_in("Ops"))
def test_an_op_is_not_there(name):
    assert name not in dir(tf.raw_ops)


@pytest.mark.parametrize("name", [*names_in("Namespaces"), *names_in("Classes")])
def test_a_name_is_not_there(name):
    found = tf
    with pytest.raises(AttributeError):
        for part in name.removeprefix("tf.").split("."):
            found = getattr(found, part)


@pytest.mark.parametrize("name", names_in("Datasets"))
def test_a_method_of_datasets_is_not_there(name):
    assert not hasattr(tf.data.Dataset, name)


@pytest.mark.parametrize("name", names_in("Layers"))
def test_a_layer_is_not_there(name):
    assert not hasattr(tf.keras.layers, name)
