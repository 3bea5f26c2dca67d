"""Forward-mode differentiation (`tf.autodiff`)."""

from modtf.core.engine.forward_mode import ForwardAccumulator
from modtf.core.engine.tapes import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
