"""Unpacking a model's archive, trusting nothing that it says.

Only plain files and folders are written, only below the folder given, and only as much as the disk has room for. The
rules here refuse where tarfile's own filters would repair (strip a leading slash, follow a link that stays inside):
an archive that needs repair was not made by a tool that saves models.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from modtf.hub.errors import ArchiveError, CacheError
from modtf.hub.model_folder import MODEL_FILES, holds_model

MAX_MEMBERS = 10_000
KEEP_FREE = 64 << 20  # bytes of the disk that unpacking leaves free
_CHUNK = 1 << 20
_MAX_PADDING = 16 << 20  # bytes that may follow a tar's end; tools pad to at most some hundred kilobytes


@dataclass(frozen=True)
class Member:
    """One entry of an archive, of any format. `kind` is "file", "folder", or what else it is, in words."""

    name: str
    kind: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, *, source: str) -> Path:
    """Unpacks a SavedModel's archive.

    Args:
        archive: the archive's path; its format is told by its first bytes, not by its name.
        folder: where to unpack to; must not exist. What is left there after an error is not to be used.
        source: what error messages call the archive.

    Returns:
        The SavedModel's folder: `folder`, or the only folder directly in it that holds a SavedModel.

    Raises:
        ArchiveError: the archive is damaged, is unsafe, is in no known format, or holds no SavedModel.
        CacheError: it is larger than the disk has room for.
    """
    read_members = _format_of(archive, source)
    folder.mkdir(parents=True)
    free = shutil.disk_usage(folder).free - KEEP_FREE
    needed = 0
    try:
        for number, member in enumerate(read_members(archive), start=1):
            if number > MAX_MEMBERS:
                raise ArchiveError(f"{source}: refused, the archive has more than {MAX_MEMBERS:,} members.")
            target = _target(folder, member, source)
            needed += member.size
            if needed > free:
                raise CacheError(
                    f"{source}: unpacks to more than the {max(free, 0):,} bytes that may be used on the disk "
                    f"of {str(folder)!r}. Make room there, and make sure that the archive is meant to be this large."
                )
            _write(member, target)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveError(
            f"{source}: the archive is damaged or cut short ({error}). Fetch or make it again."
        ) from error
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise ArchiveError(f"{source}: refused, {member.name!r} stands in the archive twice.") from error
    return _model_in(folder, source)


def _target(folder: Path, member: Member, source: str) -> Path:
    """Where a member goes; an error for every member that is anything but a plain file or folder inside `folder`."""
    name = PurePosixPath(member.name)
    if member.kind not in ("file", "folder"):
        fault = f"is a {member.kind}; a model has plain files and folders only"
    elif name.is_absolute() or ".." in name.parts:
        fault = "would be written outside of the model's folder"
    elif "\\" in member.name or "\0" in member.name or os.path.splitdrive(member.name)[0]:
        fault = "has a name that does not mean the same on every system"
    elif member.size < 0:
        fault = "has a negative size"
    else:
        return folder.joinpath(*name.parts)
    raise ArchiveError(f"{source}: refused, its member {member.name!r} {fault}. Nothing of it was kept.")


def _write(member: Member, target: Path) -> None:
    if member.kind == "folder":
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as content, open(target, "xb") as out:
        shutil.copyfileobj(content, out, _CHUNK)
        out.flush()
        os.fsync(out.fileno())  # so that a power cut does not leave an empty file in a folder that looks whole


def _model_in(folder: Path, source: str) -> Path:
    if holds_model(folder):
        return folder
    top = sorted(folder.iterdir())
    models = [path for path in top if path.is_dir() and holds_model(path)]
    if len(models) == 1:
        return models[0]
    expected = " or ".join(MODEL_FILES)
    if models:
        raise ArchiveError(
            f"{source}: holds {len(models)} models ({_names(models)}); pack each into an archive of its own."
        )
    raise ArchiveError(
        f"{source}: holds no SavedModel: expected {expected} at its top or in a folder of its top, found "
        f"{_names(top) or 'nothing'}."
    )


def _names(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths[:10]) + (", ..." if len(paths) > 10 else "")


# ------------------------------------------------------------------------------------------------------------- formats


def _format_of(archive: Path, source: str) -> Callable[[Path], Iterator[Member]]:
    try:
        with open(archive, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ArchiveError(f"{source}: cannot be read ({error}).") from error
    for magic, read_members in _FORMATS.items():
        if head.startswith(magic):
            return read_members
    if not head:
        found = "an empty file"
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        found = "a web page, perhaps one that asks to log in or tells of an error"
    else:
        found = f"a file that starts with {head[:8]!r}"
    raise ArchiveError(f"{source}: expected a .tar.gz archive, got {found}.")


class _BoundedGzip(gzip.GzipFile):
    """Refuses a read at one go of more than the copying of a member needs.

    tarfile takes the sizes of extended headers at their word, and would fill the memory with what one claims.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _CHUNK:
            raise tarfile.ReadError(f"a header claims {size} bytes")
        return super().read(size)


_TAR_KINDS = {
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
}


def _tar_content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(entry)
    assert content is not None, entry  # asked for plain files only
    return content


def _tar_gz_members(archive: Path) -> Iterator[Member]:
    with _BoundedGzip(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for entry in tar:
            if entry.isfile() and not entry.issparse():
                kind = "file"
            elif entry.isdir():
                kind = "folder"
            else:
                kind = _TAR_KINDS.get(entry.type, "member of a special type")
            yield Member(entry.name, kind, entry.size, partial(_tar_content, tar, entry))
        # tarfile stops at the tar's end mark; only reading on to the end of the gzip stream checks its CRC.
        padding = 0
        while chunk := stream.read(_CHUNK):
            padding += len(chunk)
            if padding > _MAX_PADDING:
                raise tarfile.ReadError(f"more than {_MAX_PADDING:,} bytes follow its end")


_FORMATS: dict[bytes, Callable[[Path], Iterator[Member]]] = {b"\x1f\x8b": _tar_gz_members}
