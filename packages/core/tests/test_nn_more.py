"""Functions of `tf.math`, `tf.nn`, `tf.quantization` and the top level that fewer programs call.

The expected values are TensorFlow's 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from modtf import core as tf


def _numbers(*shape: int) -> Any:
    """Some numbers between -1 and 1, no two of them alike."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count) * 1.7 + 0.3).astype(np.float32).reshape(shape)


_ROWS = _numbers(2, 4)
_SEQUENCES = _numbers(1, 5, 2)
_IMAGES = _numbers(1, 4, 3, 2)
_VOLUMES = _numbers(1, 2, 3, 2, 1)
_LOGITS = 3 * _numbers(5, 2, 4)
_LABELS = np.array([[1, 2, 2], [3, 0, 1]], np.int32)


def _sparse_labels() -> Any:
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0]], np.array([1, 2, 3], np.int32), [2, 2])


_CALLS: dict[str, Callable[[], Any]] = {
    "sort": lambda: tf.sort(_ROWS, axis=0, direction="DESCENDING"),
    "sort of integers": lambda: tf.sort([3, -(2**31), 2**31 - 1, 0]),
    "argsort": lambda: tf.argsort([3, 1, 3, 2, 1]),
    "argsort downwards": lambda: tf.argsort([3, 1, 3, 2, 1], direction="DESCENDING", stable=True),
    "histogram_fixed_width": lambda: tf.histogram_fixed_width(_ROWS, [-0.5, 0.5], nbins=3),
    "histogram_fixed_width_bins": lambda: tf.histogram_fixed_width_bins(_ROWS, [-0.5, 0.5], nbins=3),
    "dynamic_partition": lambda: tf.dynamic_partition([1.0, 2.0, 3.0], [1, 0, 1], 2),
    "dynamic_stitch": lambda: tf.dynamic_stitch([[0, 2], [1]], [[[1.0], [2.0]], [[3.0]]]),
    "unravel_index": lambda: tf.unravel_index([5, 7], [3, 4]),
    "edit_distance": lambda: tf.edit_distance(
        tf.SparseTensor([[0, 0], [1, 0]], [1, 2], [2, 2]), tf.SparseTensor([[0, 0], [1, 1]], [1, 3], [2, 2])
    ),
    "required_space_to_batch_paddings": lambda: tf.required_space_to_batch_paddings([5, 6], [2, 4], [[1, 0], [2, 3]]),
    "invert_permutation": lambda: tf.math.invert_permutation([2, 0, 1]),
    "approx_max_k": lambda: tf.math.approx_max_k(_ROWS, 2),
    "igamma": lambda: tf.math.igamma([0.5, 2.0, 30.0], [1.0, 1.0, 28.0]),
    "igammac": lambda: tf.math.igammac([0.5, 2.0, 30.0], [1.0, 1.0, 28.0]),
    "betainc": lambda: tf.math.betainc([0.5, 2.0], [3.0, 4.0], [0.2, 0.8]),
    "convolution, dilated": lambda: tf.nn.convolution(_IMAGES, _numbers(2, 2, 2, 1), dilations=[2, 1]),
    "conv_transpose": lambda: tf.nn.conv_transpose(_SEQUENCES, _numbers(3, 1, 2), [1, 10, 1], 2),
    "conv3d_transpose": lambda: tf.nn.conv3d_transpose(_VOLUMES, _numbers(2, 2, 1, 1, 1), [1, 4, 6, 2, 1], [2, 2, 1]),
    "atrous_conv2d_transpose": lambda: tf.nn.atrous_conv2d_transpose(
        _IMAGES, _numbers(2, 2, 1, 2), [1, 4, 3, 1], 2, "SAME"
    ),
    "depthwise_conv2d, dilated": lambda: tf.nn.depthwise_conv2d(
        _IMAGES, _numbers(2, 2, 2, 1), [1, 1, 1, 1], "SAME", dilations=[2, 2]
    ),
    "depthwise_conv2d_backprop_input": lambda: tf.nn.depthwise_conv2d_backprop_input(
        [1, 3, 3, 1], _numbers(2, 2, 1, 1), _numbers(1, 2, 2, 1), [1, 1, 1, 1], "VALID"
    ),
    "depthwise_conv2d_backprop_filter": lambda: tf.nn.depthwise_conv2d_backprop_filter(
        _numbers(1, 3, 3, 1), [2, 2, 1, 1], _numbers(1, 2, 2, 1), [1, 1, 1, 1], "VALID"
    ),
    "pool, dilated": lambda: tf.nn.pool(_IMAGES, [2, 2], "MAX", dilations=[2, 1]),
    "pool of sequences": lambda: tf.nn.pool(_SEQUENCES, [2], "AVG", strides=[2], padding="SAME"),
    "max_pool_with_argmax": lambda: tf.nn.max_pool_with_argmax(_IMAGES, 2, 2, "SAME"),
    "fractional_max_pool": lambda: tf.nn.fractional_max_pool(_IMAGES, [1.0, 1.4, 1.5, 1.0], seed=5),
    "fractional_avg_pool": lambda: tf.nn.fractional_avg_pool(_IMAGES, [1.0, 1.4, 1.5, 1.0], True, True, seed=5),
    "dilation2d": lambda: tf.nn.dilation2d(
        _IMAGES, _numbers(2, 2, 2), [1, 1, 1, 1], "VALID", "NHWC", [1, 1, 1, 1]
    ),
    "erosion2d": lambda: tf.nn.erosion2d(_IMAGES, _numbers(2, 2, 2), [1, 2, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
    "with_space_to_batch": lambda: tf.nn.with_space_to_batch(
        _IMAGES, [2], "SAME", lambda x, n, padding: tf.nn.max_pool2d(x, [1, 2], 1, padding), [2], [2]
    ),
    "local_response_normalization": lambda: tf.nn.local_response_normalization(_IMAGES, 1, 2.0, 0.5, 0.75),
    "sufficient_statistics": lambda: tf.nn.sufficient_statistics(_ROWS, [1], shift=0.5),
    "weighted_moments": lambda: tf.nn.weighted_moments(_ROWS, [1], [1.0, 2.0, 3.0, 4.0]),
    "weighted_moments, axes kept": lambda: tf.nn.weighted_moments(_ROWS, [0, 1], [[1.0], [3.0]], keepdims=True),
    "batch_norm_with_global_normalization": lambda: tf.nn.batch_norm_with_global_normalization(
        _ROWS, _numbers(4), 1 + _numbers(4), _numbers(4) / 2, 2 * _numbers(4), 1e-3, True
    ),
    "isotonic_regression": lambda: tf.nn.isotonic_regression(_ROWS),
    "isotonic_regression, rising": lambda: tf.nn.isotonic_regression([[3, 1, 2], [1, 2, 2]], decreasing=False, axis=-1),
    "compute_average_loss": lambda: tf.nn.compute_average_loss(_ROWS, [1.0, 3.0], 5),
    "scale_regularization_loss": lambda: tf.nn.scale_regularization_loss([1.0, 2.0]),
    "stateless_dropout": lambda: tf.nn.experimental.stateless_dropout(_ROWS, 0.4, [1, 2]),
    "ctc_loss": lambda: tf.nn.ctc_loss(_LABELS, _LOGITS, [2, 1], [5, 4]),
    "ctc_loss, the last blank": lambda: tf.nn.ctc_loss(
        [[1, 2, 2], [0, 0, 1]], _LOGITS.transpose(1, 0, 2), [3, 0], [5, 4], logits_time_major=False, blank_index=-1
    ),
    "ctc_loss of sparse labels": lambda: tf.nn.ctc_loss(_sparse_labels(), _LOGITS, None, [5, 4], blank_index=0),
    "ctc_greedy_decoder": lambda: tf.nn.ctc_greedy_decoder(_LOGITS, [5, 4]),
    "ctc_beam_search_decoder": lambda: tf.nn.ctc_beam_search_decoder(_LOGITS, [5, 4], 5, 2),
    "ctc_unique_labels": lambda: tf.nn.ctc_unique_labels([[1, 2, 1, 0], [3, 3, 2, 0]]),
    "collapse_repeated": lambda: tf.nn.collapse_repeated([[1, 2, 2, 0], [3, 3, 2, 0]], [3, 4]),
    "nce_loss": lambda: tf.nn.nce_loss(
        _numbers(6, 2), _numbers(6), tf.constant([[1], [3]]), tf.constant(_numbers(2, 2)), 2, 6,
        sampled_values=(tf.constant([0, 3], tf.int64), tf.constant([[0.5], [0.25]]), tf.constant([0.75, 0.25])),
        remove_accidental_hits=True,
    ),
    "sampled_softmax_loss": lambda: tf.nn.sampled_softmax_loss(
        _numbers(6, 2), _numbers(6), tf.constant([[1, 2], [3, 5]]), tf.constant(_numbers(2, 2)), 2, 6, 2,
        (tf.constant([0, 3], tf.int64), tf.constant([[0.5, 0.75], [0.25, 0.5]]), tf.constant([0.75, 0.25])),
    ),
    "fake_quant_with_min_max_vars": lambda: tf.quantization.fake_quant_with_min_max_vars(_ROWS, -0.5, 0.75, 4),
    "fake_quant_with_min_max_vars_gradient": lambda: tf.quantization.fake_quant_with_min_max_vars_gradient(
        _ROWS, _ROWS, -0.5, 0.75
    ),
    "quantize_and_dequantize_v2": lambda: tf.quantization.quantize_and_dequantize_v2(
        tf.constant(_ROWS), [0.0] * 4, [0.0] * 4, num_bits=3, axis=-1
    ),
    "quantize": lambda: tf.cast(tf.quantization.quantize(_ROWS, -1.0, 1.0, tf.qint8).output, tf.int32),
    "dequantize": lambda: tf.quantization.dequantize(tf.constant([0, 3, 255], tf.quint8), -1.0, 1.0),
}  # fmt: skip

_EXPECTED: dict[str, list[Any]] = {
    "sort": [[[0.728969, 0.909297, -0.529836, -0.358229], [0.29552, 0.584917, -0.879696, -0.772765]]],
    "sort of integers": [[-2147483648, 0, 3, 2147483647]],
    "argsort": [[1, 4, 3, 0, 2]],
    "argsort downwards": [[0, 2, 3, 1, 4]],
    "histogram_fixed_width": [[4, 0, 4]],
    "histogram_fixed_width_bins": [[[2, 2, 0, 0], [2, 2, 0, 0]]],
    "dynamic_partition": [[2.0], [1.0, 3.0]],
    "dynamic_stitch": [[[1.0], [3.0], [2.0]]],
    "unravel_index": [[[1, 1], [1, 3]]],
    "edit_distance": [[0.0, 1.0]],
    "required_space_to_batch_paddings": [[[1, 0], [2, 4]], [[0, 0], [0, 1]]],
    "invert_permutation": [[1, 2, 0]],
    "approx_max_k": [[[0.909297, 0.29552], [0.728969, 0.584917]], [[1, 0], [0, 1]]],
    "igamma": [[0.842701, 0.264241, 0.377391]],
    "igammac": [[0.157299, 0.735759, 0.622609]],
    "betainc": [[0.73343, 0.99328]],
    "convolution, dilated": [[[[[2.79387], [-2.29038]], [[-0.870646], [0.0486883]]]]],
    "conv_transpose": [
        [
            [
                [0.914154],
                [-0.85925],
                [-0.111961],
                [0.877891],
                [-0.0909486],
                [-0.838237],
                [0.287819],
                [0.742921],
                [-0.465577],
                [-0.598273],
            ]
        ]
    ],
    "conv3d_transpose": [
        [
            [
                [
                    [[0.0873322], [0.268716]],
                    [[0.268716], [0.826822]],
                    [[-0.156577], [-0.228368]],
                    [[-0.481779], [-0.702673]],
                    [[0.215425], [0.172855]],
                    [[0.66285], [0.531864]],
                ],
                [
                    [[-0.156577], [-0.481779]],
                    [[-0.228368], [-0.702673]],
                    [[0.280726], [0.409439]],
                    [[0.409439], [0.597165]],
                    [[-0.386234], [-0.30991]],
                    [[-0.563321], [-0.452003]],
                ],
                [
                    [[-0.259968], [-0.105864]],
                    [[-0.799905], [-0.325737]],
                    [[0.287248], [0.0318434]],
                    [[0.883844], [0.0979801]],
                    [[-0.295454], [0.0442917]],
                    [[-0.909092], [0.136283]],
                ],
                [
                    [[0.466095], [0.189803]],
                    [[0.679798], [0.276827]],
                    [[-0.515005], [-0.0570918]],
                    [[-0.751133], [-0.0832682]],
                    [[0.529717], [-0.0794104]],
                    [[0.77259], [-0.11582]],
                ],
            ]
        ]
    ],
    "atrous_conv2d_transpose": [
        [
            [
                [[0.385228], [0.583751], [-0.598273]],
                [[-0.529298], [-0.434126], [0.719682]],
                [[-0.0549678], [0.708624], [-0.2622]],
                [[-0.264004], [-0.660743], [0.533716]],
            ]
        ]
    ],
    "depthwise_conv2d, dilated": [
        [
            [
                [[-0.855071, -0.0386005], [0.238226, -0.263225], [0.708563, 0.063027]],
                [[1.03613, 0.37548], [-0.21337, 0.428514], [-0.782548, -0.340706]],
                [[-0.739048, 0.272016], [-0.0906629, -0.255038], [0.472903, -0.482128]],
                [[0.454974, -0.478214], [-0.0864426, 0.255959], [-0.253765, 0.562705]],
            ]
        ]
    ],
    "depthwise_conv2d_backprop_input": [
        [
            [
                [[0.0873322], [0.537432], [0.826822]],
                [[-0.313155], [-1.42029], [-1.40535]],
                [[0.280726], [0.818877], [0.597165]],
            ]
        ]
    ],
    "depthwise_conv2d_backprop_filter": [[[[[0.760271]], [[-1.0513]]], [[[1.1774]], [[0.185959]]]]],
    "pool, dilated": [[[[[0.961153, 0.909297], [0.728969, 0.618835]], [[0.972008, 0.92615], [0.972008, 0.99155]]]]],
    "pool of sequences": [[[[-0.117158, 0.0682665], [-0.0753634, 0.113344], [0.972008, 0.107754]]]],
    "max_pool_with_argmax": [
        [[[[0.972008, 0.909297], [0.728969, 0.584917]], [[0.961153, 0.92615], [0.69924, 0.99155]]]],
        [[[[8, 1], [4, 5]], [[12, 19], [16, 23]]]],
    ],
    "fractional_max_pool": [
        [[[[0.972008, 0.909297], [0.728969, 0.584917]], [[0.961153, 0.92615], [0.69924, 0.99155]]]],
        [0, 2, 4],
        [0, 2, 3],
    ],
    "fractional_avg_pool": [
        [[[[0.0432085, 0.00478995], [0.142812, -0.021409]], [[0.0939859, 0.0580298], [0.350064, 0.0962642]]]],
        [0, 2, 4],
        [0, 2, 3],
    ],
    "dilation2d": [
        [
            [
                [[0.59104, 1.81859], [1.70098, 0.692671]],
                [[1.69012, 0.551068], [1.26753, 1.20375]],
                [[1.25667, 1.51107], [0.983651, 1.52813]],
            ]
        ]
    ],
    "erosion2d": [
        [
            [
                [[-1.25881, -1.35768], [-1.29529, -0.75942], [-0.469938, 0.922642]],
                [[-1.58768, -1.90108], [-0.294632, -1.38394], [0.530724, -0.440792]],
            ]
        ]
    ],
    "with_space_to_batch": [
        [
            [
                [[0.0, 0.0], [0.728969, 0.909297], [0.0, 0.0]],
                [[0.972008, 0.107754], [-0.879696, 0.149877], [0.972008, 0.107754]],
                [[0.0, 0.618835], [0.961153, -0.397556], [0.0, 0.618835]],
                [[0.254682, 0.0], [0.000888157, 0.99155], [0.254682, 0.0]],
            ]
        ]
    ],
    "local_response_normalization": [
        [
            [
                [[0.150582, 0.463332], [-0.271481, -0.395955], [0.373765, 0.299906]],
                [[-0.449068, -0.182869], [0.492115, 0.0545543], [-0.501206, 0.0751363]],
                [[0.477582, -0.197539], [-0.424271, 0.305755], [0.345126, -0.394375]],
                [[-0.244438, 0.458885], [0.127175, -0.495241], [0.00044785, 0.499986]],
            ]
        ]
    ],
    "sufficient_statistics": [4.0, [-2.09778, -1.92404], [2.88983, 2.69976], 0.5],
    "weighted_moments": [[-0.256645, -0.21732], [0.431315, 0.357828]],
    "weighted_moments, axes kept": [[[0.00813128]], [[0.444884]]],
    "batch_norm_with_global_normalization": [
        [[0.14776, 0.454649, -0.264918, -0.386382], [0.372751, 0.0278336, 0.275188, -1.72744]]
    ],
    "isotonic_regression": [
        [[0.602409, 0.602409, -0.529836, -0.772765], [0.728969, 0.584917, -0.618963, -0.618963]],
        [[0, 0, 1, 2], [0, 1, 2, 2]],
    ],
    "isotonic_regression, rising": [[[2.0, 2.0, 2.0], [1.0, 2.0, 2.0]], [[0, 0, 1], [0, 1, 2]]],
    "compute_average_loss": [0.0260201],
    "scale_regularization_loss": [3.0],
    "stateless_dropout": [[[0.492534, 0.0, -0.88306, 0.0], [0.0, 0.974862, 0.0, 0.0]]],
    "ctc_loss": [[2.55276, 2.20295]],
    "ctc_loss, the last blank": [[6.27265, 6.91955]],
    "ctc_loss of sparse labels": [[2.55276, 2.20295]],
    "ctc_greedy_decoder": [[[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]], [1, 0, 2, 0, 2], [2, 3], [[-13.8157], [-10.6239]]],
    "ctc_beam_search_decoder": [
        [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]],
        [1, 0, 2, 0, 2],
        [2, 3],
        [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]],
        [0, 2, 1, 0, 2],
        [2, 3],
        [[-0.350067, -2.15863], [-0.769271, -1.53157]],
    ],
    "ctc_unique_labels": [[[1, 2, 0, 0], [3, 2, 0, 0]], [[0, 1, 0, 2], [0, 0, 1, 2]]],
    "collapse_repeated": [[[1, 2, 0], [3, 2, 0]], [2, 3]],
    "nce_loss": [[2.79547, 0.793802]],
    "sampled_softmax_loss": [[1.60132, 0.785482]],
    "fake_quant_with_min_max_vars": [[[0.333333, 0.75, -0.5, -0.5], [0.75, 0.583333, -0.5, -0.333333]]],
    "fake_quant_with_min_max_vars_gradient": [
        [[0.29552, 0.0, -0.0, -0.0], [0.728969, 0.584917, -0.0, -0.358229]],
        -2.1823,
        0.909297,
    ],
    "quantize_and_dequantize_v2": [
        [[0.24299, 0.909297, -0.439848, -0.772765], [0.728969, 0.606198, -0.879696, -0.386382]]
    ],
    "quantize": [[[37, 115, -68, -99], [92, 74, -113, -46]]],
    "dequantize": [[-1.0, -0.976471, 1.0]],
}


