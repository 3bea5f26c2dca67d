"""The cost of small calls, where the arithmetic is next to nothing: eager ops, a traced function, a tape."""

import json
import sys
import timeit

import numpy as np


def best_of(call, repeat=7):
    """Microseconds of one call, the best of several runs of some 20 ms."""
    call()
    timer = timeit.Timer(call)
    number = max(1, int(0.02 / max(timer.timeit(1), 1e-7)))
    return min(timer.repeat(repeat, number)) / number * 1e6


def cases(tf):
    a = tf.constant(np.ones((4, 4), np.float32))
    b = tf.constant(np.full((4, 4), 2, np.float32))
    variable = tf.Variable(np.ones((4, 4), np.float32))

    @tf.function
    def three_ops(x, y):
        return tf.tanh(x * y + x)

    @tf.function
    def with_variable(x):
        return tf.tanh(x * variable)

    def four_op_tape():
        with tf.GradientTape() as tape:
            tape.watch(a)
            y = a * b
            y = y + a
            y = tf.tanh(y)
            y = y * y
        return tape.gradient(y, a)

    return {
        "eager add, 4x4": lambda: a + b,
        "eager matmul, 4x4": lambda: tf.matmul(a, b),
        "slice": lambda: a[1:3, :2],
        "assign_add": lambda: variable.assign_add(a),
        "traced function of 3 ops": lambda: three_ops(a, b),
        "traced function with a variable": lambda: with_variable(a),
        "tape over 4 ops, with gradient": four_op_tape,
    }


def jax_cases():
    import jax
    import jax.numpy as jnp

    a, b = jnp.ones((4, 4)), jnp.full((4, 4), 2.0)
    three_ops = jax.jit(lambda x, y: jnp.tanh(x * y + x))
    return {
        "eager add, 4x4": lambda: a + b,
        "eager matmul, 4x4": lambda: jnp.matmul(a, b),
        "slice": lambda: a[1:3, :2],
        "traced function of 3 ops": lambda: three_ops(a, b),
    }


if __name__ == "__main__":
    library = sys.argv[1]
    if library == "jax":
        chosen = jax_cases()
    elif library == "tensorflow":
        import tensorflow

        chosen = cases(tensorflow)
    else:
        from modtf import core

        core.config.set_backend(library.removeprefix("modtf-"))
        chosen = cases(core)
    print(json.dumps({name: best_of(call) for name, call in chosen.items()}))
