from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from model_server import MODEL, Server, files_in, pack, send, wait_for

from modtf import hub
from modtf.hub import cache as hub_cache
from modtf.hub import model_folder


def name_of(handle: str) -> str:
    return hashlib.sha1(handle.encode()).hexdigest()


def start_resolving(handle: str) -> subprocess.Popen[str]:
    """Another Python that resolves the handle and prints the folder."""
    script = "import sys; from modtf import hub; print(hub.resolve(sys.argv[1]))"
    return subprocess.Popen([sys.executable, "-c", script, handle], stdout=subprocess.PIPE, text=True)


def no_fetch(side: Path) -> Path:
    raise AssertionError("fetched what is there")


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert hub_cache.cache_dir() == tmp_path / "tfhub_modules"


def test_folder_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("TFHUB_CACHE_DIR", "~/models")
    assert hub_cache.cache_dir() == tmp_path / "models"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFHUB_CACHE_DIR", "models")
    assert hub_cache.cache_dir() == tmp_path / "models"
    monkeypatch.setenv("TFHUB_CACHE_DIR", "gs://me:secret@bucket/models")
    with pytest.raises(hub.CacheError, match=r"TFHUB_CACHE_DIR is 'gs://bucket/models'; it has to be a folder"):
        hub_cache.cache_dir()


@pytest.mark.parametrize(
    ("handle", "folder_name"),  # as tensorflow_hub 0.16.1 names them
    [
        ("https://tfhub.dev/google/nnlm-en-dim128/2", "29abffb443cb0a0ca9c72e8e3863b76d85028490"),
        ("https://example.com/models/m.tar.gz?x=1#y", "565b9f6b977fe5c467c33e102abf45773ff2c94c"),
    ],
)
def test_cache_of_tensorflow_hub_is_used_as_it_is(cache: Path, handle: str, folder_name: str) -> None:
    folder = cache / folder_name
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    assert hub.resolve(handle) == str(folder)
    assert os.listdir(cache) == [folder_name]


def test_descriptor(server: Server, cache: Path) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    folder = hub.resolve(url)
    lines = Path(f"{folder}.descriptor.txt").read_text().splitlines()
    assert lines[0] == f"Module: {url}"
    assert lines[1].startswith("Download Time: 2")
    assert lines[2].startswith("Downloader Hostname: ")


def test_threads_that_ask_together_fetch_once(server: Server) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    together = threading.Barrier(8, timeout=60)

    def resolve(_: int) -> str:
        together.wait()
        return hub.resolve(url)

    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(resolve, range(8)))
    assert len(folders) == 1
    assert files_in(folders.pop()) == MODEL
    assert len(server.requests) == 1


def test_processes_that_ask_together_fetch_once(server: Server, cache: Path) -> None:
    others_wait = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        others_wait.wait(60)
        send(pack())(request)

    url = server.add("/m.tar.gz", answer)
    processes = [start_resolving(url) for _ in range(4)]
    try:
        wait_for(lambda: bool(server.requests))
        with pytest.raises(subprocess.TimeoutExpired):
            processes[0].wait(0.5)
        others_wait.set()
        folders = {process.communicate(timeout=60)[0].strip() for process in processes}
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert folders == {str(cache / name_of(url))}
    assert len(server.requests) == 1


def test_different_models_do_not_wait_for_each_other(server: Server) -> None:
    release = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        release.wait(60)
        send(pack())(request)

    slow, quick = server.add("/slow.tar.gz", answer), server.add("/quick.tar.gz", send(pack()))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hub.resolve, slow)
        try:
            wait_for(lambda: bool(server.requests))
            assert files_in(hub.resolve(quick)) == MODEL
            assert not waiting.done()
        finally:
            release.set()
        assert files_in(waiting.result(60)) == MODEL


@pytest.mark.parametrize("sent", [0, 500_000])
def test_killed_while_it_downloads(server: Server, cache: Path, sent: int) -> None:
    killed = threading.Event()
    model = {"saved_model.pb": b"graph", "noise": random.Random(0).randbytes(1_000_000)}

    def stall(request: BaseHTTPRequestHandler) -> None:
        send(pack(model), cut_at=sent)(request)
        killed.wait(60)

    url = server.add("/m.tar.gz", stall, send(pack(model)))
    folder = cache / name_of(url)
    side = folder.with_name(f"{folder.name}.partial")
    process = start_resolving(url)
    try:
        wait_for(lambda: any(bool(content) == bool(sent) for content in files_in(side).values()))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(hub.resolve, url)  # another that waits for the one that is killed
            process.kill()
            process.wait(60)
            assert waiting.result(60) == str(folder)
    finally:
        killed.set()
        process.kill()
        process.wait()
        process.communicate()
    assert files_in(folder) == model
    assert not side.exists()
    assert len(server.requests) == 2


