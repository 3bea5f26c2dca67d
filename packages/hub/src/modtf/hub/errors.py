"""The errors of modtf.hub: all are `HubError`, and each also is the built-in error that it is a kind of."""

from __future__ import annotations


class HubError(Exception):
    """A model could not be found, fetched, unpacked or kept. The cache is as good as before."""


class HandleError(HubError, ValueError):
    """The handle itself is unusable: not a string, not a known kind of address, or a folder that is no SavedModel."""


class NotFoundError(HubError, FileNotFoundError):
    """The handle is a local path at which there is nothing."""


class DownloadError(HubError, OSError):
    """A server could not be reached, refused, or broke off.

    Attributes:
        status: the HTTP status that the server answered with, or None where it was not the status that was wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ArchiveError(HubError, ValueError):
    """An archive is damaged, is unsafe to unpack, or holds no SavedModel."""


class CacheError(HubError, OSError):
    """The cache folder cannot be used: no permission, or no room left on its disk."""
