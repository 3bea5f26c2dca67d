"""`modtf saved-model graph`: a picture of a signature or function."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from typing import Any

from modtf.core.contracts import CommandError

from .opened import add_model_arguments, command_errors, open_model
from .picture import picture_of_function, picture_of_signature
from .text import count_text

_MAX_NODES = 120


def add_to(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "graph",
        help="draw a signature or function",
        description="Draws the graph of a signature, or of a function. Scopes are drawn as one node each where there would "
        "be too many nodes otherwise.",
    )
    add_model_arguments(parser, json=False)
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="FILE.svg, FILE.html (to move and zoom in), or FILE.dot"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--signature", metavar="NAME", help="the signature; the default or only one, if none is named")
    which.add_argument("--function", metavar="NAME", help="the function, by its name in `show --all`")
    parser.add_argument("--depth", metavar="N", type=_count, help="open scopes down to this depth")
    parser.add_argument(
        "--max-nodes",
        metavar="N",
        type=_count,
        default=_MAX_NODES,
        help=f"open scopes as long as there are no more nodes than this; {_MAX_NODES} by default",
    )
    parser.add_argument("--all", action="store_true", help="draw constants, variables and identities too")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def run(arguments: Namespace) -> None:
    """Runs the command."""
    from . import drawing
    from .scopes import make_scopes

    kinds = {".svg": drawing.to_svg, ".html": drawing.to_html, ".dot": drawing.to_dot}
    draw = kinds.get(os.path.splitext(arguments.output)[1].lower())
    if draw is None:
        raise CommandError(f"--output: {arguments.output!r} must end in {', '.join(kinds)}.")
    with command_errors():
        model = open_model(arguments)
        if arguments.function is not None:
            picture = picture_of_function(model, arguments.function, arguments.all)
        else:
            picture = picture_of_signature(model, arguments.signature, arguments.all)
        text = draw(picture, make_scopes(picture, arguments.max_nodes, arguments.depth))
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text)
    print(f"{arguments.output}: {picture.title}, {count_text(picture.nodes, 'node')}")
