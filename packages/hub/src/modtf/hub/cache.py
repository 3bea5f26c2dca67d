"""The folder that keeps fetched models.

Layout, of which the first two are tensorflow_hub's own, so that a cache can be shared with it:

    <sha1 of the handle>/                   the SavedModel
    <sha1 of the handle>.descriptor.txt     what came from where, for people to read
    <sha1 of the handle>.partial/           a fetch under way, or the remains of one that was killed
    .locks/<sha1 of the handle>             held while fetching (tensorflow_hub would wait for a `<sha1>.lock`)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modtf.hub import handles
from modtf.hub.errors import CacheError, HubError
from modtf.hub.model_folder import holds_model

CACHE_DIR_VARIABLE = "TFHUB_CACHE_DIR"


def cache_dir() -> Path:
    """The cache's folder, which need not exist yet.

    Raises:
        CacheError: `TFHUB_CACHE_DIR` is a URL.
    """
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if not chosen:
        return Path(tempfile.gettempdir(), "tfhub_modules")
    if handles.scheme(chosen) is not None:
        raise CacheError(f"{CACHE_DIR_VARIABLE} is {handles.shown(chosen)!r}; it has to be a folder of this machine.")
    return Path(os.path.expanduser(chosen)).absolute()


def folder_of(identity: str, *, source: str, fill: Callable[[Path], Path]) -> str:
    """The folder that the cache keeps for `identity`, filled first where it is missing or holds no model.

    A lock of the identity's own makes the other threads and processes that ask for it wait for the one that fills.
    What it fills is a side folder, which takes its place by one rename; the lock goes with the process that holds it.

    Args:
        identity: what the folder is named after: the handle, as tensorflow_hub does it.
        source: where the model comes from, in words that may be shown and written down.
        fill: is given an empty folder on the cache's disk, puts the model into it, and returns the folder that is the
            SavedModel, at or below the one given.

    Returns:
        The path of a SavedModel folder.

    Raises:
        CacheError: the cache cannot be written.
        HubError: what `fill` raises.
    """
    cache = cache_dir()
    name = hashlib.sha1(identity.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    folder, side, lock = cache / name, cache / f"{name}.partial", cache / ".locks" / name
    try:
        if holds_model(folder) and not side.exists():
            return str(folder)
        from filelock import FileLock  # here, because it takes longer to import than a cached model to find

        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            if side.exists():  # of a process that was killed: nobody else fills it while this one has the lock
                shutil.rmtree(side)
            if not holds_model(folder):  # somebody else may have filled it while this one waited
                _fill(folder, side, source, fill)
        return str(folder)
    except HubError:
        raise
    except (OSError, NotImplementedError) as error:  # NotImplementedError: a file system that cannot lock
        if holds_model(folder):  # whole, beside remains in a cache that may only be read
            return str(folder)
        raise CacheError(
            f"cannot keep {source} in the cache {str(cache)!r}: {error}. "
            f"Set {CACHE_DIR_VARIABLE} to a folder that can be written and has room."
        ) from error


def _fill(folder: Path, side: Path, source: str, fill: Callable[[Path], Path]) -> None:
    try:
        fresh = side / "fresh"
        fresh.mkdir(parents=True)
        model = fill(fresh)
        descriptor = side / "descriptor.txt"
        descriptor.write_text(
            f"Module: {source}\n"
            f"Download Time: {datetime.now(UTC).isoformat(' ', 'seconds')}\n"
            f"Downloader Hostname: {socket.gethostname()} (PID:{os.getpid()})",
            encoding="utf-8",
            errors="backslashreplace",
        )
        os.replace(descriptor, folder.with_name(f"{folder.name}.descriptor.txt"))
        if os.path.lexists(folder):  # damaged: it holds no model. It goes only now that a good one stands ready
            os.rename(folder, side / "damaged")
        os.rename(model, folder)
    finally:
        shutil.rmtree(side, ignore_errors=True)
