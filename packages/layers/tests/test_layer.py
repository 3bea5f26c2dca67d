"""What all layers have in common."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf import layers
from modtf.core import contracts


class Scale(layers.Layer):
    """A layer of one's own."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1],), "ones", name="w")

    def call(self, inputs, training=None):
        return inputs * self.w * (self.factor if training else 1.0)


class Pair(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Scale(), {"deep": Scale(3.0)}]
        self.counter = tf.Variable(0, trainable=False)

    def call(self, inputs):
        for part in (self.parts[0], self.parts[1]["deep"]):
            inputs = part(inputs)
        return inputs


def test_weights_are_made_by_the_first_call():
    layer = layers.Dense(3)
    assert not layer.built and layer.weights == []
    layer(np.ones((2, 5)))
    assert layer.built
    assert [tuple(weight.shape) for weight in layer.weights] == [(5, 3), (3,)]
    assert layer.kernel.name == "dense/kernel:0"
    assert layer.count_params() == 18


def test_names_are_numbered():
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.MaxPooling2D().name, layers.BatchNormalization().name]
    assert names == ["dense", "dense_1", "max_pooling2d", "batch_normalization"]


def test_training_is_passed_on_to_layers_inside():
    layer = Pair()
    x = np.ones((1, 2), "float32")
    assert np.asarray(layer(x)).tolist() == [[1, 1]]
    assert np.asarray(layer(x, training=True)).tolist() == [[6, 6]]
    assert np.asarray(layer(x, training=False)).tolist() == [[1, 1]]


def test_variables_of_sublayers_in_containers_are_found_in_order():
    layer = Pair()
    layer(np.ones((1, 2)))
    first, second = layer.parts[0].w, layer.parts[1]["deep"].w
    assert all(a is b for a, b in zip(layer.weights, [layer.counter, first, second], strict=True))
    assert all(a is b for a, b in zip(layer.trainable_weights, [first, second], strict=True))
    assert layer.non_trainable_weights[0] is layer.counter
    assert [item.name for item in layer.sublayers()] == ["scale", "scale_1"]


def test_freezing_and_thawing():
    layer = Pair()
    layer(np.ones((1, 2)))
    layer.trainable = False
    assert layer.trainable_weights == [] and not layer.parts[0].w.trainable
    with tf.GradientTape() as tape:
        layer(np.ones((1, 2)))
    assert tape.watched_variables() == ()
    layer.trainable = True
    assert len(layer.trainable_weights) == 2 and not layer.counter.trainable
    layer.parts[0].trainable = False
    assert len(layer.trainable_weights) == 1


def test_a_layer_made_untrainable_can_be_thawed():
    layer = Scale(trainable=False)
    layer.build((None, 2))
    assert layer.trainable_weights == [] and len(layer.weights) == 1
    layer.trainable = True
    assert len(layer.trainable_weights) == 1 and layer.w.trainable


def test_losses_of_a_call_and_penalties_on_weights(backend):
    layer = layers.Dense(2, kernel_regularizer=layers.regularizers.L2(0.5), kernel_initializer="ones", use_bias=False)

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, inputs):
            outputs = self.inner(inputs)
            self.add_loss(tf.reduce_sum(outputs))
            return outputs

    outer = Outer()
    outer(np.ones((1, 3), "float32"))
    outer(np.ones((1, 3), "float32"))  # forgets what the first call added
    assert [float(loss) for loss in outer.losses] == [6.0, 3.0]
    assert [float(loss()) for loss in outer.regularization_losses] == [3.0]
    layer.kernel.assign(tf.zeros([3, 2]))
    assert [float(loss()) for loss in outer.regularization_losses] == [0.0]
    outer.trainable = False
    assert outer.regularization_losses == []


def test_penalties_on_outputs_are_divided_by_the_batch():
    layer = layers.Dense(2, activity_regularizer="l2", kernel_initializer="ones")
    layer(np.ones((4, 3), "float32"))
    assert [float(loss) for loss in layer.losses] == [pytest.approx(0.01 * 9 * 2)]


