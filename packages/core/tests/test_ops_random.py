"""Random numbers: TensorFlow's draws from the same seeds, what the generators promise, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import random_cases
from hypothesis import given
from hypothesis import strategies as st

from modtf import core as tf
from modtf.core.api import random
from modtf.core.ops.random.bits import PHILOX, THREEFRY, philox, random_words

raw = tf.raw_ops
InvalidArgumentError = tf.errors.InvalidArgumentError

GROUPS = {
    "stateless": lambda: random_cases.stateless(raw),
    "seeded": lambda: random_cases.seeded(tf, random),
    "generators": lambda: random_cases.generators(tf, random),
}
# Normal numbers go through logarithm, sine and cosine, which TensorFlow takes in the dtype and modtf in float64.
TOLERANCES = {"float16": 2e-3, "bfloat16": 8e-3, "float32": 2e-6, "float64": 1e-11}


@pytest.fixture(scope="module")
def drawn():
    with np.load(Path(__file__).parent / "goldens" / "random.npz") as file:
        return dict(file)


@pytest.mark.parametrize("group", GROUPS)
def test_draws_are_tensorflows(group, drawn):
    seen = set()
    for name, value in GROUPS[group]():
        golden, result = drawn[f"{group}/{name}"], np.asarray(value.numpy())
        seen.add(f"{group}/{name}")
        if value.dtype is tf.bfloat16:
            result = result.astype(np.float32)
        assert result.dtype == golden.dtype and result.shape == golden.shape, name
        if "ormal" in name or name in ("stateless",):
            tolerance = TOLERANCES[value.dtype.name]
            if name.startswith("StatelessTruncatedNormalV2/float16") and name.endswith("/2"):
                tolerance = 2e-2  # XLA computes the inverse distribution function in 16 bits
            np.testing.assert_allclose(result, golden, rtol=tolerance, atol=tolerance, err_msg=name)
        elif result.dtype.kind == "f" and ("function" in name):
            np.testing.assert_allclose(result, golden, rtol=2e-6, atol=2e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(result, golden, err_msg=name)
    assert seen == {name for name in drawn if name.startswith(f"{group}/")}


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    # The known answers that come with Random123, the authors' own implementation.
    [
        (0, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (2**64 - 1, (2**64 - 1, 2**64 - 1), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            0x299F31D0A4093822, (0x85A308D3243F6A88, 0x0370734413198A2E),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)  # fmt: skip
def test_philox_known_answers(key, counter, words):
    blocks = np.zeros(1, np.uint64)
    result = philox(np, np.array([key], np.uint64), np.array(counter, np.uint64), blocks)
    assert tuple(int(word[0]) for word in result) == words


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        (0, 0, (0x6B200159, 0x99BA4EFE)),
        (2**64 - 1, 2**64 - 1, (0x1CB996FC, 0xBB002BE7)),
        (0x0370734413198A2E, 0x85A308D3243F6A88, (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_known_answers(key, counter, words):
    drawn = random_words(np, THREEFRY, np.array([key], np.uint64), np.array([counter, 0], np.uint64), (1,), 64)
    assert (int(drawn[0]) & 0xFFFFFFFF, int(drawn[0]) >> 32) == words


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(1, 300))
def test_counters_run_on_over_the_carry(key, low, start):
    """Drawing from a later counter gives the rest of an earlier draw."""
    key_array = np.array([key], np.uint64)
    whole = random_words(np, PHILOX, key_array, np.array([low, 3], np.uint64), (4 * start + 8,), 32)
    position = (3 << 64) + low + start
    later = np.array([position & (2**64 - 1), position >> 64], np.uint64)
    np.testing.assert_array_equal(random_words(np, PHILOX, key_array, later, (8,), 32), whole[4 * start :])


def test_long_draws_are_the_short_ones_continued():
    seed = tf.constant([1, 2])
    long = random.stateless_uniform([200_000], seed).numpy()
    np.testing.assert_array_equal(random.stateless_uniform([1000], seed).numpy(), long[:1000])
    assert abs(long.mean() - 0.5) < 0.005 and long.min() >= 0 and long.max() < 1


@pytest.mark.parametrize("alg", ["philox", "threefry"])
def test_distributions_have_their_moments(alg):
    normal = random.stateless_normal([100_000], [3, 4], 1.0, 2.0, tf.float64, alg=alg).numpy()
    assert abs(normal.mean() - 1) < 0.03 and abs(normal.std() - 2) < 0.03
    cut = random.stateless_truncated_normal([100_000], [3, 4], dtype=tf.float64, alg=alg).numpy()
    assert np.abs(cut).max() <= 2 and abs(cut.std() - 0.8796) < 0.01
    numbers = random.stateless_uniform([100_000], [3, 4], -3, 5, tf.int32, alg=alg).numpy()
    assert set(numbers) == set(range(-3, 5))


def test_without_seeds_draws_differ():
    assert len({raw.RandomUniform([1], dtype="float64").numpy().item() for _ in range(4)}) == 4
    states = [tuple(random.Generator.from_non_deterministic_state().state.numpy()) for _ in range(2)]
    assert states[0] != states[1]


def test_shuffles_keep_the_elements():
    random.set_seed(0)
    value = np.arange(60).reshape(20, 3)
    for shuffled in (random.shuffle(value), random.experimental.stateless_shuffle(value, [1, 2])):
        assert sorted(map(tuple, shuffled.numpy())) == sorted(map(tuple, value))
    assert random.shuffle(3).numpy() == 3


def test_generator_inside_a_function_moves_its_variable_on():
    generator, reference = (random.Generator.from_seed(1) for _ in range(2))
    function = tf.function(lambda: generator.normal([3]))
    for _ in range(2):
        np.testing.assert_array_equal(function().numpy(), reference.normal([3]).numpy())
    np.testing.assert_array_equal(generator.state.numpy(), reference.state.numpy())


def test_first_values_of_variables_made_in_a_function_start_from_their_seeds():
    tf.random.set_seed(22)
    made = []

    @tf.function
    def f():
        if not made:
            made.extend(tf.Variable(random.uniform([2], seed=22)) for _ in range(2))
        return made[0] + made[1]

    f()
    for values in (*made, random.uniform([2], seed=22)):
        np.testing.assert_allclose(values, [0.08503413, 0.5980128], rtol=1e-6)
    np.testing.assert_allclose(random.uniform([2], seed=22), [0.15535808, 0.41399693], rtol=1e-6)


def test_generator_copies_and_resets():
    generator = random.Generator.from_seed(4)
    copy = random.Generator(copy_from=generator)
    assert copy.uniform([2]).numpy().tolist() == generator.uniform([2]).numpy().tolist()
    generator.reset_from_seed(4)
    assert generator.state.numpy().tolist() == [4, 0, 0]
    generator.reset([1, 2, 3])
    assert generator.key.numpy() == 3
    generator.reset_from_key_counter(4, [5, 6])
    assert generator.state.numpy().tolist() == [5, 6, 4]
    assert list(generator.trackable_children()) == ["_state_var"]


def test_threefry_generator():
    generator = random.Generator.from_seed(1, "threefry")
    first, second = generator.uniform([4]).numpy(), generator.uniform([4]).numpy()
    assert not np.array_equal(first, second)
    assert generator.state.numpy().tolist() == [1 + 2 * 4 * 256, 0]


def test_the_global_generator():
    made = random.Generator.from_seed(1)
    random.set_global_generator(made)
    assert random.get_global_generator() is made


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: random.uniform([2], dtype=tf.int32), ValueError, "Must specify maxval"),
        (lambda: random.uniform([2], dtype=tf.int8), ValueError, "Accepted dtypes"),
        (lambda: random.uniform([2], 5, 3, tf.int32), InvalidArgumentError, "Need minval < maxval"),
        (lambda: random.uniform([-1]), InvalidArgumentError, "must be >= 0"),
        (lambda: random.uniform(3), InvalidArgumentError, "must be a vector"),
        (lambda: random.uniform([2.0]), TypeError, "must be one of"),
        (lambda: random.stateless_uniform([2], [1, 2, 3]), InvalidArgumentError, r"seed must have shape \[2\]"),
        (lambda: random.stateless_uniform([2], [1, 2], 5, None, tf.int32), ValueError, "both None"),
        (lambda: random.stateless_uniform([2], [1, 2], dtype=tf.uint32), ValueError, "both None"),
        (lambda: random.stateless_uniform([2], [1, 2], alg="dice"), ValueError, "unsupported value dice"),
        (lambda: random.stateless_uniform([2], [1, 2], 5, 5, tf.int32), InvalidArgumentError, "Need minval < maxval"),
        (lambda: random.categorical([1.0, 2.0], 3), InvalidArgumentError, "should be a matrix"),
        (lambda: random.Generator(), ValueError, "needs a state and an algorithm"),
        (lambda: random.Generator.from_state([1, 2], "philox"), ValueError, r"must have shape \[3\]"),
        (
            lambda: raw.StatelessRandomUniformV2([2], np.ones(2, np.uint64), np.ones(2, np.uint64), 1),
            InvalidArgumentError, r"key must have shape \[1\]",
        ),
        (
            lambda: raw.StatelessRandomUniformV2([2], np.ones(1, np.uint64), np.ones(1, np.uint64), 1),
            InvalidArgumentError, "counter must be a vector with length at least 2",
        ),
        (
            lambda: raw.StatelessRandomUniformV2([2], np.ones(1, np.uint64), np.ones(2, np.uint64), 9),
            InvalidArgumentError, "Unsupported algorithm id: 9",
        ),
    ],
)  # fmt: skip
def test_errors(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
