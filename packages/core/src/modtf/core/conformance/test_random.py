"""Random numbers: TensorFlow's for the same seeds, and the same ones on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.conformance.report import Report

R = tf.raw_ops

# What TensorFlow 2.21 gives: two calls one after the other of each op with the seeds 7 and 9.
_SEEDED: dict[str, tuple[dict[str, Any], list[list[Any]]]] = {
    "RandomUniform": (
        {"shape": [4], "dtype": "float32"},
        [
            [0.5363448858261108, 0.4732365608215332, 0.46388888359069824, 0.5174180269241333],
            [0.43229734897613525, 0.04334676265716553, 0.8218967914581299, 0.5192755460739136],
        ],
    ),
    "RandomStandardNormal": (
        {"shape": [4], "dtype": "float32"},
        [
            [0.1868204027414322, -1.1004788875579834, -0.13537488877773285, -1.2320283651351929],
            [0.34838324785232544, 1.2473622560501099, -0.0756697952747345, -0.6217355132102966],
        ],
    ),
    "TruncatedNormal": (
        {"shape": [4], "dtype": "float32"},
        [
            [0.1868204027414322, -1.1004788875579834, -0.13537488877773285, -1.2320283651351929],
            [0.34838324785232544, 1.2473622560501099, -0.0756697952747345, -0.6217355132102966],
        ],
    ),
    "RandomUniformInt": ({"shape": [4], "minval": -5, "maxval": 1000}, [[776, 915, 483, 143], [892, 740, 520, 88]]),
    "RandomGamma": (
        {"shape": [4], "alpha": np.float32(2.5)},
        [
            [1.6537675857543945, 4.817519187927246, 2.2243824005126953, 3.066495895385742],
            [0.9071959257125854, 4.697964668273926, 4.375319004058838, 1.0195138454437256],
        ],
    ),
    "RandomPoissonV2": ({"shape": [4], "rate": 20.0, "dtype": "int32"}, [[23, 22, 24, 15], [21, 13, 13, 19]]),
    "ParameterizedTruncatedNormal": (
        {"shape": [4], "means": 1.0, "stdevs": 2.0, "minvals": -1.0, "maxvals": 9.0},
        [
            [1.373640775680542, 0.7292501926422119, -0.6741505861282349, 0.7768593430519104],
            [1.7209986448287964, 1.141360878944397, -0.2103404998779297, -0.36515581607818604],
        ],
    ),
    "RandomShuffle": ({"value": np.arange(6, dtype=np.int32)}, [[1, 0, 4, 2, 5, 3], [1, 3, 5, 0, 4, 2]]),
    "Multinomial": (
        {"logits": np.array([[0.0, 1.0, 2.0]], np.float32), "num_samples": 6, "output_dtype": "int32"},
        [[[1, 2, 2, 2, 2, 1]], [[1, 1, 2, 2, 1, 1]]],
    ),
}


@pytest.mark.parametrize("name", _SEEDED)
def test_seeded_ops(name: str, report: Report) -> None:
    """They go on where they stopped, and start again when the global seed is set."""
    arguments, expected = _SEEDED[name]
    dtype = np.float32 if isinstance(np.ravel(expected)[0], np.floating) else np.int32
    for _ in range(2):
        tf.random.set_seed(1)
        for numbers in expected:
            compare(name, getattr(R, name)(**arguments, seed=7, seed2=9), np.array(numbers, dtype))
    report.passed.add(name)


# What TensorFlow 2.21 draws with the seeds 7 and 9, and how often it expects the class 30.
_CANDIDATES = {
    "FixedUnigramCandidateSampler": ([[20, 13, 31, 12], [16, 20, 41, 45]], [0.08110370486974716, 0.06709649413824081]),
    "LearnedUnigramCandidateSampler": ([[31, 20, 18, 13], [28, 7, 5, 44]], [0.07999999821186066, 0.1538461595773697]),
    "LogUniformCandidateSampler": ([[2, 15, 9, 26], [9, 34, 23, 24]], [0.032299190759658813] * 2),
    "UniformCandidateSampler": ([[1, 16, 47, 44], [9, 20, 28, 26]], [0.07999999821186066] * 2),
}
_CANDIDATES["ThreadUnsafeUnigramCandidateSampler"] = _CANDIDATES["LearnedUnigramCandidateSampler"]
_MORE = {"FixedUnigramCandidateSampler": {"unigrams": [index % 7 + 1.0 for index in range(50)], "distortion": 0.75}}


@pytest.mark.parametrize("name", _CANDIDATES)
def test_candidate_samplers(name: str, report: Report) -> None:
    sizes: dict[str, Any] = {"num_true": 1, "num_sampled": 4, "unique": True, "range_max": 50, **_MORE.get(name, {})}
    for _ in range(2):
        tf.random.set_seed(1)
        for classes, count in zip(*_CANDIDATES[name], strict=True):
            drawn = getattr(R, name)(true_classes=np.array([[1], [30]], np.int64), seed=7, seed2=9, **sizes)
            compare(name, drawn.sampled_candidates, np.array(classes, np.int64))
            compare(name, drawn.true_expected_count[1, 0], np.array(count, np.float32))
    report.passed.add(name)


@pytest.mark.parametrize("name", _SEEDED)
def test_unseeded_ops_in_a_function(name: str) -> None:
    """Each call draws anew; the passes neither fold such an op nor merge two of them."""
    arguments, _ = _SEEDED[name]
    many = {"shape": [100], "value": np.arange(100), "num_samples": 100}
    arguments = {key: many.get(key, value) for key, value in arguments.items()}

    @tf.function
    def draw() -> Any:
        return getattr(R, name)(**arguments), getattr(R, name)(**arguments)

    (first, second), (third, _) = draw(), draw()
    assert not np.array_equal(first.numpy(), second.numpy())
    assert not np.array_equal(first.numpy(), third.numpy())


def test_each_function_starts_anew() -> None:
    """So does each op in it, though it has the seed of another; and setting the seed again starts them all over."""

    def draw() -> Any:
        return tf.random.uniform([1], seed=1), tf.random.uniform([1], seed=1)

    tf.random.set_seed(1234)
    first, second = tf.function(draw), tf.function(draw)
    outer = tf.function(lambda: (first()[0], first()[1]))
    numbers = [np.array([number], np.float32) for number in (0.16898059844970703, 0.7539083957672119)]
    for _ in range(2):
        for function in (first, second, outer):
            for number in numbers:
                for drawn in function():
                    compare("a node", drawn, number)
        for drawn, number in zip(draw(), numbers, strict=True):
            compare("eagerly they share a sequence", drawn, number)
        tf.random.set_seed(1234)


def test_the_global_seed() -> None:
    tf.random.set_seed(5)
    compare("the first", tf.random.uniform([2]), np.array([0.6263930797576904, 0.5298432111740112], np.float32))
    compare("the second", tf.random.uniform([2]), np.array([0.7017074823379517, 0.043367862701416016], np.float32))
    compare("seeded", tf.random.uniform([2], seed=3), np.array([0.2886784076690674, 0.6889241933822632], np.float32))


def test_generators() -> None:
    generator = tf.random.Generator.from_seed(42)
    compare("uniform", generator.uniform([2]), np.array([0.7493447065353394, 0.7356196641921997], np.float32))
    compare("normal", generator.normal([2]), np.array([0.9029392004013062, -0.12441138178110123], np.float32))
    integers = tf.function(lambda: generator.uniform([3], 0, 100, tf.int32))()
    compare("integers, in a function", integers, np.array([37, 47, 7], np.int32))
    compare("the state", generator.state.value(), np.array([1834, 0, 0]))


def test_skipping(report: Report) -> None:
    for algorithm in (1, 3):  # Philox, and whichever is best, which is Philox
        state = tf.Variable(np.array([1, 2, 3]))
        given = R.RngReadAndSkip(resource=state.handle, alg=algorithm, delta=tf.constant(5, tf.uint64))
        compare("the state before", given, np.array([1, 2, 3]))
        compare("the state after", state.value(), np.array([1281, 2, 3]))
        R.RngSkip(resource=state.handle, algorithm=tf.constant(algorithm, tf.int64), delta=tf.constant(2, tf.int64))
        compare("skipped again", state.value(), np.array([1793, 2, 3]))
    report.passed |= {"RngReadAndSkip", "RngSkip"}


# What TensorFlow draws from the states [1, 2, 3] of Philox and [7, 9] of ThreeFry (compiled by XLA), twice three numbers.
_OF_VARIABLES: dict[str, Any] = {
    "StatefulStandardNormalV2": (
        [
            [-0.2601637542247772, -1.2205220460891724, -0.26770853996276855],
            [-0.4585241377353668, -0.07273472845554352, -2.131155490875244],
        ],
        [
            [-0.3913573920726776, -0.06929377466440201, -0.275986909866333],
            [-1.0569435358047485, 0.2736791968345642, 0.6593033075332642],
        ],
    ),
    "StatefulTruncatedNormal": (
        [
            [-0.2601637542247772, -1.2205220460891724, -0.26770853996276855],
            [-0.4585241377353668, -0.07273472845554352, 0.374594122171402],
        ],
        [
            [1.3091760873794556, 1.565700888633728, 0.5592460036277771],
            [0.12233294546604156, 0.4424845278263092, 0.7624865174293518],
        ],
    ),
    "StatefulUniform": (
        [
            [0.45901167392730713, 0.5334248542785645, 0.9627732038497925],
            [0.897836446762085, 0.7249622344970703, 0.09622442722320557],
        ],
        [
            [0.9240573644638062, 0.9623266458511353, 0.7221090793609619],
            [0.5510029792785645, 0.6790788173675537, 0.7903250455856323],
        ],
    ),
    "StatefulUniformFullInt": (
        [
            [17457156414005493989, 13176169492553350183, 2353900733613137338],
            [5322352679441329230, 2081660734798582037, 12932943016269621097],
        ],
        [
            [17751794897189275620, 14102151053635757229, 12526793173697988904],
            [6736286827098062567, 5558378847693685504, 1750433426452485809],
        ],
    ),
}


@pytest.mark.parametrize("name", _OF_VARIABLES)
def test_draws_from_variables(name: str, report: Report) -> None:
    dtype = np.uint64 if "Int" in name else np.float32
    moved = [[1537, 2, 3], [13 if "Int" in name else 11, 9]]
    for algorithm, state, expected, after in zip((1, 2), ([1, 2, 3], [7, 9]), _OF_VARIABLES[name], moved, strict=True):
        variable = tf.Variable(np.array(state))
        arguments = {"resource": variable.handle, "algorithm": algorithm, "shape": [3], "dtype": np.dtype(dtype).name}
        for numbers in expected:
            compare(name, getattr(R, name)(**arguments), np.array(numbers, dtype))
        compare("the state", variable.value(), np.array(after))
        variable.assign(state)
        in_function = tf.function(lambda: getattr(R, name)(**arguments))  # noqa: B023
        for numbers in expected:
            compare("in a function", in_function(), np.array(numbers, dtype))
    report.passed.add(name)


def test_integers_and_binomials_from_variables(report: Report) -> None:
    state = tf.Variable(np.array([1, 2, 3]))
    for numbers in ([459, 953, 893], [505, 372, 707]):
        drawn = R.StatefulUniformInt(resource=state.handle, algorithm=1, shape=[3], minval=-5, maxval=1000)
        compare("integers", drawn, np.array(numbers))
    state.assign([1, 2, 3])

    def draw() -> Any:
        chances = {"counts": tf.constant([10.0, 100.0]), "probs": tf.constant(0.4)}
        return R.StatefulRandomBinomial(resource=state.handle, algorithm=1, shape=[3, 2], **chances, dtype="int32")

    compare("binomial", draw(), np.array([[6, 44], [4, 34], [4, 35]], np.int32))
    compare("in a function", tf.function(draw)(), np.array([[2, 41], [6, 37], [2, 43]], np.int32))
    compare("the state", state.value(), np.array([307201, 2, 3]))
    report.passed |= {"StatefulUniformInt", "StatefulRandomBinomial"}


def test_non_deterministic_integers(report: Report) -> None:
    for dtype in ("int32", "int64", "uint32", "uint64"):
        drawn = R.NonDeterministicInts(shape=[3, 50], dtype=dtype).numpy()
        assert drawn.shape == (3, 50) and drawn.dtype == dtype and len(np.unique(drawn)) > 140
    report.passed.add("NonDeterministicInts")


@pytest.mark.parametrize("algorithm", [1, 2], ids=["philox", "threefry"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "int64", "uint32", "uint64"])
def test_equal_on_all_backends(algorithm: int, dtype: str) -> None:
    """Bit by bit, also across many blocks of the generator, and inside functions."""
    key = tf.constant(np.array([2**63 + 11], np.uint64))
    counter = tf.constant(np.array([2**64 - 2] if algorithm == 2 else [2**64 - 2, 5], np.uint64))
    op = R.StatelessRandomUniformFullIntV2 if "int" in dtype else R.StatelessRandomUniformV2

    def draw(key: Any, counter: Any) -> Any:
        return op(shape=[11, 13], key=key, counter=counter, alg=algorithm, dtype=dtype)

    with tf.backend("numpy"):
        expected = draw(key, counter).numpy()
    assert len(np.unique(expected.astype(np.float64))) > 50
    compare("eager", draw(key, counter), expected, 0)
    compare("traced", tf.function(draw)(key, counter), expected, 0)
