"""Specs of composite tensors in a file: their kind, and the facts that their constructors take, in TensorFlow's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from modtf import core as tf

from .protos.structure_pb2 import TypeSpecProto


class Kind(NamedTuple):
    """A kind of spec.

    Attributes:
        make: the class, by its name in core.
        facts: what the class's constructor takes to make an equal spec.
    """

    make: str
    facts: Callable[[Any], tuple[Any, ...]]


def _ragged_facts(spec: Any) -> tuple[Any, ...]:
    facts = (spec.shape, spec.dtype, spec.ragged_rank, spec.row_splits_dtype)
    return facts if spec.flat_values_spec is None else (*facts, spec.flat_values_spec)


def _slices_facts(spec: Any) -> tuple[Any, ...]:
    _, indices, *dense_shape = spec.component_specs
    return (
        spec.shape, spec.dtype, indices.dtype, dense_shape[0].dtype if dense_shape else None, indices.shape,
    )  # fmt: skip


KINDS = {
    TypeSpecProto.SPARSE_TENSOR_SPEC: Kind("SparseTensorSpec", lambda spec: (spec.shape, spec.dtype)),
    TypeSpecProto.INDEXED_SLICES_SPEC: Kind("IndexedSlicesSpec", _slices_facts),
    TypeSpecProto.RAGGED_TENSOR_SPEC: Kind("RaggedTensorSpec", _ragged_facts),
    TypeSpecProto.TENSOR_ARRAY_SPEC: Kind(
        "TensorArraySpec", lambda spec: (spec.shape, spec.dtype, spec.dynamic_size, spec.infer_shape)
    ),
}
"""What is known of the kinds, by their numbers in the file."""

_NUMBERS = {kind.make: number for number, kind in KINDS.items()}


def facts_of(spec: tf.TypeSpec) -> tuple[Any, TypeSpecProto] | None:
    """Returns a spec's facts, and its message without them; None if files have no such spec."""
    name = type(spec).__name__
    if name not in _NUMBERS or not isinstance(spec, getattr(tf, name)):
        return None
    count = len(tf.nest.flatten(spec, expand_composites=True))
    proto = TypeSpecProto(type_spec_class=_NUMBERS[name], type_spec_class_name=name, num_flat_components=count)
    return KINDS[_NUMBERS[name]].facts(spec), proto


def make_spec(kind: Kind, facts: Any) -> tf.TypeSpec:
    """Returns the spec that the facts describe.

    Raises:
        TypeError, ValueError: they describe none.
    """
    if not isinstance(facts, tuple):
        raise TypeError(f"{facts!r} is no tuple.")
    spec: tf.TypeSpec = getattr(tf, kind.make)(*facts)
    tf.nest.flatten(spec, expand_composites=True)
    return spec
