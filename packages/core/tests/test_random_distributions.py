"""Gamma, Poisson, binomial and truncated normal numbers: TensorFlow's draws and gradients, what they promise, errors."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf

random = tf.random
InvalidArgumentError = tf.errors.InvalidArgumentError


def close(tensor, expected, tolerance=2e-6):
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=tolerance, atol=tolerance)


def test_gamma_numbers_and_their_gradients():
    alpha, beta = tf.Variable([3.0, 6.0]), tf.Variable([[2.0], [3.0]])
    with tf.GradientTape() as tape:
        drawn = random.stateless_gamma([3, 2, 2], [1, 2], alpha, beta)
        loss = tf.reduce_sum(drawn * drawn)
    expected = [
        [[2.034059762954712, 3.3197176456451416], [1.4752182960510254, 2.0141918659210205]],
        [[1.4945316314697266, 3.3566300868988037], [1.0089242458343506, 1.732593059539795]],
        [[2.337289571762085, 2.6725080013275146], [1.367907166481018, 1.0990477800369263]],
    ]
    close(drawn, expected)
    by_alpha, by_beta = tape.gradient(loss, [alpha, beta])
    close(by_alpha, [10.222129821777344, 12.869756698608398])
    close(by_beta, [[-41.263736724853516], [-8.888080596923828]])


def test_seeded_gamma_numbers():
    random.set_seed(1)
    alpha = tf.Variable([0.5, 2.0])
    with tf.GradientTape() as tape:
        drawn = random.gamma([3], alpha, beta=2.0, seed=4)
    close(
        drawn,
        [
            [0.012049355544149876, 0.2645670473575592], [1.1998567581176758, 0.8270544409751892],
            [0.036453790962696075, 1.5934523344039917],
        ],
    )  # fmt: skip
    close(tape.gradient(drawn, alpha), [1.6431132555007935, 1.4304735660552979])
    assert random.gamma([2], 1e-8).numpy().min() == np.finfo(np.float32).tiny


def test_truncated_normal_numbers_and_their_gradients():
    parameters = [tf.Variable(np.float32(value)) for value in ([0.0, 1.0], [[1.0], [2.0]], -1.0, [2.0, 3.0])]
    with tf.GradientTape() as tape:
        drawn = random.stateless_parameterized_truncated_normal([2, 2, 2], [1, 2], *parameters)
        loss = tf.reduce_sum(drawn * drawn)
    close(
        drawn,
        [
            [[0.544110119342804, -0.30158984661102295], [0.31805431842803955, 1.4198737144470215]],
            [[0.20738030970096588, 0.04614347219467163], [-0.7456954717636108, 0.3065505027770996]],
        ],
    )
    gradients = [
        [0.6476985216140747, 2.94195556640625], [[1.375188946723938], [1.0408105850219727]], 0.16765481233596802,
        [0.24687424302101135, 1.2021533250808716],
    ]  # fmt: skip
    for gradient, expected in zip(tape.gradient(loss, parameters), gradients, strict=True):
        close(gradient, expected)


def test_counts_and_classes():
    random.set_seed(1)
    generator = random.Generator.from_seed(3)
    classes = {"true_classes": np.array([[1]]), "num_true": 1, "num_sampled": 3, "unique": True, "range_max": 20}
    for drawn, expected in [
        (random.poisson([3], [1.5, 12.0], seed=4), [[1, 11], [0, 9], [1, 16]]),
        (random.poisson([2], 20, tf.int64, seed=4), [21, 14]),
        (random.stateless_poisson([2, 2], [1, 2], [1.5, 12.0]), [[3, 17], [4, 21]]),
        (random.stateless_binomial([2, 2], [1, 2], [10.0, 100.0], 0.4), [[6, 47], [6, 53]]),
        (random.stateless_binomial([2], [1, 2], 10, [0.1, 0.9]), [3, 9]),
        (generator.binomial([2, 2], [10.0, 100.0], 0.4), [[4, 35], [5, 43]]),
        (random.log_uniform_candidate_sampler(**classes, seed=3).sampled_candidates, [1, 10, 11]),
        (random.uniform_candidate_sampler(**classes, seed=3).sampled_candidates, [19, 3, 11]),
    ]:
        assert drawn.numpy().tolist() == expected


@pytest.mark.parametrize("draw", [
    lambda n: random.stateless_gamma([n], [3, 4], 2.5, 0.5), lambda n: random.gamma([n], 2.5, 0.5),
])  # fmt: skip
def test_gamma_moments(draw):
    numbers = draw(100_000).numpy()
    assert abs(numbers.mean() - 5) < 0.1 and abs(numbers.var() - 10) < 0.5


@pytest.mark.parametrize("rate", [0.3, 7.0, 30.0, 1000.0])
def test_poisson_moments(rate):
    numbers = random.stateless_poisson([100_000], [3, 4], rate, tf.float64).numpy()
    assert abs(numbers.mean() / rate - 1) < 0.02 and abs(numbers.var() / rate - 1) < 0.05
    assert np.array_equal(numbers, np.floor(numbers)) and numbers.min() >= 0


@pytest.mark.parametrize(("count", "probability"), [(10, 0.2), (10, 0.9), (500, 0.3), (500, 0.7)])
def test_binomial_moments(count, probability):
    numbers = random.stateless_binomial([100_000], [3, 4], np.float64(count), np.float64(probability)).numpy()
    assert abs(numbers.mean() / (count * probability) - 1) < 0.02
    assert abs(numbers.var() / (count * probability * (1 - probability)) - 1) < 0.05
    assert numbers.min() >= 0 and numbers.max() <= count


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (2.0, np.inf), (-np.inf, -3.0), (1.0, 1.1)])
def test_truncated_normal_numbers_keep_their_bounds(low, high):
    numbers = random.stateless_parameterized_truncated_normal([50_000], [3, 4], 0.0, 1.0, low, high).numpy()
    assert low <= numbers.min() and numbers.max() <= high
    proposals = np.random.default_rng(0).standard_normal(4_000_000)
    kept = proposals[(proposals >= low) & (proposals <= high)]
    assert abs(numbers.mean() - kept.mean()) < 0.02


def test_index_shuffle_is_a_permutation():
    assert random.experimental.index_shuffle(tf.range(6), [5, 9], 5).numpy().tolist() == [2, 0, 4, 3, 1, 5]
    for last in (0, 1, 7, 100):
        places = random.experimental.index_shuffle(tf.range(last + 1), [5, 9], last).numpy()
        assert sorted(places) == list(range(last + 1))
    apart = [random.experimental.index_shuffle(index, [5, 9], 5).numpy().item() for index in range(6)]
    assert apart == [2, 0, 4, 3, 1, 5]


def test_functions_know_the_shapes():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def shapes(rates):
        seeded = random.poisson([3], rates), random.gamma([3], rates)
        stateless = random.stateless_poisson([4, 2], [1, 2], rates), random.stateless_gamma([4, 2], [1, 2], rates)
        assert [item.shape.as_list() for item in (*seeded, *stateless)] == [[3, None], [3, None], [4, 2], [4, 2]]
        return stateless

    assert [item.shape for item in shapes(tf.constant([1.0, 2.0]))] == [(4, 2), (4, 2)]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: random.gamma([2], 1.0, dtype=tf.int32), ValueError, "Accepted dtypes"),
        (lambda: random.stateless_gamma([2], [1, 2], [1.0, 2.0, 3.0]), InvalidArgumentError, "must end with"),
        (lambda: random.stateless_poisson([2], [1, 2, 3], 1.0), InvalidArgumentError, r"seed must have shape \[2\]"),
        (lambda: random.stateless_binomial([2], [1, 2], [1.0, 2.0, 3.0], 0.5), InvalidArgumentError, "must end with"),
        (
            lambda: random.stateless_parameterized_truncated_normal([2], [1, 2], 0.0, 1.0, 1.0, 1.0),
            InvalidArgumentError, "Invalid parameters",
        ),
        (lambda: random.experimental.index_shuffle(5, [1, 2], 4), InvalidArgumentError, r"index must be in \[0, max"),
        (
            lambda: random.Generator.from_seed(1, "threefry").binomial([2], 1.0, 0.5),
            InvalidArgumentError, "Unsupported algorithm id: 2",
        ),
    ],
)  # fmt: skip
def test_errors(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


def test_seeds_set_inside_a_function_hold_there():
    random.set_seed(7)

    @tf.function
    def draw():
        random.set_seed(3)
        return random.uniform([2])

    inside = draw().numpy()
    random.set_seed(3)
    np.testing.assert_array_equal(tf.function(lambda: random.uniform([2]))().numpy(), inside)


def test_determinism_needs_seeds(monkeypatch):
    from modtf.core.api.random import seeds

    monkeypatch.setattr(seeds, "deterministic", False)
    monkeypatch.setattr(seeds._global, "seed", None)
    tf.config.experimental.enable_op_determinism()
    with pytest.raises(RuntimeError, match="needs a seed when determinism is enabled"):
        random.uniform([1])
    with pytest.raises(RuntimeError, match="needs a seed"):
        random.Generator.from_non_deterministic_state()
    random.uniform([1], seed=1)
