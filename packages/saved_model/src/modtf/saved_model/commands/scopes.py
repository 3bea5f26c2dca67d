"""The scopes of a picture: which of them are drawn open, and which as one node, so that people can look at it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .picture import Item, Picture


@dataclass(eq=False)
class Scope:
    """A part of the name that nodes have in common.

    Attributes:
        name: the part of it below the scope that this one is in.
        path: the whole of it.
        scopes: the scopes in it, by name.
        items: the numbers of the items that are in it, and in none of its scopes.
        is_open: whether what is in it is drawn.
    """

    name: str
    path: str
    scopes: dict[str, Scope] = field(default_factory=dict)
    items: list[int] = field(default_factory=list)
    is_open: bool = False

    def all_items(self) -> list[int]:
        """Returns the items in it at any depth."""
        found, left = [], [self]
        while left:
            scope = left.pop()
            found += scope.items
            left += scope.scopes.values()
        return found

    @property
    def size(self) -> int:
        """How many things are drawn in it if it is open, and its scopes are not."""
        return len(self.items) + len(self.scopes)


_MAX_DEPTH = 40


def make_scopes(picture: Picture, max_nodes: int, depth: int | None = None) -> Scope:
    """Returns the scopes of a picture.

    Args:
        picture: what is to be drawn.
        max_nodes: how many things there are to be in the drawing, if scopes can be closed for that.
        depth: how deep scopes are opened; as deep as `max_nodes` lets, if it is None.

    Returns:
        The outermost one, which is open and has no name.
    """
    root = Scope("", "")
    for number, item in enumerate(picture.items):
        scope = root
        if item.op not in ("input", "output"):
            for part in item.path.split("/")[:-1][:_MAX_DEPTH]:
                if part not in scope.scopes:
                    scope.scopes[part] = Scope(part, f"{scope.path}/{part}" if scope.path else part)
                scope = scope.scopes[part]
        scope.items.append(number)
    for name in list(root.scopes):
        root.scopes[name] = _joined(root.scopes[name])
    root = _without_wrapping(root, picture.items)
    _dissolve_single(root)
    _open(root, max_nodes, depth)
    return root


def _joined(scope: Scope) -> Scope:
    """A scope, without those that hold one other scope and nothing else."""
    while not scope.items and len(scope.scopes) == 1:
        (inner,) = scope.scopes.values()
        scope = Scope(f"{scope.name}/{inner.name}", inner.path, inner.scopes, inner.items)
    scope.scopes = {name: _joined(inner) for name, inner in scope.scopes.items()}
    return scope


def _without_wrapping(root: Scope, items: list[Item]) -> Scope:
    """The outermost scope, which is not just one scope with all in it."""
    while len(root.scopes) == 1 and all(items[number].op in ("input", "output") for number in root.items):
        (inner,) = root.scopes.values()
        root = Scope("", inner.path, inner.scopes, [*root.items, *inner.items])
    return root


def _dissolve_single(scope: Scope) -> None:
    """Puts the only item of a scope where the scope is."""
    for key, inner in list(scope.scopes.items()):
        _dissolve_single(inner)
        if not inner.scopes and len(inner.items) == 1:
            scope.items += inner.items
            del scope.scopes[key]


def _open(root: Scope, max_nodes: int, depth: int | None) -> None:
    root.is_open = True
    shown, level, level_depth = root.size, [root], 0
    while level:
        level_depth += 1
        inside = [inner for scope in level if scope.is_open for inner in scope.scopes.values()]
        for scope in sorted(inside, key=lambda scope: scope.size):
            more = scope.size - 1
            if (depth is None and shown + more <= max_nodes) or (depth is not None and level_depth <= depth):
                scope.is_open = True
                shown += more
        level = inside


def op_counts(scope: Scope, items: list[Item]) -> list[tuple[str, int]]:
    """Returns the ops in a scope, the most frequent first."""
    counts = Counter(items[number].op for number in scope.all_items())
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
