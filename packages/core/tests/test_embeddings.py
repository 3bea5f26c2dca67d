"""Embeddings of ids given by sparse tensors, and classes drawn by frequency: expected values are TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

_TABLE = np.arange(20, dtype=np.float32).reshape(5, 4) + 1
_PLACES = [[0, 0], [0, 1], [2, 0], [3, 1], [3, 2]]
_IDS = tf.SparseTensor(_PLACES, tf.constant([1, 3, 0, 4, 4], tf.int64), [4, 3])
_WEIGHTS = tf.SparseTensor(_PLACES, [1.0, 2.0, 0.5, -1.0, 3.0], [4, 3])

# Of each combiner the first column, without weights and with them.
_FIRST = {
    "sum": ([18, 0, 1, 34], [31, 0, 0.5, 34]),
    "mean": ([9, 0, 1, 17], [31 / 3, 0, 1, 17]),
    "sqrtn": ([18 / 2**0.5, 0, 1, 34 / 2**0.5], [31 / 5**0.5, 0, 1, 34 / 10**0.5]),
}


@pytest.mark.parametrize("combiner", _FIRST)
@pytest.mark.parametrize("fast", [False, True])
def test_combined(combiner: str, fast: bool) -> None:
    tables: list[Any] = [_TABLE, tf.Variable(_TABLE), [_TABLE[:3], _TABLE[3:]]]
    for table in tables:
        for weights, expected in zip((None, _WEIGHTS), _FIRST[combiner], strict=True):
            found = tf.nn.embedding_lookup_sparse(table, _IDS, weights, combiner=combiner, allow_fast_lookup=fast)
            assert found.shape == [4, 4]
            np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_norms_and_ragged_ids() -> None:
    found = tf.nn.embedding_lookup_sparse(_TABLE, _IDS, None, combiner="sum", max_norm=5.0)
    norms = 5 / np.linalg.norm(_TABLE, axis=1)
    np.testing.assert_allclose(found[0], (_TABLE * norms[:, None])[[1, 3]].sum(0), rtol=1e-5)
    ragged = tf.ragged.constant([[1, 3], [], [0, 4], []])
    assert tf.nn.embedding_lookup_sparse(_TABLE, ragged, None)[:, 0].numpy().tolist() == [9, 0, 9]
    assert tf.nn.safe_embedding_lookup_sparse(_TABLE, ragged)[:, 0].numpy().tolist() == [9, 0, 9, 0]


def test_safe() -> None:
    ids = tf.SparseTensor(_PLACES, tf.constant([1, -3, 0, 4, 4], tf.int64), [5, 3])
    weights = tf.SparseTensor(_PLACES, [1.0, 2.0, 0.5, -1.0, 0.0], [5, 3])
    look_up = tf.nn.safe_embedding_lookup_sparse
    assert look_up(_TABLE, ids)[:, 0].numpy().tolist() == [5, 0, 1, 17, 0]
    assert look_up(_TABLE, ids, default_id=2)[:, 0].numpy().tolist() == [5, 9, 1, 17, 9]
    assert look_up(_TABLE, ids, weights, "mean")[:, 0].numpy().tolist() == [5, 0, 1, 0, 0]
    assert look_up(_TABLE, ids, weights, "sum")[:, 0].numpy().tolist() == [5, 0, 0.5, -17, 0]
    cube = tf.SparseTensor([[0, 0, 0], [0, 1, 1], [1, 0, 0]], tf.constant([1, 3, 0], tf.int64), [2, 2, 3])
    assert look_up(_TABLE, cube)[:, :, 0].numpy().tolist() == [[5, 13], [1, 0]]

    @tf.function(input_signature=[tf.SparseTensorSpec([None, None], tf.int64)])
    def in_a_graph(ids: Any) -> Any:
        return look_up(_TABLE, ids)

    assert in_a_graph.get_concrete_function().output_shapes == [None, 4]
    assert in_a_graph(_IDS)[:, 0].numpy().tolist() == [9, 0, 1, 17]


def test_gradients() -> None:
    table = tf.Variable(_TABLE)
    expected = np.zeros((5, 4), np.float32)
    expected[1] = expected[3] = _TABLE[[1, 3]].mean(0)
    expected[0], expected[4] = 2 * _TABLE[0], 2 * _TABLE[4]
    for fast in (False, True):
        with tf.GradientTape() as tape:
            found = tf.nn.embedding_lookup_sparse(table, _IDS, None, allow_fast_lookup=fast)
            loss = tf.reduce_sum(found**2)
        gradient = tape.gradient(loss, table)
        assert isinstance(gradient, tf.IndexedSlices)
        np.testing.assert_allclose(tf.convert_to_tensor(gradient), expected, rtol=1e-6)


def test_mistakes() -> None:
    look_up, safe = tf.nn.embedding_lookup_sparse, tf.nn.safe_embedding_lookup_sparse
    with pytest.raises(ValueError, match="combiner must be one of"):
        look_up(_TABLE, _IDS, None, combiner="max")
    with pytest.raises(TypeError, match="sp_ids must be a SparseTensor"):
        look_up(_TABLE, _TABLE, None)
    with pytest.raises(TypeError, match="sp_weights must be a SparseTensor or None"):
        look_up(_TABLE, _IDS, _TABLE)
    with pytest.raises(ValueError, match="sp_weights has values"):
        look_up(_TABLE, _IDS, tf.SparseTensor([[0, 0]], [1.0], [4, 3]))
    for tables in ([], None):
        with pytest.raises(ValueError, match="embedding_weights must be"):
            safe(tables, _IDS)


# ------------------------------------------------------------------------------------------------- classes by frequency

_RIGHT = np.array([[0, 1], [2, 3]], np.int64)


def test_classes_by_given_frequencies() -> None:
    tf.random.set_seed(7)
    keywords: dict[str, Any] = {"unigrams": [1.0, 2.0, 3.0, 4.0, 5.0], "distortion": 0.75, "seed": 1}
    drawn = tf.nn.fixed_unigram_candidate_sampler(_RIGHT, 2, 3, True, 5, **keywords)
    assert drawn.sampled_candidates.numpy().tolist() == [1, 3, 4]
    np.testing.assert_allclose(drawn.sampled_expected_count, [0.7302109, 0.9041292, 0.942569], rtol=1e-6)
    tf.random.set_seed(7)
    keywords = {"unigrams": [1.0, 2.0, 3.0, 4.0, 5.0], "num_reserved_ids": 3, "seed": 1}
    drawn = tf.random.fixed_unigram_candidate_sampler(np.array([[0], [6]], np.int64), 1, 6, False, 8, **keywords)
    assert drawn.sampled_candidates.numpy().tolist() == [6, 4, 6, 4, 6, 5]
    np.testing.assert_allclose(drawn.true_expected_count[:, 0], [0, 1.6])


def test_frequencies_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "words"
    path.write_text("a,1\nb,c,0\nd,3\n")
    draw = tf.nn.fixed_unigram_candidate_sampler
    drawn = draw(np.array([[2]], np.int64), 1, 20, False, 3, vocab_file=str(path))
    assert set(drawn.sampled_candidates.numpy().tolist()) <= {0, 2} and drawn.true_expected_count.numpy() == 15
    sharded = draw(np.array([[0]], np.int64), 1, 5, False, 2, vocab_file=str(path), num_shards=2, shard=0)
    assert sharded.true_expected_count.numpy() == 1.25
    path.write_text("a,1\nb\n")
    with pytest.raises(tf.errors.InvalidArgumentError, match="without a number"):
        draw(_RIGHT, 2, 1, False, 2, vocab_file=str(path))


def test_frequencies_that_do_not_fit() -> None:
    draw = tf.nn.fixed_unigram_candidate_sampler
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "Must provide either vocab_file or unigrams"),
        ({"unigrams": [1.0, 2.0], "vocab_file": "x"}, "both was given"),
        ({"unigrams": [1.0, 2.0]}, "range is 5 must be equal to weights size 2"),
        ({"unigrams": [1.0] * 5, "num_shards": 2, "shard": 2}, "shard must be from 0 to 1"),
    ]
    for keywords, message in wrong:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            draw(_RIGHT, 2, 3, False, 5, **keywords)
    with pytest.raises(tf.errors.InvalidArgumentError, match="range is too small"):
        draw(_RIGHT, 2, 6, True, 5, unigrams=[1.0] * 5)


def test_classes_by_learned_frequencies() -> None:
    for _ in range(2):
        tf.random.set_seed(7)
        counts = []
        for expected in ([3, 1, 4], [4, 0, 2], [1, 3, 4]):
            drawn = tf.nn.learned_unigram_candidate_sampler(_RIGHT, 2, 3, True, 5, seed=1)
            assert drawn.sampled_candidates.numpy().tolist() == expected
            counts.append(drawn.true_expected_count.numpy()[0, 0])
        np.testing.assert_allclose(counts, [0.67232, 0.6666667, 0.6923077], rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="range_max"):
        tf.nn.learned_unigram_candidate_sampler(np.array([[9]], np.int64), 1, 3, True, 5)
