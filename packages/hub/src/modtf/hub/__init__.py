"""Find, fetch and cache models: TF Hub's programming model, without TensorFlow."""

from modtf.hub.errors import ArchiveError, CacheError, DownloadError, HandleError, HubError, NotFoundError
from modtf.hub.resolvers import resolve

__all__ = [
    "ArchiveError",
    "CacheError",
    "DownloadError",
    "HandleError",
    "HubError",
    "NotFoundError",
    "resolve",
]
