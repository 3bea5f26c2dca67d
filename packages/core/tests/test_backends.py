"""Choosing backends, their contract, fallbacks; plugins; the sibling packages."""

import subprocess
import sys
import threading
from importlib import metadata

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import contracts
from modtf.core.engine import plugins

R = tf.raw_ops


class Namespace:
    """A few functions of NumPy, as a library that lacks all others."""

    def __getattr__(self, name):
        if name in ("add", "asarray", "float32", "int32", "bool", "matmul"):
            return getattr(np, name)
        raise AttributeError(name)


class Bare(contracts.ArrayBackend):
    name = "bare"
    xp = Namespace()


class FromTheFuture(Bare):
    name = "future"
    contract_version = contracts.CONTRACT_VERSION + 1


@pytest.fixture
def entry_points(monkeypatch):
    """Lets a test install entry points: a function that takes them as (name, value, object) for a group."""
    installed = {}

    class Entry:
        dist = None

        def __init__(self, name, value):
            self.name, self.value = name, f"tests:{name}"
            self.loaded = value

        def load(self):
            return self.loaded

    def find(group):
        return [Entry(name, value) for name, value in installed.get(group, {}).items()]

    monkeypatch.setattr(metadata, "entry_points", find)
    return lambda group, **objects: installed.setdefault(group, {}).update(objects)


def test_numpy_is_the_default():
    assert tf.config.get_backend() == "numpy"
    assert "numpy" in tf.config.list_backends()
    assert tf.config.list_physical_devices() == [("/physical_device:CPU:0", "CPU")]
    assert tf.config.list_physical_devices("GPU") == []


def test_an_unknown_backend_names_the_installed_and_the_package():
    with pytest.raises(ValueError, match=r"no backend 'torch'. Installed: .*numpy.*pip install modtf-backend-torch"):
        tf.config.set_backend("torch")
    with pytest.raises(ValueError, match="no backend"), tf.backend("torch"):
        pass


def test_a_plugin_backend_is_found_and_used(entry_points):
    entry_points("modtf.backends", bare=Bare)
    assert "bare" in tf.config.list_backends()
    with tf.backend("bare") as chosen:
        assert isinstance(chosen, Bare)
        assert tf.config.get_backend() == "bare"
        x = tf.constant([1.0, 2.0]) + tf.constant([1.0, 1.0])
        assert x.backend is chosen
    assert tf.config.get_backend() == "numpy"
    np.testing.assert_array_equal(x * 2.0, [4, 6])


def test_a_backend_for_another_contract_is_refused(entry_points):
    entry_points("modtf.backends", future=FromTheFuture)
    with pytest.raises(
        RuntimeError, match=r"version 2 of the backend contract, but modtf-core speaks version 1.*pip install"
    ):
        tf.config.set_backend("future")
    assert tf.config.get_backend() == "numpy"


def test_what_a_backend_lacks_falls_back():
    bare = Bare()
    with contracts.scoped(backend=bare):
        x = tf.constant([1.0, 2.0])
        y = R.Tanh(x)
        assert y.backend is bare
        np.testing.assert_allclose(y, np.tanh(np.float32([1, 2])))
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = R.Sum(R.Square(x), [0])
        np.testing.assert_array_equal(tape.gradient(loss, x), [2, 4])
        variable = tf.Variable([[1.0, 2.0]])

        @tf.function
        def f(x):
            variable.assign_add([[1.0, 1.0]])
            return R.Exp(R.MatMul(variable, R.Reshape(x, [2, 1])))

        np.testing.assert_allclose(f(x), np.exp([[8.0]]), rtol=1e-6)
    counts = tf.config.fallback_counts("bare")
    assert counts["Tanh"] == 1
    assert "AddV2" not in counts


def test_effects_are_not_repeated_by_falling_back():
    calls = []

    def fail(x):
        calls.append(x)
        raise ValueError("no")

    variable = tf.Variable([1.0, 2.0])

    @tf.function(autograph=False)
    def outside(x):
        return tf.numpy_function(fail, [x], tf.float32)

    @tf.function(autograph=False)
    def inside(x):
        def yes():
            variable.assign_add(x)
            return tf.numpy_function(fail, [x], tf.float32)

        return tf.cond(x[0] > 0.0, yes, lambda: x)

    @tf.function(autograph=False)
    def unassigned():
        variable.assign_sub([1.0, 1.0])  # the namespace has no `subtract`

    with contracts.scoped(backend=Bare()):
        x = tf.constant([1.0, 1.0])
        for count, function in enumerate((outside, inside), 1):
            with pytest.raises(tf.errors.InvalidArgumentError, match="no"):
                function(x)
            assert len(calls) == count
        np.testing.assert_array_equal(variable, [2, 3])
        unassigned()
        np.testing.assert_array_equal(variable, [1, 2])
    assert tf.config.fallback_counts("bare")["AssignSubVariableOp"] == 1


