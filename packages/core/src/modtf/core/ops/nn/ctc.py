"""Sequences of labels without alignment: the loss, decoding, and how far two sequences are apart.

A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
Networks", 2006; the names of the recursions are theirs.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.sparse.coordinates import check_parts
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- the loss


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _forward(emitted: np.ndarray, stays: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """Alpha: the logarithms of the probability of having come to each state by each time.

    Args:
        emitted: The log probability of what each state emits, [time, states].
        stays: Whether a state may follow itself.
        skips: Whether a state may follow the one before the last.
    """
    alpha = np.full_like(emitted, -np.inf)
    alpha[0, :2] = emitted[0, :2]
    for time in range(1, len(emitted)):
        before = alpha[time - 1]
        reached = np.where(stays, before, -np.inf)
        reached[1:] = np.logaddexp(reached[1:], before[:-1])
        reached[2:] = np.logaddexp(reached[2:], np.where(skips[2:], before[:-2], -np.inf))
        alpha[time] = reached + emitted[time]
    return alpha


def _loss_of_one(logits: np.ndarray, labels: list[int], blank: int, merge_repeated: bool) -> tuple[float, np.ndarray]:
    """The loss of one sequence and its gradient by the logits; infinite if the labels cannot be aligned."""
    log_probabilities = _log_softmax(logits)
    states = np.full(2 * len(labels) + 1, blank)
    states[1::2] = labels
    skips = np.zeros(len(states), bool)
    skips[3::2] = (states[3::2] != states[1:-2:2]) if merge_repeated else True
    stays = np.full(len(states), merge_repeated)
    stays[::2] = True
    emitted = log_probabilities[:, states]
    alpha = _forward(emitted, stays, skips)
    # Beta is alpha of everything reversed; both contain what is emitted now.
    skips_back = np.concatenate([[False, False], skips[:1:-1]])
    beta = _forward(emitted[::-1, ::-1], stays[::-1], skips_back)[::-1, ::-1]
    total = np.logaddexp.reduce(alpha[-1, -2:])
    if total == -np.inf:
        return math.inf, np.zeros_like(logits)
    occupied = np.exp(alpha + beta - emitted - total)
    gradient = np.exp(log_probabilities)
    np.subtract.at(gradient.T, states, occupied.T)
    return -float(total), gradient


def _check_sequences(inputs: np.ndarray, sequence_length: np.ndarray) -> None:
    if inputs.ndim != 3:
        raise ValueError(f"inputs is not a 3-Tensor: {list(inputs.shape)}")
    if sequence_length.shape != (inputs.shape[1],):
        raise ValueError(f"sequence_length must hold {inputs.shape[1]} lengths, not {list(sequence_length.shape)}")
    if sequence_length.size and not 0 <= sequence_length.min() <= sequence_length.max() <= inputs.shape[0]:
        raise InvalidArgumentError(f"sequence_length must be in [0, {inputs.shape[0]}]: {sequence_length.tolist()}")


def _labels_of(batch: int, indices: np.ndarray, values: np.ndarray) -> list[list[int]]:
    labels: list[list[int]] = [[] for _ in range(batch)]
    for (row, *_), value in zip(indices.tolist(), values.tolist(), strict=True):
        if not 0 <= row < batch:
            raise InvalidArgumentError(f"labels batch index must be between 0 and {batch} but saw: {row}")
        labels[row].append(value)
    return labels


def _without_nulls(labels: list[int], null: int | None, row: int) -> list[int]:
    """The labels up to the first that stands for none, behind which there may be no others."""
    if not labels:
        raise InvalidArgumentError(f"Labels length is zero in batch {row}")
    if min(labels) < (1 if null is None else 0):
        raise InvalidArgumentError(f"Labels must not be negative nor the blank, in batch {row}: {labels}")
    if null is None:
        return labels
    kept = list(itertools.takewhile(lambda label: label < null, labels))
    if any(label < null for label in labels[len(kept) :]):
        raise InvalidArgumentError(
            f"Saw a non-null label (index >= num_classes - 1) following a null label, batch: {row} labels: {labels}"
        )
    return kept


def _register_loss(name: str, types: str, first_is_blank: bool) -> None:
    dtype = "T" if types else "float32"

    def kernel(
        xp: Any, inputs: np.ndarray, labels_indices: np.ndarray, labels_values: np.ndarray, sequence_length: np.ndarray,
        *, preprocess_collapse_repeated: bool, ctc_merge_repeated: bool, ignore_longer_outputs_than_inputs: bool,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        _check_sequences(inputs, sequence_length)
        _, batch, classes = inputs.shape
        blank = 0 if first_is_blank else classes - 1
        loss, gradient = np.zeros(batch, inputs.dtype), np.zeros_like(inputs)
        wide = inputs.astype(np.float64)
        for row, given in enumerate(_labels_of(batch, labels_indices, labels_values)):
            length = int(sequence_length[row])
            if length == 0:
                continue
            labels = _without_nulls(given, None if first_is_blank else blank, row)
            if preprocess_collapse_repeated:
                labels = [label for label, _ in itertools.groupby(labels)]
            if len(labels) > length:
                if ignore_longer_outputs_than_inputs:
                    continue
                raise InvalidArgumentError(
                    "Not enough time for target transition sequence (required: "
                    f"{len(labels)}, available: {length}) in batch {row}. You can turn this error into a warning by "
                    "using the flag ignore_longer_outputs_than_inputs"
                )
            loss[row], gradient[:length, row] = _loss_of_one(wide[:length, row], labels, blank, ctc_merge_repeated)
        return loss, gradient

    def dims(
        inputs: Tensor, labels_indices: Tensor, labels_values: Tensor, sequence_length: Tensor, **attrs: Any
    ) -> Any:
        known = with_rank(inputs, 3, "inputs")
        places, values = with_rank(labels_indices, 2, "labels_indices"), with_rank(labels_values, 1, "labels_values")
        lengths = with_rank(sequence_length, 1, "sequence_length")
        merged(places[:1], values)
        (batch,) = merged(known[1:2], lengths) or (None,)
        return [(batch,), (known[0], batch, known[2])]

    made = register(
        Op(
            f"{name}{types}(inputs: {dtype}, labels_indices: int64, labels_values: int32, sequence_length: int32, *, "
            "preprocess_collapse_repeated: bool = False, ctc_merge_repeated: bool = True, "
            f"ignore_longer_outputs_than_inputs: bool = False) -> (loss: {dtype}, gradient: {dtype})",
            kernel=kernel,
            shape=dims,
            host_only=True,
            quiet=True,
        )
    )

    @made.gradient
    def _(call: Any, d_loss: Tensor, d_gradient: Tensor) -> tuple[Tensor | None, ...]:
        slopes = raw.PreventGradient(
            call.outputs[1],
            message="Currently there is no way to take the second derivative of ctc_loss: its gradient is not made of "
            "ops.",
        )
        return raw.ExpandDims(d_loss, -1) * slopes, None, None, None


_register_loss("CTCLoss", "[T: float32|float64 = float32]", first_is_blank=False)
_register_loss("CTCLossV2", "", first_is_blank=True)

# ------------------------------------------------------------------------------------------------- decoding


def _sparse(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of labels as a sparse matrix: indices, values and shape."""
    indices = [(row, column) for row, labels in enumerate(rows) for column in range(len(labels))]
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array([label for labels in rows for label in labels], np.int64),
        np.array([len(rows), max(map(len, rows), default=0)], np.int64),
    )