def _flat(result: Any) -> Iterator[Any]:
    if isinstance(result, (list, tuple)):
        for item in result:
            yield from _flat(item)
    elif isinstance(result, tf.SparseTensor):
        yield from (result.indices, result.values, result.dense_shape)
    else:
        yield result


@pytest.mark.parametrize("name", _CALLS)
def test_values(name: str) -> None:
    results = list(_flat(_CALLS[name]()))
    assert len(results) == len(_EXPECTED[name])
    for result, expected in zip(results, _EXPECTED[name], strict=True):
        assert list(np.shape(result.numpy())) == list(np.shape(expected))
        np.testing.assert_allclose(result.numpy(), expected, 2e-5, 2e-5)


@pytest.mark.parametrize("name", _CALLS)
def test_inside_functions(name: str) -> None:
    results = tf.function(lambda: list(_flat(_CALLS[name]())))()
    for result, expected in zip(results, _EXPECTED[name], strict=True):
        np.testing.assert_allclose(result.numpy(), expected, 2e-5, 2e-5)


# ------------------------------------------------------------------------------------------------- quantized dtypes


def test_quantized_dtypes() -> None:
    assert [tf.as_dtype(number) for number in (11, 12, 13, 15, 16)] == [
        tf.qint8, tf.quint8, tf.qint32, tf.qint16, tf.quint16
    ]  # fmt: skip
    assert tf.qint8.is_quantized
    assert not tf.qint8.is_integer
    assert not tf.int8.is_quantized
    assert tf.qint16.size == 2
    with pytest.raises(TypeError):
        tf.qint8.max  # noqa: B018 (looking it up is the mistake)


