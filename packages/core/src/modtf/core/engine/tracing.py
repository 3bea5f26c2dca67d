"""What tracing a Python function into a graph takes: placeholders for its arguments, tensors for its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.graphs import Graph, Node
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.resources import Handle, handle_dims
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import SymbolicTensor, Tensor


def is_described(leaf: Any) -> bool:
    """Whether a leaf is a tensor, a composite tensor or a spec of one: what becomes an input rather than a constant."""
    return isinstance(leaf, (Tensor, CompositeTensor, TypeSpec))


def spec_of(leaf: Any) -> TypeSpec:
    """Returns the spec of a tensor or composite tensor; a spec as it is."""
    if isinstance(leaf, TypeSpec):
        return leaf
    return leaf.type_spec if isinstance(leaf, CompositeTensor) else TensorSpec(leaf.shape, leaf.dtype)


def map_leaves(transform: Callable[[Any], Any], structure: Any) -> Any:
    """`nest.map_structure` over one structure."""
    if not nest.is_nested(structure):
        return transform(structure)
    return nest.pack_sequence_as(structure, [transform(leaf) for leaf in nest.flatten(structure)])


def placeholders(graph: Graph, structure: Any, name: str) -> Any:
    """Returns the structure with inputs of `graph` in place of the tensors and specs in it."""

    def one(leaf: Any) -> Any:
        if not is_described(leaf):
            return leaf
        spec = spec_of(leaf)
        parts = [
            graph.add_input(part.dtype, part.shape, getattr(part, "name", None) or name)
            for part in nest.flatten(spec, expand_composites=True)
        ]
        if isinstance(leaf, (Handle, SymbolicTensor)):
            parts[0].handle_dims = handle_dims(leaf)
        return nest.pack_sequence_as(spec, parts, expand_composites=True)

    return map_leaves(one, structure)


def set_outputs(graph: Graph, result: Any, what: str) -> Any:
    """Makes a function's result the outputs of its graph.

    Args:
        graph: The graph.
        result: A structure of tensors, composite tensors, values to be made tensors, and `None`s.
        what: Whose result it is, for the message.

    Returns:
        The structure with tensors in it.

    Raises:
        TypeError: Something in it can be no tensor.
    """

    def one(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, Node):
            return None
        if isinstance(leaf, CompositeTensor):
            return leaf
        try:
            return convert_to_tensor(leaf)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"To be compatible with {what}, Python functions must return zero or more Tensors or None values; got a "
                f"{type(leaf).__name__}: {leaf!r}. {error}"
            ) from None

    with contexts.scoped(graph=graph, tapes=()):
        outputs = map_leaves(one, result)
        leaves = nest.flatten(outputs, expand_composites=True)
        graph.outputs = [graph.capture(leaf) for leaf in leaves if leaf is not None]
    return outputs


def trace_specs(function: Callable[..., Any], *arguments: Any) -> Any:
    """Returns the specs of what a function gives for arguments of the given specs, without running its ops."""
    graph = Graph("specs", contexts.current().graph)
    with contexts.scoped(graph=graph, tapes=(), scope=""):
        result = function(*[placeholders(graph, argument, "args") for argument in arguments])
        outputs = set_outputs(graph, result, "this function")
    return map_leaves(lambda leaf: None if leaf is None else spec_of(leaf), outputs)
