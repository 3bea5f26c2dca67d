"""Opening checkpoints, whichever format they have."""

from __future__ import annotations

import os
import threading

from .bundle import BundleReader, index_file
from .legacy_checkpoint import LegacyReader, legacy_files

_lock = threading.Lock()
_latest: list[tuple[object, BundleReader | LegacyReader]] = []


def is_checkpoint(prefix: str) -> bool:
    """Whether there are files of a checkpoint."""
    return os.path.isfile(index_file(prefix)) or bool(legacy_files(prefix))


def open_checkpoint(prefix: str) -> BundleReader | LegacyReader:
    """Returns a reader of a checkpoint; the same one as last time if it was this checkpoint, and is as it was.

    Graphs may restore each variable by an op of its own, each of which would read the whole index anew.

    Raises:
        SavedModelError: there is none, or it is damaged.
    """
    file = index_file(prefix)
    if not os.path.isfile(file) and legacy_files(prefix):
        file = legacy_files(prefix)[0]
        kind: type[BundleReader | LegacyReader] = LegacyReader
    else:
        kind = BundleReader
    try:
        status = os.stat(file)
    except OSError:
        return kind(prefix)  # which says what is missing
    key = (os.path.abspath(prefix), status.st_ino, status.st_size, status.st_mtime_ns)
    with _lock:
        if not _latest or _latest[0][0] != key:
            _latest[:] = [(key, kind(prefix))]
        return _latest[0][1]
