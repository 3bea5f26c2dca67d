"""Restoring: the objects of a program and those of a checkpoint are walked together, by the names that lead to them.

What does not match is left as it is. Objects that are made later get their values as soon as they become attributes of an
object that did match, such as the weights of a layer that is built by its first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from modtf import core as tf
from modtf.core.contracts import Watched, call_when_set, get_backend

from ..attributes import decode_dtype
from ..boundary import reading
from ..bundle import BundleReader
from ..errors import DataLossError, IncompatibleValueError, UnsupportedError
from ..object_tree import object_key
from ..protos.object_graph_pb2 import TrackableObjectGraph
from .objects import OBJECT_GRAPH_KEY, VARIABLE_VALUE, attribute_of

Assignment = Callable[[], Any]


def read_objects(bundle: BundleReader, path: str) -> TrackableObjectGraph:
    """Returns a checkpoint's description of its objects.

    Raises:
        UnsupportedError: it has none, since TensorFlow 1 wrote it.
        DataLossError: it contradicts itself.
    """
    what = f"{path}.index: {OBJECT_GRAPH_KEY}"
    if OBJECT_GRAPH_KEY not in bundle:
        raise UnsupportedError(
            f"{what} is missing: the checkpoint holds tensors by name only, as TensorFlow 1 wrote them. Read those with "
            "tf.train.list_variables and tf.train.load_variable."
        )
    proto = TrackableObjectGraph()
    try:
        proto.ParseFromString(np.asarray(bundle.read(OBJECT_GRAPH_KEY), object).item())
    except (DecodeError, ValueError, TypeError) as error:
        raise DataLossError(f"{what}: does not describe objects: {error}") from None
    if not proto.nodes:
        raise DataLossError(f"{what}: describes no objects.")
    for number, node in enumerate(proto.nodes):
        wrong = [child.node_id for child in node.children if not 0 <= child.node_id < len(proto.nodes)]
        if wrong:
            raise DataLossError(f"{what}: object {number} has object {wrong[0]}, but there are {len(proto.nodes)}.")
    return proto


class Restoration:
    """One checkpoint while its values are given to objects.

    Args:
        path: the checkpoint.
        root: the object that stands for the checkpoint's root.
        children_of: gives the children of an object by name.
        same: other objects that stand for the root.

    Attributes:
        nodes: the checkpoint's objects.
        matched: the objects by their numbers in the checkpoint.

    Raises:
        SavedModelError: a file is missing or damaged, or a value does not fit; then no object was changed.
    """

    def __init__(
        self, path: str, root: Any, children_of: Callable[[Any], Mapping[str, Any]], same: Sequence[Any] = ()
    ) -> None:
        self._path = path
        self._bundle = BundleReader(path)
        self._children_of = children_of
        self.nodes = read_objects(self._bundle, path).nodes
        self.matched: dict[int, Any] = {}
        self._roots = (root, *same)
        self._numbers: dict[int, int] = dict.fromkeys(map(object_key, self._roots), 0)
        self._hook = _Hook(self)
        self._match(root, 0)

    def number_of(self, item: Any) -> int | None:
        """Returns the number in the checkpoint of the object that was matched."""
        return self._numbers.get(object_key(item))

    def match_again(self) -> None:
        """Looks for what was added to lists and dicts since."""
        self._match(self._roots[0], 0)

    def continue_at(self, item: Any) -> None:
        """Gives values to what has become part of an object that was matched."""
        number = self.number_of(item)
        if number is not None:
            self._match(item, number)

    def _match(self, item: Any, number: int) -> None:
        new: dict[int, Any] = {}
        visited: dict[int, Any] = {}
        self._visit(item, number, new, visited)
        assignments = [made for place, found in new.items() if (made := self._assignment(found, place)) is not None]
        for assign in assignments:
            assign()
        self._wait_for_more(visited)

    def _visit(self, item: Any, number: int, new: dict[int, Any], visited: dict[int, Any]) -> None:
        left = [(item, number)]
        while left:
            item, number = left.pop()
            if number in visited:
                continue
            visited[number] = item
            if number not in self.matched:
                self.matched[number] = new[number] = item
                self._numbers[object_key(item)] = number
            children = self._children_of(item)
            for reference in self.nodes[number].children:
                child = children.get(reference.local_name)
                if child is not None and self._may_match(child, reference.node_id):
                    left.append((child, reference.node_id))

    def _may_match(self, item: Any, number: int) -> bool:
        """Whether neither is matched with something else; containers that are made anew each time may be."""
        known = self.matched.get(number)
        if known is not None and known is not item and not (number == 0 and any(item is root for root in self._roots)):
            return isinstance(item, (list, tuple, Mapping)) and isinstance(known, (list, tuple, Mapping))
        return self._numbers.get(object_key(item), number) == number

    def _wait_for_more(self, visited: Mapping[int, Any]) -> None:
        for number, item in [*visited.items(), *((0, root) for root in self._roots if 0 in visited)]:
            if isinstance(item, Watched):
                is_complete = all(self._is_matched(child.node_id) for child in self.nodes[number].children)
                call_when_set(item, None if is_complete else self._hook)

    def _is_matched(self, number: int) -> bool:
        """Whether an object is matched and, if it is a container, all that is in it."""
        left, seen = [number], {number}
        while left:
            number = left.pop()
            if number not in self.matched:
                return False
            if isinstance(self.matched[number], (list, tuple, Mapping)):
                inside = {child.node_id for child in self.nodes[number].children} - seen
                seen |= inside
                left.extend(inside)
        return True

    def _assignment(self, item: Any, number: int) -> Assignment | None:
        """What gives an object its value, after checking that it fits; None if it has none."""
        attribute = attribute_of(item)
        saved = next((saved for saved in self.nodes[number].attributes if saved.name == attribute), None)
        if attribute is None or saved is None:
            return None
        if attribute != VARIABLE_VALUE:
            return self._assignment_of_parts(item, saved.checkpoint_key)
        entry, what = self._bundle[saved.checkpoint_key], f"{self._path}.index: tensor {saved.checkpoint_key!r}"
        with reading(self._path, f"tensor {saved.checkpoint_key!r}"):
            dtype, stored = decode_dtype(entry.data_type), entry.dtype
        if stored != item.dtype.np_dtype or not item.shape.is_compatible_with(entry.shape):
            raise IncompatibleValueError(
                f"{what} is {dtype.name} of shape {entry.shape}, so it cannot be given to the variable "
                f"{item.name!r}, which is {item.dtype.name} of shape {item.shape}."
            )
        value, backend = np.array(self._bundle.read(saved.checkpoint_key)), get_backend("numpy")
        return lambda: item.handle.array.assign(value, backend)

    def _assignment_of_parts(self, item: Any, key: str) -> Assignment:
        """The same for an object that says itself which tensors hold its value, such as a table."""
        wanted = sorted(item._serialize_to_tensors())
        missing = [key + ending for ending in wanted if key + ending not in self._bundle]
        if missing:
            raise DataLossError(f"{self._path}.index: has no {missing[0]!r}, which {key!r} should consist of.")
        tensors = {ending: tf.constant(self._bundle.read(key + ending)) for ending in wanted}
        return lambda: item._restore_from_tensors(tensors)

    def unused_values(self) -> list[str]:
        """Returns the names of the values that no object has got."""
        return [
            saved.checkpoint_key
            for number, node in enumerate(self.nodes)
            for saved in node.attributes
            if number not in self.matched or attribute_of(self.matched[number]) != saved.name
        ]


class _Hook:
    """Continues a restoration when an attribute is set; copies of the object do not take it with them."""

    def __init__(self, restoration: Restoration) -> None:
        self._restoration = restoration

    def __call__(self, item: Any) -> None:
        self._restoration.continue_at(item)

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()


class CheckpointStatus:
    """What came of restoring a checkpoint, with checks of it. Each check returns the status itself."""

    def __init__(self, path: str, restoration: Restoration, objects: Callable[[], Iterable[Any]]) -> None:
        self._path = path
        self._restoration = restoration
        self._objects = objects

    def assert_consumed(self) -> CheckpointStatus:
        """Checks that all values of the checkpoint were used, and that all objects have got theirs.

        Raises:
            AssertionError: they were not.
        """
        self.assert_existing_objects_matched()
        unused = self._restoration.unused_values()
        if unused:
            raise AssertionError(
                f"{len(unused)} values of the checkpoint {self._path!r} were not restored, since the program has no object "
                f"for them (yet): {_some(unused)}."
            )
        return self

    def assert_existing_objects_matched(self) -> CheckpointStatus:
        """Checks that all variables and other objects with values, which exist now, have got theirs.

        Raises:
            AssertionError: they have not.
        """
        unmatched = self._unmatched()
        if unmatched:
            raise AssertionError(
                f"Found {len(unmatched)} Python objects that were not bound to checkpointed values, likely due to changes in "
                f"the Python program: {_some(unmatched)}. The checkpoint is {self._path!r}."
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointStatus:
        """Checks that something besides the root object matched.

        Raises:
            AssertionError: nothing did.
        """
        unmatched = self._unmatched()
        if len(self._restoration.matched) > 1 or not unmatched:
            return self
        raise AssertionError(
            f"Nothing except the root object matched a checkpointed value in {self._path!r}. Typically this means that the "
            f"checkpoint does not match the Python program. Objects without a value: {_some(unmatched)}."
        )

    def _unmatched(self) -> list[str]:
        self._restoration.match_again()
        found = []
        for item in self._objects():
            attribute, number = attribute_of(item), self._restoration.number_of(item)
            saved = () if number is None else self._restoration.nodes[number].attributes
            if attribute is not None and attribute not in [value.name for value in saved]:
                found.append(repr(item))
        return found

    def expect_partial(self) -> CheckpointStatus:
        """Says that it is expected that only a part matches; there are no warnings to silence."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Does nothing: values are restored at once."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Does nothing: values are restored at once."""


class NothingRestored:
    """The status where there was no checkpoint to restore."""

    def assert_consumed(self) -> NothingRestored:
        """Raises AssertionError, as the other checks do."""
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def expect_partial(self) -> NothingRestored:
        """Returns itself."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Does nothing: variables have their values."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Raises AssertionError."""
        self.assert_consumed()


def _some(items: list[str]) -> str:
    return ", ".join(items[:10]) + (f" and {len(items) - 10} more" if len(items) > 10 else "")
