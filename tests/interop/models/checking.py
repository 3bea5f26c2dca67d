"""Comparing what a loaded model computes with what TensorFlow computes of the same files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as oracle
from described import Call, Model, Ragged, Sparse, Written
from google.protobuf import text_format
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.saved_model import nested_structure_coder

from modtf import core as tf
from modtf import saved_model

WORDS = np.array([b"alpha", b"beta", b"gamma", b"", b"delta beta"], object)
RANDOM = ("Random", "Multinomial", "TruncatedNormal", "StatelessRandomGetAlg", "ParameterizedTruncatedNormal")
OF_RESOURCES = ("_create_resource", "_initialize", "_destroy_resource")


@dataclass
class Saved:
    """A model that TensorFlow has written, with the calls to compare and what TensorFlow's loader gives for them."""

    written: Written
    folder: str
    calls: list[Call]
    expected: list[Any]


def write(model: Model, folder: Path) -> Saved:
    """Writes a model, and has TensorFlow load and call it."""
    folder.mkdir()
    oracle.keras.backend.clear_session()
    written = model.build(folder)
    path = str(folder / "model")
    written.write(path)
    loaded = oracle.saved_model.load(path)
    saved = Saved(written, path, [], [])
    for number, item in enumerate([*written.calls, *_further_calls(path, written)]):
        try:
            answer = leaves(_answer(oracle, loaded, item))
        except Exception as error:
            if number >= len(written.calls) and not item.path.startswith("signatures."):
                continue  # arguments by chance, which the function does not take
            error.add_note(f"in {_shown(item)}, loaded by TensorFlow")
            raise
        saved.calls.append(item)
        saved.expected.append(answer)
    return saved


def compare(saved: Saved, backend: str) -> int:
    """Loads a model and compares; returns how many calls were compared."""
    with tf.backend(backend), warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = saved_model.load(saved.folder)
        for item, expected in zip(saved.calls, saved.expected, strict=True):
            try:
                assert_same(leaves(_answer(tf, loaded, item)), expected, saved.written.rtol)
            except Exception as error:
                error.add_note(f"in {_shown(item)}, loaded by modtf on {backend}")
                raise
    return len(saved.calls)


# --- what to call ----------------------------------------------------------------------------------------------------


def _further_calls(folder: str, written: Written) -> Iterator[Call]:
    """Calls, with arguments by chance, of the functions that no given call names."""
    graph = read_proto(folder).meta_graphs[0]
    named = {item.path for item in written.calls}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    concrete = graph.object_graph_def.concrete_functions
    for path, names in sorted(_function_paths(graph.object_graph_def)):
        if path in named:
            continue
        for number, name in enumerate(names):
            if any(op.startswith(RANDOM) for op in ops_of(functions, name)):
                continue
            args, kwargs = nested_structure_coder.decode_proto(concrete[name].canonicalized_input_signature)
            given = _like_a_call(written, kwargs) if path.startswith("signatures.") else None
            if given is None:
                args, given = Chance(written, number).value((args, kwargs))
            yield Call(path, tuple(args), dict(given))


def _like_a_call(written: Written, specs: Any) -> dict[str, Any] | None:
    """Arguments for a signature from a call that was given, if one has what fits."""
    for item in written.calls:
        left = _arrays((item.args, item.kwargs))
        found: dict[str, Any] = {}
        for name, spec in sorted(specs.items()):
            fitting = [
                place
                for place, value in enumerate(left)
                if isinstance(spec, oracle.TensorSpec)
                and spec.dtype == oracle.as_dtype(oracle.constant(value).dtype)
                and spec.shape.is_compatible_with(value.shape)
            ]
            if fitting:
                found[name] = left.pop(fitting[0])
        if found and len(found) == len(specs):
            return found
    return None


def _arrays(value: Any) -> list[Any]:
    """The arrays in a structure, those that composite tensors are made of among them."""
    if isinstance(value, (list, tuple, dict)):
        items = value.values() if isinstance(value, dict) else value
        return [array for item in items for array in _arrays(item)]
    return [value] if isinstance(value, (np.ndarray, np.generic)) else []


def read_proto(folder: str) -> SavedModel:
    file = Path(folder, "saved_model.pb")
    if file.exists():
        return SavedModel.FromString(file.read_bytes())
    return text_format.Parse(Path(folder, "saved_model.pbtxt").read_text(), SavedModel())


def _function_paths(objects: Any) -> Iterator[tuple[str, list[str]]]:
    """For each function object, a path to it and the names of its traces."""
    left, seen = [(0, "")], {0}
    while left:
        number, path = left.pop(0)
        node = objects.nodes[number]
        kind = node.WhichOneof("kind")
        if kind == "function":
            yield path, list(node.function.concrete_functions)
        elif kind == "bare_concrete_function":
            yield path, [node.bare_concrete_function.concrete_function_name]
        children = (
            sorted(node.children, key=lambda child: not child.local_name.isdecimal()) if kind == "user_object" else ()
        )
        for child in children:
            name = child.local_name
            if child.node_id not in seen and name not in OF_RESOURCES and "." not in name:
                seen.add(child.node_id)
                left.append((child.node_id, f"{path}.{name}" if path else name))


