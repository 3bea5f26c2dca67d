from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import traceback
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from model_server import MODEL, Answer, Server, files_in, hang_up, pack, send

from modtf import hub
from modtf.hub import download

ARCHIVE = pack({"saved_model.pb": b"graph", "noise": random.Random(0).randbytes(300_000)})


def left_in(cache: Path) -> set[str]:
    """What a cache holds besides its locks."""
    return set(os.listdir(cache)) - {".locks"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are noted and not made."""
    noted: list[float] = []
    monkeypatch.setattr(download.time, "sleep", noted.append)
    monkeypatch.setattr(download, "BACKOFF", (0.5, 2.0))
    return noted


def test_archive_from_a_server(server: Server, cache: Path) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    folder = hub.resolve(url)
    assert files_in(folder) == MODEL
    assert hub.resolve(url) == folder
    assert len(server.requests) == 1
    name = hashlib.sha1(url.encode()).hexdigest()
    assert left_in(cache) == {name, f"{name}.descriptor.txt"}


def test_without_a_length(server: Server) -> None:
    assert files_in(hub.resolve(server.add("/m.tar.gz", send(pack(), length=None)))) == MODEL


def chunked(*chunks: bytes, ended: bool = True) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.send_header("Content-Length", "7")  # which chunks override
        request.end_headers()
        for chunk in chunks:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if ended:
            request.wfile.write(b"0\r\n\r\n")
        request.close_connection = True

    return answer


def test_in_chunks(server: Server) -> None:
    content = pack()
    assert files_in(hub.resolve(server.add("/m.tar.gz", chunked(content[:100], content[100:])))) == MODEL


def test_chunks_that_end_early(server: Server, cache: Path) -> None:
    url = server.add("/m.tar.gz", chunked(ARCHIVE[:1000], ended=False))
    with pytest.raises(hub.DownloadError, match=r"broke off \(IncompleteRead\): got 1,000 bytes \(3 attempts\)"):
        hub.resolve(url)
    assert not left_in(cache)


@pytest.mark.parametrize("cut_at", [0, 1, 4095, len(ARCHIVE) // 2, len(ARCHIVE) - 1])
def test_connection_that_ends_early(server: Server, cache: Path, cut_at: int) -> None:
    url = server.add("/m.tar.gz", send(ARCHIVE, cut_at=cut_at))
    with pytest.raises(hub.DownloadError) as error:
        hub.resolve(url)
    assert f"got {cut_at:,} of {len(ARCHIVE):,} bytes" in str(error.value)
    assert url in str(error.value)
    assert len(server.requests) == 3
    assert not left_in(cache)
    server.add("/m.tar.gz", send(ARCHIVE))
    assert Path(hub.resolve(url), "saved_model.pb").read_bytes() == b"graph"


@pytest.mark.parametrize("cut_at", [0, 100_000])
def test_connection_that_is_reset(server: Server, cache: Path, cut_at: int) -> None:
    url = server.add("/m.tar.gz", send(ARCHIVE, cut_at=cut_at, reset=True))
    with pytest.raises(hub.DownloadError, match=r"broke off|fell silent"):
        hub.resolve(url)
    assert not left_in(cache)


def raw(content: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(content)

    return answer


HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: %d\r\n\r\n" % len(ARCHIVE)


@pytest.mark.parametrize("sent", range(0, len(HEAD), 7))
def test_header_that_ends_early(server: Server, cache: Path, sent: int) -> None:
    with pytest.raises(hub.DownloadError, match=r"127\.0\.0\.1"):
        hub.resolve(server.add("/m.tar.gz", raw(HEAD[:sent])))
    assert len(server.requests) == 3
    assert not left_in(cache)


@pytest.mark.parametrize(
    "break_off", [hang_up, send(ARCHIVE, cut_at=999), send(b"", status=500), send(b"", status=429)]
)
def test_second_attempt(server: Server, pauses: list[float], break_off: Answer) -> None:
    assert Path(hub.resolve(server.add("/m.tar.gz", break_off, send(ARCHIVE)))).is_dir()
    assert len(server.requests) == 2
    assert pauses == [0.5]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_status_that_may_pass(server: Server, cache: Path, pauses: list[float], status: int) -> None:
    url = server.add("/m.tar.gz", send(b"<html>", status=status))
    with pytest.raises(hub.DownloadError, match=rf"the server answered {status} .*\(3 attempts\)") as error:
        hub.resolve(url)
    assert error.value.status == status
    assert pauses == [0.5, 2.0]
    assert not left_in(cache)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Bad Request"),
        (401, "wants a login"),
        (403, "Forbidden"),
        (404, "check the address"),
        (410, "Gone"),
        (599, "unknown"),
    ],
)
def test_status_that_stays(server: Server, cache: Path, pauses: list[float], status: int, words: str) -> None:
    url = server.add("/m.tar.gz", send(b"no", status=status))
    with pytest.raises(
        hub.DownloadError, match=rf"cannot download {url}: the server answered {status} .*{words}"
    ) as error:
        hub.resolve(url)
    assert error.value.status == status
    assert len(server.requests) == 1
    assert not pauses
    assert not left_in(cache)


def test_retry_after(server: Server, pauses: list[float]) -> None:
    later = send(b"", status=503, headers={"Retry-After": "7"})
    assert hub.resolve(server.add("/m.tar.gz", later, send(ARCHIVE)))
    assert pauses == [7.0]


@pytest.mark.parametrize(("retry_after", "requests"), [("3600", 1), ("-1", 3), ("Fri, 31 Dec 1999 23:59:59 GMT", 3)])
def test_retry_after_too_long_or_unclear(server: Server, pauses: list[float], retry_after: str, requests: int) -> None:
    url = server.add("/m.tar.gz", send(b"", status=503, headers={"Retry-After": retry_after}))
    with pytest.raises(hub.DownloadError, match="503 Service Unavailable"):
        hub.resolve(url)
    assert len(server.requests) == requests


def test_length_too_small(server: Server, cache: Path) -> None:
    with pytest.raises(hub.ArchiveError, match="damaged or cut short"):
        hub.resolve(server.add("/m.tar.gz", send(ARCHIVE, length=len(ARCHIVE) - 500)))
    assert not left_in(cache)


def test_length_too_large(server: Server) -> None:
    with pytest.raises(hub.DownloadError, match=f"got {len(ARCHIVE):,} of {len(ARCHIVE) + 5:,} bytes"):
        hub.resolve(server.add("/m.tar.gz", send(ARCHIVE, length=len(ARCHIVE) + 5)))


def test_length_beyond_the_disk(server: Server, cache: Path) -> None:
    with pytest.raises(hub.CacheError, match="no room for http"):
        hub.resolve(server.add("/m.tar.gz", send(b"", length=1 << 60)))
    assert len(server.requests) == 1
    assert not left_in(cache)


@pytest.mark.parametrize("length", ["-5", "many", "5, 5"])
def test_length_that_is_none(server: Server, length: str) -> None:
    answer = send(pack(), length=None, headers={"Content-Length": length})
    assert files_in(hub.resolve(server.add("/m.tar.gz", answer))) == MODEL


def test_server_that_falls_silent(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)

    def stall(request: BaseHTTPRequestHandler) -> None:
        send(ARCHIVE, cut_at=1000)(request)
        request.connection.recv(1)  # until the client gives up

    with pytest.raises(hub.DownloadError, match=f"got 1,000 of {len(ARCHIVE):,} bytes"):
        hub.resolve(server.add("/m.tar.gz", stall))
    assert len(server.requests) == 3
    assert not left_in(cache)


def test_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/m.tar.gz"
        with pytest.raises(hub.DownloadError, match=f"cannot reach the server of {url}: .*refused"):
            hub.resolve(url)


def test_login_page(server: Server, cache: Path) -> None:
    page = send(b"<!DOCTYPE html><title>Log in</title>", headers={"Content-Type": "text/html"})
    with pytest.raises(hub.ArchiveError, match=r"http://127.*expected a \.tar\.gz archive, got a web page"):
        hub.resolve(server.add("/m.tar.gz", page))
    assert not left_in(cache)


@pytest.mark.parametrize("url", ["http://", "https:///m.tar.gz", "http://host:port/m", "http://[::1/m", "http://a b/m"])
def test_malformed_url(url: str) -> None:
    with pytest.raises(hub.HandleError, match="is not a well-formed URL"):
        hub.resolve(url)


@pytest.mark.parametrize(
    ("handle", "asked"),
    [
        ("/m.tar.gz", "/m.tar.gz"),
        ("/m.tgz?v=1", "/m.tgz?v=1"),
        ("/google/nnlm/1", "/google/nnlm/1?tf-hub-format=compressed"),
        ("/nnlm/1?lang=de&x=%20", "/nnlm/1?lang=de&x=%20&tf-hub-format=compressed"),
        ("/mödel (1).tar.gz#top", "/m%C3%B6del%20(1).tar.gz"),
    ],
)
def test_what_the_server_is_asked_for(server: Server, handle: str, asked: str) -> None:
    server.add(asked.partition("?")[0], send(pack()))
    hub.resolve(f"http://{server.address}{handle}")
    assert server.requests[0][0] == asked


def test_redirect_is_followed_without_the_password(server: Server) -> None:
    there = server.add("/there.tar.gz", send(pack()))
    url = server.add("/m.tar.gz", send(b"", status=302, headers={"Location": there}))
    hub.resolve(url.replace("http://", "http://me:se%20cret@"))
    (_, first), (_, second) = server.requests
    assert first["Authorization"] == "Basic " + base64.b64encode(b"me:se cret").decode()
    assert first["Host"] == server.address
    assert "Authorization" not in second


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/m.tar.gz", "/m.tar.gz", "gopher://x?secret"]
)
def test_redirect_to_nowhere(server: Server, location: str) -> None:
    with pytest.raises(hub.DownloadError):
        hub.resolve(server.add("/m.tar.gz", send(b"", status=302, headers={"Location": location})))


@pytest.mark.parametrize(
    "answer",
    [
        send(b"", status=404),
        send(b"", status=500),
        send(b"", status=302, headers={"Location": "gopher://x?token=secret"}),
        send(b"<html>"),
        send(ARCHIVE, cut_at=5),
        send(b"", length=1 << 60),
        hang_up,
    ],
)
def test_credentials_are_never_shown(server: Server, answer: Answer, capfd: pytest.CaptureFixture[str]) -> None:
    url = server.add("/m.tar.gz", answer).replace("http://", "http://me:secret@") + "?token=secret"
    with pytest.raises(hub.HubError) as error:
        hub.resolve(url)
    assert "secret" not in "".join(traceback.format_exception(error.value))
    assert "secret" not in "".join(capfd.readouterr())


def test_credentials_are_not_written_down(server: Server, cache: Path) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    hub.resolve(url.replace("http://", "http://me:secret@") + "?token=secret")
    assert not any(b"secret" in content for content in files_in(cache).values())


def test_progress_bar(server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    hub.resolve(server.add("/quiet.tar.gz", send(pack())))
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("TFHUB_DOWNLOAD_PROGRESS", "1")
    hub.resolve(server.add("/m.tar.gz", send(pack())))
    shown = capfd.readouterr().err
    assert "m.tar.gz: 100%" in shown
