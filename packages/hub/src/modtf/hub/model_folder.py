"""What makes a folder a SavedModel: the one place that says so."""

from __future__ import annotations

from pathlib import Path

MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")


def holds_model(folder: Path) -> bool:
    """Whether a SavedModel lies directly in `folder`. An empty model file is the remains of a crash, not a model."""
    return any((folder / name).is_file() and (folder / name).stat().st_size > 0 for name in MODEL_FILES)
