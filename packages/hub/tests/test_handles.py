from __future__ import annotations

import os
from pathlib import Path

import pytest
from model_server import MODEL, files_in, pack

from modtf import hub
from modtf.hub import handles


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "a model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    return folder


@pytest.mark.parametrize(
    ("handle", "scheme"),
    [
        ("/models/m", None),
        ("models/m.tar.gz", None),
        ("C:\\models\\m", None),
        ("C://models", None),
        ("a:b", None),
        ("file:/models/m", "file"),
        ("FILE:///models/m", "file"),
        ("HTTPS://host/m", "https"),
        ("s3://bucket/m", "s3"),
    ],
)
def test_scheme(handle: str, scheme: str | None) -> None:
    assert handles.scheme(handle) == scheme


@pytest.mark.parametrize(
    ("handle", "shown"),
    [
        ("/models/a?b#c@d", "/models/a?b#c@d"),
        ("https://host/m.tar.gz", "https://host/m.tar.gz"),
        ("https://me:secret@host:8080/m@v1/x.tar.gz", "https://host:8080/m@v1/x.tar.gz"),
        ("https://secret@host/m?token=secret#secret", "https://host/m?..."),
        ("https://me:se/cret@host/m", "https://..."),
        ("https://me:secret@[bad/m", "https://..."),
    ],
)
def test_shown_hides_credentials(handle: str, shown: str) -> None:
    assert handles.shown(handle) == shown


def test_folder_is_used_where_it_is(model: Path, cache: Path) -> None:
    assert hub.resolve(str(model)) == str(model)
    assert hub.resolve(model) == str(model)
    assert hub.resolve(model.as_uri()) == str(model)
    assert hub.resolve(model.as_uri().replace("file:///", "file:/")) == str(model)
    assert hub.resolve(model.as_uri().replace("file:///", "file://localhost/")) == str(model)
    assert not cache.exists()


def test_text_model_is_a_model(model: Path) -> None:
    (model / "saved_model.pb").rename(model / "saved_model.pbtxt")
    assert hub.resolve(model) == str(model)


def test_relative_folder_stays_relative(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert hub.resolve(model.name) == model.name


def test_folder_without_model(tmp_path: Path) -> None:
    with pytest.raises(hub.HandleError, match=r"holds no SavedModel: expected saved_model\.pb or saved_model\.pbtxt"):
        hub.resolve(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(hub.NotFoundError, match=r"there is nothing at .*missing'.*http: or https: URL"):
        hub.resolve(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        hub.resolve(str(tmp_path / "missing"))


def test_unknown_scheme_names_the_supported_ones() -> None:
    with pytest.raises(hub.HandleError) as error:
        hub.resolve("s3://me:secret@bucket/m.tar.gz?token=secret")
    message = str(error.value)
    assert "no resolver for s3://" in message
    assert all(kind in message for kind in ("SavedModel folder", ".tar.gz", "http:", "https:"))
    assert "secret" not in message


def test_file_of_another_machine() -> None:
    with pytest.raises(hub.HandleError, match="another machine"):
        hub.resolve("file://server/m.tar.gz")


@pytest.mark.parametrize("handle", [None, 3, b"/models", ""])
def test_no_handle_at_all(handle: object) -> None:
    with pytest.raises(hub.HandleError, match="a handle is a non-empty string or a path; got"):
        hub.resolve(handle)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a handle is"):
        hub.resolve(handle)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["m.tar.gz", "m.tgz", "no suffix"])
def test_local_archive_is_unpacked_once(tmp_path: Path, cache: Path, name: str) -> None:
    archive = tmp_path / name
    archive.write_bytes(pack())
    folder = hub.resolve(archive)
    assert Path(folder).parent == cache
    assert files_in(folder) == MODEL
    inode = os.stat(folder).st_ino
    assert hub.resolve(archive.as_uri()) == folder
    assert os.stat(folder).st_ino == inode


def test_changed_archive_is_another_model(tmp_path: Path) -> None:
    archive = tmp_path / "m.tar.gz"
    archive.write_bytes(pack({"saved_model.pb": b"first"}))
    first = hub.resolve(archive)
    archive.write_bytes(pack({"saved_model.pb": b"the second"}))
    assert files_in(hub.resolve(archive)) == {"saved_model.pb": b"the second"}
    assert files_in(first) == {"saved_model.pb": b"first"}


def test_every_error_is_a_hub_error() -> None:
    errors = {getattr(hub, name) for name in hub.__all__ if name.endswith("Error")}
    assert errors
    assert all(issubclass(error, hub.HubError) for error in errors)