def test_tensors_of_quantized_dtypes() -> None:
    made = tf.constant([1, -2], tf.qint8)
    assert made.dtype == tf.qint8
    assert made.numpy().dtype == np.int8
    assert tf.constant(np.array([1, 2], np.int8)).dtype == tf.int8
    assert tf.constant(np.array([1, 2], np.int8).view(tf.qint8.as_numpy_dtype)).dtype == tf.qint8
    assert tf.reshape(made, [1, 2]).dtype == tf.qint8
    np.testing.assert_array_equal(tf.cast(made, tf.float32).numpy(), [1, -2])
    with pytest.raises(TypeError):
        tf.constant([300], tf.qint8)


def test_gradient_within_the_range_alone() -> None:
    x = tf.constant([-2.0, 0.5, 3.0])

    @tf.function
    def gradients(x: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.quantization.quantize_and_dequantize_v2(x, -1.0, 2.0, range_given=True)
            first = tape.gradient(y, x, x * x)
        return first, outer.gradient(first, x)

    first, second = gradients(x)
    np.testing.assert_array_equal(first.numpy(), [0.0, 0.25, 0.0])
    np.testing.assert_array_equal(second.numpy(), [0.0, 1.0, 0.0])


# ------------------------------------------------------------------------------------------------- details


def test_sequences_that_are_too_short_for_their_labels() -> None:
    logits = tf.constant(_LOGITS[:2, :1])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.nn.ctc_loss([[1, 1]], logits, [2], [2])
    np.testing.assert_array_equal(loss.numpy(), [708.0])
    np.testing.assert_array_equal(tape.gradient(loss, logits).numpy(), np.zeros((2, 1, 4)))


def test_least_elements_along_any_axis() -> None:
    values, indices = tf.math.approx_min_k(_numbers(5, 2), 2, reduction_dimension=0)
    order = np.argsort(_numbers(5, 2), axis=0)[:2]
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(_numbers(5, 2), order, axis=0))


