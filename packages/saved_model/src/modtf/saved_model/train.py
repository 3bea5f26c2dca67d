"""`tf.train`: checkpoints, and the messages of examples.

from modtf import core as tf

checkpoint = tf.train.Checkpoint(model=model)
path = checkpoint.save("folder/name")
checkpoint.restore(path)
"""

from .checkpoints.checkpoint import Checkpoint, CheckpointOptions
from .checkpoints.manager import CheckpointManager
from .checkpoints.reading import CheckpointReader, list_variables, load_checkpoint, load_variable
from .checkpoints.state import get_checkpoint_state, latest_checkpoint
from .protos.example_pb2 import (
    BytesList,
    Example,
    Feature,
    FeatureList,
    FeatureLists,
    Features,
    FloatList,
    Int64List,
    SequenceExample,
)

__all__ = [
    "BytesList",
    "Checkpoint",
    "CheckpointManager",
    "CheckpointOptions",
    "CheckpointReader",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "SequenceExample",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]
