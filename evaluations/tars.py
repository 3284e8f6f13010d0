"""Images inside tar archives, read in place: no million files to unpack.

An uncompressed tar is indexed in one pass over its headers; then any image is one seek and
one read. A compressed one has no random access: it is small, or it is refused.
"""

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.progress import progress_bar
from .content_hashes import stamp
from .kept_arrays import kept_arrays
from .sources import Images, digest_or_sizes, from_bytes, sha256_of

# A compressed archive up to this size is decompressed into memory.
MEMORY_BYTES = 2 << 30
# An index of fewer files is made faster than it would be looked up.
_KEEP_FROM_FILES = 20_000


@dataclass(frozen=True, kw_only=True)
class Members:
    """Files inside uncompressed tars: where each lies."""

    archives: tuple[Path, ...]
    names: Sequence[str]  # as in the archives; inside an inner tar: its stem, "/", the name
    archive: np.ndarray  # [N] int64, index into `archives`
    offset: np.ndarray  # [N] int64, bytes from the archive's beginning
    size: np.ndarray  # [N] int64, bytes

    def read(self, index: int) -> bytes:
        """Return the content of one file.

        Raises:
            BadData: the archive ends before it does.
        """
        path, size = self.archives[int(self.archive[index])], int(self.size[index])
        # Opened for each image: an open file cannot be shared by threads that seek in it.
        try:
            with path.open("rb") as stream:
                stream.seek(int(self.offset[index]))
                content = stream.read(size)
        except OSError as error:
            raise BadData(path, f"cannot be read ({error.strerror})", "a tar archive") from error
        if len(content) < size:
            raise _broken(path, f"it ends inside {self.names[index]}")
        return content

    def where(self, index: int) -> str:
        """Return one file's name with its archive's, for messages."""
        return f"{self.archives[int(self.archive[index])]}, {self.names[index]}"

    def at(self, indices: Sequence[int] | np.ndarray) -> "Members":
        """Return the files at `indices`, in that order."""
        rows = np.asarray(indices, dtype=np.int64)
        return Members(
            archives=self.archives,
            names=[self.names[int(index)] for index in rows],
            archive=self.archive[rows],
            offset=self.offset[rows],
            size=self.size[rows],
        )


def index_tars(archives: Sequence[Path], *, nested: bool = False) -> Members:
    """Return every file inside uncompressed tars, in their order, by one pass over the headers.

    The index of many files is kept (`kept_arrays`) until an archive's size or time changes.

    Args:
        archives: the tars.
        nested: look into the tars inside them (ImageNet's training archive: a tar of tars).

    Raises:
        BadData: one is compressed, truncated, or not a tar.
    """

    def make() -> dict[str, np.ndarray]:
        rows: list[tuple[str, int, int, int]] = []
        with progress_bar("index of tars", len(archives), "archive") as bar:
            for number, path in enumerate(archives):
                rows += [(n, number, o, s) for n, o, s in _headers(path, nested)]
                bar.update(1)
        numbers = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 3)
        names = "\0".join(row[0] for row in rows).encode(errors="surrogateescape")
        return {"names": np.frombuffer(names, np.uint8), "numbers": numbers}

    key = stamp(archives, ["tar index", str(nested)])
    arrays = kept_arrays("tar_index", key, make, keep_from=_KEEP_FROM_FILES)
    names = arrays["names"].tobytes().decode(errors="surrogateescape")
    numbers = arrays["numbers"]
    return Members(
        archives=tuple(archives),
        names=names.split("\0") if names else [],
        archive=numbers[:, 0],
        offset=numbers[:, 1],
        size=numbers[:, 2],
    )


def from_members(members: Members, **rest: Any) -> Images:
    """Return a source over image files inside uncompressed tars; `rest` as `Images`."""

    def known_by() -> str:
        return stamp(members.archives, members.names)

    return from_bytes(
        members.read,
        members.where,
        stamp=known_by,
        digest=lambda: digest_or_sizes(
            [int(size) for size in members.size],
            known_by,
            lambda: (members.read(index) for index in range(len(members.names))),
        ),
        identities=members.names,
        **rest,
    )


