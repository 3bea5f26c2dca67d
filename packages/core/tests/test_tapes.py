"""GradientTape: what it watches, and the gradients it gives."""

import numpy as np
import pytest

from modtf import core as tf

R = tf.raw_ops


def test_watches_trainable_variables_by_itself():
    trained, frozen = tf.Variable(2.0), tf.Variable(3.0, trainable=False)
    with tf.GradientTape() as tape:
        y = trained * trained * frozen
    assert [variable is trained for variable in tape.watched_variables()] == [True]
    gradients = tape.gradient(y, {"trained": trained, "frozen": frozen})
    assert float(gradients["trained"]) == 12.0
    assert gradients["frozen"] is None


def test_watching_can_be_switched_off():
    variable = tf.Variable(2.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        y = variable * variable
    assert tape.gradient(y, variable) is None
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variable)
        y = variable * variable
    assert float(tape.gradient(y, variable)) == 4.0


def test_constants_need_watching():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    with pytest.raises(RuntimeError):
        tape.gradient(y, x)


def test_unconnected_gradients():
    x, other = tf.constant([3.0, 4.0]), tf.Variable([[1.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, other) is None
    zeros = tape.gradient(y, [x, other], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    np.testing.assert_array_equal(zeros[0], [6, 8])
    np.testing.assert_array_equal(zeros[1], [[0]])
    with pytest.raises(ValueError, match="nonsense"):
        tape.gradient(y, x, unconnected_gradients="nonsense")


def test_a_tape_is_used_once_unless_persistent():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)


def test_persistent_tapes_give_gradients_of_intermediates_too():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert float(tape.gradient(z, x)) == 108.0
    assert float(tape.gradient(z, y)) == 18.0
    assert float(tape.gradient(y, x)) == 6.0


def test_output_gradients_weigh_the_targets():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=tf.constant([10.0, 1.0])), [20, 4])


def test_several_targets_are_summed():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, z = x * 3.0, x * x
    assert float(tape.gradient({"y": y, "z": z}, x)) == 7.0


def test_nested_tapes_give_higher_orders():
    x = tf.constant(2.0)
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = x * x * x
            dy = first.gradient(y, x)
        d2y = second.gradient(dy, x)
    assert [float(dy), float(d2y), float(third.gradient(d2y, x))] == [12.0, 12.0, 6.0]


def test_stop_recording_and_reset():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            unseen = x * x
        y = x * 3.0 + unseen
    assert float(tape.gradient(y, x)) == 3.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * 3.0
        tape.reset()
        tape.watch(x)
        z = x * 5.0
    assert float(tape.gradient([y, z], x)) == 5.0


def test_a_tensor_that_is_source_and_target():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
    assert float(tape.gradient(x, x)) == 1.0


def test_a_variable_as_target():
    variable = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(variable)
    np.testing.assert_array_equal(tape.gradient(variable, variable), [1, 1])


def test_gradients_sum_over_broadcasting():
    row, column = tf.constant([[1.0, 2.0, 3.0]]), tf.constant([[1.0], [2.0]])
    with tf.GradientTape() as tape:
        tape.watch([row, column])
        y = row * column
    d_row, d_column = tape.gradient(y, [row, column])
    np.testing.assert_array_equal(d_row, [[3, 3, 3]])
    np.testing.assert_array_equal(d_column, [[6], [6]])


def test_integers_cannot_be_watched():
    with tf.GradientTape() as tape, pytest.warns(UserWarning, match="must be floating"):
        tape.watch(tf.constant(1))


def test_stop_gradient():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * R.StopGradient(x)
    assert float(tape.gradient(y, x)) == 3.0


def test_a_tape_outside_a_function_sees_the_call_not_its_inside():
    variable = tf.Variable(3.0)

    @tf.function
    def square():
        return variable * variable

    square()
    with tf.GradientTape() as tape:
        y = square()
    assert float(tape.gradient(y, variable)) == 6.0
    assert tape.watched_variables()[0] is variable


def test_a_tape_is_not_entered_twice():
    tape = tf.GradientTape()
    with tape, pytest.raises(ValueError, match="recording already"), tape:
        pass
