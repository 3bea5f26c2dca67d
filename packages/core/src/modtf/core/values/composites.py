"""Composite tensors: values made of several tensors (sparse, ragged, ...) that go wherever a tensor goes.

A composite says by its `type_spec` what it is made of; with that, functions, loops, tapes and saving take it apart into
tensors and put it together again (`nest.flatten(..., expand_composites=True)`), and need not know the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modtf.core.values.specs import TypeSpec


class CompositeTensor:
    """A value made of several tensors. A subclass has a `type_spec`, whose `to_components` takes it apart."""

    __slots__ = ()

    @property
    def type_spec(self) -> TypeSpec:
        """The spec of this very value: static facts and the specs of its components."""
        raise NotImplementedError

    @property
    def differentiable_part(self) -> Any:
        """The tensor among its parts that gradients flow through; itself, if it is to be treated as it is."""
        return self

    def with_differentiable_part(self, part: Any) -> Any:
        """Returns it with another tensor in the place of `differentiable_part`: the gradient, say."""
        raise NotImplementedError