def ops_of(functions: Any, name: str) -> set[str]:
    """The ops that a function uses, itself or through others."""
    found: set[str] = set()
    left, seen = [name], {name}
    while left:
        for node in functions[left.pop()].node_def:
            found.add(node.op)
            for attr in node.attr.values():
                for called in (attr.func, *attr.list.func):
                    if called.name in functions and called.name not in seen:
                        seen.add(called.name)
                        left.append(called.name)
    return found


class Chance:
    """Makes arguments for a function by chance, always the same ones."""

    def __init__(self, written: Written, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._written = written

    def value(self, expected: Any) -> Any:
        if isinstance(expected, oracle.TensorSpec):
            return self._array(expected.shape, expected.dtype)
        if isinstance(expected, oracle.RaggedTensorSpec):
            length, count = self._written.sizes, expected.ragged_rank
            assert count == 1, f"{expected} needs a call that is given"
            inner = [length * 2, *[self._size(size) for size in expected.shape[2:]]]
            splits = np.sort(np.append(self._random.integers(0, length * 2, length - 1), [0, length * 2]))
            return Ragged(self._array(inner, expected.dtype), splits.astype(expected.row_splits_dtype.as_numpy_dtype))
        if isinstance(expected, oracle.SparseTensorSpec):
            shape = [self._size(size) for size in expected.shape]
            return Sparse(np.eye(2, len(shape), dtype=np.int64), self._array([2], expected.dtype), np.array(shape))
        if isinstance(expected, dict):
            return {key: self.value(item) for key, item in expected.items()}
        if isinstance(expected, (list, tuple)):
            items = [self.value(item) for item in expected]
            return type(expected)(*items) if hasattr(expected, "_fields") else type(expected)(items)
        return expected

    def _size(self, size: int | None) -> int:
        return self._written.sizes if size is None else size

    def _array(self, shape: Any, dtype: Any) -> np.ndarray:
        shape = oracle.TensorShape(shape)
        dims = [] if shape.rank is None else [self._size(size) for size in shape]
        if dtype == oracle.string:
            return self._random.choice(WORDS, dims) if dims else WORDS[0]
        if dtype == oracle.bool:
            return np.asarray(self._random.integers(0, 2, dims).astype(bool))
        if dtype.is_integer:
            return np.asarray(self._random.integers(0, self._written.integers, dims), dtype.as_numpy_dtype)
        return np.asarray(self._random.normal(size=dims), dtype.as_numpy_dtype)


# --- calling ---------------------------------------------------------------------------------------------------------


def _answer(library: Any, root: Any, item: Call) -> Any:
    return find(root, item.path)(*given(library, item.args), **given(library, item.kwargs))


def find(root: Any, path: str) -> Any:
    """Returns what a path of attributes, keys and places leads to."""
    for name in path.split("."):
        if isinstance(root, (list, tuple)):
            root = root[int(name)] if name.isdecimal() else getattr(root, name)
        elif hasattr(root, "keys"):
            root = root[name]
        else:
            root = getattr(root, name)
    return root


def given(library: Any, value: Any) -> Any:
    """Arguments with the library's tensors for arrays."""
    if isinstance(value, Sparse):
        return library.SparseTensor(*[library.constant(item) for item in value])
    if isinstance(value, Ragged):
        return library.RaggedTensor.from_row_splits(*[given(library, item) for item in value])
    if isinstance(value, dict):
        return {key: given(library, item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[given(library, item) for item in value])
    if isinstance(value, (list, tuple)):
        return type(value)(given(library, item) for item in value)
    if isinstance(value, bytes):
        return library.constant(value)
    return library.constant(value) if isinstance(value, (np.ndarray, np.generic)) else value


def leaves(value: Any) -> list[Any]:
    """Arrays in the order of sorted keys, whichever library's structure it is."""
    if isinstance(value, dict) or hasattr(value, "keys"):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)) and type(value).__name__ not in ("SparseTensorValue", "RaggedTensorValue"):
        return [leaf for item in value for leaf in leaves(item)]
    for parts in (("indices", "values", "dense_shape"), ("flat_values", "nested_row_splits")):
        if all(hasattr(value, part) for part in parts):
            return [leaf for part in parts for leaf in leaves(getattr(value, part))]
    return [None if value is None else np.asarray(value)]


def assert_same(actual: list[Any], expected: list[Any], rtol: float) -> None:
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        if theirs is None or ours is None:
            assert ours is theirs
            continue
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        kind = np.result_type(theirs.dtype, np.float32).kind if theirs.dtype.kind == "V" else theirs.dtype.kind
        if kind not in "fc":
            np.testing.assert_array_equal(ours, theirs)
            continue
        if theirs.dtype.itemsize == 2:
            rtol = max(rtol, 1e-2 if theirs.dtype.kind == "V" else 2e-3)
            ours, theirs = ours.astype(np.float32), theirs.astype(np.float32)
        finite = np.abs(theirs[np.isfinite(theirs)])
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * np.max(finite, initial=0))


def _shown(item: Call) -> str:
    def show(value: Any) -> str:
        if isinstance(value, np.ndarray):
            return f"{value.dtype}{list(value.shape)}"
        if isinstance(value, (list, tuple)):
            return f"({', '.join(map(show, value))})"
        return repr(value)

    keywords = [f"{key}={show(value)}" for key, value in item.kwargs.items()]
    return f"{item.path}({', '.join([*map(show, item.args), *keywords])})"
