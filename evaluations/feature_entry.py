"""Features of one view of one split, on disk: a folder of one array, made shard by shard.

    about.json        what identifies them, and their shape
    labels.npy        [N] int64
    identities.json   N names
    features.f32      [N, D] float32, little-endian, rows in the data set's order
    00000.json ...    one marker for each finished shard, with the SHA-256 of its rows
    complete.json     the last: a SHA-256 over labels, identities and every marker
    *.lock            empty; see `file_lock`

A shard is a range of rows of the one file, so that the whole is one memory map and a set
larger than memory is read as any array. Its marker is written, atomically, after its rows
have reached the disk: what has a marker is whole, and a killed process leaves rows
without one, which are made again.
"""

import hashlib
import io
import json
import logging
import os
import secrets
import shutil
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.files import write_bytes, write_text
from .file_lock import FileLock
from .shelf import SHARD_ROWS, shard_rows

_log = logging.getLogger(__name__)

_ABOUT, _COMPLETE, _FEATURES = "about.json", "complete.json", "features.f32"
_LABELS, _IDENTITIES, IN_USE = "labels.npy", "identities.json", "in_use.lock"
REMOVED = ".removed-"  # begins the name of a folder that is on its way out

# Shards whose rows gave their checksum in this process: (file, inode, shard, checksum).
_verified: set[tuple[str, int, int, str]] = set()


class DamagedEntry(Exception):
    """An entry that cannot be trusted as a whole; the message says why."""


