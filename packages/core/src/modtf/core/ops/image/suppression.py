"""Choosing boxes by score so that none overlaps another too much (non-maximum suppression).

Soft suppression, which lowers scores instead of dropping boxes, is that of Bodla, Singh, Chellappa and Davis, "Soft-NMS:
improving object detection with one line of code", 2017.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

Similarity = Callable[[np.ndarray, int], np.ndarray]
"""From candidates and a box to how much each of them overlaps it."""

# ------------------------------------------------------------------------------------------------- overlap


def _corners(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners with the smaller coordinates, those with the larger ones, and the areas, of boxes given anyhow."""
    boxes = boxes.astype(np.float32)
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return low, high, np.prod(high - low, axis=1, dtype=np.float32)


def intersection_over_union(boxes: np.ndarray) -> Similarity:
    """The area that two of the boxes [boxes, 4] share over the area that they cover."""
    low, high, areas = _corners(boxes)

    def similarity(candidates: np.ndarray, chosen: int) -> np.ndarray:
        sides = np.minimum(high[candidates], high[chosen]) - np.maximum(low[candidates], low[chosen])
        shared = np.prod(np.maximum(sides, np.float32(0)), axis=1, dtype=np.float32)
        covered = areas[candidates] + areas[chosen] - shared
        real = (areas[candidates] > 0) & (areas[chosen] > 0)
        return np.where(real, shared / np.where(real, covered, np.float32(1)), np.float32(0))

    return similarity


# ------------------------------------------------------------------------------------------------- choosing


def chosen(scores: np.ndarray, similarity: Similarity, count: int, threshold: Any, score_threshold: Any) -> np.ndarray:
    """Takes the box with the highest score, drops those that overlap it by more than `threshold`, and so on.

    Returns:
        At most `count` indices of boxes whose scores are above `score_threshold`. Of equal scores the first one wins.
    """
    candidates = np.flatnonzero(scores > score_threshold)
    candidates = candidates[np.argsort(-scores[candidates].astype(np.float64), kind="stable")]
    taken: list[int] = []
    while len(taken) < count and candidates.size:
        taken.append(int(candidates[0]))
        candidates = candidates[1:]
        overlaps = similarity(candidates, taken[-1]).astype(scores.dtype)
        candidates = candidates[~(overlaps > threshold)]
    return np.array(taken, np.int32)


