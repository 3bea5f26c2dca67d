"""`KerasLayer`: a model from the hub as a layer, alone or inside a larger model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modtf import core as tf
from modtf import layers
from modtf.hub.loading import load


class KerasLayer(layers.Layer):
    """Wraps a SavedModel, or any callable object, as a layer.

    Args:
        handle: What `load` takes, or a callable object with the interface of a Reusable SavedModel.
        trainable: Whether the model's own trainable variables are trained along with those of the layers around it.
        arguments: Further keyword arguments for the model; values that can be written as JSON.
        tags: The tags of the model in the folder that is wanted, if there are several.
        signature: The signature to call, for models that are not callable themselves. Such a layer is not trainable.
        signature_outputs_as_dict: Whether to return the signature's outputs as a dict, rather than one of them.
        output_key: Which of several outputs, given as a dict, to return.
        output_shape: The shape of the output without the batch, or a structure of them, where the model leaves it open.
        load_options: `tf.saved_model.LoadOptions`.
        kwargs: What any layer takes: `name`, `dtype`, `input_shape`.

    Raises:
        ValueError: The model is not callable, or the arguments contradict each other or what the model offers.
    """

    unsaved_arguments = ("autocast", "activity_regularizer", "load_options")

    def __init__(
        self,
        handle: str | Callable[..., Any],
        trainable: bool = False,
        arguments: Mapping[str, Any] | None = None,
        *,
        tags: str | Sequence[str] | None = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
        load_options: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, **kwargs)
        self.handle = handle
        self.arguments = dict(arguments or {})
        self.tags = tags
        self.signature = signature
        self.signature_outputs_as_dict = signature_outputs_as_dict
        self.output_key = output_key
        self.declared_output_shape = output_shape
        self.model = handle if callable(handle) else load(handle, tags, load_options)
        self._function = self._find_function()
        self._takes_training = "training" in _parameters(self._function)

    def _find_function(self) -> Callable[..., Any]:
        """What a call of the layer calls."""
        if self.signature is None:
            if self.signature_outputs_as_dict is not None:
                raise ValueError("signature_outputs_as_dict is only of use together with a signature.")
            if not callable(self.model):
                names = list(getattr(self.model, "signatures", {}))
                raise ValueError(
                    f"The model from {self.handle!r} is not callable, so it is not a Reusable SavedModel. "
                    + (f"Choose one of its signatures: signature={names[0]!r} ({', '.join(names)})." if names else "")
                )
            return self.model
        if self.signature_outputs_as_dict and self.output_key is not None:
            raise ValueError("Give either signature_outputs_as_dict=True or an output_key, not both.")
        if not self.signature_outputs_as_dict and self.output_key is None:
            raise ValueError(
                "With a signature, say which output to return (output_key) or signature_outputs_as_dict=True."
            )
        if self.trainable:
            raise ValueError("A signature cannot be trained: leave out trainable=True, or use a Reusable SavedModel.")
        signatures = getattr(self.model, "signatures", {})
        if self.signature not in signatures:
            raise ValueError(
                f"The model has no signature {self.signature!r}; it has: {', '.join(signatures) or 'none'}."
            )
        return signatures[self.signature]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Calls the model.

        Args:
            inputs: What the model takes: a tensor or a structure of them; for a signature, a dict or its only input.
            training: Passed on to the model if it has such an argument. A layer that is not trainable always behaves as
                in inference.
        """
        arguments = dict(self.arguments)
        if self._takes_training:
            arguments["training"] = bool(training) and self.trainable
        if self.signature is None:
            outputs = self._function(inputs, **arguments)
        else:
            outputs = self._function(**self._named(inputs), **arguments)
        if self.trainable:
            self.add_loss([loss() for loss in getattr(self.model, "regularization_losses", ())])
        return self._with_declared_shape(self._chosen(outputs))

    def _named(self, inputs: Any) -> Mapping[str, Any]:
        if isinstance(inputs, Mapping):
            return inputs
        _, expected = self._function.structured_input_signature  # type: ignore[attr-defined]
        if len(expected) != 1:
            raise ValueError(
                f"The signature {self.signature!r} takes {len(expected)} inputs, {sorted(expected)}: give a dict of them."
            )
        return {next(iter(expected)): inputs}

    def _chosen(self, outputs: Any) -> Any:
        if self.output_key is None:
            return outputs
        if not isinstance(outputs, Mapping):
            raise ValueError(
                f"output_key={self.output_key!r} needs outputs that are a dict, but the model gave {outputs!r}."
            )
        if self.output_key not in outputs:
            raise ValueError(
                f"The model's outputs are {', '.join(sorted(outputs))}; none is called {self.output_key!r}."
            )
        return outputs[self.output_key]

    def _with_declared_shape(self, outputs: Any) -> Any:
        if self.declared_output_shape is None:
            return outputs
        if isinstance(outputs, tf.Tensor):
            return tf.ensure_shape(outputs, (outputs.shape[0], *self.declared_output_shape))
        shapes = self.declared_output_shape
        if isinstance(outputs, Mapping):
            return {key: tf.ensure_shape(value, (value.shape[0], *shapes[key])) for key, value in outputs.items()}
        return type(outputs)(
            tf.ensure_shape(value, (value.shape[0], *shape)) for value, shape in zip(outputs, shapes, strict=True)
        )

    @property
    def resolved_object(self) -> Any:
        """The loaded model."""
        return self.model

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, for `from_config`.

        Raises:
            NotImplementedError: The layer was made of an object rather than a handle.
        """
        if not isinstance(self.handle, str):
            raise NotImplementedError(
                "A KerasLayer can only be described by its configuration if it was made of a handle."
            )
        config = {
            "name": self.name,
            "dtype": self.dtype,
            "handle": self.handle,
            "trainable": self.trainable,
            "arguments": self.arguments or None,
            "tags": self.tags,
            "signature": self.signature,
            "signature_outputs_as_dict": self.signature_outputs_as_dict,
            "output_key": self.output_key,
            "output_shape": self.declared_output_shape,
        }
        return {key: value for key, value in config.items() if value is not None}


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of a callable; of a loaded or traced function, those of the function that was traced."""
    called = getattr(function, "__call__", function)  # noqa: B004 (an object's own __call__ may be a loaded function)
    signature = getattr(called, "function_type", None)
    try:
        return (signature or inspect.signature(called)).parameters
    except (TypeError, ValueError):
        return {}
