"""Strategies: what replicas know, give, reduce and draw, as under TensorFlow's strategies with two devices."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf

distribute = tf.distribute


@pytest.fixture
def mirrored():
    return distribute.MirroredStrategy(["cpu:0", "cpu:1"])


def number():
    return tf.cast(distribute.get_replica_context().replica_id_in_sync_group, tf.float32)


def values(result):
    return [value.numpy().tolist() for value in result.values]


def test_outside_of_strategies():
    assert not distribute.has_strategy() and not distribute.in_cross_replica_context()
    context = distribute.get_replica_context()
    assert (context.replica_id_in_sync_group, context.num_replicas_in_sync) == (0, 1)
    strategy = distribute.get_strategy()
    assert strategy.run(lambda x: x + 1, args=(tf.constant(1),)).numpy() == 2
    assert strategy.reduce("SUM", tf.constant([3.0, 5.0]), axis=None).numpy().tolist() == [3, 5]
    assert context.all_reduce("SUM", tf.constant(2.0)).numpy() == 2


def test_scopes(mirrored):
    with mirrored.scope() as strategy:
        assert strategy is distribute.get_strategy() is mirrored
        assert distribute.has_strategy() and distribute.in_cross_replica_context()
        assert distribute.get_replica_context() is None
        with pytest.raises(RuntimeError, match="Mixing different"), distribute.OneDeviceStrategy("cpu:0").scope():
            pass
    assert not distribute.has_strategy()
    distribute.experimental_set_strategy(mirrored)
    assert distribute.get_strategy() is mirrored
    distribute.experimental_set_strategy(None)
    assert not distribute.has_strategy()


def test_results_keep_their_structure(mirrored):
    result = mirrored.run(lambda: {"a": (number(), [tf.constant(2), None]), "b": "x"})
    assert values(result["a"][0]) == [0, 1] and values(result["a"][1][0]) == [2, 2]
    assert result["a"][1][1] is None and result["b"] == "x"
    assert mirrored.run(lambda: 3) == 3
    assert str(mirrored.run(lambda: tf.constant(1.5))) == (
        "PerReplica:{\n  0: tf.Tensor(1.5, shape=(), dtype=float32),\n  1: tf.Tensor(1.5, shape=(), dtype=float32)\n}"
    )
    one = distribute.OneDeviceStrategy("cpu:0")
    assert one.run(number).numpy() == 0 and one.num_replicas_in_sync == 1


def test_arguments_are_shared_out(mirrored):
    given = mirrored.experimental_distribute_values_from_function(
        lambda context: tf.constant(context.replica_id_in_sync_group + 10.0)
    )
    assert values(mirrored.run(lambda x, y: x * y, args=(given,), kwargs={"y": 2.0})) == [20, 22]
    assert mirrored.experimental_local_results(given) == given.values
    assert mirrored.experimental_local_results(3) == (3,)


def test_reductions(mirrored):
    result = mirrored.run(lambda: tf.range(4.0) + 10 * number())
    assert mirrored.reduce(distribute.ReduceOp.SUM, result, axis=None).numpy().tolist() == [10, 12, 14, 16]
    assert mirrored.reduce("mean", result, axis=None).numpy().tolist() == [5, 6, 7, 8]
    assert mirrored.reduce("SUM", result, axis=0).numpy() == 52
    assert mirrored.reduce("MEAN", result, axis=0).numpy() == 6.5
    assert mirrored.gather(result, axis=0).numpy().tolist() == [0, 1, 2, 3, 10, 11, 12, 13]
    assert mirrored.reduce("MEAN", 3.0, axis=None) == 3
    with pytest.raises(ValueError, match="cannot be reduced"):
        mirrored.reduce("SUM", 3.0, axis=None)
    with pytest.raises(ValueError, match="not a valid ReduceOp"):
        mirrored.reduce("MAX", result, axis=None)


def test_replicas_meet(mirrored):
    def step():
        context = distribute.get_replica_context()
        total = context.all_reduce("SUM", number() + 1)
        mean, twice = context.all_reduce(distribute.ReduceOp.MEAN, [number(), 2 * number()])
        together = context.all_gather(tf.stack([number()]), axis=0)
        merged = context.merge_call(
            lambda strategy, x: (strategy.reduce("SUM", x, axis=None), distribute.in_cross_replica_context()), (total,)
        )
        return total, mean, twice, together, merged[0], merged[1]

    total, mean, twice, together, merged, across = mirrored.run(step)
    assert [values(item) for item in (total, mean, twice)] == [[3, 3], [0.5, 0.5], [1, 1]]
    assert values(together) == [[0, 1], [0, 1]]
    assert merged.numpy() == 6 and across is True
    assert values(tf.function(lambda: mirrored.run(step)[0])()) == [3, 3]


def test_replicas_that_do_not_meet(mirrored):
    def uneven():
        context = distribute.get_replica_context()
        return context.all_reduce("SUM", 1.0) if int(context.replica_id_in_sync_group) else None

    with pytest.raises(RuntimeError, match="All replicas must make the same ones"):
        mirrored.run(uneven)
    with pytest.raises(ZeroDivisionError):
        mirrored.run(lambda: distribute.get_replica_context().all_reduce("SUM", 1 / 0))
    with pytest.raises(RuntimeError, match="was called while a tf.function"):
        mirrored.run(tf.function(lambda: distribute.get_replica_context().all_reduce("SUM", tf.constant(1.0))))
    with pytest.raises(RuntimeError, match="inside a replica's function"):
        mirrored.run(lambda: mirrored.run(number))


def test_functions(mirrored):
    @tf.function
    def scaled(x):
        return x * (number() + 1)

    assert values(mirrored.run(scaled, args=(tf.constant(3.0),))) == [3, 6]
    total = tf.function(lambda x: mirrored.reduce("SUM", mirrored.run(scaled, args=(x,)), axis=None))
    assert total(tf.constant(2.0)).numpy() == 6
    with distribute.OneDeviceStrategy("cpu:0").scope():
        assert len(scaled.concrete_functions) == 1  # as it is outside of replicas


def test_variables_and_gradients(mirrored):
    with mirrored.scope():
        variable = tf.Variable(2.0)

    def step():
        with tf.GradientTape() as tape:
            loss = (number() + 1) * variable * variable
        return distribute.get_replica_context().all_reduce("SUM", tape.gradient(loss, variable))

    assert values(mirrored.run(step)) == [12, 12]


def test_a_generator_of_the_strategy(mirrored):
    """The numbers are TensorFlow's."""

    def draw():
        return generator.normal([])

    with mirrored.scope():
        generator = tf.random.Generator.from_seed(1)
        for expected in ([-0.87930447, 0.020661574], [-1.5822568, 0.77539235]):
            np.testing.assert_allclose(values(mirrored.run(draw)), expected, rtol=2e-6)
    assert generator.state.numpy().tolist() == [513, 0, 0]
    generator.reset_from_seed(1)

    @tf.function
    def drawn():
        return mirrored.run(draw)

    for expected in ([-0.87930447, 0.020661574], [-1.5822568, 0.77539235]):
        np.testing.assert_allclose(values(drawn()), expected, rtol=2e-6)

    def made_inside():
        inner = tf.random.Generator.from_seed(1)
        return tf.stack([inner.normal([]), inner.normal([])])

    np.testing.assert_allclose(
        values(mirrored.run(made_inside)), [[-0.87930447, -1.5822568], [0.02066157, 0.77539235]], rtol=2e-6
    )
    with pytest.raises(RuntimeError, match="Mixing different"):
        distribute.OneDeviceStrategy("cpu:0").run(lambda: generator.normal([]))


