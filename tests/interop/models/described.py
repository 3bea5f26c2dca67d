"""How the models are described that TensorFlow writes and modtf reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf


class Call(NamedTuple):
    """A call to compare: of what stands at a path of names and places below the loaded object."""

    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Sparse(NamedTuple):
    """A sparse tensor as an argument, for either library."""

    indices: Any
    values: Any
    dense_shape: Any


class Ragged(NamedTuple):
    """A ragged tensor as an argument, for either library."""

    values: Any
    row_splits: Any


@dataclass
class Written:
    """A model that can be saved.

    Attributes:
        root: The object.
        calls: What to compare of it, in this order. Signatures and traces that no call names get arguments by chance.
        signatures: What `tf.saved_model.save` takes as that.
        options: The same.
        save: Saves it, if `tf.saved_model.save` does not.
        sizes: For dimensions that a signature leaves open, how long to make them.
        integers: What numbers below which arguments by chance have.
        rtol: How far numbers may lie apart, relative to the largest of them.
    """

    root: Any
    calls: Sequence[Call] = ()
    signatures: Any = None
    options: Any = None
    save: Callable[[str], None] | None = None
    sizes: int = 2
    integers: int = 3
    rtol: float = 1e-5

    def write(self, folder: str) -> None:
        if self.save is not None:
            self.save(folder)
        else:
            tf.saved_model.save(self.root, folder, signatures=self.signatures, options=self.options)


@dataclass(frozen=True)
class Model:
    """A model of the table.

    Attributes:
        name: Its name.
        family: What the table counts it under.
        build: Makes it; takes a folder for files that it needs while it is made.
        large: Whether it is left out unless asked for.
        known: For backends, why the model is known to fail there.
        random: What to write the model for only: not what it computes, which is random.
    """

    name: str
    family: str
    build: Callable[[Path], Written]
    large: bool = False
    known: Mapping[str, str] = field(default_factory=dict)


MODELS: dict[str, Model] = {}


def add(name: str, family: str, build: Callable[[Path], Written], **options: Any) -> None:
    assert name not in MODELS, name
    MODELS[name] = Model(name, family, build, **options)


def model(family: str, **options: Any) -> Callable[[Any], Any]:
    """Adds a model to the table: a function that makes it, with a folder as its argument if it needs one."""

    def decorate(build: Any) -> Any:
        takes_folder = build.__code__.co_argcount > 0
        add(build.__name__, family, build if takes_folder else lambda folder: build(), **options)
        return build

    return decorate


def call(path: str, *args: Any, **kwargs: Any) -> Call:
    return Call(path, args, kwargs)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def spec(*dims: int | None, dtype: Any = tf.float32, name: str | None = None) -> Any:
    return tf.TensorSpec(dims, dtype, name)


def module(functions: Mapping[str, Any] | None = None, **attributes: Any) -> Any:
    """A `tf.Module` with these attributes."""
    made = tf.Module()
    for name, value in {**(functions or {}), **attributes}.items():
        setattr(made, name, value)
    return made


def pure(function: Callable[..., Any], *args: Any, **attributes: Any) -> Written:
    """A model of one function of tensors, which is called with these."""
    specs = [argument_spec(arg) for arg in args]
    root = module({"f": tf.function(function, input_signature=specs)}, **attributes)
    return Written(root, [call("f", *args)])


def argument_spec(value: Any) -> Any:
    """The spec of a call's argument, with an open first dimension."""
    if isinstance(value, Sparse):
        return tf.SparseTensorSpec([None] * len(value.dense_shape), tf.as_dtype(np.asarray(value.values).dtype))
    if isinstance(value, Ragged):
        return tf.RaggedTensorSpec([None, None], tf.as_dtype(np.asarray(value.values).dtype))
    value = np.asarray(value)
    dtype = tf.string if value.dtype.kind in "SUO" else tf.as_dtype(value.dtype)
    return tf.TensorSpec([None, *value.shape[1:]] if value.ndim else [], dtype)
