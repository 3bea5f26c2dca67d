"""Loading a version-1 model as an object."""

from __future__ import annotations

import os
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from modtf import core as tf
from modtf.core.contracts import get_backend, scoped

from ..assets import find_asset
from ..checkpoint_files import is_checkpoint
from ..errors import DataLossError
from ..graph_reading import warn_of_unknown_ops
from ..model_folder import variables_prefix
from ..options import LoadOptions
from ..protos.saved_model_pb2 import AssetFileDef, MetaGraphDef
from ..restored import RestoredObject
from ..signatures import SignatureMap
from .main_nodes import Source, parse_source
from .model import Version1Graph

_INTERNAL = "__saved_model_"  # begins the names of signatures that are no functions
_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_TABLES, _ASSETS = "table_initializer", "saved_model_assets"


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


class Version1Loader:
    """One model while it is loaded, as TensorFlow's `tf.saved_model.load` does it.

    Args:
        export_dir: the model's folder.
        path: the file, for errors.
        proto: the model in the file.
        options: see `LoadOptions`.

    Raises:
        SavedModelError: a file contradicts itself.
    """

    def __init__(self, export_dir: str, path: str, proto: MetaGraphDef, options: LoadOptions) -> None:
        self._export_dir = export_dir
        self._path = path
        self._proto = proto
        self._options = options
        self._assets = {
            parse_source(item.tensor_info.name): find_asset(export_dir, item.filename, path)
            for item in _asset_files(proto, path)
        }
        self._graph = Version1Graph(proto, path, {source: asset.asset_path for source, asset in self._assets.items()})

    def load(self) -> Version1Model:
        """Returns the model.

        Raises:
            SavedModelError: a file is missing, or what restores the variables or fills the tables cannot be run.
        """
        graph, proto = self._graph, self._proto
        prefix = variables_prefix(self._export_dir)
        if not self._options.experimental_skip_checkpoint and (
            proto.saver_def.restore_op_name or is_checkpoint(prefix)
        ):
            self._restore(prefix)
        self._initialize()
        model = Version1Model(name="restored")
        signatures = {key: item for key, item in proto.signature_def.items() if not key.startswith(_INTERNAL)}
        vars(model).update(
            signatures=SignatureMap({key: graph.signature(key, item) for key, item in signatures.items()}),
            variables=graph.variables.all,
            graph=graph.view,
            prune=graph.prune,
            restore=self._restore,
            initializer=self._initialize,
            asset_paths=list(self._assets.values()),
            tensorflow_version=proto.meta_info_def.tensorflow_version,
            tensorflow_git_version=proto.meta_info_def.tensorflow_git_version,
        )
        warn_of_unknown_ops(self._path, graph.unknown_ops(signatures.values()), stacklevel=3)
        return model

    def _restore(self, save_path: str | os.PathLike[str]) -> None:
        """Runs the operation of the graph that restores; without one, values are found by the variables' names."""
        saver, prefix = self._proto.saver_def, os.fspath(save_path)
        if not saver.filename_tensor_name or not saver.restore_op_name:
            self._graph.variables.restore(prefix)
            return
        what = f"{prefix}: the operation {saver.restore_op_name!r}, which restores the variables,"
        with scoped(backend=get_backend("numpy")):
            self._run({parse_source(saver.filename_tensor_name): tf.constant(prefix)}, [saver.restore_op_name], what)

    def _initialize(self) -> None:
        """Runs what makes the model ready: tables are filled, local variables get their values."""
        operations = self._init_operations()
        if operations:
            self._run({}, operations, f"{self._path}: the operation that initialises the model")

    def _run(self, feeds: dict[Source, tf.Tensor], names: Sequence[str], what: str) -> None:
        try:
            self._graph.run(feeds, [name.removeprefix("^").partition(":")[0] for name in names])
        except tf.errors.OpError as error:
            raise DataLossError(f"{what} failed: {error}") from error

    def _init_operations(self) -> list[str]:
        proto = self._proto
        if _INIT_SIGNATURE in proto.signature_def:
            return [info.name for info in proto.signature_def[_INIT_SIGNATURE].outputs.values()]
        for key in _INIT_COLLECTIONS:
            if key in proto.collection_def and proto.collection_def[key].node_list.value:
                return list(proto.collection_def[key].node_list.value)
        tables = proto.collection_def[_TABLES].node_list.value if _TABLES in proto.collection_def else ()
        return [*tables, *self._graph.variables.local_initializers]


def _asset_files(proto: MetaGraphDef, path: str) -> list[AssetFileDef]:
    """The files that come with a model: they stand in one of two places."""
    if proto.asset_file_def or _ASSETS not in proto.collection_def:
        return list(proto.asset_file_def)
    try:
        return [AssetFileDef.FromString(item.value) for item in proto.collection_def[_ASSETS].any_list.value]
    except DecodeError as error:
        raise DataLossError(f"{path}: collection {_ASSETS!r}: does not describe assets: {error}") from None
