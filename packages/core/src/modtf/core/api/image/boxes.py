"""`tf.image`: boxes on images: drawn, chosen by score, and at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api import random
from modtf.core.api.control_flow import while_loop
from modtf.core.api.image.batches import as_size
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import float32, int32
from modtf.core.values.tensors import Tensor

__all__ = [
    "combined_non_max_suppression", "draw_bounding_boxes", "generate_bounding_box_proposals", "non_max_suppression",
    "non_max_suppression_overlaps", "non_max_suppression_padded", "non_max_suppression_with_scores",
    "sample_distorted_bounding_box", "stateless_sample_distorted_bounding_box",
]  # fmt: skip


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Tensor:
    """Returns images with the outlines of boxes drawn on them.

    Args:
        images: Images [batch, height, width, 1, 3 or 4], float32 or float16.
        boxes: Boxes float32 [batch, boxes, 4]: y1, x1, y2, x2 in parts of the image, outside of which they may lie.
        colors: Colours float32 [colours, 4] to take in turn; `None` for ten that are well told apart.
        name: A name for the graph node.
    """
    if colors is None:
        return raw.DrawBoundingBoxes(images, boxes, name=name)
    return raw.DrawBoundingBoxesV2(images, boxes, colors, name=name)


# ------------------------------------------------------------------------------------------------- by score

_LOWEST = float("-inf")


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    name: str | None = None,
) -> Tensor:
    """Chooses boxes by score, leaving out those that overlap one with a higher score too much.

    Args:
        boxes: Boxes [boxes, 4] by any two opposite corners: y1, x1, y2, x2; float32 or float16.
        scores: Their scores [boxes].
        max_output_size: How many to choose at most, a scalar.
        iou_threshold: How much of what two boxes cover they may share.
        score_threshold: Boxes whose scores are not above it are left out.
        name: A name for the graph node.

    Returns:
        The indices of those chosen, int32, by descending score.
    """
    thresholds = convert_to_tensor(iou_threshold), convert_to_tensor(score_threshold)
    return raw.NonMaxSuppressionV3(boxes, scores, max_output_size, *thresholds, name=name)


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Chooses boxes by score, lowering the scores of those that overlap others.

    N. Bodla, B. Singh, R. Chellappa and L. S. Davis, "Soft-NMS: improving object detection with one line of code", 2017.

    Args:
        boxes: Boxes [boxes, 4] by any two opposite corners: y1, x1, y2, x2; float32 or float16.
        scores: Their scores [boxes].
        max_output_size: How many to choose at most, a scalar.
        iou_threshold: How much of what two boxes cover they may share, if `soft_nms_sigma` is 0.
        score_threshold: Boxes whose scores are not above it, or no longer, are left out.
        soft_nms_sigma: How little overlaps lower scores; 0 leaves boxes out instead, as `non_max_suppression` does.
        name: A name for the graph node.

    Returns:
        The indices of those chosen, int32, and the scores that they had when they were.
    """
    given = (convert_to_tensor(value) for value in (iou_threshold, score_threshold, soft_nms_sigma))
    chosen = raw.NonMaxSuppressionV5(boxes, scores, max_output_size, *given, pad_to_max_output_size=False, name=name)
    return chosen[0], chosen[1]


def non_max_suppression_overlaps(
    overlaps: Any,
    scores: Any,
    max_output_size: Any,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    name: str | None = None,
) -> Tensor:
    """Does as `non_max_suppression` with overlaps that are given.

    Args:
        overlaps: How much any two boxes overlap, float32 [boxes, boxes].
        scores: Their scores [boxes].
        max_output_size: How many to choose at most, a scalar.
        overlap_threshold: How much they may overlap.
        score_threshold: Boxes whose scores are not above it are left out.
        name: A name for the graph node.

    Returns:
        The indices of those chosen, int32, by descending score.
    """
    thresholds = convert_to_tensor(overlap_threshold), convert_to_tensor(score_threshold)
    return raw.NonMaxSuppressionWithOverlaps(overlaps, scores, max_output_size, *thresholds, name=name)


