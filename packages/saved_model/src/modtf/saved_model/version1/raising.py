"""Raising: conditionals and loops out of the nodes that TensorFlow 1 made of them.

There, a graph has no parts. A conditional is made of Switch nodes, which pass a value on to one of two sides, and of Merge
nodes, which give the value of the side that has one; whatever depends on a side does not run when the other is taken. A
loop is made of Enter, by which values come into it, Merge, which gives the first value of a loop variable and then those
that NextIteration passes on, Switch, by which the variable goes into the body or to Exit, and LoopCond, which decides
(Abadi et al., "TensorFlow: A System for Large-Scale Machine Learning", section 3.4; Yu et al., "Dynamic Control Flow in
Large-Scale Machine Learning").

Every node is given a *path*: the sides and loops which it is in, from the outermost. Nodes whose results merge are a
`Conditional`, nodes between Enter and Exit are a `Loop`, and what they consist of are steps again. Switch and Enter become
other names for what they pass on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import DataLossError, UnsupportedError
from ..protos.graph_pb2 import NodeDef
from .main_nodes import MERGES, NEXT_ITERATIONS, MainNodes, Source

_SWITCHES = frozenset({"Switch", "RefSwitch"})
_ENTERS = frozenset({"Enter", "RefEnter"})
_EXITS = frozenset({"Exit", "RefExit"})
_PASSING = frozenset({"LoopCond"}) | _SWITCHES | _ENTERS | _EXITS | NEXT_ITERATIONS
_IDENTITIES = frozenset({"Identity", "RefIdentity"})
_VARIABLES = frozenset({"Variable", "VariableV2"})

_MAX_DEPTH = 100

VALUE_INDEX = 1
"""The output of a Merge that says which of its inputs it gives."""


class Side(NamedTuple):
    """Part of a path: a side of a conditional."""

    predicate: Source
    value: int


class Frame(NamedTuple):
    """Part of a path: a loop."""

    name: str


Path = tuple[Side | Frame, ...]


@dataclass
class Conditional:
    """Steps of which one side is run.

    Attributes:
        name: a node of it.
        predicate: what decides.
        sides: the steps of the side that is run if it is false, and of the other.
        results: for the name of each Merge, what the two sides give for it.
        places: for the name of each Merge, which of its inputs the two sides are.
    """

    name: str
    predicate: Source
    sides: tuple[list[Step], list[Step]]
    results: dict[str, tuple[Source, Source]]
    places: dict[str, tuple[int, int]]


@dataclass
class LoopVariable:
    """What a loop hands on from iteration to iteration.

    Attributes:
        name: its Merge, whose output is its value in condition and body.
        first: its first value.
        following: the value for the next iteration.
        exits: the nodes that give its last value.
    """

    name: str
    first: Source
    following: Source
    exits: list[str] = field(default_factory=list)


@dataclass
class Loop:
    """Steps that are run again and again.

    Attributes:
        name: the loop's name.
        variables: its variables.
        predicate: what says whether there is a further iteration.
        condition: the steps that compute that.
        body: the steps of an iteration.
    """

    name: str
    variables: list[LoopVariable]
    predicate: Source
    condition: list[Step]
    body: list[Step]


Step = NodeDef | Conditional | Loop


class _Circle(Exception):
    """Conditionals that were taken to be one need each other's results."""


