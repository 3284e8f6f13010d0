"""A file that is being received: its bytes so far, and what the server said of it."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path

from .errors import BadData
from .files import write_text


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Which version of which file the bytes so far belong to."""

    address: str
    length: int | None = None  # bytes of the whole file, where the server says
    etag: str | None = None
    modified: str | None = None

    @property
    def condition(self) -> str | None:
        """The validator under which a server may be asked to go on.

        A weak one does not vouch for every byte (RFC 9110, Sec. 8.8.1).
        """
        strong = self.etag is not None and not self.etag.startswith("W/")
        return self.etag if strong else self.modified


class Partial:
    """The partial file at `path`; its notes lie in a file of their own."""

    def __init__(self, address: str, path: Path, notes: Path) -> None:
        self.address, self.path = address, path
        self._notes = notes
        if self._read() is None:
            self.discard()

    def _read(self) -> Notes | None:
        try:
            notes = Notes(**json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return notes if notes.address == self.address else None

    @property
    def notes(self) -> Notes:
        """What the server said of the bytes so far; nothing before the first of them."""
        return self._read() or Notes(address=self.address)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are here that the server declared."""
        return self.size > 0 and self.size == self.notes.length

    def resume_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest; none where the whole has to come again."""
        condition = self.notes.condition
        if not self.size or condition is None:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": condition}

    def begin(self, headers: Message, length: int | None) -> None:
        """Throw away what is there and note which version comes now."""
        # In this order the bytes of one version never stand under the notes of another.
        self.discard()
        notes = Notes(
            address=self.address,
            length=length,
            etag=headers.get("ETag"),
            modified=headers.get("Last-Modified"),
        )
        write_text(self._notes, json.dumps(asdict(notes), sort_keys=True) + "\n")

    def discard(self) -> None:
        """Remove the bytes so far and what is known of them."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def append(self, chunks: Iterable[bytes]) -> None:
        """Write the chunks at the end of the file, and on to the disk.

        What ends the iteration (a broken connection, Ctrl-C) leaves what came before it.

        Raises:
            BadData: the file cannot be written. Never OSError, which is a connection's.
        """
        with self._writing():
            stream = self.path.open("ab", buffering=0)
        try:
            for chunk in chunks:
                with self._writing():
                    stream.write(chunk)
            with self._writing():
                os.fsync(stream.fileno())
        finally:
            stream.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadData(
                self.path,
                f"cannot be written ({error.strerror})",
                todo="What was received is kept: free some space and repeat the command.",
            ) from error
