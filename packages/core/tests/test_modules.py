"""Module and Variable."""

import copy

import numpy as np
import pytest

from modtf import core as tf


class Dense(tf.Module):
    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(np.ones((inputs, outputs), np.float32), name="w")
        self.b = tf.Variable(np.zeros(outputs, np.float32), name="b")

    def __call__(self, x):
        return x @ self.w + self.b


class Stack(tf.Module):
    def __init__(self):
        super().__init__()
        self.layers = [Dense(2, 3), {"last": Dense(3, 1)}]
        self.pair = (tf.Variable(1.0, trainable=False, name="step"),)
        self.first = self.layers[0]


def test_the_first_example():
    class SimpleModule(tf.Module):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.a_variable = tf.Variable(5.0, name="train_me")
            self.non_trainable_variable = tf.Variable(5.0, trainable=False, name="do_not_train_me")

        def __call__(self, x):
            return self.a_variable * x + self.non_trainable_variable

    simple_module = SimpleModule(name="simple")
    assert float(simple_module(tf.constant(5.0))) == 30.0
    assert [variable.name for variable in simple_module.trainable_variables] == ["train_me:0"]
    assert [variable.name for variable in simple_module.variables] == ["train_me:0", "do_not_train_me:0"]


def test_collections_inside_modules_are_tracked():
    stack = Stack()
    assert [type(module) for module in stack.submodules] == [Dense, Dense]
    assert [variable.name for variable in stack.variables] == ["step:0", "b:0", "w:0", "b:0", "w:0"]
    assert len(stack.trainable_variables) == 4
    assert len(stack.non_trainable_variables) == 1
    assert set(stack.trackable_children()) == {"layers", "pair", "first"}


def test_names():
    assert Dense(1, 1).name == "dense"
    assert Dense(1, 1, name="mine").name == "mine"
    with pytest.raises(ValueError, match="valid Python identifiers"):
        Dense(1, 1, name="not an identifier")


def test_name_scopes():
    class Scoped(tf.Module):
        @tf.Module.with_name_scope
        def make(self):
            with tf.name_scope("inner") as scope:
                self.v = tf.Variable(1.0, name="v")
            return scope

    module = Scoped(name="outer")
    assert module.make() == "outer/inner/"
    assert module.v.name == "outer/inner/v:0"
    with module.name_scope as scope:
        assert scope == "outer/"


def test_cycles_are_walked_once():
    one, two = tf.Module("one"), tf.Module("two")
    one.other, two.other = two, one
    two.v = tf.Variable(1.0)
    assert len(one.variables) == 1
    assert [module.name for module in one.submodules] == ["two"]


def test_deep_copies_are_independent():
    original = Stack()
    copied = copy.deepcopy(original)
    copied.first.w.assign_add(np.ones((2, 3), np.float32))
    assert copied.layers[0] is copied.first
    np.testing.assert_array_equal(original.first.w, np.ones((2, 3)))
    np.testing.assert_array_equal(copied.first.w, np.full((2, 3), 2))


def test_variables_assign():
    v = tf.Variable([1.0, 2.0])
    assert v.assign([3.0, 4.0]) is v
    np.testing.assert_array_equal(v.assign_add([1.0, 1.0]), [4, 5])
    np.testing.assert_array_equal(v.assign_sub([4.0, 4.0]), [0, 1])
    assert v.assign([1.0, 1.0], read_value=False) is None
    assert v.shape == (2,)
    assert v.dtype == tf.float32


@pytest.mark.parametrize(
    ("value", "match"), [([1.0], "Shape mismatch"), (tf.constant([1, 2]), "Tensor conversion requested dtype float32")]
)
def test_variables_refuse_what_does_not_fit(value, match):
    v = tf.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=match):
        v.assign(value)
    np.testing.assert_array_equal(v, [1, 2])


def test_variables_of_changing_shape():
    v = tf.Variable([1.0], shape=tf.TensorShape([None]))
    v.assign([1.0, 2.0, 3.0])
    assert v.shape == tf.TensorShape([None])
    assert v.value().shape == (3,)

    @tf.function
    def double():
        assert v.value().shape == tf.TensorShape([None])
        return v * 2.0

    np.testing.assert_array_equal(double(), [2, 4, 6])
    with pytest.raises(ValueError, match="not compatible with the given shape"):
        tf.Variable([1.0, 2.0], shape=[3])


def test_variables_behave_as_tensors():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(v[0] + 1, [2, 3])
    np.testing.assert_array_equal(2.0 * v - v / 2.0, [[1.5, 3], [4.5, 6]])
    np.testing.assert_array_equal(np.asarray(v) @ np.eye(2, dtype=np.float32), v.numpy())
    assert tf.constant(1.0) + tf.Variable(2.0) == 3.0
    assert len({v.ref(), v.ref()}) == 1
    assert v.ref().deref() is v
    with pytest.raises(TypeError, match="unhashable"):
        hash(v)


def test_an_initial_value_may_be_a_function():
    assert float(tf.Variable(lambda: tf.constant(7.0))) == 7.0
    with pytest.raises(ValueError, match="needs an initial_value"):
        tf.Variable()


def test_repr():
    assert repr(tf.Variable(1.5, name="v")) == "<tf.Variable 'v:0' shape=() dtype=float32, numpy=1.5>"
