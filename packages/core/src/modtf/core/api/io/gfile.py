"""Files and folders by path (`tf.io.gfile`). Paths are of this machine; `file://` addresses are understood too."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from modtf.core.values.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, PermissionDeniedError
from modtf.core.values.local_files import explained, local_path, matching

__all__ = [
    "GFile", "copy", "exists", "get_registered_schemes", "glob", "isdir", "join", "listdir", "makedirs", "mkdir", "remove",
    "rename", "rmtree", "stat", "walk",
]  # fmt: skip


class FileStatistics(NamedTuple):
    """What `stat` says of a file.

    Attributes:
        length: Its size in bytes.
        mtime_nsec: When it was last changed, in nanoseconds since 1970.
        is_directory: Whether it is a folder.
    """

    length: int
    mtime_nsec: int
    is_directory: bool


class GFile:
    """A file, opened when it is first read or written; a context manager.

    Args:
        name: The path.
        mode: `"r"`, `"w"`, `"a"`, `"r+"`, `"w+"` or `"a+"`, with a `b` for bytes rather than text.

    Raises:
        InvalidArgumentError: The mode is none of these.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        plain = mode.replace("b", "")
        if plain not in ("r", "w", "a", "r+", "w+", "a+"):
            raise InvalidArgumentError(f"mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+', but {mode!r}.")
        self._name = name
        self._mode = mode
        self._binary = "b" in mode
        self._plain_mode = plain
        self._file: Any = None

    @property
    def name(self) -> Any:
        """The path."""
        return self._name

    @property
    def mode(self) -> str:
        """How the file is opened."""
        return self._mode

    def _opened(self) -> io.BufferedIOBase:
        if self._file is None:
            with explained():
                self._file = open(local_path(self._name), f"{self._plain_mode}b")  # noqa: SIM115 (closed by `close`)
        return self._file

    def _readable(self) -> Any:
        if self._plain_mode in ("w", "a"):
            raise PermissionDeniedError("File isn't open for reading.")
        return self._opened()

    def _given(self, content: bytes) -> Any:
        return content if self._binary else content.decode("utf-8")

    def size(self) -> int:
        """Returns the size in bytes."""
        return stat(self._name).length

    def read(self, n: int = -1) -> Any:
        """Returns up to `n` bytes (of text: characters made of so many bytes), or all that is left.

        Raises:
            NotFoundError: There is no such file.
            PermissionDeniedError: The file is open for writing only.
        """
        return self._given(self._readable().read(n))

    def readline(self) -> Any:
        """Returns the next line with its end, or what is left; at the end of the file, nothing."""
        return self._given(self._readable().readline())

    def readlines(self) -> list[Any]:
        """Returns all lines that are left."""
        return [self._given(line) for line in self._readable()]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__

    def write(self, file_content: Any) -> None:
        """Writes bytes or text.

        Raises:
            PermissionDeniedError: The file is open for reading only.
        """
        if self._plain_mode == "r":
            raise PermissionDeniedError("File isn't open for writing.")
        self._opened().write(file_content.encode() if isinstance(file_content, str) else file_content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Goes to a place: from the start of the file (0), from where it is (1) or from the end (2).

        Args:
            offset: How many bytes.
            whence: 0, 1 or 2.
            position: An older name of `offset`.

        Raises:
            TypeError: Neither is given.
            InvalidArgumentError: `whence` is another number.
        """
        offset = position if offset is None else offset
        if offset is None:
            raise TypeError("seek(): offset argument required")
        if whence not in (0, 1, 2):
            raise InvalidArgumentError(f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2.")
        self._readable().seek(offset, whence)

    def tell(self) -> int:
        """Returns the place where it is."""
        return self._opened().tell()

    def seekable(self) -> bool:
        """Whether `seek` can be used: always."""
        return True

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Closes the file; reading or writing opens it anew."""
        if self._plain_mode[0] in "wa":
            self._opened()  # a file that nothing was written into is made as well
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def exists(path: Any) -> bool:
    """Whether there is such a file or folder."""
    return os.path.exists(local_path(path))


def isdir(path: Any) -> bool:
    """Whether there is such a folder."""
    return os.path.isdir(local_path(path))


def glob(pattern: Any) -> list[str]:
    """Returns the paths that match a pattern, or each of several.

    Args:
        pattern: A path or a list of them, in which `*` stands for any characters but `/`, `?` for one, and `[...]` for one
            of those inside.
    """
    patterns = [pattern] if isinstance(pattern, (str, bytes, os.PathLike)) else list(pattern)
    return [path for item in patterns for path in matching(os.fsdecode(item))]


def listdir(path: Any) -> list[str]:
    """Returns the names of what is in a folder.

    Raises:
        NotFoundError: There is no such folder.
    """
    if not isdir(path):
        raise NotFoundError(f"Could not find directory {os.fsdecode(path)}.")
    with explained():
        return os.listdir(local_path(path))


def mkdir(path: Any) -> None:
    """Makes a folder; there may be one already.

    Raises:
        NotFoundError: The folder that it would be in does not exist.
    """
    if not isdir(path):
        with explained():
            os.mkdir(local_path(path))


def makedirs(path: Any) -> None:
    """Makes a folder, and those that it is in."""
    with explained():
        os.makedirs(local_path(path), exist_ok=True)


def remove(path: Any) -> None:
    """Removes a file.

    Raises:
        NotFoundError: There is none.
        FailedPreconditionError: It is a folder.
    """
    with explained():
        os.remove(local_path(path))


def rmtree(path: Any) -> None:
    """Removes a folder and all that is in it.

    Raises:
        NotFoundError: There is none.
    """
    if not exists(path):
        raise NotFoundError(f"{os.fsdecode(path)} not found.")
    with explained():
        shutil.rmtree(local_path(path))


def _check_target(dst: Any, overwrite: bool) -> None:
    if not overwrite and exists(dst):
        raise AlreadyExistsError(f"file already exists: {os.fsdecode(dst)}.")


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file.

    Args:
        src: The file.
        dst: The path of the copy.
        overwrite: Whether it may take the place of another file.

    Raises:
        AlreadyExistsError: There is a file, and `overwrite` is false.
        NotFoundError: There is no file `src`.
    """
    _check_target(dst, overwrite)
    with explained():
        shutil.copyfile(local_path(src), local_path(dst))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Gives a file or folder another path.

    Args:
        src: Its path.
        dst: Its path from now on.
        overwrite: Whether it may take the place of another file.

    Raises:
        AlreadyExistsError: There is a file, and `overwrite` is false.
        NotFoundError: There is no file `src`.
    """
    _check_target(dst, overwrite)
    with explained():
        os.replace(local_path(src), local_path(dst))


def stat(path: Any) -> FileStatistics:
    """Returns the size of a file, when it was changed and whether it is a folder.

    Raises:
        NotFoundError: There is none.
    """
    with explained():
        found = os.stat(local_path(path))
        return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(local_path(path)))


def walk(
    top: Any, topdown: bool = True, onerror: Callable[[OSError], Any] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yields each folder of a tree, with the names of the folders and of the files in it.

    Args:
        top: The outermost folder.
        topdown: Whether a folder comes before those in it.
        onerror: Called with errors, which are passed over otherwise.
    """
    yield from os.walk(local_path(top), topdown, onerror)


def join(path: Any, *paths: Any) -> str:
    """Returns paths joined by `/`; what stands before an absolute one is dropped."""
    return os.path.join(os.fsdecode(path), *map(os.fsdecode, paths))


def get_registered_schemes() -> Sequence[str]:
    """Returns the kinds of addresses that are understood."""
    return ["", "file"]
