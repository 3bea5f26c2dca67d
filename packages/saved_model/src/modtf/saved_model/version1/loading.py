"""Loading a version-1 model as an object."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import get_backend, scoped

from ..assets import Asset, find_asset
from ..errors import DataLossError
from ..model_folder import variables_prefix
from ..options import LoadOptions
from ..protos.saved_model_pb2 import MetaGraphDef
from ..restored import RestoredObject
from ..signatures import SignatureMap
from .main_nodes import Source, parse_source
from .model import Version1Graph

_INTERNAL = "__saved_model_"  # begins the names of signatures that are no functions
_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_LOCAL_VARIABLES, _TABLES = "local_variables", "table_initializer"


class Version1Model(RestoredObject):
    """A loaded version-1 model.

    Attributes:
        signatures: the functions that servers call, by name.
        variables: all variables of the graph.
        graph: the graph, to look at and to name tensors by.
        prune: from feeds and fetches to a function; see `Version1Graph.prune`.
        restore: gives the variables the values in a checkpoint, whose path it takes.
        initializer: runs what the model runs before it is used, such as filling its tables; `load` has done so.
        asset_paths: the files that came with the model.
        tensorflow_version: the version that wrote it.
        tensorflow_git_version: the same more exactly.
    """


def load_version1(export_dir: str, path: str, proto: MetaGraphDef, options: LoadOptions) -> Version1Model:
    """Returns a model of a file, as TensorFlow's `tf.saved_model.load` gives it.

    Args:
        export_dir: the model's folder.
        path: the file, for errors.
        proto: the model in the file.
        options: see `LoadOptions`.

    Raises:
        SavedModelError: a file is missing, or contradicts itself, or cannot be restored.
    """
    assets: dict[Source, Asset] = {}
    for item in proto.asset_file_def:
        assets[parse_source(item.tensor_info.name)] = find_asset(export_dir, item.filename, path)
    graph = Version1Graph(proto, path, {source: asset.asset_path for source, asset in assets.items()})

    def restore(prefix: str) -> None:
        with scoped(backend=get_backend("numpy")):
            _restore(graph, proto, prefix)

    def initialize() -> None:
        operations = _init_operations(proto)
        if operations:
            _run(graph, {}, operations, f"{path}: the operations that initialise the model")

    if graph.variables.all and not options.experimental_skip_checkpoint:
        restore(variables_prefix(export_dir))
    initialize()
    model = Version1Model(name="restored")
    signatures = {key: item for key, item in proto.signature_def.items() if not key.startswith(_INTERNAL)}
    vars(model).update(
        signatures=SignatureMap({key: graph.signature(key, item) for key, item in signatures.items()}),
        variables=graph.variables.all,
        graph=graph.view,
        prune=graph.prune,
        restore=restore,
        initializer=initialize,
        asset_paths=list(assets.values()),
        tensorflow_version=proto.meta_info_def.tensorflow_version,
        tensorflow_git_version=proto.meta_info_def.tensorflow_git_version,
    )
    _warn_of_unknown_ops(path, graph.unknown_ops(signatures.values()))
    return model


def _restore(graph: Version1Graph, proto: MetaGraphDef, prefix: str) -> None:
    """Runs the graph's own operation that restores; what that leaves out is looked for under the variables' names."""
    saver = proto.saver_def
    if saver.filename_tensor_name and saver.restore_op_name:
        filename = parse_source(saver.filename_tensor_name)
        what = f"{prefix}: the operation {saver.restore_op_name!r}, which restores the variables,"
        _run(graph, {filename: tf.constant(prefix)}, [saver.restore_op_name.partition(":")[0]], what)
    else:
        graph.variables.restore(prefix)


def _run(graph: Version1Graph, feeds: dict[Source, tf.Tensor], operations: Sequence[str], what: str) -> None:
    try:
        graph.run(feeds, operations)
    except tf.errors.OpError as error:
        raise DataLossError(f"{what} failed: {error}") from error


def _init_operations(proto: MetaGraphDef) -> list[str]:
    """The names of the nodes that make the model ready: tables are filled, local variables get their values."""
    if _INIT_SIGNATURE in proto.signature_def:
        return [info.name.partition(":")[0] for info in proto.signature_def[_INIT_SIGNATURE].outputs.values()]
    for key in _INIT_COLLECTIONS:
        names = proto.collection_def[key].node_list.value if key in proto.collection_def else ()
        if names:
            return [name.partition(":")[0] for name in names]
    found: list[str] = []
    if _TABLES in proto.collection_def:
        found += proto.collection_def[_TABLES].node_list.value
    if _LOCAL_VARIABLES in proto.collection_def:
        found += initializers(proto.collection_def[_LOCAL_VARIABLES].bytes_list.value)
    return [name.partition(":")[0] for name in found if name]


def _warn_of_unknown_ops(path: str, unknown: dict[str, int]) -> None:
    if unknown:
        warnings.warn(unknown_ops_text(path, unknown), stacklevel=4)
