"""What the commands have in common: the model's folder and tags among the arguments, opening it, and errors."""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modtf import core as tf
from modtf.core.contracts import CommandError

from ..attributes import decode_shape
from ..errors import NotFoundError, SavedModelError
from ..model_folder import read_model_file
from ..protos.graph_pb2 import FunctionDef
from ..protos.saved_model_pb2 import MetaGraphDef, TensorInfo
from ..protos.structure_pb2 import StructuredValue
from ..protos.tensor_pb2 import TensorShapeProto
from ..structures import OpaqueSpec, decode_structure
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
    def tags(self) -> tuple[str, ...]:
        """The tags, in the order of the alphabet."""
        return tuple(sorted(self.proto.meta_info_def.tags))

    @functools.cached_property
    def functions(self) -> dict[str, FunctionDef]:
        """The functions by name."""
        return {function.signature.name: function for function in self.proto.graph_def.library.function}


def add_model_arguments(parser: ArgumentParser, tags: bool = True, json: bool = True) -> None:
    """Adds the arguments that say which model is meant, and how to write what is found."""
    parser.add_argument("folder", metavar="DIR", help="the model's folder")
    if tags:
        parser.add_argument("--tags", metavar="TAG[,TAG]", help="the tags of the model, if the folder has several")
    if json:
        parser.add_argument("--json", action="store_true", help="write JSON, for programs")


def tags_of(arguments: Namespace) -> list[str] | None:
    """Returns the tags that were given, or None."""
    return None if arguments.tags is None else [tag for tag in arguments.tags.split(",") if tag]


def models_in(folder: str) -> list[OpenedModel]:
    """Reads the file of a model's folder; returns each of the models in it.

    Raises:
        SavedModelError: it is missing or unreadable.
    """
    proto, path = read_model_file(folder)
    tags = [tuple(sorted(meta_graph.meta_info_def.tags)) for meta_graph in proto.meta_graphs]
    return [
        OpenedModel(Path(folder), path, meta_graph, tuple(tags[:number] + tags[number + 1 :]))
        for number, meta_graph in enumerate(proto.meta_graphs)
    ]


def open_model(arguments: Namespace) -> OpenedModel:
    """Reads the file of a model's folder; returns the model in it that the arguments name.

    Raises:
        SavedModelError: it is missing or unreadable, or has no model with these tags.
    """
    models, wanted = models_in(arguments.folder), tags_of(arguments)
    found = "; ".join(",".join(model.tags) or "(no tags)" for model in models)
    if wanted is None and len(models) > 1:
        raise NotFoundError(f"{models[0].path}: has several models; choose one by --tags: {found}.")
    for model in models:
        if wanted is None or set(wanted) == set(model.tags):
            return model
    raise NotFoundError(f"{models[0].path}: has no model with the tags {','.join(wanted or ())}; it has: {found}.")


@contextlib.contextmanager
def command_errors() -> Iterator[None]:
    """What is wrong with a model or its inputs becomes an error of the command; warnings are lines on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
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
        spec = decode_structure(StructuredValue(type_spec_value=info.composite_tensor.type_spec), what)
        facts["kind"] = info.composite_tensor.type_spec.type_spec_class_name or "composite"
        facts["tensor"] = [component.name for component in info.composite_tensor.components]
        if not isinstance(spec, OpaqueSpec) and hasattr(spec, "dtype") and hasattr(spec, "shape"):
            facts["dtype"], facts["shape"] = spec.dtype.name, None if spec.shape.dims is None else list(spec.shape.dims)
    return facts
