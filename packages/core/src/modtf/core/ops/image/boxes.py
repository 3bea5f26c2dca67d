"""Drawing boxes on images, and boxes at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.engine.shape_rules import merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.random.bits import philox, scrambled_seed
from modtf.core.ops.random.state import Position
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- drawing

_COLOURS = np.array(
    [
        [1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1], [0.5, 0, 0, 1], [0, 0, 0.5, 1], [0, 1, 1, 1], [1, 0, 1, 1],
    ],
    np.float32,
)  # fmt: skip
"""What boxes are drawn in, one after the other, if nothing else is asked for."""


def _drawn_dims(images: Tensor, boxes: Tensor, *colors: Tensor) -> Dims:
    dims = with_rank(images, 4, "images")
    batch, _, columns = with_rank(boxes, 3, "boxes")
    if columns not in (None, 4):
        raise ValueError(f"boxes must have 4 columns, but their shape is {list(boxes.dims or ())}")
    merged(dims[:1], (batch,))
    for table in colors:
        with_rank(table, 2, "colors")
    return dims


def _draw(xp: Any, images: np.ndarray, boxes: np.ndarray, colors: np.ndarray | None = None) -> np.ndarray:
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4):
        raise InvalidArgumentError(
            f"images must be [batch, height, width, depth] with a depth of 1, 3 or 4; their shape is {images.shape}"
        )
    if boxes.ndim != 3 or boxes.shape[2] != 4 or len(boxes) != len(images):
        raise InvalidArgumentError(f"boxes must be [{len(images)}, boxes, 4], but their shape is {boxes.shape}")
    _, height, width, depth = images.shape
    if colors is not None and (colors.ndim != 2 or colors.shape[1] < depth):
        raise InvalidArgumentError(f"colors must be [colors, {depth} or more], but their shape is {colors.shape}")
    if colors is None or not colors.size:
        colors = np.ones((len(_COLOURS), 1), np.float32) if depth == 1 else _COLOURS
    palette = colors[:, :depth].astype(images.dtype)
    canvases = images.copy()
    if not images.size:
        return canvases
    extent = np.array([height - 1, width - 1], np.float32)
    ends = np.trunc(boxes.reshape(*boxes.shape[:2], 2, 2) * extent).astype(np.int64)
    for canvas, corners in zip(canvases, ends, strict=True):
        for number, ((top, left), (bottom, right)) in enumerate(corners):
            if top > bottom or left > right or top >= height or left >= width or bottom < 0 or right < 0:
                continue
            colour = palette[number % len(palette)]
            rows = slice(max(top, 0), min(bottom, height - 1) + 1)
            columns = slice(max(left, 0), min(right, width - 1) + 1)
            for row in (top, bottom):
                if 0 <= row < height:
                    canvas[row, columns] = colour
            for column in (left, right):
                if 0 <= column < width:
                    canvas[rows, column] = colour
    return canvases


register(
    Op(
        "DrawBoundingBoxes[T: float16|float32 = float32](images: T, boxes: float32) -> (output: T)",
        kernel=_draw,
        shape=_drawn_dims,
        host_only=True,
    )
).gradient(None)
register(
    Op(
        "DrawBoundingBoxesV2[T: float16|float32 = float32](images: T, boxes: float32, colors: float32) -> (output: T)",
        kernel=_draw,
        shape=_drawn_dims,
        host_only=True,
    )
)

# ------------------------------------------------------------------------------------------------- boxes at random


class _Words:
    """Random 32-bit words one after the other, and numbers made of them as TensorFlow makes them."""

    def __init__(self, key: np.ndarray, counter: np.ndarray) -> None:
        self._words = self._drawn(key, counter)

    @staticmethod
    def _drawn(key: np.ndarray, counter: np.ndarray) -> Iterator[int]:
        start = 0
        while True:
            blocks = np.stack(philox(np, key, counter, np.arange(start, start + 64, dtype=np.uint64)), axis=-1)
            yield from blocks.reshape(-1).tolist()
            start += 64

    def share(self) -> np.float32:
        """A number in [0, 1)."""
        return np.float32((next(self._words) & 0x7FFFFF) / 0x800000)

    def below(self, limit: int) -> int:
        """An integer in [0, limit), each as likely as the other."""
        if limit & (limit - 1) == 0:
            return next(self._words) & (limit - 1)
        uneven = 0xFFFFFFFF % limit + 1
        while (word := next(self._words)) < uneven:
            pass
        return word % limit


class _Box(NamedTuple):
    """A rectangle in pixels; the far sides do not belong to it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> np.float32:
        return np.float32((self.right - self.left) * (self.bottom - self.top))

    def shared_area(self, other: _Box) -> np.float32:
        shared = _Box(*map(max, self[:2], other[:2]), *map(min, self[2:], other[2:]))
        return shared.area if shared.left <= shared.right and shared.top <= shared.bottom else np.float32(0)


