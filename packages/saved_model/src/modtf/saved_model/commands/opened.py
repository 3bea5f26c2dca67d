"""What the commands have in common: the model's folder and tags among the arguments, opening it, and errors."""

from __future__ import annotations

import contextlib
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modtf import core as tf
from modtf.core.contracts import CommandError

from ..attributes import decode_shape
from ..errors import DataLossError, NotFoundError, SavedModelError, UnsupportedError
from ..model_folder import read_model_file
from ..protos.graph_pb2 import FunctionDef
from ..protos.saved_model_pb2 import MetaGraphDef, TensorInfo
from ..protos.tensor_pb2 import TensorShapeProto
from .text import type_name

INIT_OP = "__saved_model_init_op"
"""A signature that is none: it names the node that initializes tables."""


@dataclass(frozen=True)
class OpenedModel:
    """A model whose file was read; nothing was loaded.

    Attributes:
        folder: its folder.
        path: the file.
        proto: the model in it that was asked for.
        others: the tags of the models in it that were not.
    """

    folder: Path
    path: str
    proto: MetaGraphDef
    others: tuple[tuple[str, ...], ...]

    @property
    def functions(self) -> dict[str, FunctionDef]:
        """The functions by name."""
        return {function.signature.name: function for function in self.proto.graph_def.library.function}


def add_model_arguments(parser: ArgumentParser, tags: bool = True) -> None:
    """Adds the arguments that say which model is meant, and `--json`."""
    parser.add_argument("folder", metavar="DIR", help="the model's folder")
    if tags:
        parser.add_argument("--tags", metavar="TAG[,TAG]", help="the tags of the model, if the folder has several")
    if parser.prog.split()[-1] != "graph":
        parser.add_argument("--json", action="store_true", help="write JSON, for programs")


def tags_of(arguments: Namespace) -> list[str] | None:
    """Returns the tags that were given, or None."""
    return None if arguments.tags is None else [tag for tag in arguments.tags.split(",") if tag]


def open_model(arguments: Namespace) -> OpenedModel:
    """Reads the file of the model that the arguments name.

    Raises:
        SavedModelError: it is missing or unreadable, or has no model with these tags.
    """
    proto, path = read_model_file(arguments.folder)
    found = [tuple(sorted(meta_graph.meta_info_def.tags)) for meta_graph in proto.meta_graphs]
    wanted = tags_of(arguments)
    if wanted is None and len(found) > 1:
        raise NotFoundError(f"{path}: has several models; choose one by --tags: {_listed(found)}.")
    if wanted is not None and tuple(sorted(set(wanted))) not in found:
        raise NotFoundError(f"{path}: has no model with the tags {','.join(wanted)}; it has: {_listed(found)}.")
    chosen = 0 if wanted is None else found.index(tuple(sorted(set(wanted))))
    others = tuple(tags for number, tags in enumerate(found) if number != chosen)
    return OpenedModel(Path(arguments.folder), path, proto.meta_graphs[chosen], others)


def _listed(found: list[tuple[str, ...]]) -> str:
    return "; ".join(",".join(tags) or "(no tags)" for tags in found)


@contextlib.contextmanager
def command_errors() -> Iterator[None]:
    """What is wrong with a model or its inputs becomes an error of the command; warnings are lines on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (SavedModelError, tf.errors.OpError, OSError) as error:
            raise CommandError(str(error)) from error
        finally:
            for message in dict.fromkeys(str(warning.message) for warning in caught):
                print(f"modtf: warning: {' '.join(message.split())}", file=sys.stderr)


def shape_list(proto: TensorShapeProto, what: str = "the tensor") -> list[int | None] | None:
    """Returns a shape for JSON: None stands for what is not known."""
    shape = decode_shape(proto, what)
    return None if shape.dims is None else list(shape.dims)


def tensor_facts(name: str, info: TensorInfo, what: str) -> dict[str, object]:
    """Returns what a signature says of a tensor, for JSON."""
    facts: dict[str, object] = {
        "name": name,
        "dtype": type_name(info.dtype),
        "shape": shape_list(info.tensor_shape, what),
        "tensor": info.name,
    }
    if info.WhichOneof("encoding") == "coo_sparse":
        facts["kind"], facts["tensor"] = "sparse", info.coo_sparse.values_tensor_name
    elif info.WhichOneof("encoding") == "composite_tensor":
        facts["kind"] = info.composite_tensor.type_spec.type_spec_class_name or "composite"
    return facts


__all__ = [
    "INIT_OP", "DataLossError", "OpenedModel", "UnsupportedError", "add_model_arguments", "command_errors", "open_model",
    "shape_list", "tags_of", "tensor_facts",
]  # fmt: skip
