"""`tf.image`: boxes drawn, chosen and sampled. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

BOXES = np.float32([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 0.5, 1, 1.5], [0.2, 0.1, 0.9, 1.2]])
SCORES = np.float32([0.9, 0.8, 0.7, 0.6])


def test_non_max_suppression() -> None:
    assert tf.image.non_max_suppression(BOXES, SCORES, 3, 0.4).numpy().tolist() == [0, 2]
    assert tf.image.non_max_suppression(BOXES, SCORES, 1, 0.4).numpy().tolist() == [0]
    assert tf.image.non_max_suppression(BOXES, SCORES, 3, 0.4, score_threshold=0.75).numpy().tolist() == [0]
    assert tf.image.non_max_suppression(BOXES[:0], SCORES[:0], 3).numpy().tolist() == []


def test_soft_suppression_lowers_scores() -> None:
    indices, scores = tf.image.non_max_suppression_with_scores(BOXES, SCORES, 4, soft_nms_sigma=0.5)
    assert indices.numpy().tolist() == [0, 2, 3, 1]
    np.testing.assert_allclose(scores.numpy(), [0.9, 0.62638748, 0.38183272, 0.22218978], rtol=1e-5)


def test_suppression_by_given_overlaps() -> None:
    overlaps = np.float32([[1, 0.6, 0.1], [0.6, 1, 0.2], [0.1, 0.2, 1]])
    chosen = tf.image.non_max_suppression_overlaps(overlaps, [0.5, 0.9, 0.7], 3)
    assert chosen.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("known", [[4, 4], [None, None], None])
def test_padded_suppression(known: Any) -> None:
    @tf.function(input_signature=[tf.TensorSpec(known, tf.float32), tf.TensorSpec(known and known[:1], tf.float32)])
    def traced(boxes: Any, scores: Any) -> Any:
        return tf.image.non_max_suppression_padded(boxes, scores, 4, 0.4, pad_to_max_output_size=True)

    for indices, valid in (traced(BOXES, SCORES), traced.python_function(BOXES, SCORES)):
        assert indices.numpy().tolist() == [0, 2, 0, 0]
        assert valid.numpy() == 2
    indices, valid = tf.image.non_max_suppression_padded(BOXES, SCORES, 4, 0.4)
    assert indices.numpy().tolist() == [0, 2]


def test_padded_suppression_of_a_batch() -> None:
    boxes, scores = np.stack([BOXES, BOXES[::-1]]), np.stack([SCORES, SCORES[::-1]])
    indices, valid = tf.image.non_max_suppression_padded(boxes, scores, 3, 0.7, 0.65, pad_to_max_output_size=True)
    assert indices.numpy().tolist() == [[0, 2, 0], [3, 1, 0]]
    assert valid.numpy().tolist() == [2, 2]
    with pytest.raises(ValueError, match="pad_to_max_output_size"):
        tf.image.non_max_suppression_padded(boxes, scores, 3)


def test_combined_suppression() -> None:
    made = tf.image.combined_non_max_suppression(BOXES[None, :, None], SCORES[None, :, None], 2, 3, 0.4)
    np.testing.assert_allclose(made.nmsed_boxes.numpy(), [[[0, 0, 1, 1], [0, 0.5, 1, 1], [0, 0, 0, 0]]])
    np.testing.assert_allclose(made.nmsed_scores.numpy(), [[0.9, 0.7, 0]], rtol=1e-6)
    assert made.valid_detections.numpy().tolist() == [2]


def test_proposals() -> None:
    # Two places of one anchor each: the one is moved by half its height and made twice as wide, the other is too small.
    anchors = np.float32([[[0, 0, 4, 4], [10, 10, 11, 11]]])
    deltas = np.float32([[[[0.5, 0, 0, np.log(2)], [0, 0, 0, 0]]]])
    rois, probabilities = tf.image.generate_bounding_box_proposals(
        np.float32([[[[0.4], [0.9]]]]), deltas, np.float32([[20, 5, 1, 0, 0]]), anchors, min_size=2, post_nms_topn=2
    )
    np.testing.assert_allclose(rois.numpy(), [[[2, 0, 6, 5], [0, 0, 0, 0]]], rtol=1e-6)
    np.testing.assert_allclose(probabilities.numpy(), [[0.4, 0]], rtol=1e-6)


def test_drawing() -> None:
    drawn = tf.image.draw_bounding_boxes(np.zeros((1, 4, 5, 1), np.float32), [[[0.3, 0.2, 0.99, 0.7]]], [[0.5]])
    expected = [[1, 1, 1, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert (drawn.numpy()[0, :, :, 0] * 2).tolist() == expected
    yellow = tf.image.draw_bounding_boxes(np.zeros((1, 2, 2, 3), np.float32), [[[0.0, 0, 1, 1]]], None)
    assert yellow.numpy().reshape(-1, 3).tolist() == [[1, 1, 0]] * 4


OBJECTS = [[[0.1, 0.2, 0.5, 0.9]]]


def test_sampled_boxes() -> None:
    for seed, expected in ((0, [[3, 3, 0], [19, 24, -1]]), (1, [[1, 10, 0], [38, 29, -1]])):
        begin, size, box = tf.image.stateless_sample_distorted_bounding_box([40, 50, 3], OBJECTS, seed=(seed, 4))
        assert [begin.numpy().tolist(), size.numpy().tolist()] == expected
        (top, left, bottom, right) = box.numpy().ravel() * [40, 50, 40, 50]
        np.testing.assert_allclose([top, left], expected[0][:2], rtol=1e-5)
        np.testing.assert_allclose([bottom - top, right - left], expected[1][:2], rtol=1e-5)


def test_seeded_boxes_go_on_as_tensorflows_do() -> None:
    tf.random.set_seed(3)
    made = [tf.image.sample_distorted_bounding_box([40, 50, 3], OBJECTS, seed=4) for _ in range(2)]
    given = [[item.numpy().tolist() for item in items[:2]] for items in made]
    assert given == [[[5, 12, 0], [28, 36, -1]], [[8, 11, 0], [30, 34, -1]]]


def test_sampling_needs_an_object() -> None:
    nothing = np.zeros((1, 0, 4), np.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="use_image_if_no_bounding_boxes"):
        tf.image.sample_distorted_bounding_box([40, 50, 3], nothing)
    begin, size, _ = tf.image.sample_distorted_bounding_box(
        [40, 50, 3],
        nothing,
        area_range=[1.0, 1.0],
        aspect_ratio_range=[1.25, 1.25],
        use_image_if_no_bounding_boxes=True,
    )
    assert [begin.numpy().tolist(), size.numpy().tolist()] == [[0, 0, 0], [40, 50, -1]]


def test_parts_of_images() -> None:
    images = np.arange(20, dtype=np.float32).reshape(1, 4, 5, 1)
    glimpse = tf.image.extract_glimpse(images, [2, 3], [[0.6, 0.1]], noise="zero")
    assert glimpse.numpy().ravel().tolist() == [11, 12, 13, 16, 17, 18]
    noisy = tf.image.extract_glimpse(images, [4, 5], [[1.0, 1.0]]).numpy()
    assert noisy[0, 0, 0, 0] == 12
    assert noisy[0, -1, -1, 0] != 0
    assert 0 <= noisy.min() <= noisy.max() <= 19
    crops = tf.image.crop_and_resize(images, [[0, 0, 1, 1], [1, 1, 0, 0]], [0, 0], [2, 2])
    assert crops.numpy().reshape(2, 4).tolist() == [[0, 4, 15, 19], [19, 15, 4, 0]]
    patches = tf.image.extract_patches(images, [1, 2, 2, 1], [1, 2, 3, 1], [1, 1, 1, 1], "VALID")
    assert patches.numpy()[0, 0].tolist() == [[0, 1, 5, 6], [3, 4, 8, 9]]
