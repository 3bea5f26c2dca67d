"""Signatures: the functions that servers call by name, with named tensors in and out."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction, trace

from .errors import SavedModelError

DEFAULT_KEY = "serving_default"
"""The signature that is used if none is named."""

_DEFAULT_ATTRIBUTE = "_default_save_signature"


class SignatureMap(Mapping[str, ConcreteFunction]):
    """The signatures of a loaded model: for each name, a function of named tensors that gives a dict of tensors."""

    def __init__(self, functions: Mapping[str, ConcreteFunction]) -> None:
        self._functions = dict(functions)

    def __getitem__(self, name: str) -> ConcreteFunction:
        try:
            return self._functions[name]
        except KeyError:
            known = ", ".join(map(repr, self._functions)) or "none"
            raise KeyError(f"There is no signature {name!r}; the model has: {known}.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"SignatureMap({self._functions})"


def make_signatures(signatures: Any) -> SignatureMap:
    """Makes signatures of what the user gave for them.

    Args:
        signatures: a function with an `input_signature` or a concrete function, for the default signature; or a dict of
            them by name.

    Raises:
        SavedModelError: one of them cannot be a signature.
    """
    named = signatures if isinstance(signatures, Mapping) else {DEFAULT_KEY: signatures}
    wrapped: dict[int, ConcreteFunction] = {}  # a function under two names is one signature
    made: dict[str, ConcreteFunction] = {}
    for key, function in named.items():
        concrete = _concrete(function)
        if concrete is None:
            raise SavedModelError(
                f"The signature {key!r} is {function!r}. Give a tf.function with an input_signature, or what "
                "get_concrete_function() returns."
            )
        if id(concrete) not in wrapped:
            wrapped[id(concrete)] = _wrap(concrete, key, getattr(function, "__name__", ""))
        made[key] = wrapped[id(concrete)]
    return SignatureMap(made)


def find_default(children: Mapping[str, Any]) -> Any:
    """Returns the function to make the default signature of when the user gave none: the only one that can be.

    Args:
        children: the root object's functions and other children, by name.
    """
    if _DEFAULT_ATTRIBUTE in children:
        return children[_DEFAULT_ATTRIBUTE]
    possible: list[ConcreteFunction] = []
    for child in children.values():
        concrete = _concrete(child)
        if concrete is not None and concrete.outputs and _named_outputs(concrete.structured_outputs) is not None:
            possible.append(concrete)
    return possible[0] if len(possible) == 1 else None


def tensor_names(concrete: ConcreteFunction) -> list[str]:
    """Returns the names by which a function's tensors are given, in their order."""
    count = len(concrete.graph.inputs) - len(concrete.captured_inputs)
    return [tensor.node.name for tensor in concrete.graph.inputs[:count]]


def _concrete(function: Any) -> ConcreteFunction | None:
    if isinstance(function, ConcreteFunction):
        return function
    if hasattr(function, "is_traced_function") and function.input_signature is not None:
        return function.get_concrete_function()
    return None


def _wrap(concrete: ConcreteFunction, key: str, name: str) -> ConcreteFunction:
    """A function that takes keywords and gives a dict."""
    names = tensor_names(concrete)
    if any(tensor.dtype is tf.resource for tensor in concrete.graph.inputs[: len(names)]):
        raise SavedModelError(f"The signature {key!r} takes a variable as its argument; signatures take tensors only.")
    keywords = [name for name in names if keyword.iskeyword(name)]
    if keywords:
        raise SavedModelError(
            f"The signature {key!r} has an argument {keywords[0]!r}, which TensorFlow could not load, since it is a keyword "
            "of Python. Give its TensorSpec another name."
        )
    if not concrete.outputs or _named_outputs(concrete.structured_outputs) is None:
        raise SavedModelError(
            f"The signature {key!r} gives {concrete.structured_outputs!r}. A signature gives a tensor or composite tensor, "
            "a list or tuple of them, or a dict of them by string."
        )

    def signature_wrapper(**tensors: tf.Tensor) -> Any:
        return _named_outputs(concrete.call_flat([tensors[name] for name in names]))

    specs = {
        name: tf.TensorSpec(tensor.shape, tensor.dtype, name)
        for name, tensor in sorted(zip(names, concrete.graph.inputs, strict=False), key=lambda item: item[0])
    }
    return trace(signature_wrapper, (), specs, f"signature_wrapper_{name}" if name else "signature_wrapper")


def _named_outputs(outputs: Any) -> dict[str, Any] | None:
    """What a function gives as a dict of tensors by name, or None if it is nothing of the kind."""
    if hasattr(outputs, "_asdict"):
        outputs = outputs._asdict()
    elif not isinstance(outputs, Mapping):
        items = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        outputs = {f"output_{number}": item for number, item in enumerate(items)}
    fits = all(isinstance(key, str) and _is_tensor(item) for key, item in outputs.items())
    return dict(outputs) if fits else None


def _is_tensor(item: Any) -> bool:
    return isinstance(item, (tf.Tensor, tf.TypeSpec)) or hasattr(item, "type_spec")
