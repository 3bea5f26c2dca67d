"""`modtf saved-model`: show, run, validate and draw a model that lies in a folder."""

from __future__ import annotations

from typing import Any

from . import graph, run, show, validate


def add_commands(commands: Any) -> None:
    """Adds `saved-model` and its sub-commands to the `modtf` command.

    Args:
        commands: what `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "saved-model",
        help="look at SavedModels, run and check them",
        description="Looks at TensorFlow SavedModels, runs and checks them, without TensorFlow.",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (show, run, validate, graph):
        command.add_to(subcommands)
