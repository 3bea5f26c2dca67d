"""From a handle to a local SavedModel folder: resolvers are asked in order, and the first that supports it answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from modtf.hub import cache, handles
from modtf.hub.archives import unpack
from modtf.hub.download import download
from modtf.hub.errors import HandleError, NotFoundError
from modtf.hub.model_folder import MODEL_FILES, holds_model


class Resolver(Protocol):
    """One way to get at a model.

    Attributes:
        kind: what it resolves, in a few words, for the error that lists what is supported.
    """

    kind: str

    def supports(self, handle: str) -> bool:
        """Whether the handle is of this resolver's kind; True does not promise that the model is there."""

    def resolve(self, handle: str) -> str:
        """The path of a local SavedModel folder.

        Raises:
            HubError: the model cannot be had.
        """


class LocalFolder:
    """A SavedModel folder of this machine, used where it is."""

    kind = "a SavedModel folder"

    def supports(self, handle: str) -> bool:
        """Whether there is a folder."""
        return handles.is_local(handle) and handles.local_path(handle).is_dir()

    def resolve(self, handle: str) -> str:
        """The folder itself."""
        path = handles.local_path(handle)
        if not holds_model(path):
            raise HandleError(
                f"the folder {str(path)!r} holds no SavedModel: expected {' or '.join(MODEL_FILES)} directly in it."
            )
        return str(path)


class LocalArchive:
    """A packed SavedModel of this machine, unpacked into the cache."""

    kind = "a .tar.gz or .tgz archive of one"

    def supports(self, handle: str) -> bool:
        """Whether there is a file; what is in it shows when it is unpacked."""
        return handles.is_local(handle) and handles.local_path(handle).is_file()

    def resolve(self, handle: str) -> str:
        """The cache's folder for the archive as it now is."""
        path = handles.local_path(handle).resolve()
        # The same path may hold another model tomorrow; an archive that has changed is another model.
        stat = path.stat()
        identity = f"{path.as_uri()}#size={stat.st_size}&mtime_ns={stat.st_mtime_ns}"
        return cache.folder_of(
            identity,
            source=str(path),
            fill=lambda side: unpack(path, side / "model", source=str(path)),
        )


class HttpArchive:
    """A packed SavedModel on a web server, downloaded and unpacked into the cache."""

    kind = "an http: or https: URL of such an archive"

    def supports(self, handle: str) -> bool:
        """Whether it is an http or https URL."""
        return handles.scheme(handle) in ("http", "https")

    def resolve(self, handle: str) -> str:
        """The cache's folder for the URL."""
        source = handles.shown(handle)

        def fill(side: Path) -> Path:
            archive = side / "archive"
            download(handle, archive)
            return unpack(archive, side / "model", source=source)

        return cache.folder_of(handle, source=source, fill=fill)


RESOLVERS: tuple[Resolver, ...] = (LocalFolder(), LocalArchive(), HttpArchive())


def resolve(handle: str | os.PathLike[str]) -> str:
    """Finds the model that a handle names, fetching it into the cache where it is not on this machine.

    The cache is the folder that the environment variable `TFHUB_CACHE_DIR` names, else `tfhub_modules` in the system's
    folder for temporary files. It is laid out as tensorflow_hub's, and the two can share one. A model enters it whole
    or not at all, and is fetched once however many threads and processes ask for it at the same time. With
    `TFHUB_DOWNLOAD_PROGRESS` set, a download draws a progress bar.

    Args:
        handle: a SavedModel folder; a `.tar.gz` or `.tgz` archive of one, with the model at its top or in the only
            folder of its top that holds one; a `file:` URL of either; an `http:` or `https:` URL of such an archive.
            An http(s) URL that does not end in an archive's suffix is asked for by the hub hosting protocol
            (`?tf-hub-format=compressed`).

    Returns:
        The path of a local SavedModel folder. Folders in the cache are to be read only.

    Raises:
        HandleError: the handle is none of these, or is a folder without a SavedModel.
        NotFoundError: there is nothing at a local path.
        DownloadError: the server could not be reached, refused, or broke off.
        ArchiveError: the archive is damaged, unsafe, or holds no SavedModel.
        CacheError: the cache folder cannot be written, or its disk is full.
    """
    handle = os.fspath(handle) if isinstance(handle, os.PathLike) else handle
    if not isinstance(handle, str) or not handle:
        raise HandleError(f"a handle is a non-empty string or a path; got {handle!r}.")
    for resolver in RESOLVERS:
        if resolver.supports(handle):
            return resolver.resolve(handle)
    supported = "; ".join(resolver.kind for resolver in RESOLVERS)
    if handles.is_local(handle):
        raise NotFoundError(f"there is nothing at {handle!r}. A handle is one of: {supported}.")
    raise HandleError(
        f"no resolver for {handles.scheme(handle)}:// handles (got {handles.shown(handle)!r}). A handle is one of: "
        f"{supported}. Copy the model to this machine and give its path, or serve its archive over http."
    )
