"""Downloading a published checkpoint into the cache: whole, checked, and never half in place.

A download lies in `.incoming` beside its target until everything about it was checked;
then one rename puts it where `find_published` looks. Nothing else in relicheck uses the
network.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .cache import Received, cache_folder, read_received, weight_folders, write_received
from .drive import direct, name_in
from .errors import BadCheckpoint, BadData, MissingData
from .http_get import OFFLINE, Failure, offline
from .incoming import incoming_folder, receive
from .transfer import Patience
from .unpack import is_archive
from .verification import check_whole
from .zoo import Published, locate_published


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A published checkpoint that is on this machine."""

    name: str
    path: Path  # file or folder, as `load_checkpoint` takes it
    sha256: str
    bytes: int
    new: bool  # whether it was downloaded now


def target_of(entry: Published, root: Path | None = None) -> Path:
    """Return where `fetch` puts the checkpoint: its own folder under `root` or the cache."""
    return (root or cache_folder() / "weights") / entry.name / entry.file


def fetch(
    entry: Published,
    root: Path | None = None,
    *,
    patience: Patience | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Fetched:
    """Return the published checkpoint, downloaded if no folder has it yet.

    An interrupted download goes on where it was. What arrives is held against the hash the
    authors publish; where they publish none, against what was received the first time.

    Args:
        root: folder to put it under, in one of its own; None: the cache.
        say: told what goes on.

    Raises:
        MissingData: it cannot be downloaded; the message says what to put where by hand.
        BadCheckpoint: what is there, or what arrived, is not the published file.
        BadData: the disk is full or the folder cannot be written.
    """
    target = target_of(entry, root)
    found = locate_published(entry, weight_folders() if root is None else [root])
    if found is not None:
        return _fetched(entry, found, check_whole(entry, found), new=False)
    if offline() and not target.parent.exists():
        raise _by_hand(entry, target, OFFLINE)
    with _only_one(target.parent, entry, say):
        if target.exists():  # another process fetched it while this one waited
            return _fetched(entry, target, check_whole(entry, target), new=False)
        try:
            received = receive(entry, target, patience or Patience(), say)
        except Failure as failure:
            kept = _kept(incoming_folder(target))
            raise _by_hand(entry, target, failure.reason + kept) from failure
        _check_trust(entry, target, received)
        write_received(target.parent, received)
        (incoming_folder(target) / entry.file).rename(target)
        shutil.rmtree(incoming_folder(target))
    return _fetched(entry, target, received.sha256, new=True)


def _fetched(entry: Published, path: Path, sha256: str, *, new: bool) -> Fetched:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return Fetched(name=entry.name, path=path, sha256=sha256, bytes=size, new=new)


def _kept(incoming: Path) -> str:
    files = [file for file in incoming.rglob("*") if file.is_file() and file.suffix != ".json"]
    size = sum(file.stat().st_size for file in files)
    return f"; the {size:,} bytes that came are kept, and the next fetch goes on" if size else ""


def _by_hand(entry: Published, target: Path, reason: str) -> MissingData:
    """Return the one message for whoever has to bring the file some other way."""
    terms = entry.licence + (", non-commercial use only" if entry.non_commercial else "")
    named = f"{entry.file}" + (f" ({entry.size})" if entry.size else "")
    place: Path = target
    if len(entry.addresses) > 1:
        how = "download " + " and ".join(direct(a) for a in entry.addresses) + " into the folder"
    elif is_archive(name_in(entry.addresses[0])):
        place = target.with_name(name_in(entry.addresses[0]))
        how = f"download {direct(entry.addresses[0])} to"
    else:
        how = f"download {entry.address} to"
    return MissingData(
        entry.name,
        reason,
        f"{named} ({terms})",
        f"With a browser or on another machine, {how} {place}; then repeat the command.",
    )


@contextmanager
def _only_one(folder: Path, entry: Published, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock, so that two fetches of one checkpoint follow each other."""
    import fcntl  # POSIX only, like this program's signals

    try:
        (folder / ".incoming").mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise BadData(
            folder, f"cannot be written ({error.strerror})", todo="Set RELICHECK_CACHE, or --to."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{entry.name}: another process is fetching it; waiting for that one")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise BadData(
                folder,
                f"its file system has no locks ({error.strerror})",
                todo="Name a folder on another one: RELICHECK_CACHE, or --to.",
            ) from error
        yield
    finally:
        os.close(handle)  # which gives the lock back, as the end of a killed process does


def _check_trust(entry: Published, target: Path, received: Received) -> None:
    """Return if these bytes came the first time, or are those that came the first time."""
    before = read_received(target.parent)
    if before is None or before.sha256 == received.sha256:
        return
    shutil.rmtree(incoming_folder(target))
    raise BadCheckpoint(
        entry.name,
        f"its address now gives other bytes (sha256 {received.sha256[:16]}...)",
        f"{before.sha256[:16]}..., as received before",
        f"Find out why. To take the new ones, delete {target.parent / 'received.json'} first.",
    )
