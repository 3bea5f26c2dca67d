"""`tf.image`: sizes, parts, colours and measures. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

IMAGE = (np.arange(12, dtype=np.float32).reshape(3, 4, 1) * 7 % 11) / 10
COLOURS = np.float32([[[0.1, 0.5, 0.9], [0.8, 0.2, 0.2]], [[0, 0, 0], [0.3, 0.3, 0.6]]])
NUMBERS = np.arange(24).reshape(2, 3, 4, 1)


def close(given: Any, expected: Any) -> None:
    np.testing.assert_allclose(given.numpy().ravel(), expected, rtol=2e-5, atol=2e-6)


# ------------------------------------------------------------------------------------------------- sizes

RESIZED = {
    ("bilinear", False): [0.220833, 0.5125, 0.804167, 0.295833, 0.5875, 0.191667],
    ("bilinear", True): [0.31125, 0.51875, 0.72625, 0.37375, 0.58125, 0.3075],
    ("nearest", False): [0.0, 0.3, 1.0, 0.1, 0.4, 0.0],
    ("bicubic", False): [0.179936, 0.506889, 0.858192, 0.263148, 0.647308, 0.130478],
    ("bicubic", True): [0.295316, 0.513936, 0.768896, 0.364337, 0.609682, 0.266323],
    ("area", False): [0.283333, 0.516667, 0.75, 0.35, 0.583333, 0.266667],
    ("lanczos3", False): [0.199317, 0.496409, 0.873342, 0.284056, 0.721869, 0.111419],
    ("lanczos3", True): [0.301047, 0.508733, 0.787794, 0.360926, 0.631254, 0.255296],
    ("lanczos5", True): [0.306722, 0.506049, 0.793558, 0.354336, 0.639951, 0.250575],
    ("gaussian", True): [0.324517, 0.520672, 0.691219, 0.378912, 0.546541, 0.34562],
    ("mitchellcubic", True): [0.312507, 0.519108, 0.729324, 0.374332, 0.578252, 0.310664],
}


@pytest.mark.parametrize(("method", "antialias"), RESIZED)
@pytest.mark.parametrize("known", [[3, 4, 1], [None, None, None]])
def test_resize(method: str, antialias: bool, known: Any) -> None:
    expected = RESIZED[method, antialias]
    close(tf.image.resize(IMAGE, [2, 3], method, antialias=antialias), expected)
    batch = tf.image.resize(np.stack([IMAGE, 2 * IMAGE]), [2, 3], method, antialias=antialias)
    close(batch, [*expected, *(2 * np.array(expected))])

    @tf.function(input_signature=[tf.TensorSpec(known, tf.float32)])
    def traced(image: Any) -> Any:
        return tf.image.resize(image, [2, 3], method, antialias=antialias)

    close(traced(IMAGE), expected)
    assert traced.get_concrete_function().outputs[0].shape.as_list() == [2, 3, known[2]]


def test_resize_gives_float32_but_for_nearest() -> None:
    for dtype in (tf.uint8, tf.int64, tf.bfloat16, tf.float64):
        image = tf.cast(10 * IMAGE, dtype)
        assert tf.image.resize(image, [2, 2]).dtype == tf.float32
        assert tf.image.resize(image, [2, 2], "nearest").dtype == dtype


def test_resize_keeps_the_ratio_of_the_sides_if_asked_to() -> None:
    image = np.zeros((7, 9, 1), np.float32)
    for size, expected in (([4, 4], [3, 4, 1]), ([20, 20], [16, 20, 1]), ([3, 100], [3, 4, 1])):
        assert tf.image.resize(image, size, preserve_aspect_ratio=True).shape.as_list() == expected


def test_resize_to_a_size_that_is_computed() -> None:
    @tf.function
    def halved(images: Any) -> Any:
        return tf.image.resize(images, tf.shape(images)[1:3] // 2, "lanczos3", antialias=True)

    assert halved(np.ones((2, 8, 6, 3), np.float32)).shape.as_list() == [2, 4, 3, 3]


def test_gradient_of_resize() -> None:
    image = tf.constant(IMAGE)
    with tf.GradientTape() as tape:
        tape.watch(image)
        made = tf.image.resize(image, [6, 8])
    # Every pixel is worth as much as the pixels that it becomes.
    gradient = tape.gradient(made, image)
    close(tf.reduce_sum(gradient), [48.0])
    assert float(gradient[1, 1, 0]) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("images", "size", "method"),
    [
        (np.zeros((3, 4), np.float32), [2, 2], "bilinear"),
        (IMAGE, [2, 2, 2], "bilinear"),
        (IMAGE, [2.5, 2.5], "bilinear"),
        (IMAGE, [2, 2], "cubic"),
        (IMAGE, [0, 2], "bilinear"),
    ],
)
def test_resize_refuses(images: Any, size: Any, method: str) -> None:
    with pytest.raises(ValueError):
        tf.image.resize(images, size, method)


def test_padding_and_cropping() -> None:
    fitted = [0, 0, 0, 0, 0, 0.7, 0.3, 1, 0.6, 0.2, 0.9, 0.5, 0.1, 0.8, 0.4, 0, 0, 0, 0, 0]
    close(tf.image.resize_with_pad(IMAGE, 5, 4), fitted)
    close(tf.image.resize_with_crop_or_pad(IMAGE, 5, 2), [0, 0, 0.7, 0.3, 0.2, 0.9, 0.8, 0.4, 0, 0])
    assert tf.image.central_crop(NUMBERS, 0.5).numpy().ravel().tolist() == [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22]
    assert tf.image.crop_to_bounding_box(NUMBERS[0], 1, 2, 2, 1).numpy().ravel().tolist() == [6, 10]
    assert tf.image.pad_to_bounding_box([[[5]]], 1, 0, 2, 2).numpy().ravel().tolist() == [0, 0, 5, 0]


def test_padding_and_cropping_of_unknown_sizes() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None], tf.float32)])
    def traced(image: Any) -> Any:
        return tf.image.resize_with_pad(image, 5, 4), tf.image.resize_with_crop_or_pad(image, 5, 2)

    fitted, cut = traced(IMAGE)
    np.testing.assert_array_equal(fitted.numpy(), tf.image.resize_with_pad(IMAGE, 5, 4).numpy())
    np.testing.assert_array_equal(cut.numpy(), tf.image.resize_with_crop_or_pad(IMAGE, 5, 2).numpy())
    assert [output.shape.as_list()[:2] for output in traced.get_concrete_function().outputs] == [[5, 4], [5, 2]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: tf.image.crop_to_bounding_box(NUMBERS, 2, 0, 2, 1),
        lambda: tf.image.crop_to_bounding_box(NUMBERS, -1, 0, 2, 1),
        lambda: tf.image.crop_to_bounding_box(NUMBERS, 0, 0, 0, 1),
        lambda: tf.image.pad_to_bounding_box(NUMBERS, 0, 0, 2, 9),
        lambda: tf.image.central_crop(NUMBERS, 0.0),
        lambda: tf.image.resize_with_pad(NUMBERS, 0, 2),
        lambda: tf.image.flip_left_right(np.zeros((2, 2))),
        lambda: tf.image.rot90(np.zeros((1, 1, 1, 1, 1))),
        lambda: tf.image.random_crop(NUMBERS, [2, 4, 4, 1]),
        lambda: tf.image.grayscale_to_rgb(COLOURS),
        lambda: tf.image.adjust_hue(COLOURS, 1.5),
        lambda: tf.image.random_contrast(COLOURS, 2.0, 1.0),
        lambda: tf.image.ssim(COLOURS, COLOURS, 1.0),
        lambda: tf.image.psnr(COLOURS, COLOURS[:1], 1.0),
    ],
)
def test_mistakes(call: Any) -> None:
    with pytest.raises(ValueError):
        call()


# ------------------------------------------------------------------------------------------------- turning


def test_flipping_and_turning() -> None:
    for image in (NUMBERS, NUMBERS[0]):
        rows, columns = image.ndim - 3, image.ndim - 2
        np.testing.assert_array_equal(tf.image.flip_up_down(image).numpy(), np.flip(image, rows))
        np.testing.assert_array_equal(tf.image.flip_left_right(image).numpy(), np.flip(image, columns))
        np.testing.assert_array_equal(tf.image.transpose(image).numpy(), np.swapaxes(image, rows, columns))
        turned = tf.function(tf.image.rot90, autograph=False)
        for k in range(-2, 5):
            expected = np.rot90(image, k, (rows, columns))
            np.testing.assert_array_equal(tf.image.rot90(image, k).numpy(), expected)
            np.testing.assert_array_equal(turned(image, tf.constant(k)).numpy(), expected)


def test_images_of_unknown_rank() -> None:
    @tf.function(input_signature=[tf.TensorSpec(None, tf.int64)])
    def traced(image: Any) -> Any:
        return tf.image.flip_left_right(image), tf.image.transpose(image), tf.image.rot90(image)

    for image in (NUMBERS, NUMBERS[0]):
        for given, function in zip(
            traced(image), (tf.image.flip_left_right, tf.image.transpose, tf.image.rot90), strict=True
        ):
            np.testing.assert_array_equal(given.numpy(), function(image).numpy())


def test_random_flips_and_crops() -> None:
    flips = [int(tf.image.stateless_random_flip_left_right(NUMBERS[0], (k, 5))[0, 0, 0]) for k in range(6)]
    assert flips == [0, 0, 0, 3, 0, 0]
    flips = [tf.image.stateless_random_flip_up_down(NUMBERS, (k, 5)).numpy()[:, 0, 0, 0].tolist() for k in range(4)]
    assert flips == [[8, 12], [8, 12], [8, 20], [0, 12]]
    crops = [tf.image.stateless_random_crop(NUMBERS, (1, 2, 2, 1), (k, 5)).numpy().ravel().tolist() for k in range(3)]
    assert crops == [[1, 2, 5, 6], [4, 5, 8, 9], [6, 7, 10, 11]]


# ------------------------------------------------------------------------------------------------- colours

ADJUSTED = {
    ("adjust_brightness", (0.2,)): (
        [0.3, 0.7, 1.1, 1.0, 0.4, 0.4, 0.2, 0.2, 0.2, 0.5, 0.5, 0.8],
        [76, 178, 255, 255, 102, 102, 51, 51, 51, 127, 127, 204],
    ),
    ("adjust_contrast", (1.5,)): (
        [0.0, 0.625, 1.1375, 1.05, 0.175, 0.0875, -0.15, -0.125, -0.2125, 0.3, 0.325, 0.6875],
        [0, 159, 255, 255, 44, 22, 0, 0, 0, 76, 82, 175],
    ),
    ("adjust_gamma", (2.0, 0.5)): (
        [0.005, 0.125, 0.405, 0.32, 0.02, 0.02, 0.0, 0.0, 0.0, 0.045, 0.045, 0.18],
        [1, 31, 103, 81, 5, 5, 0, 0, 0, 11, 11, 45],
    ),
    ("adjust_hue", (0.3,)): (
        [0.9, 0.1, 0.66, 0.32, 0.8, 0.2, 0.0, 0.0, 0.0, 0.6, 0.3, 0.36],
        [229, 25, 168, 81, 204, 51, 0, 0, 0, 153, 76, 91],
    ),
    ("adjust_saturation", (0.5,)): (
        [0.5, 0.7, 0.9, 0.8, 0.5, 0.5, 0.0, 0.0, 0.0, 0.45, 0.45, 0.6],
        [127, 178, 229, 204, 127, 127, 0, 0, 0, 114, 114, 153],
    ),
    ("rgb_to_grayscale", ()): ([0.42599, 0.37932, 0.0, 0.33417], [108, 96, 0, 84]),
}


@pytest.mark.parametrize(("name", "amounts"), ADJUSTED)
def test_adjusting(name: str, amounts: Any) -> None:
    floating, integers = ADJUSTED[name, amounts]
    function = getattr(tf.image, name)
    close(function(COLOURS, *amounts), floating)
    made = function((COLOURS * 255).astype(np.uint8), *amounts)
    assert made.dtype == tf.uint8
    assert made.numpy().ravel().tolist() == integers


SPACES = {
    "rgb_to_hsv": [0.583333, 0.888889, 0.9, 0, 0.75, 0.8, 0, 0, 0, 0.666667, 0.5, 0.6],
    "hsv_to_rgb": [0.9, 0.72, 0.45, 0.192, 0.16, 0.2, 0, 0, 0, 0.456, 0.6, 0.42],
    "rgb_to_yiq": [0.426, -0.366898, 0.039861, 0.3794, 0.35754, 0.126893, 0, 0, 0, 0.3342, -0.096403, 0.093349],
    "yiq_to_rgb": [1.136735, -0.61849, 1.080437, 1.115362, 0.616157, 0.919498, 0, 0, 0, 0.959291, -0.169926, 0.990516],
    "rgb_to_yuv": [0.426, 0.233261, -0.285994, 0.3794, -0.088285, 0.368985, 0, 0, 0, 0.3342, 0.130803, -0.030003],
    "yuv_to_rgb": [1.125895, -0.619881, 1.116031, 1.027977, 0.604947, 1.206412, 0, 0, 0, 0.98393, -0.166766, 0.909619],
    "per_image_standardization": [
        -0.756151, 0.588118, 1.932386, 1.596319, -0.420084, -0.420084, -1.092219, -1.092219, -1.092219, -0.084017,
        -0.084017, 0.924185,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_colour_spaces(name: str) -> None:
    close(getattr(tf.image, name)(COLOURS), SPACES[name])


@pytest.mark.parametrize(
    ("value", "given", "wanted", "saturate", "expected"),
    [
        (255, "uint8", "float32", False, 1.0),
        (255, "uint8", "uint16", False, 65280),
        (65535, "uint16", "uint8", False, 255),
        (1.0, "float32", "uint8", False, 255),
        (0.5, "float32", "int16", False, 16383),
        (2.0, "float32", "uint8", True, 255),
        (-1.0, "float32", "uint8", True, 0),
        (-5, "int16", "uint8", True, 0),
        (200, "uint8", "int8", False, 100),
        (0.75, "float64", "float16", False, 0.75),
    ],
)
def test_convert_image_dtype(value: Any, given: str, wanted: str, saturate: bool, expected: Any) -> None:
    made = tf.image.convert_image_dtype(tf.constant(value, given), wanted, saturate)
    assert made.dtype == tf.as_dtype(wanted)
    assert made.numpy() == expected


def test_adjusting_at_random() -> None:
    first = {
        "brightness": ([0.306436, 0.706436, 1.106436], (0.3,)),
        "contrast": ([0.138713, 0.451609, 0.808057], (0.3, 0.9)),
        "hue": ([0.690894, 0.1, 0.9], (0.3,)),
        "saturation": ([0.254851, 0.577425, 0.9], (0.3, 0.9)),
    }
    for name, (expected, bounds) in first.items():
        made = getattr(tf.image, f"stateless_random_{name}")(COLOURS, *bounds, (1, 2))
        np.testing.assert_allclose(made.numpy()[0, 0], expected, atol=2e-6)


def test_seeded_functions_go_on_as_tensorflows_do() -> None:
    tf.random.set_seed(1)
    made = [
        tf.image.random_brightness(COLOURS, 0.3, seed=3),
        tf.image.random_contrast(COLOURS, 0.3, 0.9),
        tf.image.random_hue(COLOURS, 0.3),
        tf.image.random_saturation(COLOURS, 0.3, 0.9, seed=4),
    ]
    expected = [
        [0.267271, 0.667271, 1.067271], [0.220184, 0.34977, 0.614562], [0.1, 0.470892, 0.9],
        [0.475014, 0.687507, 0.9],
    ]  # fmt: skip
    for given, pixel in zip(made, expected, strict=True):
        np.testing.assert_allclose(given.numpy()[0, 0], pixel, atol=2e-6)
    assert tf.image.random_crop(NUMBERS, (1, 2, 2, 1)).numpy().ravel().tolist() == [17, 18, 21, 22]
    assert tf.image.random_flip_left_right(NUMBERS, seed=2).numpy()[:, 0, 0, 0].tolist() == [0, 15]


# ------------------------------------------------------------------------------------------------- measures


def pair() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:24, :30]
    first = np.stack([np.sin(x / 3 + k) * np.cos(y / 4) / 2 + 0.5 for k in range(2)], -1).astype(np.float32)
    return first, first**1.3


def test_measures() -> None:
    first, second = pair()
    assert float(tf.image.psnr(first, second, 1.0)) == pytest.approx(22.16268, rel=1e-5)
    assert float(tf.image.ssim(first, second, 1.0)) == pytest.approx(0.96179247, rel=1e-5)
    assert float(tf.image.ssim_multiscale(first, second, 1.0, (0.4, 0.6), 5)) == pytest.approx(0.97957516, rel=1e-5)
    assert float(tf.image.total_variation(first)) == pytest.approx(164.26918, rel=1e-5)
    several = tf.image.ssim(np.stack([first, second]), second, 1.0)
    np.testing.assert_allclose(several.numpy(), [0.96179247, 1.0], rtol=1e-5)
    assert tf.image.ssim(first, second, 1.0, return_index_map=True).shape.as_list() == [14, 20]


def test_measures_can_be_losses() -> None:
    first, second = (tf.constant(image) for image in pair())
    with tf.GradientTape() as tape:
        tape.watch(second)
        loss = 1 - tf.image.ssim(first, second, 1.0) + tf.image.total_variation(second) / 1000
    gradient = tape.gradient(loss, second)
    step = 1e-2 * gradient / tf.norm(gradient)
    after = 1 - tf.image.ssim(first, second - step, 1.0) + tf.image.total_variation(second - step) / 1000
    assert float(after) < float(loss)


def test_derivatives() -> None:
    down, across = tf.image.image_gradients(IMAGE[None])
    close(down, [0.6, -0.5, 0.6, -0.5, -0.5, 0.6, -0.5, -0.5, 0, 0, 0, 0])
    close(across, [0.7, -0.4, 0.7, 0, -0.4, 0.7, -0.4, 0, 0.7, -0.4, -0.4, 0])
    edges = tf.image.sobel_edges(IMAGE[None])
    assert edges.shape.as_list() == [1, 3, 4, 1, 2]
    close(edges[0, 1, :, 0], [0.4, 0, 0.4, 1.2, -0.7, 0.1, -1.8, 0])