class Raised:
    """What is to be done to compute some outputs of a graph.

    Args:
        nodes: the graph.
        fetches: the outputs.
        operations: nodes to run, whatever they give.
        feeds: outputs that are given.

    Attributes:
        steps: the steps, in an order in which they can be taken.
        ordered: the nodes that must run, each after what it waits for.
        other_names: for an output that passes another one on, that other one.

    Raises:
        DataLossError: nodes are missing, or no order is possible.
        UnsupportedError: the nodes are put together in a way that is neither a conditional nor a loop.
    """

    def __init__(
        self, nodes: MainNodes, fetches: Sequence[Source], operations: Sequence[str], feeds: Collection[Source]
    ) -> None:
        self._nodes = nodes
        self._feeds = feeds
        self._paths: dict[str, Path] = {}
        self._loops: dict[Path, list[str]] = {}
        self._merges: dict[Path, list[str]] = {}
        self._predicates: dict[Source, Source] = {}
        self._apart = False
        self.other_names: dict[Source, Source] = {}
        targets = list(dict.fromkeys([*(source.node for source in fetches if source not in feeds), *operations]))
        self.ordered = nodes.in_order(targets, feeds)
        for name in self.ordered:
            self._find_path(name)
        for source in fetches:
            if source not in feeds and self._path_of(source):
                raise UnsupportedError(
                    f"{nodes.where}: {str(source)!r} is computed only on one side of a conditional or in a loop, so that it "
                    "cannot be fetched."
                )
        self._used = {source for name in self.ordered for source in nodes.inputs(name)} | set(fetches)
        try:
            self.steps = self._steps((), targets)
        except _Circle:
            self._apart = True
            self.steps = self._steps((), targets)

    def behind(self, source: Source) -> Source:
        """Returns the output that another one passes on, or that one itself."""
        while source in self.other_names:
            source = self.other_names[source]
        return source

    # --------------------------------------------------------------------------------------------- paths

    def _op(self, name: str) -> str:
        return self._nodes[name].op

    def _is_loop_switch(self, name: str) -> bool:
        return self._op(name) in _SWITCHES and self._op(self._nodes.inputs(name)[1].node) == "LoopCond"

    def _path_of(self, source: Source) -> Path:
        if source in self._feeds:
            return ()
        path = self._paths[source.node]
        if self._op(source.node) in _SWITCHES and not self._is_loop_switch(source.node):
            return (*path, Side(self._predicate(source.node), source.output))
        return path

    def _predicate(self, switch: str) -> Source:
        """What decides at a Switch: the same output for all Switches of a conditional."""
        source = self._nodes.inputs(switch)[1]
        if source not in self._predicates:
            found = self.behind(source)
            while self._op(found.node) in _IDENTITIES and found not in self._feeds:
                given = self.behind(self._nodes.inputs(found.node)[0])
                if self._op(given.node) in _VARIABLES:
                    break
                found = given
            self._predicates[source] = found
        return self._predicates[source]

    def _find_path(self, name: str) -> None:
        inputs, op = self._nodes.inputs(name), self._op(name)
        self._check_inputs(name, op, len(inputs))
        path: Path = ()
        if op in MERGES and not self._nodes.begins_iteration(name):
            path = self._path_of_merge(name)
            self._merges.setdefault(path, []).append(name)
        else:
            sources = [source for source in inputs if source not in self._feeds and source.node in self._paths]
            paths = [self._path_of(source) for source in sources]
            paths += [self._paths[control] for control in self._nodes.controls(name)]
            path = max(paths, key=len, default=())
            if any(path[: len(other)] != other for other in paths):
                raise UnsupportedError(
                    f"{self._nodes.where}: the node {name!r} takes values from different sides of conditionals or loops."
                )
        if op in _ENTERS:
            path = (*path, Frame(self._nodes[name].attr["frame_name"].s.decode("utf-8", "replace")))
            self.other_names[Source(name, 0)] = inputs[0]
        elif op in _EXITS:
            if not path or not isinstance(path[-1], Frame) or not self._is_loop_switch(inputs[0].node):
                raise UnsupportedError(f"{self._nodes.where}: the node {name!r} is an {op}, but not of a loop.")
            self._loops.setdefault(path, []).append(name)
            path = path[:-1]
        elif op == "LoopCond" or (op in MERGES and self._nodes.begins_iteration(name)):
            self._loops.setdefault(path, []).append(name)
        elif op in _SWITCHES and self._is_loop_switch(name):
            self.other_names[Source(name, 1)] = inputs[0]
        elif op in _SWITCHES:
            self.other_names[Source(name, 0)] = self.other_names[Source(name, 1)] = inputs[0]
        if op == "LoopCond":
            self.other_names[Source(name, 0)] = inputs[0]
        if len(path) > _MAX_DEPTH:
            raise UnsupportedError(
                f"{self._nodes.where}: the node {name!r} is in over {_MAX_DEPTH} conditionals and loops."
            )
        self._paths[name] = path

    def _check_inputs(self, name: str, op: str, count: int) -> None:
        expected = 2 if op in _SWITCHES or op in MERGES else 1
        if (op in _PASSING or op in MERGES or op in _IDENTITIES) and count != expected:
            raise UnsupportedError(
                f"{self._nodes.where}: the node {name!r} is a {op} of {count} inputs, not {expected}."
            )

    def _path_of_merge(self, name: str) -> Path:
        first, second = (self._path_of(source) for source in self._nodes.inputs(name))
        outer = first[:-1]
        match (first[-1:], second[-1:]):
            case ((Side(predicate, value),), (Side(other, other_value),)) if (
                outer == second[:-1] and predicate == other and {value, other_value} == {0, 1}
            ):
                return outer
        raise UnsupportedError(
            f"{self._nodes.where}: the node {name!r} merges what are not the two sides of one conditional."
        )

    # --------------------------------------------------------------------------------------------- steps

    def _steps(self, path: Path, targets: Sequence[str]) -> list[Step]:
        """The steps that nodes of one path need, without those of the paths around."""
        groups: dict[Any, list[str]] = {}
        for name in self._merges.get(path, ()):
            groups.setdefault(self._group(name), []).append(name)
        steps: list[Step] = []
        done: dict[Any, bool] = {}
        needs: dict[Any, list[Any]] = {}
        for target in targets:
            left = [self._thing(target, path)]
            while left:
                thing = left[-1]
                if thing is None or done.get(thing):
                    left.pop()
                    continue
                if thing not in needs:
                    needs[thing] = self._needs(thing, path, groups)
                needed = [other for other in needs[thing] if other and not done.get(other)]
                if not needed:
                    done[thing] = True
                    left.pop()
                    steps.extend(self._made(thing, path, groups))
                elif thing in done:
                    raise (
                        _Circle
                        if not self._apart
                        else DataLossError(
                            f"{self._nodes.where}: conditionals or loops depend on their own results, at {thing!r}."
                        )
                    )
                else:
                    done[thing] = False
                    left.extend(reversed(needed))
        return steps

    def _is_merge(self, name: str) -> bool:
        return self._op(name) in MERGES and not self._nodes.begins_iteration(name)

    def _group(self, merge: str) -> Any:
        """Tells conditionals apart: the Merges of one are together in a scope of names."""
        side = self._path_of(self._nodes.inputs(merge)[0])[-1]
        assert isinstance(side, Side)
        return side.predicate, merge if self._apart else merge.rpartition("/")[0]

    def _thing(self, name: str, path: Path) -> Any:
        """What a node is part of, seen from a path: itself, a conditional or a loop; None if it is outside."""
        own = self._paths[name]
        if own != path:
            if len(own) < len(path):
                return None
            raise UnsupportedError(
                f"{self._nodes.where}: the node {name!r} is waited for from outside of its loop or side."
            )
        if self._is_merge(name):
            return ("conditional", self._group(name))
        if self._op(name) in _EXITS:
            return ("loop", self._paths[self._nodes.inputs(name)[0].node])
        return name

    def _inputs_of(self, name: str) -> list[str]:
        """The nodes that a node waits for, all iterations being one."""
        if self._op(name) in _SWITCHES and self._is_loop_switch(name):
            return [self._nodes.inputs(name)[0].node]
        if self._nodes.begins_iteration(name):
            return []
        return self._nodes.needed(name, self._feeds)

    def _needs(self, thing: Any, path: Path, groups: dict[Any, list[str]]) -> list[Any]:
        if isinstance(thing, str):
            return [self._thing(source, path) for source in self._inputs_of(thing)]
        kind, key = thing
        if kind == "loop":
            inside = [name for name in self.ordered if self._paths[name][: len(key)] == key]
        else:
            inside = groups[key]
        seen, left = set(inside), list(inside)
        needed: dict[Any, None] = {}
        while left:
            name = left.pop()
            sources = self._nodes.needed(name, self._feeds)
            if self._nodes.begins_iteration(name):
                sources += [source.node for source in self._nodes.inputs(name)]
            for source in sources:
                if len(self._paths[source]) > len(path):
                    if source not in seen:
                        seen.add(source)
                        left.append(source)
                elif self._thing(source, path) != thing:
                    needed[self._thing(source, path)] = None
                elif kind == "conditional":
                    raise _Circle
        return list(needed)

    def _made(self, thing: Any, path: Path, groups: dict[Any, list[str]]) -> list[Step]:
        if isinstance(thing, str):
            node = self._nodes[thing]
            return [] if node.op in _PASSING or self._nodes.begins_iteration(thing) else [node]
        kind, key = thing
        return [self._loop(key) if kind == "loop" else self._conditional(key[0], groups[key], path)]

    def _conditional(self, predicate: Source, merges: Sequence[str], path: Path) -> Conditional:
        results: dict[str, tuple[Source, Source]] = {}
        places: dict[str, tuple[int, int]] = {}
        for name in merges:
            inputs = self._nodes.inputs(name)
            side = self._path_of(inputs[0])[-1]
            assert isinstance(side, Side)
            places[name] = (1, 0) if side.value else (0, 1)
            results[name] = (inputs[places[name][0]], inputs[places[name][1]])
        sides = []
        for value in (0, 1):
            inner = (*path, Side(predicate, value))
            sources = [result[value].node for result in results.values()]
            sides.append(self._steps(inner, [name for name in sources if self._paths.get(name) == inner]))
        index_used = {name for name in merges if Source(name, VALUE_INDEX) in self._used}
        return Conditional(
            merges[0],
            predicate,
            (sides[0], sides[1]),
            results,
            {name: place for name, place in places.items() if name in index_used},
        )

    def _loop(self, path: Path) -> Loop:
        frame = path[-1]
        assert isinstance(frame, Frame)
        variables: dict[str, LoopVariable] = {}
        predicates: list[Source] = []
        following: list[str] = []
        for name in self._loops[path]:
            if self._op(name) == "LoopCond":
                predicates.append(self._nodes.inputs(name)[0])
            elif self._op(name) in MERGES:
                entering, again = sorted(
                    self._nodes.inputs(name), key=lambda source: self._op(source.node) in NEXT_ITERATIONS
                )
                following.append(again.node)
                variables[name] = LoopVariable(name, entering, self._nodes.inputs(again.node)[0])
        if len(predicates) != 1:
            raise UnsupportedError(
                f"{self._nodes.where}: the loop {frame.name!r} has {len(predicates)} conditions, not one."
            )
        for name in self._loops[path]:
            if self._op(name) in _EXITS:
                merge = self._nodes.inputs(self._nodes.inputs(name)[0].node)[0].node
                if merge not in variables:
                    raise UnsupportedError(f"{self._nodes.where}: {name!r} does not give a variable of its loop.")
                variables[merge].exits.append(name)
        condition = predicates[0].node
        return Loop(
            frame.name,
            list(variables.values()),
            predicates[0],
            self._steps(path, [condition] if self._paths.get(condition) == path else []),
            self._steps(path, following),
        )
