"""Steps of training as compiled functions of flat batches."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from modtf import core as tf

__all__ = ["compile_step"]


def compile_step(step: Callable[[Any], Any], structure: Any, run_eagerly: bool) -> Callable[[list[Any]], Any]:
    """Makes one compiled function of a step.

    Args:
        step: Takes `(x, y, sample_weight)`.
        structure: The structure of its argument, with a `tf.TensorSpec` for each array and `None`s.
        run_eagerly: Whether to leave it uncompiled, for debugging.

    Returns:
        A function of a batch as a list of arrays, one for each spec in order. It is traced once for each batch shape,
        the second time with open sizes.
    """
    leaves = tf.nest.flatten(structure)

    def on_tensors(*tensors: Any) -> Any:
        given = iter(tensors)
        return step(tf.nest.pack_sequence_as(structure, [None if leaf is None else next(given) for leaf in leaves]))

    # With one parameter for each tensor, calls are matched with traces by the tensors' dtypes and shapes alone.
    on_tensors.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(f"data_{index}", inspect.Parameter.POSITIONAL_ONLY)
            for index, leaf in enumerate(item for item in leaves if item is not None)
        ]
    )
    on_tensors.__name__ = getattr(step, "__name__", "step")
    run = on_tensors if run_eagerly else tf.function(on_tensors, reduce_retracing=True)
    return lambda arrays: run(*[tf.convert_to_tensor(array) for array in arrays])