def test_dropout_by_given_numbers() -> None:
    chosen = tf.nn.experimental.general_dropout([1.0, 2.0, 3.0], 0.5, lambda shape, dtype: tf.constant([0.4, 0.5, 0.9]))
    np.testing.assert_array_equal(chosen.numpy(), [0.0, 4.0, 6.0])


_MISTAKES: dict[str, Callable[[], Any]] = {
    "sort in no direction": lambda: tf.sort([1, 2], direction="UP"),
    "sort along no axis": lambda: tf.sort([1, 2], axis=1),
    "sort of a scalar": lambda: tf.sort(1),
    "pool of no kind": lambda: tf.nn.pool(_IMAGES, [2, 2], "MIN"),
    "pool with strides and dilations": lambda: tf.nn.pool(_IMAGES, [2, 2], "MAX", [2, 2], dilations=[2, 2]),
    "pool dilated and padded": lambda: tf.nn.pool(_IMAGES, [2, 2], "MAX", padding="SAME", dilations=[2, 2]),
    "dilation2d of channels first": lambda: tf.nn.dilation2d(
        _IMAGES, _numbers(2, 2, 2), [1, 1, 1, 1], "VALID", "NCHW", [1, 1, 1, 1]
    ),
    "max_pool_with_argmax of channels first": lambda: tf.nn.max_pool_with_argmax(_IMAGES, 2, 2, "SAME", "NCHW"),
    "conv_transpose to no rank": lambda: tf.nn.conv_transpose(_SEQUENCES, _numbers(3, 1, 2), [1, 10], 2),
    "ctc_loss of sparse labels without a blank": lambda: tf.nn.ctc_loss(_sparse_labels(), _LOGITS, None, [5, 4]),
    "average of a scalar loss": lambda: tf.nn.compute_average_loss(1.0),
    "with_space_to_batch over unordered axes": lambda: tf.nn.with_space_to_batch(
        _IMAGES, [2, 2], "VALID", lambda x, n, padding: x, spatial_dims=[2, 1]
    ),
    "with_space_to_batch padded without a shape": lambda: tf.nn.with_space_to_batch(
        _IMAGES, [2, 2], "SAME", lambda x, n, padding: x
    ),
}


@pytest.mark.parametrize("name", _MISTAKES)
def test_mistakes(name: str) -> None:
    with pytest.raises(ValueError):
        _MISTAKES[name]()


def test_edit_distance_of_dense_tensors() -> None:
    with pytest.raises(TypeError, match="SparseTensor"):
        tf.edit_distance([1], [2])
