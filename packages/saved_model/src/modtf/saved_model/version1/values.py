"""What outputs of nodes stand for if not for tensors."""

from __future__ import annotations

from dataclasses import dataclass

from modtf import core as tf


@dataclass(frozen=True)
class Reference:
    """A reference variable: ops that know of variables take the variable, all others what it holds at that time.

    Attributes:
        variable: the variable.
    """

    variable: tf.Variable


@dataclass(frozen=True)
class TensorArray:
    """The handle of a TensorArray, whose content is where the flow is: a list of tensors.

    Attributes:
        name: its node.
        dtype: the elements' dtype.
        shape: what is known of their shape.
    """

    name: str
    dtype: tf.DType
    shape: tf.TensorShape
