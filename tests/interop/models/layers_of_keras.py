"""A model for each family of layers, of Keras 3 and of tf_keras.

A model applies several layers of a family side by side, mostly to one input.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from described import Written, add, call

Built = tuple[Any, Sequence[Any]]
"""A model, and arrays for its inputs."""


def randomized(model: Any) -> Any:
    """The model with weights by chance, always the same ones; those of layers that were made for data stay."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if not hasattr(weight, "assign"):  # a vocabulary
            continue
        if (
            np.dtype(weight.dtype if isinstance(weight.dtype, str) else weight.dtype.name).kind == "f"
            and weight.trainable
        ):
            weight.assign(random.normal(size=tuple(weight.shape)) * 0.3)
        elif "moving_variance" in (weight.name if "path" not in dir(weight) else weight.path):
            weight.assign(random.uniform(0.5, 2.0, tuple(weight.shape)))
        elif "moving_mean" in (weight.name if "path" not in dir(weight) else weight.path):
            weight.assign(random.normal(size=tuple(weight.shape)))
    return model


def array(*shape: int, dtype: str = "float32", below: int = 5, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    if dtype == "string":
        return random.choice(np.array([b"cat", b"dog", b"fish", b"the dog", b""], object), shape)
    return (random.integers(0, below, shape) if "int" in dtype else random.normal(size=shape)).astype(dtype)


def side_by_side(
    keras: Any,
    shape: tuple[int | None, ...],
    make: Callable[[Any], Sequence[Any]],
    dtype: str = "float32",
    below: int = 5,
) -> Built:
    inputs = keras.Input(shape, dtype=dtype)
    model = keras.Model(inputs, [layer(inputs) for layer in make(keras.layers)])
    return randomized(model), [array(2, *[3 if size is None else size for size in shape], dtype=dtype, below=below)]


QUICK = [
    "dense",
    "embedding",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "pooling_2d",
    "batch_normalization",
    "layer_normalizations",
    "activations",
    "reshaping",
    "regularization",
    "lstm",
    "masked_lstm",
    "time_distributed",
    "attention",
    "merging",
    "named_inputs_and_outputs",
    "sequential",
    "subclassed",
    "nested_models",
    "image_preprocessing",
    "category_encoding",
    "hashing",
    "string_lookup",
    "text_vectorization",
    "normalization_and_discretization",
    "mixed_precision",
]
"""What is compared of tf_keras unless the large models are asked for: it writes the functions of every layer, which takes long."""

BOTH: dict[str, Callable[[Any], Built]] = {}
"""Models that either Keras makes."""
ONLY_3: dict[str, Callable[[Any], Built]] = {}
"""Models that Keras 3 makes."""


def family(name: str, shape: tuple[int | None, ...], make: Callable[[Any], Sequence[Any]], **options: Any) -> None:
    (ONLY_3 if options.pop("only_3", False) else BOTH)[name] = lambda keras: side_by_side(keras, shape, make, **options)


def both(build: Any) -> Any:
    BOTH[build.__name__] = build
    return build


def only_3(build: Any) -> Any:
    ONLY_3[build.__name__] = build
    return build


# --- dense, convolutions, pooling, normalization ---------------------------------------------------------------------

family(
    "dense",
    (4,),
    lambda kl: [kl.Dense(3), kl.Dense(2, activation="gelu", use_bias=False), kl.Dense(3, activation="softmax")],
)
family(
    "einsum_dense",
    (5, 4),
    lambda kl: [kl.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d"), kl.EinsumDense("abc,bd->ad", 3)],
)
family("embedding", (6,), lambda kl: [kl.Embedding(9, 4), kl.Embedding(9, 3, mask_zero=True)], dtype="int32", below=9)
family("conv1d", (12, 3), lambda kl: [
    kl.Conv1D(4, 3), kl.Conv1D(4, 3, strides=2, padding="same"), kl.Conv1D(4, 3, dilation_rate=2, padding="causal"),
    kl.SeparableConv1D(4, 3, padding="same"), kl.DepthwiseConv1D(3, depth_multiplier=2), kl.Conv1D(6, 3, groups=3),
])  # fmt: skip
family("conv2d", (9, 8, 4), lambda kl: [
    kl.Conv2D(4, 3), kl.Conv2D(5, (2, 3), strides=2, padding="same", activation="relu"), kl.Conv2D(4, 3, dilation_rate=2), kl.Conv2D(6, 3, groups=2),
])  # fmt: skip
family("conv3d", (5, 6, 7, 2), lambda kl: [kl.Conv3D(3, 2), kl.Conv3D(3, (1, 2, 3), strides=2, padding="same")])
family(
    "conv1d_transpose",
    (6, 3),
    lambda kl: [kl.Conv1DTranspose(4, 3), kl.Conv1DTranspose(4, 3, strides=2, padding="same")],
)
family(
    "conv2d_transpose",
    (5, 6, 3),
    lambda kl: [kl.Conv2DTranspose(4, 3, strides=2), kl.Conv2DTranspose(2, (2, 3), padding="same")],
)
family(
    "conv3d_transpose",
    (3, 4, 5, 2),
    lambda kl: [kl.Conv3DTranspose(3, 2, strides=2), kl.Conv3DTranspose(2, 3, padding="same")],
)
family("separable_and_depthwise", (8, 9, 3), lambda kl: [
    kl.SeparableConv2D(4, 3), kl.SeparableConv2D(4, 3, strides=2, padding="same", depth_multiplier=2), kl.DepthwiseConv2D(3, padding="same"),
    kl.DepthwiseConv2D(3, strides=2, depth_multiplier=2),
])  # fmt: skip
family("pooling_1d", (10, 3), lambda kl: [
    kl.MaxPooling1D(2), kl.AveragePooling1D(3, strides=2, padding="same"), kl.GlobalMaxPooling1D(), kl.GlobalAveragePooling1D(keepdims=True),
])  # fmt: skip
family("pooling_2d", (9, 8, 3), lambda kl: [
    kl.MaxPooling2D(2), kl.MaxPooling2D(3, strides=2, padding="same"), kl.AveragePooling2D(2), kl.AveragePooling2D(3, 2, padding="same"),
    kl.GlobalMaxPooling2D(), kl.GlobalAveragePooling2D(),
])  # fmt: skip
family(
    "pooling_3d",
    (4, 6, 5, 2),
    lambda kl: [
        kl.MaxPooling3D(2),
        kl.AveragePooling3D(2, padding="same"),
        kl.GlobalMaxPooling3D(),
        kl.GlobalAveragePooling3D(),
    ],
)
family(
    "batch_normalization",
    (4, 5, 3),
    lambda kl: [
        kl.BatchNormalization(),
        kl.BatchNormalization(axis=1, scale=False),
        kl.BatchNormalization(epsilon=0.1, center=False),
    ],
)
family("layer_normalizations", (4, 6), lambda kl: [
    kl.LayerNormalization(), kl.LayerNormalization(axis=[1, 2], epsilon=0.1), kl.GroupNormalization(3), kl.UnitNormalization(),
])  # fmt: skip
family(
    "rms_normalization", (4, 6), lambda kl: [kl.RMSNormalization(), kl.SpectralNormalization(kl.Dense(3))], only_3=True
)
family("activations", (3, 4), lambda kl: [
    *[kl.Activation(name) for name in ["elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign", "swish", "tanh"]],
    kl.LeakyReLU(), kl.PReLU(shared_axes=[1]), kl.ELU(0.5), kl.ReLU(3.0, 0.1, 0.2), kl.Softmax(axis=1),
])  # fmt: skip
family("more_activations", (3, 4), lambda kl: [
    kl.Activation(name) for name in ["celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "relu6", "silu", "soft_shrink", "sparse_plus", "squareplus", "tanh_shrink"]
], only_3=True)  # fmt: skip
family("reshaping", (4, 6), lambda kl: [
    kl.Flatten(), kl.Reshape((3, 8)), kl.Reshape((-1, 2)), kl.Permute((2, 1)), kl.UpSampling1D(2), kl.ZeroPadding1D((1, 2)), kl.Cropping1D((1, 1)),
])  # fmt: skip
family("reshaping_images", (4, 5, 2), lambda kl: [
    kl.UpSampling2D(2), kl.UpSampling2D((2, 3), interpolation="bilinear"), kl.ZeroPadding2D(((1, 2), (0, 1))), kl.Cropping2D(1),
    kl.Reshape((4, 5, 2, 1)),
])  # fmt: skip
family("reshaping_volumes", (3, 4, 5, 2), lambda kl: [kl.UpSampling3D(2), kl.ZeroPadding3D(1), kl.Cropping3D(1)])
family("regularization", (4, 5, 3), lambda kl: [
    kl.Dropout(0.5), kl.SpatialDropout2D(0.5), kl.GaussianNoise(1.0), kl.GaussianDropout(0.5), kl.AlphaDropout(0.5), kl.ActivityRegularization(0.1),
])  # fmt: skip

# --- recurrent -------------------------------------------------------------------------------------------------------

family(
    "simple_rnn",
    (6, 3),
    lambda kl: [
        kl.SimpleRNN(4),
        kl.SimpleRNN(4, return_sequences=True, go_backwards=True),
        kl.SimpleRNN(3, unroll=True),
    ],
)
family("gru", (6, 3), lambda kl: [
    kl.GRU(4), kl.GRU(4, return_sequences=True, reset_after=False), kl.GRU(3, recurrent_activation="hard_sigmoid", go_backwards=True), kl.GRU(2, unroll=True),
])  # fmt: skip
family(
    "lstm",
    (6, 3),
    lambda kl: [
        kl.LSTM(4),
        kl.LSTM(4, return_sequences=True, activation="relu"),
        kl.LSTM(3, unit_forget_bias=False, unroll=True),
    ],
)
family(
    "open_lengths",
    (None, 3),
    lambda kl: [kl.LSTM(4), kl.GRU(4, return_sequences=True), kl.Conv1D(2, 2), kl.GlobalAveragePooling1D()],
)
family("bidirectional", (5, 3), lambda kl: [
    kl.Bidirectional(kl.LSTM(4)), kl.Bidirectional(kl.GRU(3, return_sequences=True), merge_mode="sum"), kl.Bidirectional(kl.SimpleRNN(2), merge_mode="mul"),
])  # fmt: skip
family("cells_and_stacks", (5, 3), lambda kl: [
    kl.RNN(kl.LSTMCell(4)), kl.RNN([kl.GRUCell(4), kl.SimpleRNNCell(3)], return_sequences=True), kl.RNN(kl.StackedRNNCells([kl.LSTMCell(2), kl.LSTMCell(3)])),
])  # fmt: skip
family(
    "conv_lstm",
    (3, 5, 6, 2),
    lambda kl: [kl.ConvLSTM2D(3, 2), kl.ConvLSTM2D(2, 3, padding="same", return_sequences=True)],
)
family("conv_lstm_1d_and_3d", (3, 5, 2), lambda kl: [kl.ConvLSTM1D(3, 2), kl.Reshape((3, 5, 1, 2, 1))])
family(
    "time_distributed",
    (4, 5, 3),
    lambda kl: [kl.TimeDistributed(kl.Dense(2)), kl.TimeDistributed(kl.Conv1D(3, 2)), kl.TimeDistributed(kl.Flatten())],
)


@both
def states(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((5, 3))
    sequence, h, c = kl.LSTM(4, return_sequences=True, return_state=True)(x)
    decoded = kl.LSTM(4, return_sequences=True)(x, initial_state=[h, c])
    outputs = {"encoded": sequence, "decoded": decoded, "gru": kl.GRU(4, return_state=True)(x, initial_state=c)[1]}
    return randomized(keras.Model(x, outputs)), [array(2, 5, 3)]


@both
def masks(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((6,), dtype="int32")
    embedded = kl.Embedding(7, 4, mask_zero=True)(x)
    masked = kl.Masking(0.0)(kl.Embedding(7, 3)(x))
    outputs = [
        kl.LSTM(3)(embedded), kl.GRU(3, return_sequences=True)(embedded), kl.Bidirectional(kl.SimpleRNN(2))(embedded), kl.GlobalAveragePooling1D()(embedded),
        kl.LSTM(2)(masked), kl.TimeDistributed(kl.Dense(2))(embedded), kl.Attention()([embedded, embedded]), kl.LSTM(2, unroll=True)(embedded),
    ]  # fmt: skip
    return randomized(keras.Model(x, outputs)), [
        np.array([[1, 2, 0, 0, 0, 0], [3, 4, 5, 6, 1, 2], [1, 0, 2, 0, 0, 0]], np.int32)
    ]


@both
def masked_lstm(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((4,), dtype="int32")
    masked = kl.Masking(0.0)(kl.Embedding(7, 3)(x))
    outputs = [
        kl.LSTM(3, return_sequences=True)(kl.Embedding(7, 4, mask_zero=True)(x)),
        kl.GlobalAveragePooling1D()(masked),
    ]
    return randomized(keras.Model(x, outputs)), [np.array([[1, 2, 0, 0], [3, 0, 5, 6]], np.int32)]


@both
def stateful(keras: Any) -> Built:
    x = keras.Input((3, 2), batch_size=2)
    layers = keras.layers
    outputs = [layers.LSTM(3, stateful=True)(x), layers.GRU(2, stateful=True)(x)]
    return randomized(keras.Model(x, outputs)), [array(2, 3, 2)]


# --- attention, merging, whole models --------------------------------------------------------------------------------


@both
def attention(keras: Any) -> Built:
    kl, q, v = keras.layers, keras.Input((4, 6)), keras.Input((5, 6))
    outputs = [
        kl.MultiHeadAttention(2, 3)(q, v), kl.MultiHeadAttention(2, 4, value_dim=3, output_shape=5)(q, v, return_attention_scores=True)[1],
        kl.Attention()([q, v]), kl.Attention(use_scale=True, score_mode="concat")([q, v]), kl.AdditiveAttention()([q, v]),
        kl.MultiHeadAttention(2, 3)(q, q, use_causal_mask=True), kl.Attention()([q, q], use_causal_mask=True),
    ]  # fmt: skip
    return randomized(keras.Model([q, v], outputs)), [array(2, 4, 6), array(2, 5, 6, seed=1)]


@only_3
def grouped_query_attention(keras: Any) -> Built:
    q, v = keras.Input((4, 8)), keras.Input((5, 8))
    outputs = [
        keras.layers.GroupQueryAttention(4, 6, 2)(q, v),
        keras.layers.GroupQueryAttention(4, 4, 1)(q, q, use_causal_mask=True),
    ]
    return randomized(keras.Model([q, v], outputs)), [array(2, 4, 8), array(2, 5, 8, seed=1)]


@both
def merging(keras: Any) -> Built:
    kl, inputs = keras.layers, [keras.Input((3, 4)), keras.Input((3, 4))]
    kinds = [
        kl.Add(),
        kl.Subtract(),
        kl.Multiply(),
        kl.Average(),
        kl.Maximum(),
        kl.Minimum(),
        kl.Concatenate(),
        kl.Concatenate(axis=1),
        kl.Dot(axes=2),
    ]
    outputs = [kind(inputs) for kind in [*kinds, kl.Dot(axes=(1, 1), normalize=True)]]
    return randomized(keras.Model(inputs, outputs)), [array(2, 3, 4), array(2, 3, 4, seed=1)]


@both
def named_inputs_and_outputs(keras: Any) -> Built:
    kl = keras.layers
    inputs = {"image": keras.Input((4, 4, 1), name="image"), "age": keras.Input((1,), name="age")}
    joined = kl.Concatenate()([kl.Flatten()(inputs["image"]), inputs["age"]])
    outputs = {
        "score": kl.Dense(1, activation="sigmoid", name="score")(joined),
        "features": kl.Dense(3, name="features")(joined),
    }
    return randomized(keras.Model(inputs, outputs)), [{"image": array(2, 4, 4, 1), "age": array(2, 1)}]


@both
def sequential(keras: Any) -> Built:
    kl = keras.layers
    layers = [
        keras.Input((8, 8, 1)),
        kl.Conv2D(4, 3, activation="relu"),
        kl.MaxPooling2D(),
        kl.BatchNormalization(),
        kl.Flatten(),
        kl.Dropout(0.3),
        kl.Dense(3),
    ]
    return randomized(keras.Sequential(layers)), [array(2, 8, 8, 1)]


@both
def nested_models(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((5,))
    inner = keras.Sequential([keras.Input((5,)), kl.Dense(4, activation="relu"), kl.LayerNormalization()])
    shared = kl.Dense(4)
    y = inner(x)
    return randomized(keras.Model(x, [shared(y), shared(inner(x * 2.0)), y[:, 1:] + 1.0])), [array(2, 5)]


@both
def subclassed(keras: Any) -> Built:
    class Block(keras.layers.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(units)
            self.dropout = keras.layers.Dropout(0.4)

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
            self.dense.build(shape)

        def call(self, x: Any, training: bool = False) -> Any:
            return self.dropout(tf.nn.relu(self.dense(x * self.scale)), training=training)

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [Block(4), Block(3)]

        def call(self, x: Any, training: bool = False) -> Any:
            for block in self.blocks:
                x = block(x, training=training)
            return {"x": x, "norm": tf.norm(x, axis=-1)}

    model, x = Model(), array(2, 5)
    model(x)
    return randomized(model), [x]


@both
def transformer(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((6,), dtype="int32")
    y = (
        kl.Embedding(11, 8)(x) + kl.Embedding(6, 8)(tf.range(6)[None])
        if keras.__name__ == "tf_keras"
        else kl.Embedding(11, 8)(x)
    )
    for _ in range(2):
        y = kl.LayerNormalization()(y + kl.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True))
        y = kl.LayerNormalization()(y + kl.Dense(8)(kl.Dense(16, activation="gelu")(y)))
    return randomized(keras.Model(x, kl.Dense(11)(y))), [array(2, 6, dtype="int32", below=11)]


@both
def mixed_precision(keras: Any) -> Built:
    policy = "mixed_bfloat16"
    x = keras.Input((6, 6, 2))
    kl = keras.layers
    y = kl.Conv2D(3, 3, dtype=policy)(x)
    y = kl.Dense(4, dtype=policy)(kl.Flatten()(y))
    return randomized(keras.Model(x, kl.Activation("softmax", dtype="float32")(y))), [array(2, 6, 6, 2)]


@only_3
def quantized(keras: Any) -> Built:
    model, data = (
        randomized(
            keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)])
        ),
        [array(2, 6)],
    )
    model.quantize("int8")
    return model, data


@only_3
def operations(keras: Any) -> Built:
    x, o = keras.Input((4, 6)), keras.ops
    outputs = [
        o.einsum("bij,bkj->bik", x, x), o.top_k(x, 2)[0], o.cumsum(x, 1), o.logsumexp(x, -1), o.one_hot(o.argmax(x, -1), 6), o.where(x > 0, x, 0.1 * x),
        o.image.resize(o.reshape(x, (-1, 4, 6, 1)), (8, 3)), o.segment_sum(o.transpose(o.reshape(x, (-1, 24))), np.arange(24) % 3, 3), o.sort(x, 1), o.flip(x, 2),
    ]  # fmt: skip
    return keras.Model(x, outputs), [array(2, 4, 6)]


# --- preprocessing ---------------------------------------------------------------------------------------------------

family("image_preprocessing", (10, 12, 3), lambda kl: [
    kl.Rescaling(1 / 127.5, offset=-1), kl.Resizing(6, 5), kl.Resizing(14, 20, interpolation="nearest"), kl.CenterCrop(5, 6), kl.Resizing(6, 6, crop_to_aspect_ratio=True),
    kl.RandomFlip(), kl.RandomRotation(0.2), kl.RandomZoom(0.2), kl.RandomTranslation(0.1, 0.1), kl.RandomContrast(0.2), kl.RandomBrightness(0.2), kl.RandomCrop(5, 6),
])  # fmt: skip
family("mel_spectrogram", (64,), lambda kl: [
    kl.MelSpectrogram(fft_length=16, sequence_stride=8, sampling_rate=8000, num_mel_bins=4, min_freq=100.0, max_freq=3500.0),
], only_3=True)  # fmt: skip
family(
    "stft_spectrogram",
    (64, 1),
    lambda kl: [kl.STFTSpectrogram("log", 16, 8, fft_length=16), kl.STFTSpectrogram("real", 16, 8)],
    only_3=True,
)
family("category_encoding", (3,), lambda kl: [
    kl.CategoryEncoding(5), kl.CategoryEncoding(5, output_mode="count"),
], dtype="int32")  # fmt: skip
family(
    "hashing",
    (2,),
    lambda kl: [kl.Hashing(7), kl.Hashing(5, salt=[1, 2]), kl.Hashing(4, output_mode="multi_hot")],
    dtype="string",
)
family("string_lookup", (3,), lambda kl: [
    kl.StringLookup(vocabulary=["dog", "cat"]), kl.StringLookup(vocabulary=["dog", "cat"], num_oov_indices=3, mask_token=""),
    kl.StringLookup(vocabulary=["dog", "cat"], output_mode="multi_hot"), kl.StringLookup(vocabulary=["fish"], output_mode="count"),
], dtype="string")  # fmt: skip
family("integer_lookup", (3,), lambda kl: [
    kl.IntegerLookup(vocabulary=[3, 1]), kl.IntegerLookup(vocabulary=[2, 4], num_oov_indices=2), kl.IntegerLookup(vocabulary=[4, 2], output_mode="multi_hot"),
], dtype="int64")  # fmt: skip


@both
def lookups_there_and_back(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((2,), dtype="string")
    ids = kl.StringLookup(vocabulary=["dog", "cat"])(x)
    return keras.Model(x, [ids, kl.StringLookup(vocabulary=["dog", "cat"], invert=True)(ids)]), [
        array(3, 2, dtype="string")
    ]


@both
def text_vectorization(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((1,), dtype="string")
    texts = np.array(["The dog, the cat!", "a fish", "Dog dog fish"])
    layers = [
        kl.TextVectorization(max_tokens=8, output_sequence_length=5),
        kl.TextVectorization(max_tokens=6, output_mode="tf_idf", ngrams=2),
    ]
    layers += [
        kl.TextVectorization(output_mode="count", split="character", standardize="lower"),
        kl.TextVectorization(output_mode="multi_hot"),
    ]
    for layer in layers:
        layer.adapt(texts)
    vectors = [layer(x) for layer in layers]
    embedded = kl.GlobalAveragePooling1D()(kl.Embedding(8, 4)(vectors[0]))
    return randomized(keras.Model(x, [*vectors, embedded])), [
        np.array([[b"the DOG fish"], [b""], [b"unknown words, cat"]], object)
    ]


@both
def normalization_and_discretization(keras: Any) -> Built:
    kl, x = keras.layers, keras.Input((3,))
    data = array(50, 3, seed=3) * 3.0 + 1.0
    normalization, inverse, bins = kl.Normalization(), kl.Normalization(invert=True), kl.Discretization(num_bins=4)
    for layer in (normalization, inverse, bins):
        layer.adapt(data)
    outputs = [normalization(x), inverse(x), bins(x), kl.Discretization([-1.0, 0.0, 2.0], output_mode="multi_hot")(x)]
    return keras.Model(x, outputs), [array(4, 3)]


@both
def feature_crosses(keras: Any) -> Built:
    kl, inputs = keras.layers, [keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")]
    outputs = [kl.HashedCrossing(7)(inputs), kl.HashedCrossing(5, output_mode="one_hot")(inputs)]
    return keras.Model(inputs, outputs), [array(3, 1, dtype="string"), array(3, 1, dtype="int64")]


# --- how they are saved ----------------------------------------------------------------------------------------------


def tolerance(model: Any) -> float:
    """How far results may lie apart: further where layers round to a few bits."""
    return 2e-2 if any("bfloat16" in str(layer.compute_dtype) for layer in model.layers) else 1e-5


def exported(build: Callable[[Any], Built], folder: Path) -> Written:
    """By Keras 3, for serving: one function, and the signature."""
    import keras

    model, data = build(keras)
    calls = [call("serve", data[0] if len(data) == 1 else list(data))]
    return Written(model, calls, save=lambda path: model.export(path, verbose=False), rtol=tolerance(model))


def saved_as_an_object(build: Callable[[Any], Built], folder: Path) -> Written:
    """By TensorFlow, as any object, with a function for inference and one that trains."""
    import keras

    model, data = build(keras)
    specs = [tf.TensorSpec([None, *item.shape[1:]], item.dtype) for item in data]
    model.infer = tf.function(
        lambda *inputs: model(inputs[0] if len(inputs) == 1 else list(inputs)), input_signature=specs
    )
    return Written(model, [call("infer", *data)], signatures=model.infer)


def saved_by_tf_keras(build: Callable[[Any], Built], folder: Path) -> Written:
    """By tf_keras, with the functions of every layer."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras

    model, data = build(tf_keras)
    given = data[0] if len(data) == 1 else list(data)
    calls = [call("__call__", given, training=False)]
    return Written(model, calls, save=lambda path: model.save(path, save_format="tf"), rtol=tolerance(model))


AS_OBJECTS = (
    "dense",
    "lstm",
    "attention",
    "batch_normalization",
    "text_vectorization",
    "string_lookup",
    "nested_models",
    "masks",
)

for name, build in {**BOTH, **ONLY_3}.items():
    add(f"keras3_{name}", "Keras 3, exported", functools.partial(exported, build))
for name in AS_OBJECTS:
    add(f"keras3_object_{name}", "Keras 3, saved as objects", functools.partial(saved_as_an_object, BOTH[name]))
for name, build in BOTH.items():
    add(f"tf_keras_{name}", "tf_keras", functools.partial(saved_by_tf_keras, build), large=name not in QUICK)
