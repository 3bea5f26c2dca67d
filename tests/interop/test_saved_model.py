"""SavedModels exchanged with TensorFlow and Keras in both directions; both must compute the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as oracle
from exchanged_control_flow import CONTROL_FLOW
from exchanged_models import MODELS as PLAIN
from exchanged_models import Exchanged, find, numbers

from modtf import core as tf
from modtf import saved_model

BACKENDS = tf.config.list_backends()
RTOL = 1e-6
MODELS = {**PLAIN, **CONTROL_FLOW}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")


def leaves(value: Any) -> list[Any]:
    """Arrays in the order of sorted keys, whichever library's structure it is."""
    if isinstance(value, dict) or hasattr(value, "keys"):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in leaves(item)]
    return [None if value is None else np.asarray(value)]


def assert_same(actual: Any, expected: Any, rtol: float = RTOL) -> None:
    assert len(leaves(actual)) == len(leaves(expected))
    for ours, theirs in zip(leaves(actual), leaves(expected), strict=True):
        if theirs is None:
            assert ours is None
            continue
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        scale = np.max(np.abs(theirs), initial=0) if theirs.dtype.kind == "f" else 0
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale)


def given(library: Any, value: Any) -> Any:
    """Arguments with the library's tensors for arrays."""
    if isinstance(value, dict):
        return {key: given(library, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(given(library, item) for item in value)
    return library.constant(value) if isinstance(value, (np.ndarray, np.generic)) else value


def answers(library: Any, root: Any, model: Exchanged) -> list[Any]:
    return [find(root, path)(*given(library, args), **given(library, kwargs)) for path, args, kwargs in model.calls]


def save_ours(name: str, folder: Path) -> tuple[Exchanged, list[Any], str]:
    model = MODELS[name](tf)
    saved_model.save(model.module, folder / name, signatures=model.signatures)
    return model, answers(tf, model.module, model), str(folder / name)


def save_theirs(name: str, folder: Path) -> tuple[Exchanged, list[Any], str]:
    model = MODELS[name](oracle)
    oracle.saved_model.save(model.module, str(folder / name), signatures=model.signatures)
    return model, answers(oracle, model.module, model), str(folder / name)


def load_theirs(folder: Path) -> Any:
    return oracle.saved_model.load(str(folder))


@pytest.mark.parametrize("name", MODELS)
def test_both_libraries_compute_the_same(name: str) -> None:
    ours, theirs = MODELS[name](tf), MODELS[name](oracle)
    assert_same(answers(tf, ours.module, ours), answers(oracle, theirs.module, theirs))


@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_loads_what_we_save(name: str, tmp_path: Path) -> None:
    model, expected, folder = save_ours(name, tmp_path)
    assert_same(answers(oracle, oracle.saved_model.load(folder), model), expected)


@pytest.mark.parametrize("name", MODELS)
def test_tensorflow_calls_the_signatures_that_we_save(name: str, tmp_path: Path) -> None:
    model, _, folder = save_ours(name, tmp_path)
    ours, theirs = saved_model.load(folder), oracle.saved_model.load(folder)
    assert set(theirs.signatures) == set(model.requests)
    for key, request in model.requests.items():
        actual = theirs.signatures[key](**given(oracle, request))
        assert_same(actual, ours.signatures[key](**given(tf, request)))


@pytest.mark.parametrize("name", ["simple", "cnn", "nested", "two_signatures"])
def test_saved_model_cli_runs_what_we_save(name: str, tmp_path: Path) -> None:
    model, _, folder = save_ours(name, tmp_path)
    for key, request in model.requests.items():
        outputs = tmp_path / f"{key}.out"
        outputs.mkdir()
        command = ["run", "--dir", folder, "--tag_set", "serve", "--signature_def", key, "--outdir", str(outputs)]
        for argument, array in request.items():
            np.save(tmp_path / f"{key}.{argument}.npy", array)
        command += ["--inputs", ";".join(f"{argument}={tmp_path}/{key}.{argument}.npy" for argument in request)]
        subprocess.run([sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", *command], check=True)
        actual = {file.stem: np.load(file) for file in outputs.iterdir()}
        assert_same(actual, saved_model.load(folder).signatures[key](**given(tf, request)))


@pytest.mark.parametrize("name", ["simple", "cnn", "nested", "two_signatures"])
def test_tflite_converts_and_runs_what_we_save(name: str, tmp_path: Path) -> None:
    model, _, folder = save_ours(name, tmp_path)
    request = model.requests["serving_default"]
    converter = oracle.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
    interpreter = oracle.lite.Interpreter(model_content=converter.convert())
    details = interpreter.get_signature_runner("serving_default").get_input_details()
    for argument, array in request.items():
        interpreter.resize_tensor_input(details[argument]["index"], array.shape)
    interpreter.allocate_tensors()
    actual = interpreter.get_signature_runner("serving_default")(**request)
    assert_same(actual, saved_model.load(folder).signatures["serving_default"](**given(tf, request)))


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model(tf).requests])
def test_the_loader_of_tensorflow_1_restores_runs_and_saves(name: str, tmp_path: Path) -> None:
    model, _, folder = save_ours(name, tmp_path)
    loaded = saved_model.load(folder)
    with oracle.compat.v1.Session(graph=oracle.Graph()) as session:
        meta_graph = oracle.compat.v1.saved_model.loader.load(session, ["serve"], folder)
        for key, request in model.requests.items():
            signature = meta_graph.signature_def[key]
            feed = {signature.inputs[argument].name: array for argument, array in request.items()}
            fetch = {output: info.name for output, info in signature.outputs.items()}
            assert_same(session.run(fetch, feed), loaded.signatures[key](**given(tf, request)))
        saver = meta_graph.saver_def
        session.run(saver.save_tensor_name, {saver.filename_tensor_name: str(tmp_path / "checkpoint")})
    checkpoint = saved_model.BundleReader(tmp_path / "checkpoint")
    for variable in loaded.variables:
        assert any(
            entry.shape == tuple(variable.shape) and np.allclose(checkpoint.read(key), variable.numpy(), rtol=RTOL)
            for key, entry in checkpoint.items()
            if key != "_CHECKPOINTABLE_OBJECT_GRAPH"
        ), variable


def test_tensorflow_trains_what_we_save(tmp_path: Path) -> None:
    model, _, folder = save_ours("cnn", tmp_path)
    theirs, ours = oracle.saved_model.load(folder), saved_model.load(folder)
    images = model.requests["serving_default"]["images"]

    def gradients(library: Any, module: Any) -> list[Any]:
        names = ["kernel", "bias", "scale", "offset", "dense"]
        with library.GradientTape() as tape:
            outputs = module(library.constant(images))
            loss = library.raw_ops.Sum(input=outputs * outputs, axis=[0, 1])
        return tape.gradient(loss, [getattr(module, name) for name in names])

    assert_same(gradients(tf, ours), gradients(oracle, theirs), rtol=1e-5)
    assert [variable.trainable for variable in (theirs.kernel, theirs.mean)] == [True, False]


def gradients(library: Any, root: Any, model: Exchanged) -> list[Any]:
    """For each call, the gradients of what it gives with respect to its arguments and to the weight."""
    found = []
    for path, args, _ in model.calls:
        if path in ("while_loop", "python_for"):  # without a gradient; TensorFlow loses one in loops in loops it loads
            continue
        tensors = [library.constant(array) for array in args]
        sources = [tensor for tensor in tensors if tensor.dtype == library.float32]
        with library.GradientTape() as tape:
            tape.watch(sources)
            outputs = find(root, path)(*tensors)
            first = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
            loss = library.reduce_sum(first * first)
        found.append([None if item is None else library.convert_to_tensor(item) for item in
                      tape.gradient(loss, [*sources, root.weight])])  # fmt: skip
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CONTROL_FLOW)
def test_conditionals_and_loops_are_differentiated_after_loading(name: str, backend: str, tmp_path: Path) -> None:
    model, ours = CONTROL_FLOW[name](oracle), CONTROL_FLOW[name](tf)
    oracle.saved_model.save(model.module, str(tmp_path / "theirs"))
    saved_model.save(ours.module, tmp_path / "ours")
    expected = gradients(oracle, model.module, model)
    for folder in ("theirs", "ours"):
        with tf.backend(backend):
            assert_same(gradients(tf, saved_model.load(tmp_path / folder), model), expected, rtol=1e-5)
    assert_same(gradients(oracle, load_theirs(tmp_path / "ours"), model), expected, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MODELS)
def test_we_load_what_tensorflow_saves(name: str, backend: str, tmp_path: Path) -> None:
    model, expected, folder = save_theirs(name, tmp_path)
    with tf.backend(backend):
        loaded = saved_model.load(folder)
        assert_same(answers(tf, loaded, model), expected)
        loaded, theirs = saved_model.load(folder), oracle.saved_model.load(folder)
        for key, request in model.requests.items():
            assert_same(loaded.signatures[key](**given(tf, request)), theirs.signatures[key](**given(oracle, request)))


@pytest.mark.parametrize("name", MODELS)
def test_models_travel_back_and_forth(name: str, tmp_path: Path) -> None:
    model, expected, folder = save_theirs(name, tmp_path)
    ours = saved_model.load(folder)
    saved_model.save(ours, tmp_path / "ours", signatures=dict(ours.signatures) or None)
    theirs = oracle.saved_model.load(str(tmp_path / "ours"))
    oracle.saved_model.save(theirs, str(tmp_path / "theirs"), signatures=dict(theirs.signatures) or None)
    assert_same(answers(tf, saved_model.load(tmp_path / "theirs"), model), expected)


def keras_model(keras: Any) -> Any:
    inputs = keras.Input((12, 12, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU(6.0)(x)
    x = keras.layers.DepthwiseConv2D(3, strides=2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


@pytest.mark.parametrize("backend", BACKENDS)
def test_we_load_what_keras_exports(backend: str, tmp_path: Path) -> None:
    import keras

    model = keras_model(keras)
    model.export(str(tmp_path / "model"), verbose=False)
    images = numbers(2, 12, 12, 3)
    expected = np.asarray(model(images))
    with tf.backend(backend):
        loaded = saved_model.load(tmp_path / "model")
        assert_same(loaded.serve(tf.constant(images)), expected)
        assert len(loaded.trainable_variables) == len(model.trainable_variables)
        saved_model.save(loaded, tmp_path / "again", signatures=dict(loaded.signatures))
    layer = keras.layers.TFSMLayer(str(tmp_path / "again"), call_endpoint="serving_default")
    assert_same(layer(images), [expected])


def test_assets_travel(tmp_path: Path) -> None:
    class WithAsset(oracle.Module):
        def __init__(self) -> None:
            super().__init__()
            (tmp_path / "words.txt").write_text("a b c")
            self.words = oracle.saved_model.Asset(str(tmp_path / "words.txt"))

        @oracle.function(input_signature=[])
        def path(self) -> Any:
            return self.words.asset_path

    oracle.saved_model.save(WithAsset(), str(tmp_path / "theirs"))
    ours = saved_model.load(tmp_path / "theirs")
    assert ours.path().numpy().decode() == str(tmp_path / "theirs" / "assets" / "words.txt")
    saved_model.save(ours, tmp_path / "again", signatures={})
    for path in (load(tmp_path / "again").path() for load in (saved_model.load, load_theirs)):
        assert Path(path.numpy().decode()) == tmp_path / "again" / "assets" / "words.txt"
        assert Path(path.numpy().decode()).read_text() == "a b c"


def test_saved_files_are_readable_by_all(tmp_path: Path) -> None:
    _, _, folder = save_ours("simple", tmp_path)
    assert (os.stat(folder).st_mode | os.stat(f"{folder}/saved_model.pb").st_mode) & 0o444
    assert oracle.saved_model.contains_saved_model(folder)