def from_tar(archive: Path, members: Sequence[str], **rest: Any) -> Images:
    """Return a source over image files inside one tar; `rest` as `Images`.

    Read in place; where it is compressed, once into memory.
    """
    if not is_compressed(archive):
        index = index_tars([archive])
        place = {name: number for number, name in enumerate(index.names)}
        return from_members(index.at([place[name] for name in members]), **rest)
    contents = read_members(archive, members)
    return from_bytes(
        lambda index: contents[index],
        lambda index: f"{archive}, {members[index]}",
        identities=list(members),
        digest=lambda: sha256_of(contents),
        **rest,
    )


def list_tar(archive: Path) -> list[str]:
    """Return the names of the files in a tar, compressed or not, sorted.

    Raises:
        BadData: it is not a whole tar archive.
    """
    if not is_compressed(archive):
        return sorted(index_tars([archive]).names)
    try:
        with tarfile.open(archive) as tar:
            return sorted(member.name for member in tar if member.isfile())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken(archive, error) from error


def is_compressed(archive: Path) -> bool:
    """Return whether a file begins as gzip, bzip2, xz or zstandard do."""
    try:
        with archive.open("rb") as stream:
            begin = stream.read(6)
    except OSError as error:
        raise BadData(archive, f"cannot be read ({error.strerror})", "a tar archive") from error
    return begin.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))


def _headers(path: Path, nested: bool) -> Iterator[tuple[str, int, int]]:
    if is_compressed(path):
        raise BadData(
            path,
            "it is compressed, so no image in it can be reached without reading all before it",
            "an uncompressed tar",
            "Decompress it (gunzip) or unpack it.",
        )
    try:
        with path.open("rb") as stream:
            yield from _walk(stream, nested)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken(path, error) from error


def _walk(stream: BinaryIO, nested: bool) -> Iterator[tuple[str, int, int]]:
    with tarfile.open(fileobj=stream, mode="r:") as tar:
        while (member := tar.next()) is not None:
            # tarfile remembers every header; a million of them are not needed.
            tar.members = []  # type: ignore[attr-defined]
            if not member.isfile():
                continue
            if nested and member.name.endswith(".tar"):
                yield from _inside(stream, member)
            else:
                yield member.name.removeprefix("./"), member.offset_data, member.size


def _inside(stream: BinaryIO, outer: tarfile.TarInfo) -> Iterator[tuple[str, int, int]]:
    """Yield the files of a tar inside a tar, by their place in the outer one."""
    window = _Window(stream, outer.offset_data, outer.size)
    stem = Path(outer.name).stem
    for name, offset, size in _walk(window, nested=False):  # type: ignore[arg-type]
        yield f"{stem}/{name}", outer.offset_data + offset, size


class _Window:
    """A part of an open file, as tarfile reads one."""

    def __init__(self, stream: BinaryIO, begin: int, size: int) -> None:
        self._stream, self._begin, self._size, self._at = stream, begin, size, 0

    def tell(self) -> int:
        return self._at

    def seek(self, to: int) -> int:
        self._at = to
        return to

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._at, 0)
        self._stream.seek(self._begin + self._at)
        content = self._stream.read(left if size < 0 else min(size, left))
        self._at += len(content)
        return content


def read_members(archive: Path, members: Sequence[str]) -> list[bytes]:
    """Return the contents of some files of a tar, compressed or not, read in one pass.

    Raises:
        BadData: it is not a whole tar archive, or too large to be held in memory.
    """
    if archive.stat().st_size > MEMORY_BYTES:
        raise BadData(
            archive,
            f"{archive.stat().st_size:,} bytes, compressed",
            f"an uncompressed tar, or a compressed one of at most {MEMORY_BYTES:,} bytes",
            "Decompress it (gunzip) or unpack it.",
        )
    wanted, found = set(members), {}
    try:
        # Streaming: random access into a compressed tar would decompress it once a file.
        with tarfile.open(archive, mode="r|*") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.name in wanted else None
                if stream is not None:
                    found[member.name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken(archive, error) from error
    return [found[name] for name in members]


def _broken(archive: Path, reason: object) -> BadData:
    return BadData(archive, f"not a whole tar archive ({reason})", todo="Fetch it again.")
