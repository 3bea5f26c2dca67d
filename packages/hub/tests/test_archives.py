from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_server import MODEL, files_in, pack

from modtf import hub
from modtf.hub import archives


def entry(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type = kind
        for field, value in fields.items():
            setattr(info, field, value)
        tar.addfile(info, io.BytesIO(bytes(info.size)))

    return add


def unpack(content: bytes, folder: Path) -> Path:
    archive = folder / "archive"
    archive.write_bytes(content)
    return archives.unpack(archive, folder / "model", source="it")


def test_model_at_the_top(tmp_path: Path) -> None:
    assert unpack(pack(), tmp_path) == tmp_path / "model"
    assert files_in(tmp_path / "model") == MODEL


def test_as_tar_makes_it_from_a_folder(tmp_path: Path) -> None:
    def add(tar: tarfile.TarFile) -> None:
        entry(".", tarfile.DIRTYPE)(tar)
        entry("./variables", tarfile.DIRTYPE)(tar)

    assert unpack(pack({f"./{name}": content for name, content in MODEL.items()}, add=add), tmp_path).name == "model"
    assert files_in(tmp_path / "model") == MODEL


def test_model_in_the_only_model_folder(tmp_path: Path) -> None:
    files = {f"mobilenet/{name}": content for name, content in MODEL.items()}
    folder = unpack(pack(files | {"README.md": b"hello", "docs/page.md": b"x"}), tmp_path)
    assert folder == tmp_path / "model" / "mobilenet"
    assert files_in(folder) == MODEL


def test_two_models_are_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(hub.ArchiveError, match=r"it: holds 2 models \(a, b\)"):
        unpack(pack({"a/saved_model.pb": b"x", "b/saved_model.pb": b"x"}), tmp_path)


@pytest.mark.parametrize("files", [{}, {"model.h5": b"x"}, {"saved_model.pb": b""}, {"a/b/saved_model.pb": b"deep"}])
def test_no_model(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(hub.ArchiveError, match=r"holds no SavedModel: expected saved_model\.pb"):
        unpack(pack(files), tmp_path)


EVIL = {
    "absolute": (entry("/etc/evil"), "outside"),
    "parent": (entry("../evil"), "outside"),
    "parent inside": (entry("a/../../evil"), "outside"),
    "harmless parent": (entry("a/../b"), "outside"),
    "absolute folder": (entry("/evil", tarfile.DIRTYPE), "outside"),
    "symbolic link": (entry("evil", tarfile.SYMTYPE, linkname="/etc"), "is a symbolic link"),
    "link inside": (entry("evil", tarfile.SYMTYPE, linkname="saved_model.pb"), "is a symbolic link"),
    "hard link": (entry("evil", tarfile.LNKTYPE, linkname="saved_model.pb"), "is a hard link"),
    "character device": (entry("evil", tarfile.CHRTYPE), "is a device"),
    "block device": (entry("evil", tarfile.BLKTYPE), "is a device"),
    "pipe": (entry("evil", tarfile.FIFOTYPE), "is a pipe"),
    "unknown type": (entry("evil", b"Z"), "special type"),
    "sparse": (entry("evil", tarfile.GNUTYPE_SPARSE), "special type"),
    "backslash": (entry("..\\evil"), "same on every system"),
    "file twice": (entry("saved_model.pb"), "stands in the archive twice"),
    "folder over file": (entry("saved_model.pb", tarfile.DIRTYPE), "stands in the archive twice"),
    "file over folder": (entry("variables"), "stands in the archive twice"),
    "below a file": (entry("saved_model.pb/evil"), "stands in the archive twice"),
    "the folder itself": (entry("."), "stands in the archive twice"),
}


@pytest.mark.parametrize(("add", "reason"), EVIL.values(), ids=EVIL.keys())
def test_evil_member(tmp_path: Path, cache: Path, add: Callable[[tarfile.TarFile], None], reason: str) -> None:
    archive = tmp_path / "evil.tar.gz"
    archive.write_bytes(pack(add=add))
    before = files_in(tmp_path)
    with pytest.raises(hub.ArchiveError, match=reason) as error:
        hub.resolve(archive)
    assert str(archive) in str(error.value)
    assert files_in(tmp_path).keys() - before.keys() <= {
        f"cache/.locks/{path.name}" for path in (cache / ".locks").iterdir()
    }
    assert os.listdir(cache) == [".locks"]


def test_link_then_through_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    def add(tar: tarfile.TarFile) -> None:
        entry("link", tarfile.SYMTYPE, linkname=str(outside))(tar)
        entry("link/evil", size=3)(tar)

    with pytest.raises(hub.ArchiveError, match="symbolic link"):
        unpack(pack(add=add), tmp_path)
    assert not list(outside.iterdir())


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", len(MODEL))
    assert unpack(pack(), tmp_path)
    (tmp_path / "second").mkdir()
    with pytest.raises(hub.ArchiveError, match="more than 4 members"):
        unpack(pack(add=entry("one more")), tmp_path / "second")


def test_larger_than_the_disk_is_refused_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 100_000
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: SimpleNamespace(free=archives.KEEP_FREE + room))
    bomb = pack(add=entry("bomb", size=10_000_000))
    assert len(bomb) < room / 2
    with pytest.raises(hub.CacheError, match="it: unpacks to more than the 100,000 bytes"):
        unpack(bomb, tmp_path)
    assert "bomb" not in files_in(tmp_path / "model")


def test_header_that_claims_much_memory(tmp_path: Path) -> None:
    """A member's extended header is read whole by tarfile, whatever size it claims."""
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    content = gzip.compress(name.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(hub.ArchiveError, match="a header claims"):
        unpack(content, tmp_path)


def test_endless_padding(tmp_path: Path) -> None:
    content = gzip.compress(gzip.decompress(pack()) + bytes(archives._MAX_PADDING + (1 << 20)))
    with pytest.raises(hub.ArchiveError, match="bytes follow its end"):
        unpack(content, tmp_path)


@pytest.mark.parametrize("part", [0.02, 0.2, 0.5, 0.9, 0.99])
def test_cut_short(tmp_path: Path, part: float) -> None:
    content = pack({"saved_model.pb": b"x", "noise": random.Random(1).randbytes(100_000)})
    with pytest.raises(hub.ArchiveError, match="it: the archive is damaged or cut short"):
        unpack(content[: int(len(content) * part)], tmp_path)


def test_wrong_checksum(tmp_path: Path) -> None:
    content = bytearray(pack())
    content[-8] ^= 1
    with pytest.raises(hub.ArchiveError, match=r"damaged or cut short \(CRC check failed"):
        unpack(bytes(content), tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"\n  <!DOCTYPE html><html>Please log in</html>", "a web page"),
        (b"\xef\xbb\xbf<html>", "a web page"),
        (b"PK\x03\x04zip", r"a file that starts with b'PK\\x03\\x04zip'"),
    ],
)
def test_no_archive(tmp_path: Path, content: bytes, found: str) -> None:
    with pytest.raises(hub.ArchiveError, match=rf"it: expected a \.tar\.gz archive, got {found}"):
        unpack(content, tmp_path)


def test_gzip_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(hub.ArchiveError, match="damaged"):
        unpack(gzip.compress(b"no tar " * 1000), tmp_path)


PLAIN = gzip.decompress(pack())[: 512 * 12]


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1, max_size=8),
    fix_sums=st.booleans(),
)
def test_any_damage_to_the_tar_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], fix_sums: bool
) -> None:
    plain = bytearray(PLAIN)
    for position, value in changes:
        plain[position] = value
    if fix_sums:  # make the altered first header believable
        plain[148:156] = b" " * 8
        plain[148:156] = b"%06o\0 " % sum(plain[:512])
    folder = tmp_path_factory.mktemp("damage")
    try:
        model = unpack(gzip.compress(bytes(plain), 1), folder)
    except hub.HubError:
        pass
    except OSError as error:  # a name that the file system does not take; the cache reports it
        assert error.filename is not None
    else:
        assert model.is_relative_to(folder / "model")
    assert {path.name for path in folder.iterdir()} <= {"archive", "model"}
