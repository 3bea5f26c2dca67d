"""Draws that are compared with TensorFlow's: what `goldens/write_random.py` writes and `test_ops_random.py` checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

SEEDS = {"small": [1, 2], "negative": [-5, 2**31 - 1]}
SHAPES = {"scalar": [], "row": [7], "matrix": [5, 6]}
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int32", "int64", "uint32", "uint64")
KEY = np.array([123456789012345], np.uint64)
COUNTER = np.array([2**64 - 2, 7], np.uint64)  # the low half overflows within a draw


def stateless(raw: Any, compiled: Any = None) -> Iterator[tuple[str, Any]]:
    """Draws of a seed, and of key and counter.

    Args:
        raw: `raw_ops`.
        compiled: How to call what TensorFlow has for XLA only: ThreeFry.
    """
    for shape_name, sizes in SHAPES.items():
        shape = np.array(sizes, np.int32)
        for seed_name, seed in SEEDS.items():
            tag = f"{shape_name}/{seed_name}"
            for dtype in FLOATS:
                for op in ("StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal"):
                    yield f"{op}/{dtype}/{tag}", getattr(raw, op)(shape=shape, seed=np.array(seed), dtype=dtype)
            for dtype in INTEGERS:
                draw = raw.StatelessRandomUniformFullInt(shape=shape, seed=np.array(seed), dtype=dtype)
                yield f"StatelessRandomUniformFullInt/{dtype}/{tag}", draw
        for alg in (1, 2):
            call = compiled if alg == 2 and compiled else lambda draw: draw()
            source = {"shape": shape, "key": KEY, "counter": COUNTER, "alg": alg}
            tag = f"{shape_name}/{alg}"
            for dtype in FLOATS:
                for op in ("StatelessRandomUniformV2", "StatelessRandomNormalV2", "StatelessTruncatedNormalV2"):
                    yield f"{op}/{dtype}/{tag}", call(lambda: getattr(raw, op)(**source, dtype=dtype))  # noqa: B023
            for dtype in ("int32", "int64"):
                bounds = {"minval": np.array(-7, dtype), "maxval": np.array(1000, dtype)}
                op = "StatelessRandomUniformIntV2"
                yield f"{op}/{dtype}/{tag}", call(lambda: raw.StatelessRandomUniformIntV2(**source, **bounds))  # noqa: B023
    logits = np.array([[0.0, 1.0, -1.0, -np.inf], [2.0, 0.0, 0.0, 0.5]], np.float32)
    for seed_name, seed in SEEDS.items():
        key, counter = raw.StatelessRandomGetKeyCounter(seed=np.array(seed))
        yield f"key/{seed_name}", key
        yield f"counter/{seed_name}", counter
        yield f"multinomial/{seed_name}", raw.StatelessMultinomial(logits=logits, num_samples=9, seed=np.array(seed))
        shuffled = raw.StatelessShuffle(value=np.arange(20).reshape(10, 2), key=key, counter=counter, alg=1)
        yield f"shuffle/{seed_name}", shuffled


def seeded(tf: Any, random: Any) -> Iterator[tuple[str, Any]]:
    """A program's draws after `set_seed`, eagerly and in a function."""
    for seed in (1, -7, 2**40):
        random.set_seed(seed)
        for turn in (1, 2):
            tag = f"{seed}/{turn}"
            yield f"uniform/{tag}", random.uniform([3])
            yield f"uniform of a seed/{tag}", random.uniform([3], seed=5)
            yield f"uniform int64/{tag}", random.uniform([3], 1, 10, tf.int64)
            yield f"normal/{tag}", random.normal([5], 1.0, 2.0)
            yield f"truncated normal/{tag}", random.truncated_normal([9], dtype=tf.float64)
            yield f"shuffle/{tag}", random.shuffle(np.arange(7))
            yield f"categorical/{tag}", random.categorical([[0.0, 1.0, 2.0]], 5)
    random.set_seed(3)

    def program() -> Any:
        return random.uniform([2]), random.normal([2]), random.uniform([2], seed=4)

    function = tf.function(program)
    for turn in (1, 2):
        for index, draw in enumerate(function()):
            yield f"function/{turn}/{index}", draw


def generators(tf: Any, random: Any) -> Iterator[tuple[str, Any]]:
    """What a generator gives, and what becomes of its state."""
    for seed in (7, -1, [1, 2, 3, 4], 2**130 + 2**65 + 5):
        yield f"state/{seed}", random.Generator.from_seed(seed).state
    made = random.Generator.from_seed(7)
    yield "skip", made.skip(10)
    yield "uniform", made.uniform([3])
    yield "uniform int", made.uniform([3], 1, 9, tf.int64)
    yield "normal", made.normal([5], 1.0, 2.0)
    yield "truncated normal", made.truncated_normal([5], dtype=tf.float16)
    yield "full int", made.uniform_full_int([3])
    yield "seeds", made.make_seeds(2)
    yield "split", made.split(2)[1].state
    yield "scalar", made.uniform([])
    yield "state", made.state
    yield "from key and counter", random.Generator.from_key_counter(3, [4, 5], "philox").state
    yield "threefry state", random.create_rng_state([1, 2], "threefry")
    yield "fold_in", random.fold_in([1, 2], 3)
    yield "seeds of a seed", random.split([1, 2], 3)
    yield "stateless", random.stateless_normal([3], [1, 2], 5.0, 2.0)
    yield "stateless int", random.stateless_uniform([3], [1, 2], 2, 30, tf.int32)
