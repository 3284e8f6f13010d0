"""Taking a TensorFlow checkpoint out of the archive it is published in.

Only its index and its data are written, by their plain names, into one folder; whatever
else an archive holds (modules for TensorFlow Hub, links, paths that lead elsewhere) is not.
"""

import gzip
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar, cast

from .container import first_bytes
from .errors import BadCheckpoint

T = TypeVar("T")

_KEPT = re.compile(r"[\w.-]+\.index|[\w.-]+\.data-\d{5}-of-\d{5}")
_MOST_MEMBERS = 10_000
_MOST_TIMES = 10  # its archive's size: floats hardly compress
_LEAST_LIMIT = 1 << 26
_CHUNK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error)


def unpack(archive: Path, folder: Path) -> None:
    """Write the checkpoint in `archive` (.zip, .tar, .tar.gz) into `folder`, which is made.

    An archive may hold several, as a saved model holds one more; the one that lies nearest
    to the root is the checkpoint.

    Raises:
        BadCheckpoint: no archive, damaged, without a checkpoint, or a decompression bomb.
    """
    limit = max(_LEAST_LIMIT, _MOST_TIMES * archive.stat().st_size)
    try:
        names = [name for name, _ in _members(archive, limit)]
        home = _home(archive, names)
        folder.mkdir(parents=True)
        for name, stream in _members(archive, limit):
            if name.parent == home and _KEPT.fullmatch(name.name):
                _write(stream, folder / name.name, archive)
    except (*_DAMAGE, EOFError, RuntimeError, OSError) as error:
        raise BadCheckpoint(
            archive, f"a damaged archive ({error})", "a .zip or .tar.gz", "Delete it, fetch again."
        ) from error


def is_archive(name: str) -> bool:
    """Return whether a file of this name is an archive to unpack."""
    return name.endswith((".zip", ".tar.gz", ".tgz"))


def _members(archive: Path, limit: int) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Yield the regular files of an archive by their inner path, in order."""
    # Not zipfile.is_zipfile, which looks at the end: a tar may end with a zip that it holds.
    if first_bytes(archive)[:2] == b"PK":
        with zipfile.ZipFile(archive) as packed:
            for info in _within(archive, limit, packed.infolist(), lambda info: info.file_size):
                if not info.is_dir():
                    with packed.open(info) as stream:
                        yield _inner(archive, info.filename), stream
        return
    with _plain(archive) as raw:
        # As a stream, in order: going back in a .tar.gz unpacks all before it again.
        with tarfile.open(fileobj=raw, mode="r|") as tape:
            for member in _within(archive, limit, tape, lambda member: member.size):
                regular = tape.extractfile(member) if member.isreg() else None
                if regular is not None:
                    yield _inner(archive, member.name), regular
        # tarfile stops at its end mark, before the checksum that gzip keeps of it all.
        for _ in _within(archive, limit, iter(lambda: raw.read(_CHUNK), b""), len):
            pass


def _plain(archive: Path) -> IO[bytes]:
    zipped = first_bytes(archive)[:2] == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(archive)) if zipped else archive.open("rb")


def _within(
    archive: Path, limit: int, members: Iterable[T], size: Callable[[T], int]
) -> Iterator[T]:
    """Yield the members while they are few and declare no more than `limit` bytes in all."""
    total = 0
    for number, member in enumerate(members):
        total += size(member)
        if number >= _MOST_MEMBERS or total > limit:
            raise BadCheckpoint(
                archive,
                f"holds more than {_MOST_MEMBERS:,} files or {limit:,} bytes",
                "weights, which hardly compress",
            )
        yield member


def _inner(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise BadCheckpoint(archive, f"its file {name[:80]!r} lies outside of it")
    return path


def _home(archive: Path, names: list[PurePosixPath]) -> PurePosixPath:
    holding = [name.parent for name in names if name.suffix == ".index"]
    if not holding:
        shown = ", ".join(str(name) for name in names[:5]) or "nothing"
        raise BadCheckpoint(
            archive, f"holds no TensorFlow checkpoint, but {shown}", "a file NAME.index"
        )
    return min(holding, key=lambda folder: (len(folder.parts), str(folder)))


def _write(stream: IO[bytes], target: Path, archive: Path) -> None:
    # Both readers stop at the size that a member declares, and those were added up.
    try:
        with target.open("xb") as out:
            while chunk := stream.read(_CHUNK):
                out.write(chunk)
    except FileExistsError as error:
        raise BadCheckpoint(archive, f"holds {target.name} twice") from error
