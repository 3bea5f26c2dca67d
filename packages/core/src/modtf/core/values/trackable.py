"""What an object must give to be saved, and what a reusable saved model has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from modtf.core.values.variables import Variable


@runtime_checkable
class Trackable(Protocol):
    """An object that saving follows: it names the objects it is made of.

    Variables and functions are leaves with a form of their own in the file; lists, tuples and dicts of trackables need
    nothing to be followed.
    """

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the objects that belong to this one, by the names they have in it."""
        ...


@runtime_checkable
class SavedRoot(Protocol):
    """A trackable that has more to give when it is itself the object that is saved, rather than a part of it."""

    def root_children(self) -> Mapping[str, Any]:
        """Returns further children by name, such as the functions by which the saved model is to be called."""
        ...


@runtime_checkable
class ReusableSavedModel(Protocol):
    """TF Hub's interface of a model that can be put into another one and trained there."""

    @property
    def variables(self) -> Sequence[Variable]:
        """All variables."""
        ...

    @property
    def trainable_variables(self) -> Sequence[Variable]:
        """Those to be trained when the model is fine-tuned."""
        ...

    @property
    def regularization_losses(self) -> Sequence[Callable[[], Any]]:
        """Functions without arguments, each giving a scalar to add to the loss."""
        ...

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Computes the outputs."""
        ...


class Watched:
    """An object that tells whoever waits for it when one of its attributes is set.

    So a checkpoint that was restored before a part of the object existed can give that part its value.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        tell_waiting(self)


def is_waiting(item: Watched) -> bool:
    """Whether somebody waits for parts of the object."""
    return "_when_set" in vars(item)


def tell_waiting(item: Watched) -> None:
    """Tells whoever waits for it that the object has got another part."""
    waiting = vars(item).get("_when_set")
    if waiting is not None:
        waiting(item)


def call_when_set(item: Watched, function: Callable[[Any], None] | None) -> None:
    """Calls `function` with the object whenever one of its attributes was set, in place of any other; `None` ends that."""
    if function is None:
        vars(item).pop("_when_set", None)
    else:
        vars(item)["_when_set"] = function


def is_trackable(value: Any) -> bool:
    """Whether saving follows a value: a trackable, a variable, a function, or a list, tuple or dict with one inside."""
    if isinstance(value, Variable) or hasattr(value, "is_traced_function") or hasattr(value, "trackable_children"):
        return not isinstance(value, type)
    if isinstance(value, Mapping):
        return any(is_trackable(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(is_trackable(item) for item in value)
