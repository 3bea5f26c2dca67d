"""Models of modtf that are written for TensorFlow's readers: how they are described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from modtf import core as tf

ALL = frozenset({"load", "session", "hub", "keras", "tf_keras"})
"""The readers that every model is given to, unless it says otherwise."""


class Ragged(NamedTuple):
    """A ragged argument, with the library's own tensor in its place when it is given."""

    rows: list[Any]
    dtype: Any = None


class Sparse(NamedTuple):
    """A sparse argument, likewise."""

    indices: list[list[int]]
    values: list[Any]
    dense_shape: list[int]


Call = tuple[str, tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Model:
    """A model to write.

    Attributes:
        module: The object.
        calls: For functions by their paths from the object, the arguments to compare them with.
        signatures: What to give `save`.
        requests: For each signature, the named arguments to compare it with.
        options: How to save it.
    """

    module: Any
    calls: list[Call] = field(default_factory=list)
    signatures: Any = None
    requests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    options: Any = None


@dataclass(frozen=True)
class Described:
    """A function that makes a model, and who is to read it.

    Attributes:
        make: The function; it is given an empty folder for files that the model needs.
        family: What the model is about.
        name: The model's name.
        readers: The names of the readers.
    """

    make: Callable[[Any], Model]
    family: str
    name: str
    readers: frozenset[str]


MODELS: dict[str, Described] = {}


def model(
    family: str, also: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> Callable[[Callable[[Any], Model]], Callable[[Any], Model]]:
    """Adds a model to the table of all.

    Args:
        family: What it is about.
        also: Readers besides those of every model, such as "lite".
        without: Those which cannot read it whoever writes it.
    """

    def add(make: Callable[[Any], Model]) -> Callable[[Any], Model]:
        name = make.__name__
        MODELS[name] = Described(make, family, name, (ALL | set(also)) - set(without))
        return make

    return add


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def text(*items: str) -> np.ndarray:
    return np.array([item.encode() for item in items], object)


def spec(shape: Any, dtype: Any = tf.float32, name: str | None = None) -> Any:
    return tf.TensorSpec(shape, dtype, name)


def function_model(function: Callable[..., Any], specs: list[Any], args: tuple[Any, ...], **holds: Any) -> Model:
    """A module with one function, its only signature; the rest are its attributes.

    Args:
        function: Takes the module and the arguments.
        specs: What the arguments are, with names.
        args: Arguments to compare it with. A composite one is no request's.
        holds: The module's attributes.
    """

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, item in holds.items():
                setattr(self, name, item)
            self.run = tf.function(lambda *args: function(self, *args), input_signature=specs)

    module = Module()
    request = {item.name: array for item, array in zip(specs, args, strict=True) if isinstance(item, tf.TensorSpec)}
    requests = {"serving_default": request} if len(request) == len(specs) else {}
    return Model(module, [("run", args, {})], {"serving_default": module.run}, requests)
