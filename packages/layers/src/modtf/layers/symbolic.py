"""Symbolic tensors: what `Input` makes and layers pass on, so that a model can be drawn up before there is data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modtf import core as tf
from modtf.layers.naming import auto_name

if TYPE_CHECKING:
    from modtf.layers.layer import Layer

__all__ = ["KerasTensor", "Node"]


class KerasTensor:
    """A tensor without a value: a shape, a dtype, and the call of the layer that gives it.

    It has Python's arithmetic operators and indexing, which become layers of the model. Functions that take tensors do
    not take it: wrap them in a layer, such as `Lambda`.

    Args:
        shape: The shape, batch included, `None` where unknown.
        dtype: The dtype.
        name: A name.

    Attributes:
        node: The call that it comes from.
    """

    node: Node
    __array_priority__ = 1000

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = tf.TensorShape(shape)
        self.dtype = tf.as_dtype(dtype)
        self.name = auto_name("keras_tensor") if name is None else name

    @property
    def ndim(self) -> int | None:
        """The rank."""
        return self.shape.rank

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype.name}, name={self.name}>"

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        raise TypeError(
            f"{self!r} is symbolic and has no value, so functions on tensors do not take it. Use a layer, or wrap the "
            "function in one: layers.Lambda(lambda x: tf.square(x))(tensor)."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.__tf_tensor__()

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} is symbolic and cannot be iterated over.")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is symbolic and cannot be used as a Python bool.")


class Node:
    """A call of a layer with symbolic tensors.

    Attributes:
        layer: The layer.
        args: The arguments, symbolic tensors among them.
        kwargs: The keyword arguments, likewise.
        outputs: The symbolic tensors that it gave.
    """

    def __init__(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        for output in tf.nest.flatten(outputs):
            output.node = self

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return [leaf for leaf in tf.nest.flatten((self.args, self.kwargs)) if isinstance(leaf, KerasTensor)]


_BINARY_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_OTHER_OPERATORS = ("neg", "abs", "lt", "le", "gt", "ge", "getitem")


def _operator(name: str, reflected: bool = False) -> Any:
    def method(self: KerasTensor, *operands: Any) -> Any:
        from modtf.layers.layers.core import Operator

        return Operator(name)(*operands, self) if reflected else Operator(name)(self, *operands)

    return method


for _name in _BINARY_OPERATORS:
    setattr(KerasTensor, f"__{_name}__", _operator(_name))
    setattr(KerasTensor, f"__r{_name}__", _operator(_name, reflected=True))
for _name in _OTHER_OPERATORS:
    setattr(KerasTensor, f"__{_name}__", _operator(_name))


def has_symbolic(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a symbolic tensor is among the arguments of a call."""
    for value in (*args, *kwargs.values()):
        leaves = tf.nest.flatten(value) if isinstance(value, (list, tuple, dict)) else (value,)
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return True
    return False


def call_symbolically(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Calls a layer with symbolic tensors, which builds it, and returns symbolic tensors."""
    specs = layer.compute_output_spec(*args, **kwargs)
    outputs = tf.nest.map_structure(lambda spec: KerasTensor(spec.shape, spec.dtype), specs)
    Node(layer, args, kwargs, outputs)
    return outputs


def shapes_of(inputs: Any) -> Any:
    """Returns the shape of a tensor as a tuple, or the structure of shapes of a structure of tensors."""

    def one(leaf: Any) -> Any:
        shape = getattr(leaf, "shape", None)
        if shape is None:
            return None
        shape = tf.TensorShape(shape)
        return None if shape.rank is None else tuple(shape.as_list())

    return tf.nest.map_structure(one, inputs)
