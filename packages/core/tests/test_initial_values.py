"""Initializers, `DeviceSpec` and `CriticalSection`: expected values are TensorFlow's."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

# ------------------------------------------------------------------------------------------------- initializers


def test_zeros_and_ones() -> None:
    for make, value in ((tf.zeros_initializer, 0), (tf.ones_initializer, 1)):
        made = make()((2, 2))
        assert made.dtype is tf.float32 and made.numpy().tolist() == [[value] * 2] * 2
        assert make()([1], tf.bool).numpy().tolist() == [bool(value)]
        assert make.from_config(make().get_config())(tf.constant([2]), "float16").dtype is tf.float16
        assert make()((4,), partition_shape=(2,), partition_offset=(0,)).shape == [2]
        with pytest.raises(ValueError, match="numeric or boolean"):
            make()((1,), tf.string)
        with pytest.raises(TypeError, match="Received: foo"):
            make()((1,), foo=1)


def test_constants() -> None:
    make = tf.constant_initializer
    assert make(3)((2, 2)).numpy().tolist() == [[3, 3], [3, 3]] and make(3)((1,)).dtype is tf.int32
    assert make([1, 2, 3, 4])((2, 2), tf.float64).numpy().tolist() == [[1, 2], [3, 4]]
    assert make("a")((2,), tf.string).numpy().tolist() == [b"a", b"a"]
    assert make([1]).get_config() == {"value": [1]}
    with pytest.raises(TypeError, match="4 elements"):
        make([1, 2, 3, 4])((3,))
    with pytest.raises(TypeError, match="Invalid type for initial value"):
        make({"a": 1})
    with pytest.raises(ValueError, match="partition"):
        make(0)((4,), partition_shape=(2,))
    assert make(0, support_partition=True)((4,), partition_shape=(2,)).shape == [2]


def test_random_numbers() -> None:
    normal = tf.random_normal_initializer(0.0, 1.0, 7)
    np.testing.assert_allclose(normal((3,)), [-0.67417276, -0.35869256, -1.8795817], rtol=1e-6)
    np.testing.assert_allclose(normal((3,)), [-0.67417276, -0.35869256, -1.8795817], rtol=1e-6)
    assert normal.get_config() == {"mean": 0.0, "stddev": 1.0, "seed": 7}
    uniform = tf.random_uniform_initializer(-1.0, 1.0, 7)
    np.testing.assert_allclose(uniform((3,)), [0.49415755, 0.34436035, -0.8844409], rtol=1e-6)
    assert tf.random_uniform_initializer(0, 5, seed=7)((3,), tf.int32).numpy().tolist() == [3, 2, 3]
    assert not np.array_equal(tf.random_normal_initializer()((9,)), tf.random_normal_initializer()((9,)))
    with pytest.raises(ValueError, match="floating point"):
        normal((1,), tf.int32)
    with pytest.raises(ValueError, match="numeric or boolean"):
        uniform((1,), tf.bool)


# ------------------------------------------------------------------------------------------------- devices

_NAMES = {
    "/job:ps/replica:0/task:0/device:CPU:0": "/job:ps/replica:0/task:0/device:CPU:0",
    "GPU:0": "/device:GPU:0",
    "/gpu:1": "/device:GPU:1",
    "/cpu:*": "/device:CPU:*",
    "/device:TPU:*": "/device:TPU:*",
    "CPU": "/device:CPU:*",
    "/job:a/job:b": "/job:b",
    "": "",
}


def test_names_of_devices() -> None:
    spec = tf.DeviceSpec
    assert {name: spec.from_string(name).to_string() for name in _NAMES} == _NAMES
    for wrong in ("foo", "/device:gpu", "/task:x"):
        with pytest.raises(ValueError):
            spec.from_string(wrong)
    device = spec(job="w", task=1, device_type="gpu", device_index=0)
    assert (device.job, device.replica, device.task, device.device_type, device.device_index) == (
        "w",
        None,
        1,
        "GPU",
        0,
    )
    assert device == spec.from_string("/job:w/task:1/gpu:0") and len({device, device.replace()}) == 1
    assert device.replace(job=None, task=5).to_string() == "/task:5/device:GPU:0"
    assert device.parse_from_string("/job:z") == spec(job="z")
    merged = spec.from_string("/job:a/task:1").make_merged_spec(spec.from_string("/job:b/gpu:1"))
    assert merged.to_string() == "/job:b/task:1/device:GPU:1"
    assert repr(spec(job="w")) == "<DeviceSpec(job=w, replica=None, task=None, device_type=None, device_index=None)>"
    with pytest.raises(AttributeError):
        device.job = "x"  # type: ignore[misc]
    with tf.device(device):
        assert tf.ones(1).shape == [1]


# ------------------------------------------------------------------------------------------------- critical sections


def test_one_at_a_time() -> None:
    section, total = tf.CriticalSection(name="cs"), [0]

    def slow() -> None:
        before = total[0]
        threading.Event().wait(0.005)
        total[0] = before + 1

    threads = [threading.Thread(target=section.execute, args=(slow,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == [8] and section.name == "cs"


def test_results_and_mistakes() -> None:
    section, variable = tf.CriticalSection(), tf.Variable(0)
    assert section.execute(lambda: variable.assign_add(1).read_value()).numpy() == 1
    assert section.execute(lambda: (1, {"a": 2}), name="x") == (1, {"a": 2}) and section.execute(lambda: None) is None
    with pytest.raises(ValueError, match="already running"):
        section.execute(lambda: section.execute(lambda: None))
    with pytest.raises(ValueError, match="critical_section_def"):
        tf.CriticalSection(critical_section_def=1)
    one, other = tf.CriticalSection(shared_name="shared"), tf.CriticalSection(shared_name="shared")
    assert one._lock is other._lock

    @tf.function
    def in_a_graph() -> Any:
        return section.execute(lambda: variable.assign_add(1))

    assert in_a_graph().numpy() == 2
    assert section.execute(in_a_graph).numpy() == 3


def test_what_there_is_none_of() -> None:
    config = tf.config
    assert config.experimental_run_functions_eagerly is config.run_functions_eagerly
    assert not config.experimental_functions_run_eagerly()
    for connect in (config.experimental_connect_to_cluster, config.experimental_connect_to_host):
        with pytest.raises(tf.errors.UnimplementedError, match="in this process only"):
            connect("somewhere")
    for ask in (config.experimental.get_memory_info, config.experimental.reset_memory_stats):
        with pytest.raises(ValueError, match="Allocator stats not available"):
            ask("CPU:0")