def _decoded_dims(inputs: Tensor, sequence_length: Tensor, paths: int, columns: int) -> list[Dims]:
    dims, lengths = with_rank(inputs, 3, "inputs"), with_rank(sequence_length, 1, "sequence_length")
    (batch,) = merged(dims[1:2], lengths) or (None,)
    kinds: tuple[Dims, ...] = ((None, 2), (None,), (2,))
    return [*(dims for dims in kinds for _ in range(paths)), (batch, columns)]


_SEQUENCES = "inputs: T, sequence_length: int32"


@op(
    f"CTCGreedyDecoder[T: float32|float64 = float32]({_SEQUENCES}, *, merge_repeated: bool = False, "
    "blank_index: int = -1) -> (decoded_indices: int64, decoded_values: int64, decoded_shape: int64, log_probability: T)",
    shape=lambda inputs, sequence_length, **attrs: _decoded_dims(inputs, sequence_length, 1, 1),
    host_only=True,
)
def ctc_greedy_decoder(
    xp: Any, inputs: np.ndarray, sequence_length: np.ndarray, *, merge_repeated: bool, blank_index: int
) -> tuple[np.ndarray, ...]:
    _check_sequences(inputs, sequence_length)
    _, batch, classes = inputs.shape
    if not inputs.size:
        raise InvalidArgumentError(f"inputs must not be empty; their shape is {list(inputs.shape)}")
    if not -classes <= blank_index < classes:
        raise InvalidArgumentError(
            f"blank_index expected to be between {-classes} and {classes - 1}, got {blank_index}"
        )
    blank, best = blank_index % classes, inputs.argmax(axis=-1)
    rows, scores = [], np.zeros((batch, 1), inputs.dtype)
    for row in range(batch):
        length = int(sequence_length[row])
        path = best[:length, row].tolist()
        scores[row] = -inputs[:length, row].max(axis=-1).sum() if length else 0
        if merge_repeated:
            path = [label for label, _ in itertools.groupby(path)]
        rows.append([label for label in path if label != blank])
    return *_sparse(rows), scores


