"""`Optimizer`: what all optimizers have in common."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from modtf import core as tf
from modtf.core import contracts
from modtf.layers import config, initializers
from modtf.layers.naming import auto_name
from modtf.layers.optimizers.schedules import LearningRateSchedule
from modtf.layers.optimizers.schedules import deserialize as deserialize_schedule
from modtf.layers.serialization import Configurable, serialize

__all__ = ["Optimizer"]


class Optimizer(contracts.Watched, Configurable):
    """The base of optimizers.

    A subclass defines `update_step(gradient, variable, learning_rate)`; if it keeps something for each variable, it
    makes that in `build(variables)` by `add_optimizer_variables`.

    Args:
        learning_rate: A number (kept in a variable, so that it can be changed), a `LearningRateSchedule`, or a function
            without arguments.
        weight_decay: The part of each weight, times the learning rate, that is taken away at each step.
        clipnorm: The greatest norm of each gradient.
        clipvalue: The greatest absolute value of gradients.
        global_clipnorm: The greatest norm of all gradients together.
        use_ema: Whether moving averages of the weights are kept.
        ema_momentum: How much of a moving average stays at each step.
        ema_overwrite_frequency: After how many steps weights are replaced by their averages; by default never.
        loss_scale_factor: What the loss is multiplied by, and gradients divided by, so that small ones survive float16.
        name: A name; by default the class's in snake case.

    Raises:
        ValueError: More than one way to clip is given, or an argument is out of range.
    """

    config_module = "keras.optimizers"

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of clipnorm, clipvalue and global_clipnorm can be given; got "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"ema_momentum must be from 0 to 1; got {ema_momentum}.")
        if ema_overwrite_frequency is not None and ema_overwrite_frequency < 1:
            raise ValueError(
                f"ema_overwrite_frequency must be a positive integer or None; got {ema_overwrite_frequency}."
            )
        self.name = auto_name(type(self).__name__) if name is None else name
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.built = False
        self._variables: list[Any] = []
        self._trainable_variables: list[Any] = []
        self._index: dict[int, int] = {}
        self._undecayed: tuple[frozenset[int], str | None] = (frozenset(), None)
        self.iterations = self.add_variable((), dtype="int64", name="iteration")
        self._learning_rate: Any = None
        self.learning_rate = learning_rate

    # The learning rate.

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a variable, or a scalar tensor if it follows a schedule."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._learning_rate = value
            return
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"The learning rate must be a number, a LearningRateSchedule or a function; got {value!r}."
            ) from None
        if isinstance(self._learning_rate, tf.Variable):
            self._learning_rate.assign(number)
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer was made with a LearningRateSchedule, so its learning rate cannot be set. Make it with a "
                "number to be able to."
            )
        else:
            self._learning_rate = tf.Variable(
                number, dtype=config.floatx(), trainable=False, name=f"{self.name}/learning_rate"
            )
            self._variables.append(self._learning_rate)

    # Variables.

    @property
    def variables(self) -> list[Any]:
        """The optimizer's own variables: the count of steps, the learning rate, and what it keeps for each weight."""
        return list(self._variables)

    def build(self, variables: Sequence[Any]) -> None:
        """Makes what is kept for each of the variables that are to be trained."""
        self._trainable_variables = list(variables)
        self._index = {id(variable): index for index, variable in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        self.built = True

    def add_variable(
        self, shape: Sequence[int], initializer: str = "zeros", dtype: Any = None, name: str | None = None
    ) -> tf.Variable:
        """Makes a variable of the optimizer.

        Args:
            shape: Its shape.
            initializer: `"zeros"` or `"ones"`, or another initializer.
            dtype: Its dtype; by default `config.floatx()`.
            name: A name for it.
        """
        make = initializers.get(initializer)
        wanted = dtype or config.floatx()
        variable = tf.Variable(
            lambda: make(tuple(shape), dtype=wanted), trainable=False, name=f"{self.name}/{name or 'variable'}"
        )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str, initializer: str = "zeros"
    ) -> tf.Variable:
        """Makes a variable of the shape and dtype of another one."""
        label = reference_variable.name.split(":")[0].replace("/", "_")
        shape = reference_variable.shape.as_list()
        return self.add_variable(shape, initializer, reference_variable.dtype, f"{label}_{name}")

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: str | Sequence[str], initializer: str = "zeros"
    ) -> Any:
        """Makes a variable, of the same shape and dtype, for each of `trainable_variables`.

        Args:
            trainable_variables: The variables to be trained.
            name: What the new ones are; with several names, so many lists are made.
            initializer: Gives the first values.

        Returns:
            A list of variables, or one for each name.
        """
        names = [name] if isinstance(name, str) else list(name)
        lists: list[list[Any]] = [[] for _ in names]
        for variable in trainable_variables:
            for made, label in zip(lists, names, strict=True):
                made.append(self.add_variable_from_reference(variable, label, initializer))
        return lists[0] if isinstance(name, str) else lists

    def kept_for(self, variable: Any, kept: Sequence[Any]) -> Any:
        """Returns the one of a list of `add_optimizer_variables` that belongs to a trained variable."""
        return kept[self._index[id(variable)]]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `variables`.

        Raises:
            ValueError: There are too many or too few, or a shape does not fit.
        """
        if len(weights) != len(self._variables):
            raise ValueError(
                f"The optimizer {self.name!r} has {len(self._variables)} variables, but {len(weights)} values were given."
                + ("" if self.built else " It is not built; call build(trainable_variables) first.")
            )
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the optimizer's variables by the names that Keras's optimizers give them in checkpoints."""
        rate = {"_learning_rate": self._learning_rate} if contracts.is_trackable(self._learning_rate) else {}
        return {"_iterations": self.iterations, **rate, "_variables": self._variables}

    # Steps.

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        raise NotImplementedError(f"The optimizer {type(self).__name__} does not define update_step(...).")

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Takes a step.

        Args:
            grads_and_vars: Pairs of a gradient, or `None`, and the variable.

        Returns:
            The count of steps, a variable.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Takes a step.

        Args:
            grads: The gradients; `None` where there is none.
            trainable_variables: The variables; by default those that the optimizer was built for.

        Raises:
            ValueError: The optimizer was built for other variables, or there is no gradient at all.
        """
        if not grads:
            return
        if trainable_variables is None:
            if not self.built:
                raise ValueError("Without variables, gradients can be applied only after build(trainable_variables).")
            trainable_variables = self._trainable_variables
        if len(grads) != len(trainable_variables):
            raise ValueError(f"Got {len(grads)} gradients for {len(trainable_variables)} variables.")
        if not self.built:
            with tf.init_scope():
                self.build(list(trainable_variables))
        for variable in trainable_variables:
            if id(variable) not in self._index:
                raise ValueError(
                    f"The optimizer {self.name!r} does not know the variable {variable.name!r}: it was built for "
                    f"{len(self._index)} other ones. Make a new optimizer for a new set of variables."
                )
        pairs = [(g, v) for g, v in zip(grads, trainable_variables, strict=True) if g is not None]
        if not pairs:
            raise ValueError("No gradient was given for any variable: the loss does not depend on them.")
        if len(pairs) < len(grads):
            missing = [v.name for g, v in zip(grads, trainable_variables, strict=True) if g is None]
            warnings.warn(
                f"The loss does not depend on the variables {missing}, so they are not updated.", stacklevel=2
            )
        gradients, variables = [tf.convert_to_tensor(g) for g, _ in pairs], [v for _, v in pairs]
        if self.loss_scale_factor is not None:
            gradients = [gradient / self.loss_scale_factor for gradient in gradients]
        with tf.name_scope(self.name):
            self._decay_weights(variables)
            self.update(self._clip(gradients), variables, self.learning_rate)
            if self.use_ema:
                self._update_averages()
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
            self.iterations.assign_add(1)

    def update(self, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        """Updates all variables, one after the other."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(
                tf.cast(gradient, variable.dtype),
                variable,
                tf.cast(tf.convert_to_tensor(learning_rate), variable.dtype),
            )

    def scale_loss(self, loss: Any) -> Any:
        """Returns the loss to be differentiated: multiplied by `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Replaces weights by their moving averages, if these are kept; called at the end of `fit`."""
        if self.use_ema:
            for variable in var_list:
                variable.assign(self.kept_for(variable, self._averages))

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leaves variables out of weight decay.

        Args:
            var_list: The variables.
            var_names: Regular expressions; variables are left out in whose names one is found.
        """
        pattern = "|".join(var_names) if var_names else None
        self._undecayed = (frozenset(id(variable) for variable in var_list or ()), pattern)

    def _decay_weights(self, variables: Sequence[Any]) -> None:
        if self.weight_decay is None:
            return
        excluded, pattern = self._undecayed
        for variable in variables:
            if id(variable) in excluded or (pattern is not None and re.search(pattern, variable.name)):
                continue
            rate = tf.cast(tf.convert_to_tensor(self.learning_rate), variable.dtype)
            variable.assign_sub(variable * self.weight_decay * rate)

    def _clip(self, gradients: list[Any]) -> list[Any]:
        if self.clipvalue:
            return [tf.clip_by_value(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        if self.clipnorm:
            return [tf.clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.global_clipnorm:
            return tf.clip_by_global_norm(gradients, self.global_clipnorm)[0]
        return gradients

    def _update_averages(self) -> None:
        first = tf.equal(self.iterations, 0)
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            value = tf.convert_to_tensor(variable)
            average.assign(tf.where(first, value, self.ema_momentum * average + (1.0 - self.ema_momentum) * value))
        if self.ema_overwrite_frequency is not None:
            due = tf.equal((tf.convert_to_tensor(self.iterations) + 1) % self.ema_overwrite_frequency, 0)
            for variable, average in zip(self._trainable_variables, self._averages, strict=True):
                variable.assign(tf.where(due, tf.convert_to_tensor(average), tf.convert_to_tensor(variable)))

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        rate: Any = self._learning_rate
        config = {name: value for name, value in self._arguments().items() if name != "learning_rate"}
        config["learning_rate"] = float(rate.numpy()) if isinstance(rate, tf.Variable) else serialize(rate)
        return config

    def _arguments(self) -> dict[str, Any]:
        return super().get_config()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes an optimizer, without what it keeps for variables, from what `get_config` returned."""
        arguments = dict(config)
        if isinstance(arguments.get("learning_rate"), Mapping):
            arguments["learning_rate"] = deserialize_schedule(arguments["learning_rate"])
        return cls(**arguments)


LearningRate = float | LearningRateSchedule | Callable[[], Any]
