"""`Layer`: a module that makes its weights when it first sees inputs and computes with them in `call`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

import numpy as np

from modtf import core as tf
from modtf.layers import config, constraints, initializers, regularizers
from modtf.layers.input_spec import check_inputs
from modtf.layers.metrics import Metric
from modtf.layers.naming import auto_name
from modtf.layers.random_seeds import SeedGenerator
from modtf.layers.serialization import Configurable
from modtf.layers.symbolic import KerasTensor, call_symbolically, has_symbolic, shapes_of

__all__ = ["Layer"]


class _CallSignature(NamedTuple):
    takes_training: bool
    training_default: bool | None


class _Call(NamedTuple):
    """The call of a layer that is going on: what layers called inside it need to know."""

    path: str
    training: bool | None
    root: Layer


_current: ContextVar[_Call | None] = ContextVar("modtf_layer_call", default=None)


class Layer(tf.Module, Configurable):
    """The base of all layers.

    A layer of your own has three methods: `__init__` keeps its arguments, `build(input_shape)` makes its weights by
    `add_weight` (once, before the first call), and `call(inputs)` computes with them. Layers assigned to attributes,
    also in lists and dicts, are its sublayers.

    Args:
        activity_regularizer: A penalty on the layer's outputs.
        trainable: Whether the weights are to be trained.
        dtype: The dtype of weights and of the computation; by default `config.floatx()`.
        autocast: Whether floating inputs of other dtypes are cast to it.
        name: A name; by default the class's in snake case, numbered.
        kwargs: `input_shape` (without the batch) or `input_dim`, by which a `Sequential` knows its input.

    Attributes:
        built: Whether the weights exist.
        call_spec: A `tf.TensorSpec` of the inputs, or a structure of them, with the batch open; `None` until known.
        input_spec: An `InputSpec`, or a structure of them, that inputs are checked against.
        supports_masking: Whether a mask of the inputs is one of the outputs too.

    Raises:
        ValueError: An argument is unknown.
    """

    config_module = "keras.layers"
    unsaved_arguments: tuple[str, ...] = ("autocast", "activity_regularizer")
    _call_signature = _CallSignature(False, None)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._name = auto_name(type(self).__name__) if name is None else _checked_name(name)
        self._dtype = _dtype_name(dtype)
        self._trainable = bool(trainable)
        self._frozen: list[Any] = []
        self._regularizers: dict[int, tuple[Any, Any]] = {}
        self._regularization_functions: dict[int, Any] = {}
        self._losses: list[Any] = []
        self._layers_with_losses: list[Layer] = []
        self._building = False
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self.built = False
        self.build_shape: Any = None
        self.output_shape: Any = None
        self.call_spec: Any = None
        self.input_spec: Any = None
        self.supports_masking = False
        self.input_shape_argument = _input_shape_argument(kwargs)
        if kwargs:
            raise ValueError(f"{type(self).__name__} got unknown arguments: {', '.join(kwargs)}.")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in vars(cls):
            cls._call_signature = _signature_of(vars(cls)["call"])
        if "build" in vars(cls):
            cls.build = _building(vars(cls)["build"])  # type: ignore[method-assign]

    # What a layer defines.

    def build(self, input_shape: Any) -> None:
        """Makes the weights; called once, before the first call.

        Args:
            input_shape: The shape of the first argument of `call` as a tuple, `None` for unknown sizes; of a structure
                of tensors, the structure of their shapes.
        """

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs from the inputs.

        It may have the argument `training`, a bool or `None`, which is passed on to layers called inside.
        """
        raise NotImplementedError(f"The layer {type(self).__name__} does not define call(inputs).")

    # Calling.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Builds the layer if this is the first call, and computes its outputs.

        Args:
            args: What `call` takes: tensors, or structures of them. Arrays are converted, and floating ones cast to
                the layer's dtype. With symbolic inputs (from `Input`) the outputs are symbolic too.
            kwargs: More of what `call` takes. `training` says whether to behave as in training; by default as the
                layer around this one does, else as in inference.

        Raises:
            ValueError: The inputs do not fit `input_spec`.
        """
        if has_symbolic(args, kwargs):
            return call_symbolically(self, args, kwargs)
        signature = self._call_signature
        outer = _current.get()
        training = kwargs.pop("training", None)
        if training is None:
            training = signature.training_default if outer is None or outer.training is None else outer.training
        path = self.name if outer is None else f"{outer.path}/{self.name}"
        if outer is None:
            self._forget_losses()
        args = tuple([self._convert(value) for value in args])
        kwargs = {name: self._convert(value) for name, value in kwargs.items()}
        first = args[0] if args else next(iter(kwargs.values()), None)
        if signature.takes_training:
            kwargs["training"] = training
        token = _current.set(_Call(path, training, self if outer is None else outer.root))
        try:
            if self.input_spec is not None:
                check_inputs(self.input_spec, first, self._label(path))
            if not self.built:
                self.build(shapes_of(first))
            with tf.name_scope(self.name):
                outputs = self.call(*args, **kwargs)
                if self.activity_regularizer is not None:
                    self._penalize(outputs)
        finally:
            _current.reset(token)
        if self.output_shape is None:
            self.output_shape = tf.nest.map_structure(_with_open_batch, outputs)
        if self.call_spec is None:
            self.call_spec = tf.nest.map_structure(_spec_with_open_batch, first)
        return outputs

    def _convert(self, value: Any) -> Any:
        if isinstance(value, tf.Tensor):
            return self._cast(value)
        if _is_plain_list(value):
            value = np.asarray(value)
        if isinstance(value, (list, tuple, Mapping)):
            return tf.nest.map_structure(self._convert, value)
        if isinstance(value, np.ndarray) or hasattr(value, "__array__") or isinstance(value, tf.Variable):
            return self._cast(tf.convert_to_tensor(value))
        return value

    def _cast(self, tensor: Any) -> Any:
        if self.autocast and tensor.dtype.is_floating and tensor.dtype != self.compute_dtype:
            return tf.cast(tensor, self.compute_dtype)
        return tensor

    def _label(self, path: str | None = None) -> str:
        """The layer's name, path and class for messages."""
        where = "" if path is None or path == self.name else f", at {path!r}"
        return f"layer {self.name!r} ({type(self).__name__}{where})"

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the `tf.TensorSpec`s of the outputs for those of the inputs; builds the layer if need be.

        Args:
            args: `tf.TensorSpec`s (or symbolic tensors) and structures of them, as `call` takes tensors.
            kwargs: Likewise.
        """

        def as_spec(leaf: Any) -> Any:
            return tf.TensorSpec(leaf.shape, leaf.dtype) if isinstance(leaf, (KerasTensor, tf.TensorSpec)) else leaf

        specs = tf.nest.map_structure(as_spec, (args, kwargs))
        leaves = tf.nest.flatten(specs)
        tensors = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]

        def compute(*inputs: Any) -> Any:
            given = iter(inputs)
            filled = [next(given) if isinstance(leaf, tf.TensorSpec) else leaf for leaf in leaves]
            inner_args, inner_kwargs = tf.nest.pack_sequence_as(specs, filled)
            return self(*inner_args, **inner_kwargs)

        outputs = tf.function(compute).get_concrete_function(*tensors).structured_outputs
        self._forget_losses()
        return tf.nest.map_structure(lambda item: tf.TensorSpec(item.shape, item.dtype), outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the shape of the outputs, a tuple or a structure of them, for that of the inputs."""
        shapes = map_shapes(lambda shape: tf.TensorSpec(shape, self.compute_dtype), input_shape)
        return tf.nest.map_structure(lambda spec: tuple(spec.shape.as_list()), self.compute_output_spec(shapes))

    # Weights.

    def add_weight(
        self,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> tf.Variable:
        """Makes a weight, which is to be kept in an attribute.

        Args:
            shape: Its shape; by default a scalar.
            initializer: Gives the first value; by default `"glorot_uniform"`, and `"zeros"` for integers and bools.
            dtype: Its dtype; by default the layer's.
            trainable: Whether it is to be trained.
            regularizer: A penalty on it, to be added to the loss.
            constraint: What optimizers make it satisfy.
            name: A name for it.

        Raises:
            ValueError: A size of the shape is unknown.
        """
        dims = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(size is None for size in dims):
            raise ValueError(
                f"The {self._label()} cannot make its weight {name!r} of shape {dims}: a size of the inputs that it "
                "depends on is not known. Call the layer with inputs of known size, or give it by Input(shape)."
            )
        wanted = tf.as_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if wanted.is_floating else "zeros"
        make = initializers.get(initializer)
        variable = tf.Variable(
            lambda: tf.convert_to_tensor(make(dims, dtype=wanted), dtype=wanted),
            trainable=trainable and self._trainable,
            name=name or "variable",
            constraint=constraints.get(constraint),
        )
        if trainable and not self._trainable:
            self._frozen.append(variable)
        if regularizer is not None:
            self._regularizers[id(variable)] = (variable, regularizers.get(regularizer))
        return variable

    def _members(self) -> Iterator[Any]:
        """Variables, modules and the like in attributes, in the order in which the attributes were first set."""
        untracked = self._untracked_attributes()
        for name, value in vars(self).items():
            if name not in untracked:
                yield from _leaves(value)

    def _untracked_attributes(self) -> frozenset[str]:
        return _UNTRACKED

    def _own_weights(self) -> list[Any]:
        """The layer's own variables, those made to be trained first."""
        own = list(_unique(item for item in self._members() if isinstance(item, tf.Variable)))
        frozen = {id(variable) for variable in self._frozen}
        return sorted(own, key=lambda variable: not (variable.trainable or id(variable) in frozen))

    def _children(self) -> list[Any]:
        """Sublayers, and other modules that have variables."""
        return list(_unique(item for item in self._members() if _is_child(item)))

    def sublayers(self) -> list[Layer]:
        """Returns the layers directly inside this one."""
        return [item for item in self._children() if isinstance(item, Layer)]

    @property
    def weights(self) -> list[Any]:
        """The variables of this layer and its sublayers."""
        found = self._own_weights()
        for child in self._children():
            if not isinstance(child, SeedGenerator):
                found.extend(child.weights if isinstance(child, Layer) else child.variables)
        return list(_unique(found))

    @property
    def variables(self) -> list[Any]:
        """The weights and the seeds of random ops."""
        found = self._own_weights()
        for child in self._children():
            found.extend(child.variables)
        return list(_unique(found))

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights to be trained: none if the layer is not `trainable`."""
        if not self._trainable:
            return []
        found = [variable for variable in self._own_weights() if variable.trainable]
        for child in self._children():
            found.extend(child.trainable_variables)
        return list(_unique(found))

    @property
    def trainable_variables(self) -> list[Any]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that are not to be trained."""
        trained = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trained]

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables that are not to be trained."""
        trained = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.variables if id(variable) not in trained]

    @property
    def trainable(self) -> bool:
        """Whether the weights are to be trained; setting it sets it for all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self._trainable:
            for variable in self._frozen:
                variable.trainable = True
            self._frozen.clear()
        else:
            trained = [variable for variable in self._own_weights() if variable.trainable]
            for variable in trained:
                variable.trainable = False
            self._frozen.extend(trained)
        for layer in self.sublayers():
            layer.trainable = self._trainable

    def get_weights(self) -> list[np.ndarray]:
        """Returns the values of `weights` as NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `weights`; nothing is changed unless all fit.

        Raises:
            ValueError: There are too many or too few, or a shape does not fit.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"The {self._label()} has {len(variables)} weights, but {len(weights)} were given to set_weights()."
                + ("" if self.built else " The layer is not built; call it, or build(input_shape), first.")
            )
        arrays = [np.asarray(value) for value in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if tuple(variable.shape.as_list()) != array.shape:
                raise ValueError(
                    f"The weight {variable.name!r} of the {self._label()} has the shape {tuple(variable.shape.as_list())}, "
                    f"but an array of shape {array.shape} was given."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array.astype(variable.dtype.as_numpy_dtype))

    def count_params(self) -> int:
        """Returns the number of elements of all weights.

        Raises:
            ValueError: The layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"The {self._label()} has no weights to count: it is not built. Call it, or build(input_shape), first."
            )
        return sum(variable.shape.num_elements() for variable in self.weights)

    # Losses.

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar, or a list of them, computed in `call`, to the loss that training minimizes."""
        self._losses.extend(tf.nest.flatten(loss))
        call = _current.get()
        (self if call is None else call.root)._layers_with_losses.append(self)

    @property
    def losses(self) -> list[Any]:
        """What the last call added by `add_loss`, and the penalties on trainable weights."""
        return [*self._added_losses(), *[regularizer(variable) for variable, regularizer in self._penalties()]]

    @property
    def regularization_losses(self) -> list[Callable[[], Any]]:
        """A function without arguments for each penalty on a trainable weight, which gives its present value."""
        functions = []
        for variable, regularizer in self._penalties():
            known = self._regularization_functions.get(id(variable))
            if known is None:
                known = tf.function(functools.partial(regularizer, variable), input_signature=[])
                self._regularization_functions[id(variable)] = known
            functions.append(known)
        return functions

    def _penalties(self) -> list[tuple[Any, Any]]:
        trained = {id(variable) for variable in self.trainable_weights}
        found = [pair for key, pair in self._regularizers.items() if key in trained]
        for layer in self.sublayers() if self._trainable else ():
            found.extend(layer._penalties())
        return found

    def _added_losses(self) -> list[Any]:
        return [*self._losses, *(loss for layer in self.sublayers() for loss in layer._added_losses())]

    def _forget_losses(self) -> None:
        for layer in self._layers_with_losses:
            layer._losses.clear()
        self._layers_with_losses.clear()

    def _penalize(self, outputs: Any) -> None:
        for output in tf.nest.flatten(outputs):
            penalty = self.activity_regularizer(output)
            if output.shape.rank:
                penalty = penalty / tf.cast(tf.shape(output)[0], penalty.dtype)
            self.add_loss(penalty)

    # Saving.

    def root_children(self) -> dict[str, Any]:
        """Returns what a SavedModel of this layer has besides its weights and sublayers: TF Hub's Reusable SavedModel.

        That is `__call__(inputs, training=False)` traced for both ways, `serve(inputs)` for servers, and the lists
        `variables`, `trainable_variables` and `regularization_losses`.

        Raises:
            ValueError: The layer was never called, so that its inputs are not known.
        """
        if self.call_spec is None:
            raise ValueError(
                f"The {self._label()} cannot be saved as a model: what it takes is not known. Call it once first, or make "
                "its model with Input(shape)."
            )

        def call(inputs: Any, training: bool = False) -> Any:
            return self(inputs, training=training)

        def serve(inputs: Any) -> Any:
            return self(inputs, training=False)

        function = tf.function(call)
        for training in (False, True):
            function.get_concrete_function(self.call_spec, training=training)
        return {
            "__call__": function,
            "serve": tf.function(serve, input_signature=[self.call_spec]),
            "variables": list(self.variables),
            "trainable_variables": list(self.trainable_variables),
            "regularization_losses": list(self.regularization_losses),
        }

    # What it is.

    @property
    def dtype(self) -> str:
        """The dtype of the weights, by name."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights, by name."""
        return self._dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs are cast to, by name."""
        return self._dtype

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer, without weights, from what `get_config` returned."""
        return cls(**config)


