"""What the backend is to the process around it: found without being imported, and without a trace in JAX's settings."""

from __future__ import annotations

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modtf import core as tf
from modtf.core.contracts import CONTRACT_VERSION, Backend, get_backend

raw = tf.raw_ops


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_fulfils_the_contract():
    backend = get_backend("jax")
    assert isinstance(backend, Backend)
    assert (backend.name, backend.contract_version) == ("jax", CONTRACT_VERSION)
    assert len(backend.devices()) == len(jax.devices())


def test_it_is_found_without_importing_jax():
    code = (
        "import sys\nfrom modtf import core as tf\nassert 'jax' in tf.config.list_backends()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('jax', 'jaxlib') or 'backend_jax' in name])"
    )
    assert run(code) == "[]"


@pytest.mark.parametrize("chosen", ["environment", "call"])
def test_it_is_chosen_for_the_process(chosen):
    code = "from modtf import core as tf\n"
    if chosen == "call":
        code += "tf.config.set_backend('jax')\n"
    code += "print(tf.config.get_backend(), type(tf.raw_ops.Tanh(tf.constant(0.0)).array).__module__.split('.')[0])"
    assert run(code, **({"MODTF_BACKEND": "jax"} if chosen == "environment" else {})).startswith("jax jax")


def test_the_process_keeps_its_configuration():
    before = (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision)

    @tf.function
    def f(x):
        return raw.MatMul(x, x), raw.Cast(x, DstT=tf.float64)

    f(tf.constant(np.ones((2, 2), np.float32)))
    tf.constant(1.0, tf.float64) + tf.constant(1.0, tf.float64)
    raw.Reshape(tf.constant([1, 2], tf.int64), [2, 1])
    tf.Variable(1.0, dtype=tf.float64).assign_add(1.0)
    assert (jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision) == before
    assert jnp.arange(3.0).dtype == jnp.float32
    assert jax.jit(lambda x: x + 1)(np.arange(3)).dtype == jnp.int32


def test_it_does_the_same_in_a_process_that_has_64_bits_on():
    code = (
        "import jax\njax.config.update('jax_enable_x64', True)\nfrom modtf import core as tf\n"
        "with tf.backend('jax'):\n"
        "    f = tf.function(lambda x: tf.raw_ops.Tanh(x) * 2.0)\n"
        "    results = f(tf.constant(1.0)), tf.constant(1) + 1, tf.constant(1.0) / 2.0\n"
        "    print(*(result.dtype.name for result in results))"
    )
    assert run(code) == "float32 int32 float32"


def test_calling_it_says_nothing_on_standard_error():
    code = (
        "import numpy as np\nfrom modtf import core as tf\ntf.config.set_backend('jax')\n"
        "v = tf.Variable(np.zeros(1 << 15, np.float32))\n"
        "@tf.function\ndef f(x):\n    v.assign_add(x)\n    v.assign(x)\n    return tf.raw_ops.ZerosLike(v)\n"
        "f(tf.constant(np.ones(1 << 15, np.float32)))\nf(tf.constant(np.ones(1 << 15, np.float32)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
