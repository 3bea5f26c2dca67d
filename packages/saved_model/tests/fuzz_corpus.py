"""The models and checkpoints that the fuzz program damages: those in goldens/, and some that modtf writes here."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from golden_values import GOLDENS

from modtf import core as tf
from modtf.saved_model import save, train
from modtf.saved_model.assets import Asset
from modtf.saved_model.bundle import BundleReader, BundleWriter

Files = dict[str, bytes]
"""The files of a folder, by their paths in it."""


class Sample(NamedTuple):
    """A sound model or checkpoint.

    Attributes:
        name: its name.
        files: its files.
        checkpoint: the path of the checkpoint in the folder, of what is one.
    """

    name: str
    files: Files
    checkpoint: str = ""


class _Flow(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(2.0)
        self.parts = {"list": [tf.Variable([1.0, 2.0]), tf.Variable(np.arange(6, dtype=np.int64).reshape(2, 3))]}
        self.text = tf.Variable(["a", "bc"])

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32), tf.TensorSpec([], tf.int32)])
    def loop(self, x: Any, steps: Any) -> Any:
        for step in tf.range(steps):
            if step % 2 == 0:
                x = x * self.weight
            else:
                x = x + 1.0
        return x

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def choose(self, index: Any) -> Any:
        return tf.switch_case(index, [lambda: self.weight * 1.0, lambda: self.weight * 9.0, lambda: tf.constant(0.0)])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def sums(self, x: Any) -> Any:
        found = tf.TensorArray(tf.float32, size=tf.shape(x)[0])
        total = tf.constant(0.0)
        for place in tf.range(tf.shape(x)[0]):
            total += x[place]
            found = found.write(place, total)
        return {"sums": found.stack(), "total": total}


@tf.custom_gradient
def _tripled(x: Any) -> Any:
    return x * 3.0, lambda upstream: upstream * 9.0


class _Kinds(tf.Module):
    """Composite tensors, a gradient of its own, an asset, several traces with defaults."""

    def __init__(self, asset: Path) -> None:
        super().__init__()
        self.asset = Asset(asset)
        self.scale = tf.constant([1.0, 2.0])

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def ragged(self, x: Any) -> Any:
        return tf.reduce_sum(x, axis=1)

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 2], tf.float32)])
    def sparse(self, x: Any) -> Any:
        return tf.sparse.to_dense(x) * self.scale

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def own_gradient(self, x: Any) -> Any:
        return _tripled(x + 1.0)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def read(self, suffix: Any) -> Any:
        return tf.strings.join([tf.io.read_file(self.asset.asset_path), suffix])

    @tf.function
    def options(self, x: Any, pair: Any = (1, "a"), factor: float = 2.0) -> Any:
        return x * factor + float(pair[0])


def make_corpus(folder: Path) -> list[Sample]:
    """Returns the samples; `folder` is for what is written meanwhile."""
    samples = [Sample(path.name, _files(path)) for path in sorted(GOLDENS.iterdir()) if path.is_dir()]
    flow = _Flow()
    signatures = {name: getattr(flow, name) for name in ("loop", "choose", "sums")}
    save(flow, folder / "flow", signatures=signatures)
    (folder / "words.txt").write_bytes(b"one\ntwo\n")
    kinds = _Kinds(folder / "words.txt")
    kinds.options(tf.constant(1.0))
    kinds.options(tf.constant([1.0]), (2, "b"), factor=3.0)
    save(kinds, folder / "kinds", signatures={"read": kinds.read, "own": kinds.own_gradient})
    save(flow, folder / "sharded", signatures=signatures)
    _split_bundle(folder / "sharded" / "variables" / "variables", 3)
    _slice_tensor(folder / "sliced")
    names = ["flow", "kinds", "sharded"]
    if importlib.util.find_spec("modtf.layers"):
        save(_layers_model(), folder / "layers")
        names.append("layers")
    samples += [Sample(name, _files(folder / name)) for name in names]
    train.Checkpoint(model=flow, step=tf.Variable(3, dtype=tf.int64)).save(folder / "run" / "ckpt")
    samples.append(Sample("checkpoint", _files(folder / "run"), "ckpt-1"))
    samples.append(Sample("sliced", _files(folder / "sliced"), "partitioned"))
    return samples


def restore(prefix: str) -> None:
    """Gives the values of the corpus's checkpoint, or of a damaged one, to new objects."""
    train.Checkpoint(model=_Flow(), step=tf.Variable(0, dtype=tf.int64)).restore(prefix)


def _files(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _layers_model() -> Any:
    from modtf import layers

    model = layers.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    model(tf.zeros([1, 8, 8, 3]))
    return model


def _split_bundle(prefix: Path, shards: int) -> None:
    """Spreads the tensors of a bundle over several data files."""
    from fuzz_mutations import BundleEntryProto, BundleHeaderProto, read_index, write_index

    items = read_index(Path(f"{prefix}.index").read_bytes())
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    parts = [bytearray() for _ in range(shards)]
    for place, key in enumerate(sorted(items)):
        if not key:
            header = BundleHeaderProto.FromString(items[key])
            header.num_shards = shards
            items[key] = header.SerializeToString()
            continue
        entry = BundleEntryProto.FromString(items[key])
        part = parts[place % shards]
        content = data[entry.offset : entry.offset + entry.size]
        entry.shard_id, entry.offset = place % shards, len(part)
        part += content
        items[key] = entry.SerializeToString()
    for shard, part in enumerate(parts):
        Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(part)
    Path(f"{prefix}.data-00000-of-00001").unlink()
    Path(f"{prefix}.index").write_bytes(write_index(items))


def _slice_tensor(folder: Path) -> None:
    folder.mkdir()
    for path in GOLDENS.glob("partitioned.*"):
        shutil.copy(path, folder)


def warm_up(samples: list[Sample], folder: Path) -> None:
    """Loads every sample once, so that what is loaded lazily is there before the process is forked."""
    from fuzz_worker import try_files

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in samples:
            outcome = try_files(sample.files, sample.checkpoint, folder / "warm" / sample.name)
            if outcome.finding or outcome.stage not in ("called", "call"):  # zeros are no ragged tensor
                raise RuntimeError(f"The sample {sample.name!r} is not sound: {outcome}")


__all__ = ["BundleReader", "BundleWriter", "Files", "Sample", "make_corpus", "restore", "warm_up"]