def test_an_op_that_fails_after_assigning_is_not_run_again(monkeypatch):
    def half_way(backend, resource, value):
        resource.assign(value, backend)
        raise ValueError("too late")

    monkeypatch.setattr(Bare, "kernels", {"AssignAddVariableOp": half_way})
    with contracts.scoped(backend=Bare()):
        variable = tf.Variable(1.0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="too late"):
            variable.assign_add(5.0)
        assert float(variable) == 5.0


def test_falling_back_can_be_switched_off():
    tf.config.set_soft_device_placement(False)
    try:
        with (
            contracts.scoped(backend=Bare()),
            pytest.raises(tf.errors.UnimplementedError, match="Tanh cannot be computed by"),
        ):
            R.Tanh(tf.constant(1.0))
    finally:
        tf.config.set_soft_device_placement(True)


def test_the_users_mistake_is_not_taken_for_a_missing_function():
    with contracts.scoped(backend=Bare()), pytest.raises(tf.errors.InvalidArgumentError, match=r"Incompatible shapes"):
        tf.constant([1.0, 2.0]) + tf.constant([1.0, 2.0, 3.0])


def test_a_variable_moves_to_the_backend_that_uses_it():
    variable = tf.Variable([1.0, 2.0])
    bare = Bare()
    with contracts.scoped(backend=bare):
        assert (variable + 1.0).backend is bare
        variable.assign([5.0, 6.0])
    np.testing.assert_array_equal(variable * 2.0, [10, 12])


def test_threads_have_backends_of_their_own():
    bare, seen = Bare(), []
    with contracts.scoped(backend=bare):
        thread = threading.Thread(target=lambda: seen.append(tf.config.get_backend()))
        thread.start()
        thread.join()
    assert seen == ["numpy"]


def test_float64_and_int64_keep_their_meaning():
    for dtype in (tf.float64, tf.int64, tf.uint8, tf.bfloat16, tf.complex64):
        assert (tf.constant([1, 2], dtype) + tf.constant([3, 4], dtype)).dtype == dtype


def test_importing_core_imports_no_other_backend():
    code = "import sys; import modtf.core; print([name for name in ('jax', 'scipy', 'google.protobuf') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_environment_chooses_the_backend():
    code = "from modtf import core as tf; print(tf.config.get_backend())"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"MODTF_BACKEND": "nonesuch"}
    )
    assert "no backend 'nonesuch'" in result.stderr


def test_plugins_add_ops_and_are_checked(entry_points, monkeypatch):
    class Plugin:
        @contracts.hookimpl
        def modtf_ops(self):
            contracts.op("Twice[T](x: T) -> (y: T)", shape=lambda x: x.dims)(lambda xp, x: x + x)

    from modtf.core.engine import vocabulary

    monkeypatch.setattr(vocabulary, "REGISTRY", dict(vocabulary.REGISTRY))
    entry_points("modtf.plugins", twice=Plugin())
    for cached in (plugins.plugin_manager, plugins.load_op_plugins):
        cached.cache_clear()
    try:
        assert float(contracts.get_op("Twice")(tf.constant(2.0))) == 4.0
        with pytest.raises(tf.errors.NotFoundError, match="no op 'Thrice'"):
            contracts.get_op("Thrice")
        plugins.plugin_manager.cache_clear()
        old = Plugin()
        old.MODTF_PLUGIN_CONTRACT = 0
        entry_points("modtf.plugins", twice=old)
        with pytest.raises(RuntimeError, match=r"'twice'.*version 0 of the plugin contract.*pip install --upgrade"):
            plugins.plugin_manager()
    finally:
        for cached in (plugins.plugin_manager, plugins.load_op_plugins):
            cached.cache_clear()


def test_a_missing_package_is_named(entry_points):
    tf.__dict__.pop("hub", None)
    with pytest.raises(AttributeError, match="pip install modtf-hub"):
        tf.hub  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'nonesuch'"):
        tf.nonesuch  # noqa: B018
    assert not hasattr(tf, "hub")