class _Prefix:
    """A prefix of labels in the beam search: a node of the tree of prefixes, with log probabilities.

    Attributes:
        total: That the sequence up to now gives this prefix; `blank` and `label` are its parts that end with a blank and
            with a label. `old` has the three as they were before this time.
    """

    __slots__ = ("blank", "children", "label", "last", "old", "parent", "total")

    def __init__(self, parent: _Prefix | None, last: int) -> None:
        self.parent = parent
        self.last = last
        self.children: dict[int, _Prefix] = {}
        self.old = (-math.inf, -math.inf)
        self.forget()

    def forget(self) -> None:
        self.total = self.blank = self.label = -math.inf

    def labels(self) -> Iterator[int]:
        """The labels, the last first."""
        node: _Prefix | None = self
        while node is not None and node.parent is not None:
            yield node.last
            node = node.parent


def _log_add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _beam_search(log_probabilities: np.ndarray, width: int) -> list[_Prefix]:
    """The most probable prefixes, the best first.

    A. Graves, "Sequence Transduction with Recurrent Neural Networks", 2012, without a language model; a prefix that
    leaves the beam loses its probability.
    """
    root = _Prefix(None, -1)
    root.total = root.blank = 0.0
    beam, blank = [root], log_probabilities.shape[1] - 1
    for emitted in log_probabilities.tolist():
        for node in beam:
            node.old = (node.total, node.blank)
        for node in beam:
            parent = node.parent
            if parent is not None:
                if parent.total != -math.inf:
                    total, ended = parent.old
                    node.label = _log_add(node.label, ended if node.last == parent.last else total)
                node.label += emitted[node.last]
            node.blank = node.old[0] + emitted[blank]
            node.total = _log_add(node.blank, node.label)
        ranked = sorted(beam, key=lambda node: -node.old[0])
        order = itertools.count()
        heap = [(node.total, next(order), node) for node in beam]
        heapq.heapify(heap)
        for node in ranked:
            if node.old[0] == -math.inf or (len(heap) >= width and node.old[0] <= heap[0][0]):
                continue
            for label in range(blank):
                child = node.children.get(label)
                if child is None:
                    child = node.children[label] = _Prefix(node, label)
                if child.total != -math.inf:
                    continue
                child.blank = -math.inf
                child.label = child.total = emitted[label] + node.old[label == node.last]
                if child.total == -math.inf or (len(heap) >= width and child.total <= heap[0][0]):
                    child.forget()
                    child.old = (-math.inf, -math.inf)
                    continue
                if len(heap) == width:
                    heapq.heappop(heap)[2].forget()
                heapq.heappush(heap, (child.total, next(order), child))
        beam = [node for _, _, node in heap]
    return sorted(beam, key=lambda node: -node.total)


