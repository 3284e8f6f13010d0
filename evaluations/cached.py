"""What the folder of cached features holds, for people: a list, and removal by name."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..checkpoints.errors import UnknownName
from .feature_cache import cached_paths, last_used, remove
from .feature_entry import IN_USE, DamagedEntry, FeatureEntry
from .file_lock import FileLock


@dataclass(frozen=True, kw_only=True)
class Cached:
    """One entry of the cache, or a file that an earlier version left there."""

    path: Path
    state: str  # complete, partial (finished of all shards), damaged, of an earlier version
    bytes: int  # that it takes on the disk
    last_used: str = ""  # UTC, to the minute; "" unknown
    dataset: str = ""
    split: str = ""
    view: str = "-"  # how the images are shown, as far as it is not the usual
    network: str = ""
    weights_sha256: str = ""
    images: int | None = None
    dim: int | None = None

    @property
    def name(self) -> str:
        """Return the name of its folder or file."""
        return self.path.name

    def as_json(self) -> dict[str, Any]:
        """Return every field by name."""
        return {"name": self.name, **asdict(self), "path": str(self.path)}


def cached(cache: Path, names: Sequence[str] = ()) -> list[Cached]:
    """Return what `cache` holds, what was used last first.

    Args:
        cache: the folder; where there is none, nothing is cached.
        names: of data sets, or beginnings of entries' names; (): everything.

    Raises:
        UnknownName: a name chooses nothing.
    """
    found = [_describe(path) for path in cached_paths(cache)]
    found.sort(key=lambda entry: (-last_used(entry.path), entry.name))
    if not names:
        return found
    for name in names:
        if not any(_is_called(entry, name) for entry in found):
            raise UnknownName("cached features", name, {e.dataset for e in found} - {""})
    return [entry for entry in found if any(_is_called(entry, name) for name in names)]


def clear_cached(
    found: Sequence[Cached], left_bytes: int | None = None
) -> tuple[list[Cached], list[Cached]]:
    """Return what was removed of `found` and what was kept because it is in use.

    With `left_bytes`, what was not used for longest is removed until so much is left.
    """
    removed: list[Cached] = []
    in_use: list[Cached] = []
    left = sum(entry.bytes for entry in found)
    for entry in sorted(found, key=lambda entry: last_used(entry.path)):
        if left_bytes is not None and left <= left_bytes:
            break
        if remove(entry.path):
            removed.append(entry)
            left -= entry.bytes
        else:
            in_use.append(entry)
    return removed, in_use


def _is_called(entry: Cached, name: str) -> bool:
    return entry.dataset == name or entry.name.startswith(name)


def _describe(path: Path) -> Cached:
    size = _disk_bytes(path)
    if not path.is_dir():
        return Cached(path=path, state="of an earlier version", bytes=size)
    seconds = last_used(path)
    used = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds else ""
    try:
        # Looked at without its lock: looking is no use, and must not keep it from going.
        entry = FeatureEntry(path, FileLock(path / IN_USE))
    except DamagedEntry:
        return Cached(path=path, state="damaged", bytes=size, last_used=used)
    finished = len(entry.shards) - len(entry.missing())
    whole = entry.is_complete()
    facts = entry.facts
    return Cached(
        path=path,
        state="complete" if whole else f"partial ({finished} of {len(entry.shards)} shards)",
        bytes=size,
        last_used=used,
        dataset=str(facts["dataset"]),
        split=str(facts["split"]),
        view=_view(facts),
        network=str(entry.about.get("network", "")),
        weights_sha256=str(facts["weights_sha256"]),
        images=entry.rows,
        dim=entry.dim,
    )


def _view(facts: dict[str, Any]) -> str:
    said = [str(facts.get("corruption") or "")]
    if facts.get("border_px"):
        said.append(f"border {facts['border_px']} px")
    if facts.get("precision", "float32") != "float32":
        said.append(str(facts["precision"]))
    said.append(f"{facts['preprocessing']['image_size']} px")
    return ", ".join(filter(None, said))


def _disk_bytes(path: Path) -> int:
    """Return the bytes on disk; the rows that are not made yet are holes and take none."""
    total = 0
    for file in [path] if path.is_file() else path.glob("*"):
        with contextlib.suppress(OSError):
            status = file.stat()
            total += min(status.st_size, 512 * status.st_blocks)
    return total
