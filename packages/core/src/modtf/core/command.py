"""The `modtf` command. Installed packages add their sub-commands to it through the hook `modtf_commands`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any, NoReturn

from modtf.core import siblings
from modtf.core.backends import selection
from modtf.core.engine.plugins import CommandError, plugin_manager
from modtf.core.entry_points import installed

_OF_PACKAGES = ("saved-model",)
"""The commands that modtf's other packages bring."""


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong. The parsers of sub-commands are of the same class."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See `{self.prog} --help`.\n")


class _Version(argparse.Action):
    """`--version`: the versions of the packages, found when they are asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        print("\n".join(f"{name} {version}" for name, version in _distributions()))
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the `modtf` command.

    Args:
        arguments: What follows `modtf` in the terminal; those of the process by default.

    Returns:
        The exit status: 0 if all went well, 1 if not.

    Raises:
        SystemExit: With status 2 if the arguments are none of the command's, 0 after `--help` and `--version`.
    """
    try:
        parsed = _make_parser().parse_args(_checked(sys.argv[1:] if arguments is None else list(arguments)))
        status = parsed.run(parsed) or 0
        sys.stdout.flush()
    except CommandError as error:
        print(f"modtf: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `modtf ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _make_parser() -> _Parser:
    parser = _Parser(prog="modtf", description="Looks at models, runs them, and says what is installed.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the versions of modtf's packages, and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    backends = commands.add_parser(
        "backends",
        help="list the backends",
        description="Lists the installed backends, loading each to see whether it works here.",
    )
    backends.add_argument("--json", action="store_true", help="write JSON, for programs")
    backends.set_defaults(run=_run_backends)
    try:
        plugin_manager().hook.modtf_commands(commands=commands)
    except (ImportError, RuntimeError) as error:  # a plugin that is broken, or of another version
        raise CommandError(str(error)) from error
    return parser


def _checked(arguments: list[str]) -> list[str]:
    """The arguments, unless the command is one of a package that is not there."""
    module = arguments[0].replace("-", "_") if arguments and arguments[0] in _OF_PACKAGES else ""
    if module and module not in siblings.available():
        raise CommandError(f"{arguments[0]!r} comes with another package. Run `pip install {siblings.KNOWN[module]}`.")
    return arguments


def _distributions() -> list[tuple[str, str]]:
    """Names and versions of the installed distributions that are modtf's, or add to it."""
    found = {"modtf-core": metadata.version("modtf-core")}
    for group in (selection.GROUP, siblings.GROUP, "modtf.plugins"):
        found |= {entry.dist.name: entry.dist.version for entry in installed(group) if entry.dist}
    return sorted(found.items())


def _run_backends(arguments: argparse.Namespace) -> None:
    packages = {entry.name: entry.dist for entry in installed(selection.GROUP)}
    default = os.environ.get(selection.ENVIRONMENT_VARIABLE) or "numpy"
    rows: list[dict[str, Any]] = []
    for name in selection.list_backends():
        package = packages.get(name)
        row: dict[str, Any] = {
            "name": name,
            "default": name == default,
            "package": f"{package.name} {package.version}" if package else "",
            "available": True,
            "devices": [],
            "reason": "",
        }
        try:
            row["devices"] = list(selection.get_backend(name).devices())
        except Exception as error:  # whatever a backend's library raises where it does not work
            row["available"], row["reason"] = False, " ".join(str(error).split()) or type(error).__name__
        rows.append(row)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    widths = [max(len(row[key]) for row in rows) for key in ("name", "package")]
    for row in rows:
        state = f"available: {', '.join(row['devices'])}" if row["available"] else f"not available: {row['reason']}"
        default_note = " (default)" if row["default"] else ""
        print(f"{row['name']:{widths[0]}}  {row['package']:{widths[1]}}  {state}{default_note}")
