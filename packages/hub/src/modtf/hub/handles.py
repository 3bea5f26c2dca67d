"""Reading a handle, the string that says where a model is, without going there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modtf.hub.errors import HandleError

# Two letters at least, so that a Windows drive is no scheme.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://|(file):", re.IGNORECASE)


def scheme(handle: str) -> str | None:
    """The handle's URL scheme in lower case, or None where the handle is a plain path."""
    match = _SCHEME.match(handle)
    return (match[1] or match[2]).lower() if match else None


def is_local(handle: str) -> bool:
    """Whether the handle is a plain path or a `file:` URL."""
    return scheme(handle) in (None, "file")


def local_path(handle: str) -> Path:
    """The path that a local handle names.

    Raises:
        HandleError: a `file:` URL that names another machine.
    """
    if scheme(handle) is None:
        return Path(handle)
    url = urlsplit(handle)
    if url.netloc not in ("", "localhost"):
        raise HandleError(
            f"{shown(handle)!r} names a file on another machine; a file: URL can only name one of this machine. "
            f"Write file:///path, with three slashes."
        )
    return Path(url2pathname(url.path))


def shown(handle: str) -> str:
    """The handle as messages and files may show it: no user name, password, query or fragment of a URL."""
    kind = scheme(handle)
    if kind is None:
        return handle
    try:
        url = urlsplit(handle)
        url.port  # noqa: B018 - a password with an unquoted slash ends up here as a port that is no number
    except ValueError:
        return f"{kind}://..."
    host = url.netloc.rpartition("@")[2]
    address = f"{kind}://{host}{url.path}"
    return f"{address}?..." if url.query else address