def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> Any:
    """Does as `non_max_suppression` for each class of each image, and keeps the best of all classes.

    Args:
        boxes: Boxes float32 [batch, boxes, classes, 4], or with 1 for all classes: y1, x1, y2, x2.
        scores: Their scores [batch, boxes, classes].
        max_output_size_per_class: How many to choose at most in each class.
        max_total_size: How many to keep at most for each image.
        iou_threshold: How much of what two boxes cover they may share.
        score_threshold: Boxes whose scores are not above it are left out.
        pad_per_class: Whether there are rows for `max_output_size_per_class` boxes of each class only, if that is less
            than `max_total_size`.
        clip_boxes: Whether to cut off what lies outside [0, 1].
        name: A name for the graph node.

    Returns:
        `nmsed_boxes` [batch, rows, 4], `nmsed_scores` and `nmsed_classes` [batch, rows], float32, by descending score
        with zeros behind them, and `valid_detections`, the number of boxes in each image.
    """
    thresholds = (convert_to_tensor(value, dtype=float32) for value in (iou_threshold, score_threshold))
    return raw.CombinedNonMaxSuppression(
        boxes,
        scores,
        max_output_size_per_class,
        max_total_size,
        *thresholds,
        pad_per_class=pad_per_class,
        clip_boxes=clip_boxes,
        name=name,
    )


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = _LOWEST,
    pad_to_max_output_size: bool = False,
    name: str | None = None,
    sorted_input: bool = False,
    canonicalized_coordinates: bool = False,
    tile_size: int = 512,
) -> tuple[Tensor, Tensor]:
    """Does as `non_max_suppression` for a batch, with ops that every backend can run.

    Args:
        boxes: Boxes [..., boxes, 4] by opposite corners: y1, x1, y2, x2, in parts of the image.
        scores: Their scores [..., boxes].
        max_output_size: How many to choose at most, a scalar.
        iou_threshold: Boxes that share so much of what they cover, or more, are left out.
        score_threshold: Boxes whose scores are not above it are left out.
        pad_to_max_output_size: Whether the result has `max_output_size` elements, zeros behind the others.
        name: A name for the graph node.
        sorted_input: Whether the boxes are in the order of descending scores.
        canonicalized_coordinates: Whether the smaller coordinates come first.
        tile_size: How many boxes TensorFlow compares at once; it does not change the result, and has no effect here.

    Returns:
        The indices of those chosen, int32 [..., max_output_size], and their number [...].

    Raises:
        ValueError: There is a batch, but `pad_to_max_output_size` is false.
    """
    rectangles, values = convert_to_tensor(boxes), convert_to_tensor(scores)
    if not pad_to_max_output_size and rectangles.ndim is not None and rectangles.ndim > 2:
        raise ValueError(f"'pad_to_max_output_size' (value {pad_to_max_output_size}) must be True for batched input")
    shape = raw.Shape(rectangles)
    count = shape[-2]
    flat_boxes = raw.Cast(raw.Reshape(rectangles, raw.Pack([-1, count, 4])), DstT=float32)
    flat_scores = raw.Cast(raw.Reshape(values, raw.Pack([-1, count])), DstT=float32)
    indices, valid = _chosen_in_batch(
        flat_boxes,
        flat_scores,
        max_output_size,
        iou_threshold,
        score_threshold,
        sorted_input,
        canonicalized_coordinates,
    )
    valid = raw.Reshape(valid, shape[:-2])
    if not pad_to_max_output_size:
        return raw.Slice(
            raw.Reshape(indices, [-1]), np.array([0], np.int32), raw.ExpandDims(valid, 0), name=name
        ), valid
    size = raw.ExpandDims(raw.Cast(max_output_size, DstT=int32), 0)
    return raw.Reshape(indices, raw.ConcatV2([shape[:-2], size], 0), name=name), valid


