"""Holding a published file against every hash of it that is known."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import Received, read_received
from .container import open_checkpoint
from .errors import BadCheckpoint
from .files import sha256_of_file, sha256_of_files

if TYPE_CHECKING:
    from .zoo import Published

_CHUNK = 1 << 20


def check_whole(entry: "Published", path: Path) -> str:
    """Return the SHA-256 of the file or folder at `path`, held against what is known of it.

    Known is what the authors publish, and what `relicheck fetch` received into the folder.

    Raises:
        BadCheckpoint: it is another file than the published or the received one.
    """
    found = check_hashes(entry, path)
    received = read_received(path.parent)
    if received is not None and received.file == path.name and received.sha256 != found:
        raise _changed(path, found, received)
    return found


def check_hashes(entry: "Published", path: Path) -> str:
    """Return the SHA-256 of what lies at `path`, held against what the authors publish.

    Raises:
        BadCheckpoint: it is another file than the published one.
    """
    found = digest_of(path)
    for wanted in (entry.sha256, entry.sha256_prefix):
        _check(entry, path, "sha256", found, wanted)
    if entry.md5_prefix is not None:
        _check(entry, path, "md5", _md5_of(path), entry.md5_prefix)
    return found


def _check(entry: "Published", path: Path, kind: str, found: str, wanted: str | None) -> None:
    if wanted is not None and not found.startswith(wanted):
        raise BadCheckpoint(
            path,
            f"{kind} {found[:16]}...",
            f"{wanted[:16]}..., the published file's",
            f"Delete it and download it again from {entry.address}",
        )


def _changed(path: Path, found: str, received: Received) -> BadCheckpoint:
    return BadCheckpoint(
        path,
        f"sha256 {found[:16]}...: it changed since it was downloaded",
        f"{received.sha256[:16]}..., as received from {received.parts[0].address}",
        f"Delete it, then: relicheck fetch {received.name}",
    )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of the files that a folder's checkpoint consists of.

    It is the `source_sha256` of the manifest that is read from there.

    Raises:
        BadCheckpoint: a folder that holds no checkpoint.
    """
    if path.is_dir():
        return sha256_of_files(open_checkpoint(path).files)
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, modified: int, inode: int) -> str:
    # Size, time and inode are the key: a report asks for the same gigabytes claim by claim.
    return sha256_of_file(path)


def _md5_of(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # all that MoCo's README states
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
