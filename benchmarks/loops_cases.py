"""The time of loops and conditionals in functions, and of their gradients."""

import json
import os
import sys

import numpy as np
from calls_cases import best_of

STEPS, BATCH, WIDTH = 100, 32, 64
_rng = np.random.default_rng(0)
WEIGHTS = (_rng.normal(size=(WIDTH, WIDTH)) / 16).astype(np.float32)
SEQUENCE = _rng.normal(size=(STEPS, BATCH, WIDTH)).astype(np.float32)


def cases(tf):
    weights, sequence = tf.Variable(WEIGHTS), tf.constant(SEQUENCE)
    start = tf.zeros([BATCH, WIDTH])

    @tf.function
    def recurrent(x):
        state = start
        for i in tf.range(STEPS):
            state = tf.tanh(state @ weights + x[i])
        return tf.reduce_sum(state)

    @tf.function
    def recurrent_gradient(x):
        with tf.GradientTape() as tape:
            total = recurrent(x)
        return tape.gradient(total, weights)

    @tf.function
    def scanned_gradient(x):
        with tf.GradientTape() as tape:
            states = tf.scan(lambda state, row: tf.tanh(state @ weights + row), x, start)
            total = tf.reduce_sum(states * states)
        return tape.gradient(total, weights)

    @tf.function
    def mapped(x):
        return tf.map_fn(lambda row: tf.reduce_sum(tf.tanh(row) @ weights), x)

    @tf.function
    def collatz(n):
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        return steps

    number = tf.constant(27)
    return {
        "recurrence, 100 steps of 32x64": lambda: np.asarray(recurrent(sequence)),
        "recurrence, with gradient": lambda: np.asarray(recurrent_gradient(sequence)),
        "scan, with gradient": lambda: np.asarray(scanned_gradient(sequence)),
        "map_fn over 100 rows": lambda: np.asarray(mapped(sequence)),
        "while and if, 111 steps of scalars": lambda: np.asarray(collatz(number)),
    }


def jax_cases():
    import jax
    import jax.numpy as jnp

    weights, sequence, start = jnp.asarray(WEIGHTS), jnp.asarray(SEQUENCE), jnp.zeros((BATCH, WIDTH))

    def states(weights, x):
        def step(state, row):
            state = jnp.tanh(state @ weights + row)
            return state, state

        return jax.lax.scan(step, start, x)

    recurrent = jax.jit(lambda weights, x: jnp.sum(states(weights, x)[0]))
    scanned = jax.jit(jax.grad(lambda weights, x: jnp.sum(states(weights, x)[1] ** 2)))
    gradient = jax.jit(jax.grad(recurrent))
    mapped = jax.jit(lambda x: jax.lax.map(lambda row: jnp.sum(jnp.tanh(row) @ weights), x))

    def step(carry):
        n, steps = carry
        return jax.lax.cond(n % 2 == 0, lambda: n // 2, lambda: 3 * n + 1), steps + 1

    collatz = jax.jit(lambda n: jax.lax.while_loop(lambda carry: carry[0] != 1, step, (n, 0))[1])
    return {
        "recurrence, 100 steps of 32x64": lambda: np.asarray(recurrent(weights, sequence)),
        "recurrence, with gradient": lambda: np.asarray(gradient(weights, sequence)),
        "scan, with gradient": lambda: np.asarray(scanned(weights, sequence)),
        "map_fn over 100 rows": lambda: np.asarray(mapped(sequence)),
        "while and if, 111 steps of scalars": lambda: np.asarray(collatz(27)),
    }


if __name__ == "__main__":
    library = sys.argv[1]
    if library == "jax":
        chosen = jax_cases()
    elif library == "tensorflow":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow

        chosen = cases(tensorflow)
    else:
        from modtf import core

        core.config.set_backend(library.removeprefix("modtf-"))
        chosen = cases(core)
    print(json.dumps({name: best_of(call) for name, call in chosen.items()}))