class FeatureEntry:
    """The features of one view of one split. It is in use, and not evicted, until closed.

    Several processes may fill one entry: each shard is made by the one that holds its lock.
    """

    def __init__(self, folder: Path, in_use: FileLock) -> None:
        self.folder, self._in_use = folder, in_use
        self._locks: dict[int, FileLock] = {}
        self.about = read_about(folder)
        self.rows, self.dim = int(self.about["rows"]), int(self.about["dim"])

    @property
    def facts(self) -> dict[str, Any]:
        """Return what identifies the features; see `feature_cache.facts`."""
        return dict(self.about["facts"])

    @property
    def labels(self) -> np.ndarray:
        """Return the labels [N] int64 in the order of the rows."""
        with (self.folder / _LABELS).open("rb") as stream:
            return np.asarray(np.load(stream, allow_pickle=False), dtype=np.int64)

    @property
    def identities(self) -> list[str]:
        """Return the images' names in the order of the rows."""
        return [str(name) for name in json.loads((self.folder / _IDENTITIES).read_text("ascii"))]

    @property
    def shards(self) -> range:
        """Return the numbers of all shards."""
        return range(-(-self.rows // SHARD_ROWS))

    # What extraction asks of it, see `shelf.Shelf`.

    def missing(self) -> list[int]:
        """Return the shards that are not finished."""
        return [shard for shard in self.shards if not self._marker(shard).is_file()]

    def take(self, shard: int, *, wait: bool = False) -> bool:
        """Return whether `shard` is this process's to make: neither finished nor another's."""
        lock = FileLock(self.folder / f"{shard:05d}.lock")
        if not lock.acquire(wait=wait):
            return False
        if self._marker(shard).is_file():
            lock.release()
            return False
        self._locks[shard] = lock
        return True

    def put(self, shard: int, features: np.ndarray) -> None:
        """Write the rows [rows of the shard, D] float32 of a shard that was taken.

        Raises:
            BadData: the disk is full, or cannot be written.
        """
        rows = shard_rows(shard, self.rows)
        assert features.shape == (len(rows), self.dim), (features.shape, rows, self.dim)
        assert features.dtype == np.float32
        content = np.ascontiguousarray(features, dtype="<f4").reshape(-1).view(np.uint8).data
        path = self.folder / _FEATURES
        try:
            handle = os.open(path, os.O_WRONLY)
            try:
                _write_at(handle, content, rows.start * self.dim * 4)
                os.fsync(handle)
                inode = os.fstat(handle).st_ino
            finally:
                os.close(handle)
        except OSError as error:
            raise BadData(
                path,
                f"features cannot be written ({error.strerror})",
                f"{len(content) / 1e6:,.0f} MB more on that disk",
                "Make room: relicheck cache lists and clears what is kept.",
            ) from error
        checksum = hashlib.sha256(content).hexdigest()
        write_text(self._marker(shard), json.dumps({"shard": shard, "sha256": checksum}))
        _verified.add((str(path), inode, shard, checksum))
        self.leave(shard)

    def leave(self, shard: int) -> None:
        """Give back a shard that was taken, finished or not."""
        lock = self._locks.pop(shard, None)
        if lock is not None:
            lock.release()

    def discard(self, shards: Sequence[int]) -> None:
        """Forget finished shards: they are made again."""
        (self.folder / _COMPLETE).unlink(missing_ok=True)
        for shard in shards:
            self._marker(shard).unlink(missing_ok=True)

    # What reading asks of it.

    def is_complete(self) -> bool:
        """Return whether every shard, the labels and the names are those that were finished."""
        try:
            stated = json.loads((self.folder / _COMPLETE).read_text("utf-8"))["sha256"]
            return bool(stated == self._checksum())
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def complete(self) -> None:
        """Write the last marker, if every shard is finished."""
        if not self.missing() and not self.is_complete():
            write_text(self.folder / _COMPLETE, json.dumps({"sha256": self._checksum()}))

    def discard_damaged(self) -> list[int]:
        """Return the finished shards whose rows don't give their checksum; they are forgotten.

        A shard is read for this once in a process, a piece at a time.
        """
        path = self.folder / _FEATURES
        damaged = []
        size = 4 * self.rows * self.dim
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_size != size:
                # Cut off or grown: a memory map of it would end the process. Zeros don't verify.
                os.truncate(path, size)
            for shard in self.shards:
                checksum = self._stated(shard)
                if checksum is None:
                    continue
                key = (str(path), status.st_ino, shard, checksum)
                if key in _verified and status.st_size == size:
                    continue
                rows = shard_rows(shard, self.rows)
                stream.seek(rows.start * self.dim * 4)
                if _sha256_of(stream.read(len(rows) * self.dim * 4)) == checksum:
                    _verified.add(key)
                else:
                    damaged.append(shard)
        if damaged:
            _log.warning(
                "%s: cached features cannot be used (%s of %s do not give their checksum); "
                "they are made again.",
                self.folder, _count(len(damaged), "shard"), len(self.shards),
            )  # fmt: skip
            self.discard(damaged)
        return damaged

    def features(self) -> np.ndarray:
        """Return the features [N, D] float32, a read-only memory map; every shard is finished.

        The entry stays in use as long as the array lives.
        """
        shape = (self.rows, self.dim)
        mapped: np.ndarray = np.memmap(self.folder / _FEATURES, dtype="<f4", mode="r", shape=shape)
        weakref.finalize(mapped, self._in_use.release)
        return mapped

    def close(self) -> None:
        """End the use of an entry whose features were not taken."""
        for shard in list(self._locks):
            self.leave(shard)
        self._in_use.release()

    def abandon(self) -> None:
        """End the use of an entry that could not be filled; one without any shard is removed."""
        self.close()
        if len(self.missing()) == len(self.shards):
            remove_entry(self.folder)

    def _marker(self, shard: int) -> Path:
        return self.folder / f"{shard:05d}.json"

    def _stated(self, shard: int) -> str | None:
        """Return the checksum in a shard's marker; None if it is not finished."""
        marker = self._marker(shard)
        try:
            return str(json.loads(marker.read_text("utf-8"))["sha256"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return "unreadable"

    def _checksum(self) -> str:
        digest = hashlib.sha256()
        for name in (_ABOUT, _LABELS, _IDENTITIES):
            digest.update((self.folder / name).read_bytes())
        for shard in self.shards:
            digest.update(str(self._stated(shard)).encode())
        return digest.hexdigest()


def create_entry(
    folder: Path, about: Mapping[str, Any], labels: np.ndarray, identities: Sequence[str]
) -> None:
    """Make the files of an entry without any finished shard in `folder`, which exists."""
    for marker in folder.glob("*.json"):
        marker.unlink()
    write_images(folder, labels, identities)
    with (folder / _FEATURES).open("wb") as stream:
        # Not written: the file has holes until shards fill them.
        stream.truncate(4 * int(about["rows"]) * int(about["dim"]))
    write_text(folder / _ABOUT, json.dumps(about, indent=1, sort_keys=True))


def write_images(folder: Path, labels: np.ndarray, identities: Sequence[str]) -> None:
    """Write the labels and names of an entry's images, where they are not what is there."""
    stream = io.BytesIO()
    np.save(stream, np.asarray(labels, dtype="<i8"), allow_pickle=False)
    names = json.dumps([str(name) for name in identities]).encode("ascii")
    for path, content in ((folder / _LABELS, stream.getvalue()), (folder / _IDENTITIES, names)):
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)


def read_about(folder: Path) -> dict[str, Any]:
    """Return what an entry says of itself: `facts`, `network`, `rows`, `dim`, `shard_rows`.

    Raises:
        DamagedEntry: it says nothing that can be used.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        usable = (
            about["shard_rows"] == SHARD_ROWS
            and isinstance(about["facts"], dict)
            and min(int(about["rows"]), int(about["dim"])) > 0
            and all((folder / name).is_file() for name in (_LABELS, _IDENTITIES, _FEATURES))
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedEntry(f"{folder}: {error}") from error
    if not usable:
        raise DamagedEntry(f"{folder}: it was begun by another version, or files are missing")
    return dict(about)


def remove_entry(folder: Path) -> bool:
    """Remove an entry; return False, and leave it, if it is in use."""
    in_use = FileLock(folder / IN_USE)
    try:
        if not in_use.acquire(wait=False):
            return False
        # Renamed first: who begins it anew meanwhile begins in a folder of its own.
        away = folder.with_name(f"{REMOVED}{secrets.token_hex(8)}")
        folder.rename(away)
    except FileNotFoundError:
        return True  # by somebody else
    except OSError as error:
        raise BadData(
            folder, f"cannot be removed ({error.strerror})", "a folder that can be written"
        ) from error
    finally:
        in_use.release()
    shutil.rmtree(away, ignore_errors=True)
    return True


def _write_at(handle: int, content: memoryview, offset: int) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(handle, content[written:], offset + written)


def _sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def finished_shards(folder: Path, rows: int) -> Iterator[int]:
    """Yield the shards of an entry that have a marker."""
    for shard in range(-(-rows // SHARD_ROWS)):
        if (folder / f"{shard:05d}.json").is_file():
            yield shard
