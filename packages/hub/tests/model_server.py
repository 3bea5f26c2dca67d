"""What the tests serve: archives, and a web server on this machine that answers as a test tells it."""

from __future__ import annotations

import io
import os
import socket
import struct
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

MODEL = {
    "saved_model.pb": b"\x08\x01the graph",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00001": bytes(range(256)) * 64,
    "assets/words.txt": b"one\ntwo\n",
}

Answer = Callable[[BaseHTTPRequestHandler], None]


def pack(files: dict[str, bytes] | None = None, *, add: Callable[[tarfile.TarFile], None] | None = None) -> bytes:
    """A .tar.gz of the files (those of MODEL unless told), and of what `add` adds."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in (MODEL if files is None else files).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        if add:
            add(tar)
    return out.getvalue()


def files_in(folder: str | Path) -> dict[str, bytes]:
    root = Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def send(
    body: bytes,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    length: int | None = -1,
    cut_at: int | None = None,
    reset: bool = False,
) -> Answer:
    """Answers with a body. `length` is what Content-Length claims (-1: the truth, None: no such header); after `cut_at`
    bytes of the body the connection ends, with `reset` by a TCP reset."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        if length is not None:
            request.send_header("Content-Length", str(len(body) if length == -1 else length))
        request.end_headers()
        request.wfile.write(body[:cut_at])
        request.wfile.flush()
        if reset:
            hang_up(request)

    return answer


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Ends the connection by a TCP reset."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(request.connection.detach())
    raise ConnectionAbortedError


@dataclass
class Server:
    """`answers` maps a path to the answers it gives in turn, the last of them for ever."""

    http: ThreadingHTTPServer
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.http.server_address[1]}"

    def add(self, path: str, *answers: Answer) -> str:
        """The URL under which the answers are given from now on."""
        self.answers[path] = list(answers)
        return f"http://{self.address}{path}"


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, for as long as the context lasts."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            with lock:
                running.requests.append((self.path, dict(self.headers)))
                answers = running.answers.get(path) or [send(b"no such file", status=404)]
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    class Http(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            pass  # connections that tests break on purpose

    running = Server(Http(("127.0.0.1", 0), Handler))
    thread = threading.Thread(target=running.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.http.shutdown()
    running.http.server_close()
    thread.join(10)


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds; fails after a minute."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("waited for a minute in vain")