def test_setting_weights_is_all_or_nothing():
    layer = layers.Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"\(2,\).*\(5,\)"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(5)])
    with pytest.raises(ValueError, match="2 weights, but 1"):
        layer.set_weights([np.zeros((3, 2))])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_inputs_are_cast_to_the_layers_dtype(backend):
    assert layers.Dense(1)(np.ones((2, 3), "float64")).dtype == tf.float32
    assert layers.Dense(1, dtype="float64")(np.ones((2, 3), "float32")).dtype == tf.float64
    assert layers.Dense(1)(np.ones((2, 3), "int32")).dtype == tf.float32
    assert layers.Dense(1)([[1, 2], [3, 4]]).shape == (2, 1)
    half = layers.Dense(1, dtype="bfloat16")
    assert half(np.ones((2, 3), "float32")).dtype == tf.bfloat16 and half.kernel.dtype == tf.bfloat16
    assert layers.Flatten()(np.ones((2, 3), "int64")).dtype == tf.int64


def test_a_layer_is_a_reusable_saved_model_and_names_its_parts():
    layer = Pair()
    layer(np.ones((1, 2)))
    assert isinstance(layer, contracts.ReusableSavedModel)
    assert isinstance(layer, contracts.Trackable)
    assert set(layer.trackable_children()) == {"parts", "counter"}
    assert set(layers.Dropout(0.5).trackable_children()) == {"seed_generator"}
    dense = layers.Dense(1, kernel_regularizer="l2", trainable=False)
    dense.build((None, 1))
    assert dense.regularization_losses == []
    assert set(dense.trackable_children()) == {"kernel", "bias"}


def test_a_layer_can_be_used_in_a_hand_written_loop(backend):
    layer = layers.Dense(1)
    optimizer = layers.optimizers.SGD(0.1)
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    y = x @ np.array([[1.0], [2.0], [3.0]], "float32")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x) - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables))
        return loss

    losses = [float(step()) for _ in range(100)]
    assert losses[-1] < 1e-3 < losses[0]


def test_modules_inside_layers_count():
    class Linear(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(2.0)

        def __call__(self, x):
            return self.w * x

    class Wrapped(layers.Layer):
        def __init__(self):
            super().__init__()
            self.module = Linear()

        def call(self, inputs):
            return self.module(inputs)

    layer = Wrapped()
    assert float(layer(tf.constant(3.0))) == 6
    assert layer.trainable_variables[0] is layer.module.w


def test_dropout_drops_anew_at_each_step_and_the_same_for_a_seed(backend):
    x = np.ones((100, 100), "float32")

    def three_calls(traced):
        layer = layers.Dropout(0.3, seed=7)
        call = tf.function(lambda: layer(x, training=True)) if traced else lambda: layer(x, training=True)
        return [np.asarray(call()) for _ in range(3)]

    outputs = three_calls(traced=True)
    assert not np.array_equal(outputs[0], outputs[1])
    for output, again in zip(outputs, three_calls(traced=False), strict=True):
        np.testing.assert_array_equal(output, again)
        assert abs(np.mean(output == 0) - 0.3) < 0.03
        np.testing.assert_allclose(output[output != 0], 1 / 0.7, rtol=1e-6)


def test_dropout_is_equal_on_all_backends():
    kept = []
    for name in {"numpy", *(set(tf.config.list_backends()) & {"jax"})}:
        with tf.backend(name):
            kept.append(np.asarray(layers.Dropout(0.5, seed=3)(np.ones((5, 5), "float32"), training=True)))
    assert all(np.array_equal(kept[0], other) for other in kept[1:])


def test_dropout_with_a_noise_shape():
    output = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(np.ones((50, 4), "float32"), training=True))
    assert np.all(output == output[:, :1]) and 0 < output.mean() < 2