def _rounded(value: Any) -> int:
    return int(np.rint(np.float32(value)))


def _random_box(width: int, height: int, areas: Sequence[np.float32], ratio: np.float32, words: _Words) -> _Box | None:
    """A box of about a random size with that ratio of width to height, or `None` if none comes out that fits."""
    if width <= 0 or height <= 0 or areas[1] <= 0 or ratio <= 0 or areas[0] > areas[1]:
        return None
    least, most = (share * np.float32(width) * np.float32(height) for share in areas)
    tall = _rounded(np.sqrt(least / ratio))
    tallest = _rounded(np.sqrt(most / ratio))
    if _rounded(np.float32(tallest) * ratio) > width:
        tallest = int((width + 0.5 - float(np.float32(1e-7))) / float(ratio))
        if _rounded(np.float32(tallest) * ratio) > width:
            tallest -= 1
    tallest = min(tallest, height)
    tall = min(tall, tallest)
    if tall < tallest:
        tall += words.below(tallest - tall + 1)
    wide = _rounded(np.float32(tall) * ratio)
    if wide * tall < least:
        tall += 1
        wide = _rounded(np.float32(tall) * ratio)
    if wide * tall > most:
        tall -= 1
        wide = _rounded(np.float32(tall) * ratio)
    if not least <= wide * tall <= most or not 0 < wide <= width or not 0 < tall <= height:
        return None
    top = words.below(height - tall) if tall < height else 0
    left = words.below(width - wide) if wide < width else 0
    return _Box(left, top, left + wide, top + tall)


def _covers(box: _Box, least: float, objects: Sequence[_Box]) -> bool:
    return bool(box.area >= 1) and any(
        thing.area >= 1 and box.shared_area(thing) / thing.area >= np.float32(least) for thing in objects
    )


def _objects(boxes: np.ndarray, width: int, height: int, whole_if_none: bool) -> list[_Box]:
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise InvalidArgumentError(f"bounding_boxes must be [batch, boxes, 4], but their shape is {boxes.shape}")
    if not boxes.size:
        if not whole_if_none:
            raise InvalidArgumentError(
                "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to "
                "not provide any bounding boxes."
            )
        return [_Box(0, 0, width, height)]
    if not ((boxes >= 0) & (boxes <= 1)).all():
        raise InvalidArgumentError("All bounding box coordinates must be in [0.0, 1.0]")
    extent = np.array([height, width, height, width], np.float32)
    return [_Box(left, top, right, bottom) for top, left, bottom, right in (boxes.reshape(-1, 4) * extent).astype(int)]


