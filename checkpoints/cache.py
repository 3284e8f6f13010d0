"""Where published files are kept, and what was received from where.

Downloads go to RELICHECK_CACHE, never into a repository. Most authors publish no hash of
their files, so what arrived first is recorded beside it and held against what comes later.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import BadData
from .files import write_text

_RECORD = "received.json"


def cache_folder() -> Path:
    """Return $RELICHECK_CACHE, else relicheck's folder under $XDG_CACHE_HOME or ~/.cache."""
    named = os.environ.get("RELICHECK_CACHE")
    if named:
        return Path(named).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path("~/.cache").expanduser()) / "relicheck"


def weight_folders() -> list[Path]:
    """Return the folders in which published files are looked for, the cache first."""
    data = Path(os.environ.get("RELICHECK_DATA") or "data")
    return [cache_folder() / "weights", data / "weights", data]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One download: an address and the bytes that came from it."""

    address: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Received:
    """What `relicheck fetch` received for one published checkpoint."""

    name: str  # of the published checkpoint
    file: str  # of the file or folder that was made of it
    sha256: str  # of that file, or of the folder's files (`verification.digest_of`)
    parts: tuple[Part, ...]


def write_received(folder: Path, received: Received) -> None:
    """Keep the record in `folder`, which holds one published checkpoint."""
    write_text(folder / _RECORD, json.dumps(asdict(received), indent=1, sort_keys=True) + "\n")


def read_received(folder: Path) -> Received | None:
    """Return the record in `folder`; None where there is none.

    Raises:
        BadData: a file of that name is something else.
    """
    path = folder / _RECORD
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        parts = tuple(Part(**part) for part in raw.pop("parts"))
        return Received(parts=parts, **raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadData(
            path,
            f"not the record of a download ({error})",
            todo="Delete it: the next fetch writes it anew, and trusts what it receives.",
        ) from error


def all_received() -> Iterator[tuple[Path, Received]]:
    """Yield every folder of a fetched checkpoint with its record; broken records are passed."""
    for folder in weight_folders():
        for path in sorted(folder.glob(f"*/{_RECORD}")):
            try:
                received = read_received(path.parent)
            except BadData:
                continue
            if received is not None:
                yield path.parent, received
