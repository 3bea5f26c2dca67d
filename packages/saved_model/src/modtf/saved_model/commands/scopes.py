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
        prefix: what the names of all that is in it begin with.
        scopes: the scopes in it, by name.
        items: the numbers of the items that are in it, and in none of its scopes.
        is_open: whether what is in it is drawn.
    """

    name: str
    prefix: str
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
_MANY, _FEW = 24, 3
"""A scope with more things in it than the first is divided into groups of at least the second."""


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
                    scope.scopes[part] = Scope(part, f"{scope.prefix}{part}/")
                scope = scope.scopes[part]
        scope.items.append(number)
    for name in list(root.scopes):
        root.scopes[name] = _joined(root.scopes[name])
    root = _without_wrapping(root, picture.items)
    _group(root, picture.items)
    _dissolve_single(root)
    _open(root, max_nodes, depth)
    return root


def _joined(scope: Scope) -> Scope:
    """A scope, without those that hold one other scope and nothing else."""
    while not scope.items and len(scope.scopes) == 1:
        (inner,) = scope.scopes.values()
        scope = Scope(f"{scope.name}/{inner.name}", inner.prefix, inner.scopes, inner.items)
    scope.scopes = {name: _joined(inner) for name, inner in scope.scopes.items()}
    return scope


def _without_wrapping(root: Scope, items: list[Item]) -> Scope:
    """The outermost scope, which is not just one scope with all in it."""
    while len(root.scopes) == 1 and all(items[number].op in ("input", "output") for number in root.items):
        (inner,) = root.scopes.values()
        root = Scope("", inner.prefix, inner.scopes, [*root.items, *inner.items])
    return root


def _group(scope: Scope, items: list[Item]) -> None:
    """Divides a scope with many things in it by the beginnings of their names: "block_1_expand" goes into "block_1"."""
    for inner in scope.scopes.values():
        _group(inner, items)
    if scope.size <= _MANY:
        return
    names = {number: items[number].path.removeprefix(scope.prefix) for number in scope.items}
    members: dict[str, int] = Counter(filter(None, map(_beginning, [*scope.scopes, *names.values()])))
    groups = {name: Scope(name, f"{scope.prefix}{name}_") for name, count in members.items() if count >= _FEW}
    for key, inner in list(scope.scopes.items()):
        group = groups.get(_beginning(key))
        if group is not None:
            inner.name = key.removeprefix(f"{group.name}_")
            group.scopes[inner.name] = scope.scopes.pop(key)
    for number, name in names.items():
        if _beginning(name) in groups:
            groups[_beginning(name)].items.append(number)
            scope.items.remove(number)
    scope.scopes |= {f"{name}_*": group for name, group in groups.items()}


def _beginning(name: str) -> str:
    """The parts of a name up to the first with a digit, if there are more: "conv2" of "conv2_block1_add"."""
    parts = name.split("/", maxsplit=1)[0].split("_")
    numbered = [place for place, part in enumerate(parts) if any(map(str.isdigit, part))]
    return "_".join(parts[: numbered[0] + 1]) if numbered and numbered[0] + 2 < len(parts) else ""


def _dissolve_single(scope: Scope) -> None:
    """Puts the only item of a scope where the scope is."""
    for key, inner in list(scope.scopes.items()):
        _dissolve_single(inner)
        if not inner.scopes and len(inner.items) == 1:
            scope.items += inner.items
            del scope.scopes[key]


def _open(root: Scope, max_nodes: int, depth: int | None) -> None:
    """Opens scopes, all of one depth or none; only if that leaves much room, the smaller ones of the next."""
    root.is_open = True
    shown, reached = root.size, 0
    level = list(root.scopes.values())
    while level:
        more = sum(scope.size - 1 for scope in level)
        if reached >= depth if depth is not None else shown + more > max_nodes:
            break
        for scope in level:
            scope.is_open = True
        shown, reached = shown + more, reached + 1
        level = [inner for scope in level for inner in scope.scopes.values()]
    if depth is not None or shown * 4 > max_nodes:
        return
    for scope in sorted(level, key=lambda scope: scope.size):
        if shown + scope.size - 1 <= max_nodes:
            scope.is_open = True
            shown += scope.size - 1


def op_counts(scope: Scope, items: list[Item]) -> list[tuple[str, int]]:
    """Returns the ops in a scope, the most frequent first."""
    counts = Counter(items[number].op for number in scope.all_items())
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
