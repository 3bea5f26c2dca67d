"""Loaded tables: objects that a function of the file makes, another one fills, and others ask."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from modtf import core as tf
from modtf.core.contracts import get_backend, scoped

from .bundle import BundleReader
from .errors import DataLossError, SavedModelError
from .harmless import check_harmless
from .protos.graph_pb2 import FunctionDef
from .restored import RestoredConcreteFunction, RestoredFunction, RestoredObject

CREATE = "_create_resource"
"""The child of an object that makes its resource."""

INITIALIZE = "_initialize"
"""The child that fills it."""


class RestoredResource(RestoredObject):
    """A loaded table.

    Attributes:
        resource_handle: the tensor by which ops refer to it; None if it cannot be made here.
        obstacle: why it cannot be made, if so.
    """

    def __init__(self, create: RestoredFunction | None, what: str) -> None:
        super().__init__(name="restored")
        self.resource_handle: tf.Tensor | None = None
        self.obstacle = "" if create is not None else "is of a kind that nothing in the file makes."
        if create is None:
            return
        try:
            handle = _run(create)
        except (SavedModelError, tf.errors.OpError) as error:  # perhaps nobody needs it
            self.obstacle = f"cannot be made: {error}"
            return
        if handle is None:
            self.obstacle = "was saved without anything in it."
            return
        if not isinstance(handle, tf.Tensor) or handle.dtype is not tf.resource or handle.shape.rank != 0:
            raise DataLossError(f"{what}: is made by a function that gives {handle!r}, not a resource.")
        self.resource_handle = handle
        _run(_forget_name, handle)  # nobody else shall find it, and who has the handle needs no name

    def initialize(self) -> None:
        """Fills the table with what it holds from the beginning."""
        function = vars(self).get(INITIALIZE)
        if self.resource_handle is not None and isinstance(function, RestoredFunction) and function.concrete_functions:
            _run(function)


class RestoredTable(RestoredResource):
    """A loaded table that can change: its content is saved as variables are."""

    def __init__(self, create: RestoredFunction | None, what: str) -> None:
        super().__init__(create, what)
        self._functions: tuple[Any, ...] = ()
        self._endings: list[str] = []

    def restore(
        self,
        save: RestoredConcreteFunction,
        restore: RestoredConcreteFunction,
        bundle: BundleReader,
        attribute: str,
        key: str,
    ) -> None:
        """Fills the table with what it held when it was saved.

        Args:
            save: the function that gives what to save, with the names that it has in checkpoints.
            restore: the one that takes that.
            bundle: the checkpoint.
            attribute: how checkpoints call the content.
            key: the start of the names.
        """
        if self.resource_handle is None:
            return
        parts = _run(save, tf.constant(key))
        if not isinstance(parts, list) or not all(isinstance(part, Mapping) and "name" in part for part in parts):
            raise DataLossError(f"the function {save.name!r} gives {parts!r}, which is not what there is to save.")
        names = [part["name"].numpy().decode() for part in parts]
        _run(restore, *[tf.constant(bundle.read(name)) for name in names])
        self._checkpoint_attribute = attribute
        self._functions = save, restore
        self._endings = [name.removeprefix(key) for name in names]

    def _serialize_to_tensors(self) -> Mapping[str, tf.Tensor]:
        """What a checkpoint keeps of the table, by the endings of the names that it has there."""
        if not self._functions:
            return {}
        parts = self._functions[0](tf.constant(""))
        return {ending: part["tensor"] for ending, part in zip(self._endings, parts, strict=True)}

    def _restore_from_tensors(self, restored_tensors: Mapping[str, tf.Tensor]) -> Any:
        """Replaces the content by that of a checkpoint."""
        return self._functions[1](*[restored_tensors[ending] for ending in self._endings])


def make_private(function: FunctionDef) -> None:
    """Changes the names by which a function shares the resources that it makes: another model may have the same."""
    for node in function.node_def:
        if "shared_name" in node.attr and node.attr["shared_name"].s:
            node.attr["shared_name"].s += f"_{uuid.uuid4()}".encode()


def _run(function: Any, *args: Any) -> Any:
    for concrete in getattr(function, "concrete_functions", (function,)):
        if isinstance(concrete, RestoredConcreteFunction):
            check_harmless(concrete.graph, f"function {concrete.name!r}")
    with tf.init_scope(), scoped(backend=get_backend("numpy")):
        return function(*args)


def _forget_name(handle: tf.Tensor) -> None:
    tf.raw_ops.DestroyResourceOp(resource=handle, ignore_lookup_error=True)