def test_other_random_numbers(mirrored):
    generator = tf.random.Generator.from_seed(1)
    np.testing.assert_allclose(values(mirrored.run(lambda: generator.normal([]))), [0.43842274, 1.6272374], rtol=2e-6)
    tf.random.set_seed(3)
    first, second = values(mirrored.run(lambda: tf.random.uniform([2], seed=1)))
    assert first == second
    np.testing.assert_allclose(first, [0.77806914, 0.5052885], rtol=1e-6)


def test_devices():
    (cpu,) = tf.config.list_physical_devices("CPU")
    assert (cpu.name, cpu.device_type) == ("/physical_device:CPU:0", "CPU")
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        assert [device.name for device in tf.config.list_logical_devices()] == ["/device:CPU:0", "/device:CPU:1"]
        assert len(tf.config.get_logical_device_configuration(cpu)) == 2
    finally:
        tf.config.experimental.set_virtual_device_configuration(cpu, [])
    assert distribute.MirroredStrategy().num_replicas_in_sync == 1
    with pytest.raises(ValueError, match="memory limit"):
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration(memory_limit=1)])
    with pytest.raises(ValueError, match="Unrecognized device"):
        tf.config.set_visible_devices([tf.config.PhysicalDevice("/physical_device:GPU:9", "GPU")])
    tf.config.set_visible_devices([], "GPU")
    assert tf.config.get_visible_devices() == [cpu]
    with pytest.raises(ValueError, match="non-GPU"):
        tf.config.experimental.set_memory_growth(cpu, True)
    tf.config.threading.set_inter_op_parallelism_threads(3)
    assert tf.config.threading.get_inter_op_parallelism_threads() == 3
    tf.config.optimizer.set_jit(True)
    assert tf.config.optimizer.get_jit() == "autoclustering"