def _chosen_in_batch(
    boxes: Tensor,
    scores: Tensor,
    max_output_size: Any,
    iou_threshold: Any,
    score_threshold: Any,
    in_order: bool,
    canonical: bool,
) -> tuple[Tensor, Tensor]:
    """Takes the best box of each image until none is left or there are enough, all images at once."""
    low, high = boxes[..., :2], boxes[..., 2:]
    if not canonical:
        low, high = raw.Minimum(low, high), raw.Maximum(low, high)
    areas = raw.Prod(high - low, np.array([2], np.int32))
    # A box that nowhere reaches beyond 0 stands for none, as in TensorFlow.
    there = raw.Any(boxes > 0.0, np.array([2], np.int32))
    there = raw.LogicalAnd(there, scores > raw.Cast(score_threshold, DstT=float32))
    threshold = raw.Cast(iou_threshold, DstT=float32)
    size = as_size(max_output_size)
    places = raw.Range(0, raw.Cast(size, DstT=int32), 1)
    count = raw.Shape(boxes)[1]
    ranks = raw.Cast(raw.BroadcastTo(raw.Range(count, 0, -1), raw.Shape(scores)), DstT=float32)
    order = ranks if in_order else scores

    def more(step: Tensor, free: Tensor, taken: Tensor, number: Tensor) -> Tensor:
        return raw.LogicalAnd(step < size, raw.Any(free, np.array([0, 1], np.int32)))

    def take(step: Tensor, free: Tensor, taken: Tensor, number: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        some = raw.Any(free, np.array([1], np.int32))
        best = raw.ArgMax(raw.SelectV2(free, order, np.float32(_LOWEST)), 1, output_type=int32)
        place = raw.ExpandDims(best, 1)
        own_low, own_high, own_area = (raw.GatherV2(of, place, 1, batch_dims=1) for of in (low, high, areas))
        sides = raw.Maximum(raw.Minimum(high, own_high) - raw.Maximum(low, own_low), 0.0)
        shared = raw.Prod(sides, np.array([2], np.int32))
        overlap = shared / (areas + own_area - shared + 1e-8)
        others = raw.NotEqual(raw.Range(0, count, 1), place)
        free = raw.LogicalAnd(raw.LogicalAnd(free, others), overlap < threshold)
        here = raw.LogicalAnd(raw.Equal(places, step), raw.ExpandDims(some, 1))
        return step + 1, free, raw.SelectV2(here, place, taken), number + raw.Cast(some, DstT=int32)

    batch = raw.Shape(boxes)[0]
    start = (
        convert_to_tensor(np.int32(0)),
        there,
        raw.Fill(raw.Pack([batch, raw.Cast(size, DstT=int32)]), np.int32(0)),
        raw.Fill(raw.ExpandDims(batch, 0), np.int32(0)),
    )
    _, _, taken, number = while_loop(more, take, start)
    return taken, number


# ------------------------------------------------------------------------------------------------- at random


def _choice(**given: Any) -> dict[str, Any]:
    """The attributes that are not left to their defaults."""
    return {name: value for name, value in given.items() if value is not None}


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """Returns a random part of an image that contains enough of one of its objects, to train on.

    Args:
        image_size: The image's height, width and channels, a vector of integers.
        bounding_boxes: The objects' boxes float32 [batch, boxes, 4]: y1, x1, y2, x2 in parts of the image.
        seed: A seed for this op; 0 for a random one.
        min_object_covered: What part of an object must be inside.
        aspect_ratio_range: The bounds of width through height; [0.75, 1.33] if not given.
        area_range: The bounds of the part's area as a share of the image's; [0.05, 1] if not given.
        max_attempts: After how many attempts to return the whole image; 100 if not given.
        use_image_if_no_bounding_boxes: Whether the whole image is the object if there are no boxes, which is a mistake
            otherwise.
        name: A name for the graph node.

    Returns:
        `begin` and `size`, as `tf.slice` takes them, and `bboxes`, the part as a box float32 [1, 1, 4].

    Raises:
        InvalidArgumentError: An argument is not such.
    """
    choice = _choice(
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        max_attempts=max_attempts,
        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
    )
    seeds = random.op_seeds(seed) if seed else {"seed": 0, "seed2": 0}
    return raw.SampleDistortedBoundingBoxV2(
        image_size, bounding_boxes, min_object_covered, **seeds, **choice, name=name
    )


def stateless_sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """Does as `sample_distorted_bounding_box` with what the seed, two integers, says."""
    choice = _choice(
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        max_attempts=max_attempts,
        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
    )
    return raw.StatelessSampleDistortedBoundingBox(
        image_size, bounding_boxes, min_object_covered, seed, **choice, name=name
    )


def generate_bounding_box_proposals(
    scores: Any,
    bbox_deltas: Any,
    image_info: Any,
    anchors: Any,
    nms_threshold: Any = 0.7,
    pre_nms_topn: Any = 6000,
    min_size: Any = 16,
    post_nms_topn: int = 300,
    name: str | None = None,
) -> Any:
    """Returns the best of the boxes that a region proposal network proposes.

    S. Ren, K. He, R. Girshick and J. Sun, "Faster R-CNN: towards real-time object detection with region proposal
    networks", 2015.

    Args:
        scores: The scores of boxes float32 [images, height, width, anchors].
        bbox_deltas: How boxes differ from their anchors float32 [images, height, width, 4 * anchors]: dy, dx, dh, dw.
        image_info: Each image's height, width and scale, and two more numbers, float32 [images, 5].
        anchors: The anchors float32 [height, width, 4 * anchors]: y1, x1, y2, x2.
        nms_threshold: How much of what two boxes cover they may share.
        pre_nms_topn: How many boxes are looked at, those with the highest scores.
        min_size: Boxes with a shorter side, times the image's scale, are left out.
        post_nms_topn: How many boxes to return.
        name: A name for the graph node.

    Returns:
        `rois` float32 [images, post_nms_topn, 4] and `roi_probabilities` [images, post_nms_topn], by descending score
        with zeros behind them.
    """
    return raw.GenerateBoundingBoxProposals(
        scores,
        bbox_deltas,
        image_info,
        anchors,
        convert_to_tensor(nms_threshold, dtype_hint=float32),
        convert_to_tensor(pre_nms_topn, dtype_hint=int32),
        convert_to_tensor(min_size, dtype_hint=float32),
        post_nms_topn=post_nms_topn,
        name=name,
    )