_UNTRACKED = frozenset({
    "_frozen", "_regularizers", "_regularization_functions", "_losses", "_layers_with_losses", "call_spec", "input_spec",
})  # fmt: skip


def _signature_of(call: Callable[..., Any]) -> _CallSignature:
    parameters = inspect.signature(call).parameters
    training = parameters.get("training")
    if training is None:
        return _CallSignature(False, None)
    return _CallSignature(True, None if training.default is training.empty else training.default)


def _building(build: Callable[..., None]) -> Callable[..., None]:
    """Makes `build` note the shapes, name the weights after the layer, and say that the layer is built."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass's build calls this one
            build(self, *args, **kwargs)
            return
        self._building = True
        try:
            with tf.name_scope(self.name):
                build(self, *args, **kwargs)
        finally:
            self._building = False
        self.built = True
        self.build_shape = args[0] if args else kwargs.get("input_shape")

    return wrapped


Layer.build = _building(Layer.build)  # type: ignore[method-assign]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


def _is_child(value: Any) -> bool:
    return isinstance(value, tf.Module) and not isinstance(value, Metric)


def _unique(items: Any) -> Iterator[Any]:
    seen = set()
    for item in items:
        if id(item) not in seen:
            seen.add(id(item))
            yield item


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"A layer's name must be a string that is not empty and has no `/`; got {name!r}.")
    return name


def _dtype_name(dtype: Any) -> str:
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, Mapping):  # Keras's configuration of a dtype policy
        dtype = dtype["config"]["name"]
    return tf.as_dtype(dtype).name


def _input_shape_argument(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Takes the ways in which Keras lets one give the first layer's input shape out of its other arguments."""
    if "input_dim" in kwargs:
        return (None, kwargs.pop("input_dim"))
    if "input_shape" in kwargs:
        return (None, *kwargs.pop("input_shape"))
    return None


def _is_plain_list(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(leaf, (bool, int, float, str)) for leaf in tf.nest.flatten(value))
    )


def _with_open_batch(output: Any) -> tuple[int | None, ...] | None:
    shape = getattr(output, "shape", None)
    if shape is None or shape.rank is None:
        return None
    return (None, *shape.as_list()[1:]) if shape.rank else ()


def _spec_with_open_batch(value: Any) -> Any:
    if not isinstance(value, tf.Tensor):
        return value
    dims = value.shape.dims
    return tf.TensorSpec((None, *dims[1:]) if dims else dims, value.dtype)


def map_shapes(transform: Callable[[tuple[int | None, ...]], Any], shapes: Any) -> Any:
    """Applies a function to the shapes of a structure of them; a shape is a tuple or list of sizes."""
    if isinstance(shapes, Mapping):
        return {key: map_shapes(transform, item) for key, item in shapes.items()}
    if isinstance(shapes, tf.TensorShape):
        return transform(tuple(shapes.as_list()))
    if all(size is None or isinstance(size, (int, np.integer)) for size in shapes):
        return transform(tuple(shapes))
    return type(shapes)([map_shapes(transform, item) for item in shapes])