def test_initializers_have_their_distributions():
    shape = (200, 300)
    expected = {
        "glorot_uniform": np.sqrt(2 / 500), "glorot_normal": np.sqrt(2 / 500), "he_normal": np.sqrt(2 / 200),
        "he_uniform": np.sqrt(2 / 200), "lecun_normal": np.sqrt(1 / 200), "lecun_uniform": np.sqrt(1 / 200),
        "random_normal": 0.05, "random_uniform": 0.1 / np.sqrt(12), "truncated_normal": 0.05 * 0.8796,
    }  # fmt: skip
    for name, deviation in expected.items():
        values = np.asarray(layers.initializers.get(name)(shape))
        assert values.dtype == np.float32
        assert abs(values.std() / deviation - 1) < 0.03, name
        assert abs(values.mean()) < 0.1 * deviation, name
    orthogonal = np.asarray(layers.initializers.Orthogonal(2.0)((6, 4)))
    np.testing.assert_allclose(orthogonal.T @ orthogonal, 4 * np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(layers.initializers.Identity()((2, 3)), np.eye(2, 3))
    same = layers.initializers.GlorotUniform(seed=5)
    np.testing.assert_array_equal(same((3, 3)), same((3, 3)))


def test_set_random_seed_makes_equal_weights():
    weights = []
    for _ in range(2):
        layers.utils.set_random_seed(11)
        layer = layers.Dense(3)
        layer.build((None, 3))
        weights.append(layer.get_weights()[0])
    np.testing.assert_array_equal(*weights)


def test_a_layer_of_ones_own_is_made_anew_from_its_configuration():
    config = Scale(5.0, name="five").get_config()
    assert config == {"trainable": True, "dtype": "float32", "name": "five", "factor": 5.0}
    assert Scale.from_config(config).factor == 5.0

    class Forgetful(layers.Layer):
        def __init__(self, size):
            super().__init__()

    with pytest.raises(NotImplementedError, match="self.size"):
        Forgetful(3).get_config()


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: layers.Dense(2)(np.ones(3)), ["layer 'dense'", "rank 2 or more", "(3,)"]),
        (lambda: layers.Dense(-1), ["units", "-1"]),
        (lambda: layers.Dense(2, activation="rellu"), ["rellu", "Did you mean 'relu'", "sigmoid"]),
        (lambda: layers.Dense(2, colour="red"), ["Dense", "colour"]),
        (lambda: layers.Dense(2, name="a/b"), ["a/b"]),
        (lambda: layers.Dense(2, kernel_initializer="glorot"), ["glorot_uniform"]),
        (lambda: layers.Conv2D(2, (3, 3, 3)), ["kernel_size", "(3, 3, 3)"]),
        (lambda: layers.Conv2D(2, 3, padding="full"), ["padding", "full", "same"]),
        (lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2), ["strides", "dilation_rate"]),
        (lambda: layers.Conv2D(3, 3, groups=2), ["filters", "groups"]),
        (lambda: layers.Conv2D(2, 3)(np.ones((1, 5, 5))), ["conv2d", "rank 4", "(1, 5, 5)"]),
        (lambda: layers.Conv2D(2, 3, data_format="NHWC"), ["data_format", "channels_last"]),
        (lambda: layers.Dropout(1.5), ["rate", "1.5"]),
        (lambda: layers.Reshape((2, 2))(np.ones((1, 5))), ["reshape", "(5,)", "(2, 2)"]),
        (lambda: layers.BatchNormalization(axis=4)(np.ones((1, 2))), ["axis 4", "(1, 2)"]),
        (lambda: layers.Add()(np.ones((1, 2))), ["add", "list"]),
        (lambda: layers.Dense(2).count_params(), ["dense", "not built"]),
        (lambda: layers.regularizers.L2(-1.0), ["l2", "-1"]),
    ],
)
def test_bad_input(call, parts):
    with pytest.raises(ValueError) as error:
        call()
    for part in parts:
        assert part in str(error.value)


def test_a_shape_that_does_not_fit_is_told_with_the_path_of_the_layer():
    class Inside(layers.Layer):
        def __init__(self):
            super().__init__(name="inside")
            self.head = layers.Dense(2, name="head")

        def call(self, inputs):
            return self.head(inputs)

    model = layers.Sequential([layers.Dense(4), Inside()], name="net")
    model(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"'head' \(Dense, at 'inside/head'\).*size 4 at axis -1.*\(1, 5\)"):
        model.layers[1](np.ones((1, 5)))
    with pytest.raises(ValueError, match="'net/dense'.*size 3"):
        model(np.ones((1, 2)))