@op(
    f"CTCBeamSearchDecoder[T: float32|float64 = float32]({_SEQUENCES}, *, beam_width: int, top_paths: int, "
    "merge_repeated: bool = True) -> (decoded_indices: top_paths * int64, decoded_values: top_paths * int64, "
    "decoded_shape: top_paths * int64, log_probability: T)",
    shape=lambda inputs, sequence_length, *, beam_width, top_paths, merge_repeated: _decoded_dims(
        inputs, sequence_length, top_paths, top_paths
    ),
    host_only=True,
)
def ctc_beam_search_decoder(
    xp: Any, inputs: np.ndarray, sequence_length: np.ndarray, *, beam_width: int, top_paths: int, merge_repeated: bool
) -> tuple[np.ndarray, ...]:
    _check_sequences(inputs, sequence_length)
    if not 1 <= top_paths <= beam_width:
        raise InvalidArgumentError(f"top_paths must be between 1 and beam_width, {beam_width}, not {top_paths}")
    batch = inputs.shape[1]
    paths: list[list[list[int]]] = [[] for _ in range(top_paths)]
    scores = np.zeros((batch, top_paths), inputs.dtype)
    wide = _log_softmax(inputs.astype(np.float64)) if inputs.size else inputs
    for row in range(batch):
        found = _beam_search(wide[: int(sequence_length[row]), row], beam_width)
        if len(found) < top_paths:
            raise InvalidArgumentError(f"Less leaves in the beam search than requested: {len(found)} < {top_paths}")
        for rank, node in enumerate(found[:top_paths]):
            labels = list(node.labels())[::-1]
            paths[rank].append([label for label, _ in itertools.groupby(labels)] if merge_repeated else labels)
            scores[row, rank] = node.total
    columns = zip(*map(_sparse, paths), strict=True)
    return *itertools.chain.from_iterable(columns), scores


ctc_greedy_decoder.gradient(None)
ctc_beam_search_decoder.gradient(None)

# ------------------------------------------------------------------------------------------------- edit distance


def _edits(a: list[Any], b: list[Any]) -> int:
    """How many insertions, deletions and replacements make one list of the other (Levenshtein, 1966)."""
    row = list(range(len(b) + 1))
    for i, item in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (item != other), row[j - 1] + 1, row[j] + 1)
    return row[-1]


def _groups(indices: np.ndarray, values: np.ndarray) -> dict[tuple[int, ...], list[Any]]:
    """The values by all coordinates but the last, in order."""
    groups: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(indices.tolist(), values.tolist(), strict=True):
        groups.setdefault(tuple(place[:-1]), []).append(value)
    return groups


def _distance_dims(
    hypothesis_indices: Tensor, hypothesis_values: Tensor, hypothesis_shape: Tensor, truth_indices: Tensor,
    truth_values: Tensor, truth_shape: Tensor, *, normalize: bool,
) -> Dims:  # fmt: skip
    shapes = [constant_value(shape) for shape in (hypothesis_shape, truth_shape)]
    for shape in (hypothesis_shape, truth_shape):
        with_rank(shape, 1, "shape")
    if any(shape is None for shape in shapes):
        return None
    if len(shapes[0]) != len(shapes[1]):  # type: ignore[arg-type]
        raise ValueError(f"truth_shape should have the length of hypothesis_shape: {shapes[1]} and {shapes[0]}")
    return tuple(np.maximum(*shapes)[:-1].tolist())  # type: ignore[arg-type]


@op(
    "EditDistance[T](hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, truth_indices: int64, "
    "truth_values: T, truth_shape: int64, *, normalize: bool = True) -> (output: float32)",
    shape=_distance_dims,
    host_only=True,
)
def edit_distance(
    xp: Any, hypothesis_indices: np.ndarray, hypothesis_values: np.ndarray, hypothesis_shape: np.ndarray,
    truth_indices: np.ndarray, truth_values: np.ndarray, truth_shape: np.ndarray, *, normalize: bool,
) -> np.ndarray:  # fmt: skip
    if len(hypothesis_shape) != len(truth_shape):
        raise ValueError(
            f"truth_shape should have the length of hypothesis_shape: {len(truth_shape)} and {len(hypothesis_shape)}"
        )
    check_parts(hypothesis_indices, hypothesis_values, hypothesis_shape, "hypothesis_")
    check_parts(truth_indices, truth_values, truth_shape, "truth_")
    if min(*hypothesis_shape, *truth_shape, 0) < 0:
        raise ValueError(f"Sizes must not be negative: {hypothesis_shape.tolist()} and {truth_shape.tolist()}")
    output = np.zeros(np.maximum(hypothesis_shape, truth_shape)[:-1].tolist(), np.float32)
    guessed, true = _groups(hypothesis_indices, hypothesis_values), _groups(truth_indices, truth_values)
    for place in {**guessed, **true}:
        wanted = true.get(place, [])
        edits = float(_edits(guessed.get(place, []), wanted))
        output[place] = edits if not normalize else edits / len(wanted) if wanted else math.inf
    return output


edit_distance.gradient(None)
