"""The JAX backend of modtf: `tf.config.set_backend("jax")`.

An ordinary plugin, built on `modtf.core.contracts` alone.
"""

from modtf.backend_jax.backend import JaxBackend

__all__ = ["JaxBackend"]