def _sampled(
    image_size: np.ndarray,
    bounding_boxes: np.ndarray,
    min_object_covered: Any,
    words: _Words,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if len(aspect_ratio_range) != 2 or min(aspect_ratio_range) <= 0:
        raise InvalidArgumentError(f"aspect_ratio_range must be two positive numbers, not {aspect_ratio_range}")
    if len(area_range) != 2 or min(area_range) <= 0 or max(area_range) > 1:
        raise InvalidArgumentError(f"area_range must be two numbers in (0, 1], not {area_range}")
    if max_attempts <= 0:
        raise InvalidArgumentError(f"max_attempts must be positive, but is {max_attempts}")
    if np.shape(min_object_covered) or not min_object_covered >= 0:
        raise InvalidArgumentError(f"min_object_covered must be a scalar and not negative: {min_object_covered}")
    if image_size.shape != (3,):
        raise InvalidArgumentError(f"image_size must have three elements, but its shape is {image_size.shape}")
    height, width = int(image_size[0]), int(image_size[1])
    if height < 0 or width < 0:
        raise InvalidArgumentError(f"image_size must not be negative: {image_size.tolist()}")
    objects = _objects(bounding_boxes, width, height, use_image_if_no_bounding_boxes)
    low, high = (np.float32(ratio) for ratio in aspect_ratio_range)
    areas = [np.float32(area) for area in area_range]
    box = _Box(0, 0, width, height)
    for _ in range(max_attempts):
        found = _random_box(width, height, areas, words.share() * (high - low) + low, words)
        if found is not None and _covers(found, min_object_covered, objects):
            box = found
            break
    begin = np.array([box.top, box.left, 0]).astype(image_size.dtype)
    size = np.array([box.bottom - box.top, box.right - box.left, -1]).astype(image_size.dtype)
    extent = np.array([height, width, height, width], np.float32)
    with np.errstate(all="ignore"):
        share = np.array([box.top, box.left, box.bottom, box.right], np.float32) / extent
    return begin, size, share.reshape(1, 1, 4)


def _sampled_dims(image_size: Tensor, bounding_boxes: Tensor, *others: Tensor, **attrs: Any) -> list[Dims]:
    merged(with_rank(image_size, 1, "image_size"), (3,))
    if with_rank(bounding_boxes, 3, "bounding_boxes")[2] not in (None, 4):
        raise ValueError(f"bounding_boxes must have 4 columns, but their shape is {list(bounding_boxes.dims or ())}")
    return [(3,), (3,), (1, 1, 4)]


_SIZE = "image_size: T, bounding_boxes: float32"
_CHOICE = (
    "aspect_ratio_range: list(float) = [0.75, 1.33], area_range: list(float) = [0.05, 1.0], max_attempts: int = 100, "
    "use_image_if_no_bounding_boxes: bool = False) -> (begin: T, size: T, bboxes: float32)"
)


def _seeded(name: str, inputs: str, attrs: str) -> None:
    def kernel(
        xp: Any, image_size: np.ndarray, boxes: np.ndarray, *covered: np.ndarray, seed: int, seed2: int,
        memory: Position, **choice: Any,
    ) -> Any:  # fmt: skip
        words = _Words(*memory.reserve(max(1, choice["max_attempts"]), seed, seed2))
        least = covered[0] if covered else choice.pop("min_object_covered")
        return _sampled(image_size, boxes, least, words, **choice)

    schema = f"{name}[T: uint8|signed]({_SIZE}{inputs}, *, seed: int = 0, seed2: int = 0, {attrs}{_CHOICE}"
    made = Op(schema, kernel=kernel, shape=_sampled_dims, host_only=True, stateful=True, memory=Position)
    register(made).gradient(None)


_seeded("SampleDistortedBoundingBox", "", "min_object_covered: float = 0.1, ")
_seeded("SampleDistortedBoundingBoxV2", ", min_object_covered: float32", "")


@op(
    f"StatelessSampleDistortedBoundingBox[T: uint8|signed, Tseed: index]"
    f"({_SIZE}, min_object_covered: float32, seed: Tseed, *, {_CHOICE}",
    shape=_sampled_dims,
    host_only=True,
)
def stateless_sample(
    xp: Any,
    image_size: np.ndarray,
    bounding_boxes: np.ndarray,
    min_object_covered: np.ndarray,
    seed: np.ndarray,
    **choice: Any,
) -> Any:
    if seed.shape != (2,):
        raise InvalidArgumentError(f"seed must have two elements, but its shape is {seed.shape}")
    words = _Words(*scrambled_seed(np, seed))
    return _sampled(image_size, bounding_boxes, min_object_covered, words, **choice)
