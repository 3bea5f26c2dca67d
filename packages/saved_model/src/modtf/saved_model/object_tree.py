"""The objects that are saved: everything that is reached from the root by children's names, each once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction, EagerTensor, Handle, SavedRoot, SymbolicTensor, is_trackable

from .assets import Asset
from .errors import SavedModelError
from .saved_resources import SavedContent, handle_of, resource_functions, saved_content
from .signatures import SignatureMap

SIGNATURES = "signatures"
"""The name of the root's child that holds the signatures."""

Children = list[tuple[str, int]]


class Tree:
    """The objects that are reached from a root by children's names, by number, the root being 0.

    Args:
        root: the root.
        named: its children by name.
        children_of: gives the children of any other object by name.
        same: other objects that stand for the root where something leads to them.

    Attributes:
        objects: the objects.
        children: for each object, the names and numbers of its children.
        paths: for each object, the names from the root to it, as checkpoints write them.
    """

    def __init__(
        self,
        root: Any,
        named: Mapping[str, Any],
        children_of: Callable[[Any], Mapping[str, Any]],
        same: Sequence[Any] = (),
    ) -> None:
        self.objects: list[Any] = []
        self.children: list[Children] = []
        self.paths: list[str] = []
        self._numbers: dict[int, int] = {}
        queue = deque([self._add(root, "")])
        self._numbers.update((object_key(item), 0) for item in same)
        while queue:
            number = queue.popleft()
            for name, child in (children_of(self.objects[number]) if number else named).items():
                if object_key(child) not in self._numbers:
                    path = f"{self.paths[number]}/{_escaped(name)}" if number else _escaped(name)
                    queue.append(self._add(child, path))
                self.children[number].append((name, self._numbers[object_key(child)]))

    def variables(self) -> Iterator[tuple[int, tf.Variable]]:
        """Yields the variables with their numbers."""
        return ((number, item) for number, item in enumerate(self.objects) if isinstance(item, tf.Variable))

    def _add(self, item: Any, path: str) -> int:
        number = self._numbers[object_key(item)] = len(self.objects)
        self.objects.append(item)
        self.children.append([])
        self.paths.append(path)
        return number


class ObjectTree(Tree):
    """The objects of a SavedModel; after those reached by name come the constants that functions captured.

    Args:
        root: the object to save.
        named: its children by name, the signatures among them.

    Attributes:
        contents: for tables that can change, the functions that save and restore their content, which are objects too.

    Raises:
        SavedModelError: an object cannot be saved, or a function captured a variable that is not in the tree.
    """

    def __init__(self, root: Any, named: Mapping[str, Any]) -> None:
        super().__init__(root, named, lambda item: {**children_of(item), **resource_functions(item)})
        self.contents: dict[int, SavedContent] = {}
        for number, item in enumerate(list(self.objects)):
            content = saved_content(item)
            if content is not None:
                self.contents[number] = content
                for function in content:
                    self._add(function, "")
        for concrete in self.concrete_functions():
            for tensor in concrete.captured_inputs:
                self._add_captured(concrete, tensor)

    def number_of(self, item: Any) -> int:
        """Returns the number of an object, or of that which a function captured by a tensor."""
        return self._numbers[object_key(item)]

    def concrete_functions(self) -> Iterator[ConcreteFunction]:
        """Yields every concrete function once."""
        seen: set[int] = set()
        for item in self.objects:
            for concrete in concrete_functions(item):
                if id(concrete) not in seen:
                    seen.add(id(concrete))
                    yield concrete

    def _add_captured(self, concrete: ConcreteFunction, tensor: Any) -> None:
        if object_key(tensor) in self._numbers:
            return
        if isinstance(tensor, Handle):
            raise SavedModelError(
                f"The function {concrete.name!r} uses the variable {tensor.array.name!r}, which no attribute of the saved "
                "object leads to, so that it would be lost. Assign it to an attribute of the object."
            )
        if tensor.dtype in (tf.resource, tf.variant):
            raise SavedModelError(
                f"The function {concrete.name!r} uses a {tensor.dtype.name} that cannot be saved, or a table which no "
                "attribute of the saved object leads to; assign it to one."
            )
        self._add(tensor, "")


def children_of(item: Any) -> dict[str, Any]:
    """Returns the children of an object that are saved, by name.

    Raises:
        SavedModelError: it is a dict with other keys than strings.
    """
    if isinstance(item, (tf.Variable, EagerTensor, Asset)) or hasattr(item, "is_traced_function"):
        return {}
    if isinstance(item, Mapping):
        found = {key: child for key, child in item.items() if is_trackable(child)}
        wrong = [key for key in found if not isinstance(key, str)]
        if wrong:
            raise SavedModelError(f"A dict has the key {wrong[0]!r}; only dicts whose keys are strings can be saved.")
        return found
    if isinstance(item, (list, tuple)):
        return {str(place): child for place, child in enumerate(item) if is_trackable(child)}
    return dict(item.trackable_children())


def traced_children_of_root(root: Any) -> dict[str, Any]:
    """Returns the children of the object to save, after tracing every function below that can be and was never called.

    Signatures of a loaded object are left out: they are made anew.

    Raises:
        SavedModelError: it has something else where the signatures would go.
    """
    _trace_functions(_own_children(root))
    further = dict(root.root_children()) if isinstance(root, SavedRoot) else {}
    _trace_functions(further)
    return {**_own_children(root), **further}  # tracing may have made variables


def _own_children(root: Any) -> dict[str, Any]:
    named = children_of(root)
    if not isinstance(named.pop(SIGNATURES, None), (SignatureMap, type(None))):
        raise SavedModelError(
            f"The object to save has an attribute {SIGNATURES!r}, where the file puts the signatures. Rename it, or delete it."
        )
    return named


def concrete_functions(item: Any) -> list[ConcreteFunction]:
    """Returns the traces of a function that can be saved: those which use no tensor of another function."""
    if isinstance(item, ConcreteFunction):
        return [item]
    if not hasattr(item, "is_traced_function"):
        return []
    return [
        concrete
        for concrete in item.concrete_functions
        if not any(isinstance(tensor, SymbolicTensor) for tensor in concrete.captured_inputs)
    ]


def _trace_functions(named: Mapping[str, Any]) -> None:
    seen: dict[int, Any] = {}  # with the objects, so that nobody else gets their ids
    left = list(named.values())
    while left:
        item = left.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if hasattr(item, "is_traced_function") and not isinstance(item, ConcreteFunction):
            if item.input_signature is not None and not item.concrete_functions:
                item.get_concrete_function()
        else:
            left.extend(children_of(item).values())


def object_key(item: Any) -> int:
    """Tells objects apart: a variable and its handles are one, and so are a table and its handle, an asset and its path."""
    if isinstance(item, tf.Variable):
        item = item.handle
    elif isinstance(item, Asset):
        item = item.asset_path
    elif not isinstance(item, tf.Tensor):
        handle = handle_of(item)
        item = item if handle is None else handle
    return id(item.array if isinstance(item, Handle) else item)


def _escaped(name: str) -> str:
    """A name as part of a checkpoint's keys."""
    return name.replace(".", "..").replace("/", ".S")
