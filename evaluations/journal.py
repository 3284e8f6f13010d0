"""The journal of a folder of records: what was written there, in order, as a chain of hashes.

One line for each record, `{"id": ..., "content": ..., "previous": ...}`: the hash of the
record's content, and the hash of the line before. Taking a line out, changing one, or
putting one in between breaks the chain at the next line; changing a record leaves its line
behind. The hash of the last line, the head, stands for all: whoever noted it elsewhere can
tell a rewritten journal from the one that was.

The chain is in the journal and not in the records, so that a record has the same bytes
whatever was measured before it, and can be copied alone. Lines are appended under a lock
of the operating system, so that processes may write to one folder at the same time.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from ..checkpoints.errors import BadData
from .file_lock import FileLock

JOURNAL = "journal.jsonl"
FIRST = "0" * 64  # what the first line has for the line before it
_TAIL = 4096  # bytes; a line is a tenth of that


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: a record was written."""

    id: str
    content: str  # SHA-256 of the record's content
    line_sha256: str


@dataclass(frozen=True, kw_only=True)
class Journal:
    """A folder's journal as it was read."""

    entries: tuple[Entry, ...] = ()
    breaks: tuple[str, ...] = ()  # where it is not as it was written, one sentence each

    @property
    def head(self) -> str:
        """The hash of the last line; of no line, 64 zeros."""
        return self.entries[-1].line_sha256 if self.entries else FIRST

    @cached_property
    def contents(self) -> dict[str, tuple[str, ...]]:
        """The content hashes by the id of the record; more than one where it was replaced."""
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.entries:
            found[entry.id] = (*found.get(entry.id, ()), entry.content)
        return found


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the folder's journal for one writer; the folder is made.

    Raises:
        BadData: the folder cannot be written, or its file system has no locks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadData(
            folder, f"cannot be written ({error.strerror})", todo="Name another --records."
        ) from error
    with FileLock(folder / JOURNAL):
        yield


def check_keeps(folder: Path) -> None:
    """Return if records could be kept in `folder`, which may be absent; nothing is left there.

    For before long work: what could not be kept should not be begun.

    Raises:
        BadData: it cannot be written, or its file system has no locks.
    """
    base = folder.absolute()
    while not base.exists():
        base = base.parent
    try:
        with (
            tempfile.NamedTemporaryFile(prefix=".relicheck-", dir=base) as probe,
            FileLock(Path(probe.name)),
        ):
            pass
    except OSError as error:
        raise BadData(
            folder, f"cannot be written ({error.strerror})", todo="Name another --records."
        ) from error


def append(folder: Path, record_id: str, content: str) -> None:
    """Add a line for a record whose content has the hash `content`; inside of `writing`."""
    path = folder / JOURNAL
    _drop_torn_line(path)
    body = {"id": record_id, "content": content, "previous": _last_sha256(path)}
    with path.open("ab") as stream:
        stream.write(json.dumps(body).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def is_entered(folder: Path, record_id: str) -> bool:
    """Return whether the journal has a line about a record."""
    path = folder / JOURNAL
    return path.is_file() and f'"id": "{record_id}"'.encode() in path.read_bytes()


def read_journal(folder: Path) -> Journal:
    """Return the journal of `folder`; an absent one has no entries.

    Remembered as long as its file stays the same: every record of a folder asks for it.
    """
    path = folder / JOURNAL
    try:
        facts = path.stat()
    except FileNotFoundError:
        return Journal()
    return _read(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> Journal:
    *lines, torn = path.read_bytes().split(b"\n")
    entries: list[Entry] = []
    breaks: list[str] = []
    previous = FIRST
    for place, line in enumerate(lines, start=1):
        found = _entry(line)
        if found is None:
            breaks.append(f"line {place} is not one of a journal")
        else:
            entry, before = found
            entries.append(entry)
            if before != previous:
                breaks.append(
                    f"line {place} (record {entry.id}) does not follow the line before it: "
                    "a line there was changed, removed or put in"
                )
        previous = hashlib.sha256(line).hexdigest()
    if torn:
        breaks.append(f"line {len(lines) + 1} is cut off")
    return Journal(entries=tuple(entries), breaks=tuple(breaks))


def _entry(line: bytes) -> tuple[Entry, str] | None:
    """Return the entry of a line and what it says of the line before; None: no entry."""
    try:
        body = json.loads(line)
        record_id, content, previous = body["id"], body["content"], body["previous"]
    except (ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(text, str) for text in (record_id, content, previous)):
        return None
    digest = hashlib.sha256(line).hexdigest()
    return Entry(id=record_id, content=content, line_sha256=digest), previous


def _drop_torn_line(path: Path) -> None:
    """Cut off what a process that was killed while writing left; its record is entered again."""
    content = _tail(path)
    if content and not content.endswith(b"\n"):
        torn = len(content) - (content.rfind(b"\n") + 1)
        os.truncate(path, path.stat().st_size - torn)


def _last_sha256(path: Path) -> str:
    lines = _tail(path).splitlines()
    return hashlib.sha256(lines[-1]).hexdigest() if lines else FIRST


def _tail(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        return stream.read()