def _softly_chosen(
    scores: np.ndarray, similarity: Similarity, count: int, score_threshold: Any, sigma: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The same with scores lowered by each overlap; returns the indices and the scores that the boxes had when taken."""
    kind = scores.dtype.type
    scale = kind(-0.5) / sigma
    everything = np.arange(len(scores))
    weights: list[np.ndarray] = []
    taken: list[int] = []
    taken_scores: list[Any] = []
    queue = [(-float(score), index, 0) for index, score in enumerate(scores) if score > score_threshold]
    heapq.heapify(queue)
    while len(taken) < count and queue:
        negative, index, seen = heapq.heappop(queue)
        score = before = kind(-negative)
        for weight in reversed(weights[seen:]):
            score = kind(score * weight[index])
            if score <= score_threshold:
                break
        if score == before:
            taken.append(index)
            taken_scores.append(score)
            overlaps = similarity(everything, index).astype(scores.dtype)
            weights.append(np.exp(scale * overlaps * overlaps))
        elif score > score_threshold:
            heapq.heappush(queue, (-float(score), index, len(taken)))
    return np.array(taken, np.int32), np.array(taken_scores, scores.dtype)


def _number(value: np.ndarray, what: str) -> Any:
    if value.shape != ():
        raise InvalidArgumentError(f"{what} must be a scalar, but its shape is {value.shape}")
    return value[()]


def _count(max_output_size: np.ndarray) -> int:
    count = int(_number(max_output_size, "max_output_size"))
    if count < 0:
        raise InvalidArgumentError(f"max_output_size must not be negative, but is {count}")
    return count


def _check(boxes: np.ndarray, scores: np.ndarray) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise InvalidArgumentError(
            f"Expected boxes [boxes, 4] and scores [boxes]; got the shapes {boxes.shape} and {scores.shape}"
        )


def _share(threshold: Any) -> Any:
    if not 0 <= threshold <= 1:
        raise InvalidArgumentError(f"iou_threshold must be in [0, 1], but is {threshold}")
    return threshold


def _padded(values: np.ndarray, count: int, pad: bool) -> np.ndarray:
    return np.concatenate([values, np.zeros(count - len(values), values.dtype)]) if pad else values


# ------------------------------------------------------------------------------------------------- ops


def _dims(boxes: Tensor, scores: Tensor, max_output_size: Tensor, *thresholds: Tensor, **attrs: Any) -> Any:
    count, columns = with_rank(boxes, 2, "boxes")
    if columns not in (None, 4):
        raise ValueError(f"boxes must have 4 columns, but their shape is {list(boxes.dims or ())}")
    merged((count,), with_rank(scores, 1, "scores"))
    for given in (max_output_size, *thresholds):
        with_rank(given, 0, "the size and each threshold")
    if "pad_to_max_output_size" not in attrs:
        return (None,)
    size = constant_value(max_output_size) if attrs["pad_to_max_output_size"] else None
    made: list[Dims] = [(None if size is None else int(size),)]
    return [*made * (2 if len(thresholds) > 2 else 1), ()]


def _suppression(name: str, schema: str, kernel: Any) -> Op:
    return register(Op(f"{name}{schema}", kernel=kernel, shape=_dims, host_only=True))


def _plain(
    xp: Any, boxes: np.ndarray, scores: np.ndarray, max_output_size: np.ndarray, *thresholds: np.ndarray, **attrs: Any
) -> Any:
    kind = scores.dtype.type
    threshold = _share(kind(_number(thresholds[0], "iou_threshold") if thresholds else attrs["iou_threshold"]))
    least = _number(thresholds[1], "score_threshold") if len(thresholds) > 1 else np.finfo(kind).min
    count = _count(max_output_size)
    _check(boxes, scores)
    taken = chosen(scores, intersection_over_union(boxes), count, threshold, kind(least))
    if "pad_to_max_output_size" not in attrs:
        return taken
    return _padded(taken, count, attrs["pad_to_max_output_size"]), np.array(len(taken), np.int32)


_INPUTS = "boxes: T, scores: T, max_output_size: int32"
_TYPES = "[T: float16|float32 = float32, T_threshold: float16|float32 = float32]"
_TO = "-> (selected_indices: int32"
_PAD = "pad_to_max_output_size: bool = False"
_suppression(
    "NonMaxSuppression",
    "(boxes: float32, scores: float32, max_output_size: int32, *, iou_threshold: float = 0.5)"
    " -> (selected_indices: int32)",
    _plain,
).gradient(None)
_V2 = f"{_TYPES}({_INPUTS}, iou_threshold: T_threshold) {_TO})"
_suppression("NonMaxSuppressionV2", _V2, _plain).gradient(None)
_THRESHOLDS = "iou_threshold: T_threshold, score_threshold: T_threshold"
_suppression("NonMaxSuppressionV3", f"{_TYPES}({_INPUTS}, {_THRESHOLDS}) {_TO})", _plain)
_suppression(
    "NonMaxSuppressionV4", f"{_TYPES}({_INPUTS}, {_THRESHOLDS}, *, {_PAD}) {_TO}, valid_outputs: int32)", _plain
)


def _with_scores(
    xp: Any,
    boxes: np.ndarray,
    scores: np.ndarray,
    max_output_size: np.ndarray,
    iou_threshold: np.ndarray,
    score_threshold: np.ndarray,
    soft_nms_sigma: np.ndarray,
    *,
    pad_to_max_output_size: bool,
) -> Any:
    threshold = _share(_number(iou_threshold, "iou_threshold"))
    least, sigma = _number(score_threshold, "score_threshold"), _number(soft_nms_sigma, "soft_nms_sigma")
    if sigma < 0:
        raise InvalidArgumentError(f"soft_nms_sigma must not be negative, but is {sigma}")
    count = _count(max_output_size)
    _check(boxes, scores)
    similarity = intersection_over_union(boxes)
    if sigma > 0:
        taken, values = _softly_chosen(scores, similarity, count, least, sigma)
    else:
        taken = chosen(scores, similarity, count, threshold, least)
        values = scores[taken]
    pad = pad_to_max_output_size
    return _padded(taken, count, pad), _padded(values, count, pad), np.array(len(taken), np.int32)


_suppression(
    "NonMaxSuppressionV5",
    f"[T: float16|float32 = float32]({_INPUTS}, iou_threshold: T, score_threshold: T, soft_nms_sigma: T, *, {_PAD})"
    f" {_TO}, selected_scores: T, valid_outputs: int32)",
    _with_scores,
)


def _overlap_dims(overlaps: Tensor, scores: Tensor, *scalars: Tensor) -> Dims:
    rows, columns = with_rank(overlaps, 2, "overlaps")
    merged((rows,), (columns,), with_rank(scores, 1, "scores"))
    for given in scalars:
        with_rank(given, 0, "the size and each threshold")
    return (None,)


@op(
    "NonMaxSuppressionWithOverlaps(overlaps: float32, scores: float32, max_output_size: int32, "
    "overlap_threshold: float32, score_threshold: float32) -> (selected_indices: int32)",
    shape=_overlap_dims,
    host_only=True,
)
def with_overlaps(
    xp: Any,
    overlaps: np.ndarray,
    scores: np.ndarray,
    max_output_size: np.ndarray,
    overlap_threshold: np.ndarray,
    score_threshold: np.ndarray,
) -> np.ndarray:
    if overlaps.ndim != 2 or overlaps.shape != scores.shape * 2:
        raise InvalidArgumentError(
            f"Expected overlaps [boxes, boxes] and scores [boxes]; got the shapes {overlaps.shape} and {scores.shape}"
        )
    threshold = _number(overlap_threshold, "overlap_threshold")
    least = _number(score_threshold, "score_threshold")
    return chosen(scores, lambda candidates, box: overlaps[candidates, box], _count(max_output_size), threshold, least)


with_overlaps.gradient(None)

# ------------------------------------------------------------------------------------------------- classes and batches


def _combined_dims(
    boxes: Tensor,
    scores: Tensor,
    max_output_size_per_class: Tensor,
    max_total_size: Tensor,
    *thresholds: Tensor,
    pad_per_class: bool,
    clip_boxes: bool,
) -> list[Dims]:
    batch, count, sets, columns = with_rank(boxes, 4, "boxes")
    if columns not in (None, 4):
        raise ValueError(f"boxes must have 4 columns, but their shape is {list(boxes.dims or ())}")
    batch_of_scores, count_of_scores, classes = with_rank(scores, 3, "scores")
    batch, _ = merged((batch, count), (batch_of_scores, count_of_scores)) or (None, None)
    if sets not in (None, 1) and classes is not None and sets != classes:
        raise ValueError(f"There must be boxes for each of {classes} classes, or one set for all; there are {sets}")
    for given in (max_output_size_per_class, max_total_size, *thresholds):
        with_rank(given, 0, "each size and threshold")
    total, of_class = constant_value(max_total_size), constant_value(max_output_size_per_class)
    size = None if total is None else int(total)
    if size is not None and size <= 0:
        raise ValueError(f"max_total_size must be positive, but is {size}")
    if pad_per_class:
        known = size is not None and of_class is not None and classes is not None
        size = min(size, int(of_class) * classes) if known else None  # type: ignore[arg-type, operator, type-var]
    return [(batch, size, 4), (batch, size), (batch, size), (batch,)]


@op(
    "CombinedNonMaxSuppression(boxes: float32, scores: float32, max_output_size_per_class: int32, "
    "max_total_size: int32, iou_threshold: float32, score_threshold: float32, *, pad_per_class: bool = False, "
    "clip_boxes: bool = True)"
    " -> (nmsed_boxes: float32, nmsed_scores: float32, nmsed_classes: float32, valid_detections: int32)",
    shape=_combined_dims,
    host_only=True,
)
def combined(
    xp: Any,
    boxes: np.ndarray,
    scores: np.ndarray,
    max_output_size_per_class: np.ndarray,
    max_total_size: np.ndarray,
    iou_threshold: np.ndarray,
    score_threshold: np.ndarray,
    *,
    pad_per_class: bool,
    clip_boxes: bool,
) -> tuple[np.ndarray, ...]:
    if boxes.ndim != 4 or boxes.shape[3] != 4 or scores.ndim != 3 or boxes.shape[:2] != scores.shape[:2]:
        raise InvalidArgumentError(
            "Expected boxes [batch, boxes, classes or 1, 4] and scores [batch, boxes, classes]; got the shapes "
            f"{boxes.shape} and {scores.shape}"
        )
    batch, count, classes = scores.shape
    if boxes.shape[2] not in (1, classes):
        raise InvalidArgumentError(f"There are boxes for {boxes.shape[2]} classes, but scores for {classes}")
    of_class = int(_number(max_output_size_per_class, "max_output_size_per_class"))
    total = int(_number(max_total_size, "max_total_size"))
    if of_class <= 0 or total <= 0:
        raise InvalidArgumentError(f"The sizes must be positive, but are {of_class} and {total}")
    threshold = _share(_number(iou_threshold, "iou_threshold"))
    least = _number(score_threshold, "score_threshold")
    size = min(total, of_class * classes) if pad_per_class else total
    found_boxes = np.zeros((batch, size, 4), np.float32)
    found_scores, found_classes = np.zeros((batch, size), np.float32), np.zeros((batch, size), np.float32)
    valid = np.zeros(batch, np.int32)
    for image in range(batch):
        parts = []
        for number in range(classes):
            own = boxes[image, :, number if boxes.shape[2] > 1 else 0]
            column = scores[image, :, number]
            taken = chosen(column, intersection_over_union(own), min(of_class, count), threshold, least)
            parts.append((own[taken], column[taken], np.full(len(taken), number, np.float32)))
        every_box, every_score, every_class = (np.concatenate(column) for column in zip(*parts, strict=True))
        best = np.argsort(-every_score, kind="stable")[:size]
        valid[image] = len(best)
        found_boxes[image, : len(best)] = every_box[best]
        found_scores[image, : len(best)] = every_score[best]
        found_classes[image, : len(best)] = every_class[best]
    if clip_boxes:
        found_boxes = np.clip(found_boxes, np.float32(0), np.float32(1))
    return found_boxes, found_scores, found_classes, valid


# ------------------------------------------------------------------------------------------------- proposals

_LARGEST_LOG_SCALE = np.float32(np.log(1000 / 16))


def _proposal_dims(scores: Tensor, *others: Tensor, post_nms_topn: int) -> list[Dims]:
    images = with_rank(scores, 4, "scores")[0]
    return [(images, post_nms_topn, 4), (images, post_nms_topn)]


@op(
    "GenerateBoundingBoxProposals(scores: float32, bbox_deltas: float32, image_info: float32, anchors: float32, "
    "nms_threshold: float32, pre_nms_topn: int32, min_size: float32, *, post_nms_topn: int = 300)"
    " -> (rois: float32, roi_probabilities: float32)",
    shape=_proposal_dims,
    host_only=True,
    quiet=True,
)
def proposals(
    xp: Any,
    scores: np.ndarray,
    bbox_deltas: np.ndarray,
    image_info: np.ndarray,
    anchors: np.ndarray,
    nms_threshold: np.ndarray,
    pre_nms_topn: np.ndarray,
    min_size: np.ndarray,
    *,
    post_nms_topn: int,
) -> tuple[np.ndarray, np.ndarray]:
    """As S. Ren et al., "Faster R-CNN", 2015, with the limits of TensorFlow's kernel, which exists for GPUs only."""
    if post_nms_topn <= 0 or int(pre_nms_topn) <= 0:
        raise InvalidArgumentError(f"pre_nms_topn and post_nms_topn must be positive: {pre_nms_topn}, {post_nms_topn}")
    threshold = _share(_number(nms_threshold, "nms_threshold"))
    images = len(scores)
    if anchors.size != 4 * scores[0].size or bbox_deltas.size != 4 * scores.size or image_info.shape != (images, 5):
        raise InvalidArgumentError(
            "Expected scores [images, height, width, anchors], deltas [images, height, width, 4 anchors], information "
            f"[images, 5] and anchors [height, width, 4 anchors]; got the shapes {scores.shape}, {bbox_deltas.shape}, "
            f"{image_info.shape} and {anchors.shape}"
        )
    rois = np.zeros((images, post_nms_topn, 4), np.float32)
    probabilities = np.zeros((images, post_nms_topn), np.float32)
    low, high = np.split(anchors.reshape(-1, 4), 2, axis=1)
    for image in range(images):
        column = scores[image].reshape(-1)
        best = np.argsort(-column, kind="stable")[: int(pre_nms_topn)]
        shift, stretch = np.split(bbox_deltas[image].reshape(-1, 4)[best], 2, axis=1)
        extent = high[best] - low[best]
        centre = low[best] + np.float32(0.5) * extent + extent * shift
        half = np.float32(0.5) * extent * np.exp(np.minimum(stretch, _LARGEST_LOG_SCALE))
        limit = image_info[image, :2]
        boxes = np.concatenate([np.clip(centre - half, 0, limit), np.clip(centre + half, 0, limit)], axis=1)
        large = np.min(boxes[:, 2:] - boxes[:, :2], axis=1) >= min_size * image_info[image, 2]
        boxes, column = boxes[large], column[best][large]
        taken = chosen(column, intersection_over_union(boxes), post_nms_topn, threshold, -np.inf)
        rois[image, : len(taken)] = boxes[taken]
        probabilities[image, : len(taken)] = column[taken]
    return rois, probabilities


proposals.gradient(None)
