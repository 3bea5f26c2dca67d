"""Fetching one file over http(s)."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from modtf.hub.errors import CacheError, DownloadError, HandleError
from modtf.hub.handles import shown

PROGRESS_VARIABLE = "TFHUB_DOWNLOAD_PROGRESS"
TIMEOUT = 30.0  # seconds that a server may stay silent
BACKOFF = (0.5, 2.0)  # seconds before the second and third attempt
MAX_RETRY_AFTER = 30.0  # seconds; a server that asks for a longer pause is not asked again
_CHUNK = 1 << 18
_URL_CHARACTERS = "/?%:@!$&'()*+,;=~"  # besides letters and digits, what a URL has as it is
_ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
_HUB_QUERY = "tf-hub-format=compressed"
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})  # statuses of which another attempt may get another answer
_ADVICE = {
    401: "it wants a login",
    403: "it does not let you have this file",
    404: "there is no such file; check the address",
    410: "the file was taken away",
    429: "too many requests; try again later",
}


class _Passing(Exception):
    """An attempt failed in a way that another may not. `pause` is what the server asked to wait, in seconds."""

    def __init__(self, message: str, status: int | None = None, pause: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.pause = pause


def download(url: str, target: Path) -> None:
    """Writes what an http(s) URL holds to a file.

    Overload, server errors, timeouts and broken connections are tried again, twice, after a pause. A user name and
    password in the URL are sent as basic authentication, to the URL's own server only. No message shows them, nor the
    query.

    Args:
        url: an http or https URL. Where its path does not end in an archive's suffix, the hub hosting protocol's query
            is added to it.
        target: the file to write. What is left there after an error is not to be used.

    Raises:
        HandleError: the URL is not well-formed.
        DownloadError: the server cannot be reached, answers with another status than success, or breaks off.
        CacheError: the disk has no room for the file.
        OSError: the file cannot be written.
    """
    request, source = _request(url), shown(url)
    for attempt, wait in enumerate((*BACKOFF, None), start=1):
        try:
            _fetch(request, target, source)
            return
        except _Passing as failure:
            if wait is None or failure.pause > MAX_RETRY_AFTER:
                tries = f" ({attempt} attempts)" if attempt > 1 else ""
                raise DownloadError(f"cannot download {source}: {failure}{tries}.", failure.status) from None
            time.sleep(max(wait, failure.pause))


def _request(url: str) -> urllib.request.Request:
    try:
        parts = urlsplit(url)
        well_formed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise _malformed(url)
    path, query = (quote(part, safe=_URL_CHARACTERS, errors="surrogateescape") for part in (parts.path, parts.query))
    if not path.endswith(_ARCHIVE_SUFFIXES):
        query = f"{query}&{_HUB_QUERY}" if query else _HUB_QUERY
    login, _, address = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(SplitResult(parts.scheme, address, path, query, "")))
    request.add_header("User-Agent", "modtf-hub")
    if login:
        token = base64.b64encode(unquote(login).encode()).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _malformed(url: str) -> HandleError:
    return HandleError(f"{shown(url)!r} is not a well-formed URL; expected https://host/path.")


def _fetch(request: urllib.request.Request, target: Path, source: str) -> None:
    """One attempt."""
    from tqdm import tqdm  # here, because most resolves download nothing

    with _open(request, source) as response:
        expected = _announced_size(response)
        free = shutil.disk_usage(target.parent).free
        if expected is not None and expected > free:
            raise CacheError(
                f"no room for {source}: it has {expected:,} bytes, and {free:,} are free on the disk of "
                f"{str(target.parent)!r}."
            )
        with (
            open(target, "wb") as out,
            tqdm(
                desc=source.rpartition("/")[2],
                total=expected,
                unit="B",
                unit_scale=True,
                disable=not os.environ.get(PROGRESS_VARIABLE),
            ) as bar,
        ):
            for chunk in _chunks(response, expected):
                out.write(chunk)
                bar.update(len(chunk))


def _open(request: urllib.request.Request, source: str) -> http.client.HTTPResponse:
    # `from None`: what urllib says may hold the address with its query, or words that the server chose.
    try:
        response: http.client.HTTPResponse = _opener().open(request, timeout=TIMEOUT)
        return response
    except urllib.error.HTTPError as error:
        with error:
            _refuse(error.code, error.headers.get("Retry-After", ""), source)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, (http.client.InvalidURL, UnicodeError)):
            raise _malformed(source) from None
        if isinstance(cause, (ConnectionResetError, TimeoutError, http.client.HTTPException)):
            raise _Passing(f"the server broke off or fell silent before it answered ({type(cause).__name__})") from None
        raise DownloadError(f"cannot reach the server of {source}: {cause}.") from None


def _opener() -> urllib.request.OpenerDirector:
    """urllib's, but for http and https alone: a server must not redirect to a file or to ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _refuse(status: int, retry_after: str, source: str) -> NoReturn:
    phrase = http.client.responses.get(status, "(unknown status)")
    advice = "it redirects to where this cannot follow" if 300 <= status < 400 else _ADVICE.get(status)
    answer = f"the server answered {status} {phrase}" + (f": {advice}" if advice else "")
    if status not in _MAY_PASS:
        raise DownloadError(f"cannot download {source}: {answer}.", status) from None
    raise _Passing(answer, status, float(retry_after) if retry_after.isdecimal() else 0.0) from None


def _announced_size(response: http.client.HTTPResponse) -> int | None:
    size = response.getheader("Content-Length", "")
    return int(size) if size.isdecimal() and not response.getheader("Transfer-Encoding") else None


def _chunks(response: http.client.HTTPResponse, expected: int | None) -> Iterator[bytes]:
    """The body; an error where it ends early. Without a size announced, an end of the connection is the end."""
    got = 0
    whole = "" if expected is None else f" of {expected:,}"
    try:
        while chunk := response.read1(_CHUNK):
            got += len(chunk)
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _Passing(f"the connection broke off ({type(error).__name__}): got {got:,}{whole} bytes") from None
    if got < (expected or 1):
        raise _Passing(f"the connection ended too early: got {got:,}{whole} bytes")
