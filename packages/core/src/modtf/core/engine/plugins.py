"""The plugin contract: hooks through which other distributions add to modtf, found by entry points.

A plugin is a module or object under the entry-point group `modtf.plugins`, with functions marked `@hookimpl`:

    from modtf.core.contracts import hookimpl

    @hookimpl
    def modtf_ops():
        import my_package.ops  # registers its ops
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pluggy

from modtf.core.entry_points import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PLUGIN_CONTRACT_VERSION = 1
"""The version of the hooks. A plugin may state the one it was written for as `MODTF_PLUGIN_CONTRACT`."""

GROUP = "modtf.plugins"

hookspec = pluggy.HookspecMarker("modtf")
hookimpl = pluggy.HookimplMarker("modtf")


class CommandError(Exception):
    """A sub-command of `modtf` failed. The message is shown in one line, and the exit status is 1."""


class Hooks:
    """What a plugin may implement."""

    @hookspec
    def modtf_ops(self) -> None:
        """Registers more ops with `modtf.core.contracts.op`; called when an op is asked for that core lacks."""

    @hookspec
    def modtf_graph_passes(self) -> Sequence[Callable[[Any], Any]]:  # type: ignore[empty-body]
        """Returns more graph passes, functions from graph to graph, run after core's own before compiling."""

    @hookspec
    def modtf_commands(self, commands: Any) -> None:
        """Adds sub-commands to the `modtf` command; called when that command is used.

        Args:
            commands: What `argparse.ArgumentParser.add_subparsers` returns. The parser that `commands.add_parser(name)`
                makes sets `run` by `set_defaults(run=function)`. That function is given the parsed arguments and returns
                the exit status, `None` for 0. It raises `CommandError` for what the user is to know of.
        """


@functools.cache
def plugin_manager() -> pluggy.PluginManager:
    """Returns the manager with every installed plugin loaded.

    Raises:
        RuntimeError: A plugin was written for another version of the hooks.
    """
    manager = pluggy.PluginManager("modtf")
    manager.add_hookspecs(Hooks)
    for entry in installed(GROUP):
        plugin = entry.load()
        theirs = getattr(plugin, "MODTF_PLUGIN_CONTRACT", PLUGIN_CONTRACT_VERSION)
        if theirs != PLUGIN_CONTRACT_VERSION:
            distribution = entry.dist.name if entry.dist else entry.value
            outdated = "modtf-core" if theirs > PLUGIN_CONTRACT_VERSION else distribution
            raise RuntimeError(
                f"The plugin {entry.name!r} of {distribution} was written for version {theirs} of the plugin contract, "
                f"but modtf-core speaks version {PLUGIN_CONTRACT_VERSION}. Run `pip install --upgrade {outdated}`."
            )
        manager.register(plugin, entry.name)
    return manager


@functools.cache
def load_op_plugins() -> None:
    """Lets every plugin register its ops, once."""
    plugin_manager().hook.modtf_ops()
