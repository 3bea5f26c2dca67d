"""TensorFlow's readers, each of which is given a model in a folder and the arguments, and gives what it computes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as oracle
from written import Call, Model, Ragged, Sparse

Answers = dict[str, list[Any]]
"""For each call or request, the arrays that came of it."""


def given(library: Any, value: Any) -> Any:
    """Arguments with the library's tensors for arrays."""
    if isinstance(value, Ragged):
        return library.ragged.constant(value.rows, dtype=value.dtype and getattr(library, value.dtype))
    if isinstance(value, Sparse):
        return library.sparse.SparseTensor(value.indices, value.values, value.dense_shape)
    if isinstance(value, dict):
        return {key: given(library, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(given(library, item) for item in value)
    return library.constant(value) if isinstance(value, (np.ndarray, np.generic)) else value


def arrays(value: Any) -> list[Any]:
    """Arrays in the order of sorted keys, whichever library's structure it is."""
    if hasattr(value, "keys"):
        return [leaf for key in sorted(value) for leaf in arrays(value[key])]
    if hasattr(value, "flat_values"):
        return [leaf for part in (value.flat_values, *value.nested_row_splits) for leaf in arrays(part)]
    if hasattr(value, "dense_shape"):
        return [leaf for part in (value.indices, value.values, value.dense_shape) for leaf in arrays(part)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in arrays(item)]
    return [None if value is None else np.asarray(value)]


def find(root: Any, path: str) -> Any:
    """Returns what a path of attributes, keys and places leads to."""
    for name in path.split("."):
        root = root[int(name)] if name.isdecimal() else getattr(root, name)
    return root


def call_all(library: Any, root: Any, calls: list[Call]) -> Answers:
    """Calls functions of an object, one after the other."""
    return {
        f"{number}: {path}": arrays(find(root, path)(*given(library, args), **given(library, kwargs)))
        for number, (path, args, kwargs) in enumerate(calls)
    }


def request_all(library: Any, root: Any, model: Model) -> Answers:
    """Calls the signatures of a loaded object."""
    return {key: arrays(root.signatures[key](**given(library, request))) for key, request in model.requests.items()}


def load(folder: Path, model: Model) -> Answers:
    answers = call_all(oracle, oracle.saved_model.load(str(folder)), model.calls)
    return {**answers, **request_all(oracle, oracle.saved_model.load(str(folder)), model)}


def session(folder: Path, model: Model) -> Answers:
    found: Answers = {}
    with oracle.compat.v1.Session(graph=oracle.Graph()) as running:
        meta_graph = oracle.compat.v1.saved_model.loader.load(running, ["serve"], str(folder))
        for key, request in model.requests.items():
            signature = meta_graph.signature_def[key]
            feed = {signature.inputs[argument].name: array for argument, array in request.items()}
            fetch = {name: oracle.compat.v1.saved_model.utils.get_tensor_from_tensor_info(info)
                     for name, info in signature.outputs.items()}  # fmt: skip
            found[key] = [leaf for _, value in sorted(running.run(fetch, feed).items()) for leaf in arrays(value)]
    return found


def hub(folder: Path, model: Model) -> Answers:
    import tensorflow_hub

    answers = call_all(oracle, tensorflow_hub.load(str(folder)), model.calls)
    return {**answers, **request_all(oracle, tensorflow_hub.load(str(folder)), model)}


def keras(folder: Path, model: Model) -> Answers:
    from keras.layers import TFSMLayer

    found = {}
    for key, request in model.requests.items():
        layer = TFSMLayer(str(folder), call_endpoint=key)
        layer.autocast = False
        tensors = given(oracle, dict(request))
        first = next(iter(tensors), None)
        others = {name: tensor for name, tensor in tensors.items() if name != first}
        found[key] = arrays(layer(tensors[first], **others) if not others else layer.call_endpoint_fn(**tensors))
    return found


def tf_keras(folder: Path, model: Model) -> Answers:
    import tensorflow_hub

    found = {}
    for key, request in model.requests.items():
        layer = tensorflow_hub.KerasLayer(str(folder), signature=key, signature_outputs_as_dict=True, autocast=False)
        tensors = given(oracle, dict(request))
        found[key] = arrays(layer(tensors if len(tensors) != 1 else next(iter(tensors.values()))))
    return found


def lite(folder: Path, model: Model) -> Answers:
    found = {}
    for key, request in model.requests.items():
        converter = oracle.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[key])
        interpreter = oracle.lite.Interpreter(model_content=converter.convert())
        details = interpreter.get_signature_runner(key).get_input_details()
        for argument, array in request.items():
            interpreter.resize_tensor_input(details[argument]["index"], array.shape)
        interpreter.allocate_tensors()
        found[key] = arrays(interpreter.get_signature_runner(key)(**request))
    return found


def command(folder: Path, model: Model) -> Answers:
    found = {}
    for key, request in model.requests.items():
        outputs = folder.parent / "outputs" / key
        outputs.mkdir(parents=True)
        for argument, array in request.items():
            np.save(outputs.parent / f"{argument}.npy", array)
        inputs = ";".join(f"{argument}={outputs.parent}/{argument}.npy" for argument in request)
        tool = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
        shown = subprocess.run([*tool, "show", "--dir", folder, "--all"], check=True, capture_output=True, text=True)
        assert f"signature_def['{key}']" in shown.stdout
        where = ["--dir", folder, "--tag_set", "serve", "--signature_def", key, "--outdir", outputs]
        subprocess.run([*tool, "run", *where, "--inputs", inputs], check=True, capture_output=True)
        found[key] = [np.load(file) for file in sorted(outputs.iterdir())]
    return found


READERS: dict[str, Callable[[Path, Model], Answers]] = {
    function.__name__: function for function in (load, session, hub, keras, tf_keras, lite, command)
}
