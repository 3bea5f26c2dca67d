"""Lists and dicts that tell a checkpoint which was restored before about what is added to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modtf.core.contracts import Watched, tell_waiting


class ListWrapper(list[Any], Watched):
    """A list that was assigned to a restored `Checkpoint`; what is appended gets its value."""

    def append(self, item: Any) -> None:
        super().append(item)
        tell_waiting(self)

    def extend(self, items: Iterable[Any]) -> None:
        super().extend(items)
        tell_waiting(self)

    def __iadd__(self, items: Iterable[Any]) -> ListWrapper:  # type: ignore[misc]
        self.extend(items)
        return self

    def __setitem__(self, place: Any, item: Any) -> None:
        super().__setitem__(place, item)
        tell_waiting(self)

    def __repr__(self) -> str:
        return f"ListWrapper({super().__repr__()})"


class DictWrapper(dict[Any, Any], Watched):
    """A dict that was assigned to a restored `Checkpoint`; what is added gets its value."""

    def __setitem__(self, key: Any, item: Any) -> None:
        super().__setitem__(key, item)
        tell_waiting(self)

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        tell_waiting(self)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        found = super().setdefault(key, default)
        tell_waiting(self)
        return found

    def __repr__(self) -> str:
        return f"DictWrapper({super().__repr__()})"


def watched(value: Any) -> Any:
    """Returns a list or dict as one that tells what is added to it; anything else as it is."""
    if type(value) is list:
        return ListWrapper(value)
    return DictWrapper(value) if type(value) is dict else value