@pytest.mark.parametrize("crashed", ["before the model was in place", "after the model was in place"])
def test_remains_of_a_crash_are_cleared(server: Server, cache: Path, crashed: str) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    if crashed.startswith("after"):
        hub.resolve(url)
    side = cache / f"{name_of(url)}.partial" / "fresh" / "model"
    side.mkdir(parents=True)
    (side / "stale").write_bytes(b"stale")
    assert files_in(hub.resolve(url)) == MODEL
    assert not (cache / f"{name_of(url)}.partial").exists()
    assert len(server.requests) == 1


def test_remains_in_a_cache_that_may_only_be_read(cache: Path) -> None:
    folder = cache / name_of("x")
    for path in (folder, folder.with_name(f"{folder.name}.partial")):
        path.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (cache / ".locks").write_bytes(b"")  # so that no lock can be made, whoever runs the test
    assert hub_cache.folder_of("x", source="x", fill=no_fetch) == str(folder)


@pytest.mark.parametrize(
    "damage", ["empty folder", "no graph", "empty graph", "a file in its place", "a dead link in its place"]
)
def test_damaged_folder_heals(server: Server, cache: Path, damage: str) -> None:
    url = server.add("/m.tar.gz", send(pack()))
    folder = cache / name_of(url)
    cache.mkdir()
    if damage == "a file in its place":
        folder.write_bytes(b"")
    elif damage == "a dead link in its place":
        folder.symlink_to(cache / "nowhere")
    else:
        folder.mkdir()
        if damage != "empty folder":
            (folder / "variables").mkdir()
            (folder / "variables" / "old").write_bytes(b"old")
        if damage == "empty graph":
            (folder / "saved_model.pb").write_bytes(b"")
    assert hub.resolve(url) == str(folder)
    assert files_in(folder) == MODEL


def test_damaged_folder_stays_until_there_is_a_better_one(server: Server, cache: Path) -> None:
    url = server.add("/m.tar.gz", send(b"", status=404))
    folder = cache / name_of(url)
    (folder / "variables").mkdir(parents=True)
    (folder / "variables" / "weights").write_bytes(b"dear")
    with pytest.raises(hub.DownloadError):
        hub.resolve(url)
    assert files_in(folder) == {"variables/weights": b"dear"}


def test_failure_releases_the_lock(server: Server) -> None:
    url = server.add("/m.tar.gz", send(b"", status=404), send(pack()))
    with pytest.raises(hub.DownloadError), ThreadPoolExecutor(1) as pool:
        pool.submit(hub.resolve, url).result(60)
    assert files_in(hub.resolve(url)) == MODEL


def test_interrupt_leaves_nothing(cache: Path) -> None:
    def fill(side: Path) -> Path:
        (side / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub_cache.folder_of("x", source="x", fill=fill)
    assert os.listdir(cache) == [".locks"]


def test_full_disk(cache: Path) -> None:
    def fill(side: Path) -> Path:
        raise OSError(28, "No space left on device", str(side / "archive"))

    with pytest.raises(
        hub.CacheError, match=r"cannot keep the model in the cache .*No space left.*Set TFHUB_CACHE_DIR"
    ):
        hub_cache.folder_of("x", source="the model", fill=fill)
    assert os.listdir(cache) == [".locks"]


def test_cache_that_cannot_be_written(server: Server, cache: Path) -> None:
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(hub.CacheError, match=r"cannot keep http.*Set TFHUB_CACHE_DIR to a folder that can be written"):
        hub.resolve(server.add("/m.tar.gz", send(pack())))
    assert not server.requests


def test_model_is_not_locked_or_fetched_when_it_is_there(cache: Path) -> None:
    folder = cache / name_of("x")
    folder.mkdir(parents=True)
    (folder / model_folder.MODEL_FILES[0]).write_bytes(b"graph")
    assert hub_cache.folder_of("x", source="x", fill=no_fetch) == str(folder)
    assert os.listdir(cache) == [folder.name]
