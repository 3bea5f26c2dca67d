"""`modtf saved-model validate`: whether a model is whole, and can be run here."""

from __future__ import annotations

import json
import os
import warnings
from argparse import Namespace
from typing import Any

from ..errors import SavedModelError
from .checks import Finding, check
from .opened import OpenedModel, add_model_arguments, models_in
from .text import count_text


def add_to(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "validate",
        help="check that a model is whole",
        description="Checks a model's files: checksums, references between their parts, assets, ops. The exit status is "
        "0 if nothing is wrong, and 1 otherwise.",
    )
    add_model_arguments(parser, tags=False)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Runs the command."""
    findings: list[Finding] = []
    checked: list[OpenedModel] = []
    try:
        checked = models_in(arguments.folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is among the findings
            for model in checked:
                findings += check(model)
    except (SavedModelError, OSError) as error:
        findings.append(Finding("", "model", str(error)))
    if arguments.json:
        facts = {"folder": arguments.folder, "valid": not findings, "findings": [item._asdict() for item in findings]}
        print(json.dumps(facts, indent=2))
    elif findings:
        for file, part, reason in findings:
            print(f"{os.path.join(arguments.folder, file)}: {part}: {reason}" if file else reason)
    else:
        print(f"{arguments.folder}: nothing wrong ({_what_was_checked(checked)})")
    return 1 if findings else 0


def _what_was_checked(models: list[OpenedModel]) -> str:
    functions = sum(len(model.functions) for model in models)
    nodes = sum(
        len(model.proto.graph_def.node) + sum(len(function.node_def) for function in model.functions.values())
        for model in models
    )
    variables = sum(
        node.WhichOneof("kind") == "variable" for model in models for node in model.proto.object_graph_def.nodes
    )
    counts = [(functions, "function"), (nodes, "node"), (variables, "variable")]
    return ", ".join(count_text(count, what) for count, what in counts)
