"""The folder of cached features: one entry for each (weights, images, view, precision).

With the checkpoint's head they are enough to score a model where the images are absent.
The folder may be shared by processes that run at the same time, and bounded: entries that
were not used for longest go first, and none that is in use.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData, MissingData, UsageError
from .byte_sizes import show_bytes
from .feature_entry import (
    IN_USE,
    REMOVED,
    DamagedEntry,
    FeatureEntry,
    create_entry,
    read_about,
    remove_entry,
    write_images,
)
from .file_lock import FileLock
from .image_source import ImageSource
from .shelf import SHARD_ROWS
from .view import View

_log = logging.getLogger(__name__)

# Raised when the code changes what the same facts give: other crops, another resize.
EXTRACTION = 1
# Version 1 of this cache was files of this kind: never read again, listed, the first to go.
EARLIER = "*.safetensors"


def facts(
    weights_sha256: str, source: ImageSource, view: View, precision: str = "float32"
) -> dict[str, Any]:
    """Return what identifies an extraction: the key of the cache."""
    return {
        "extraction": EXTRACTION,
        "weights_sha256": weights_sha256,
        **json.loads(json.dumps(asdict(view))),
        "precision": precision,
        "dataset": source.name,
        "split": source.split,
        "fingerprint": source.fingerprint,
        "expected": source.expected,
        "class_names": list(source.class_names),
    }


def entry_name(wanted: Mapping[str, Any]) -> str:
    """Return the name of the folder that holds the extraction identified by `wanted`."""
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(wanted["dataset"]))
    return f"{name}-{wanted['split']}-{key}"


@dataclass(frozen=True, kw_only=True)
class FeatureCache:
    """A folder of entries, at most `max_bytes` large; None: as large as its disk."""

    folder: Path
    max_bytes: int | None = None

    def find(self, wanted: Mapping[str, Any]) -> FeatureEntry | None:
        """Return the entry of `wanted`, finished or begun; None if there is none to trust."""
        return self._open(self.folder / entry_name(wanted), wanted)

    def begin(
        self, wanted: Mapping[str, Any], source: ImageSource, dim: int, network: str
    ) -> FeatureEntry:
        """Return the entry of `wanted`, made where there is none.

        Args:
            wanted: as `facts` gives it.
            source: the images, for their labels and names.
            dim: length of a feature.
            network: its name for people.

        Raises:
            UsageError: it does not fit into the cache beside what is in use.
            BadData: the folder cannot be written.
        """
        folder = self.folder / entry_name(wanted)
        about = {
            "facts": dict(wanted),
            "network": network,
            "rows": len(source),
            "dim": dim,
            "shard_rows": SHARD_ROWS,
        }
        while True:
            in_use = FileLock(folder / IN_USE)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                in_use.acquire(shared=True)
            except FileNotFoundError:
                continue  # evicted between the two lines
            except OSError as error:
                raise BadData(
                    folder, f"cannot be written ({error.strerror})", todo="Name another --cache."
                ) from error
            break
        try:
            with FileLock(self.folder / "cache.lock"):
                if _holds(folder, wanted, about):
                    write_images(folder, source.labels, source.identities)
                else:
                    self._make_room(4 * len(source) * dim, folder)
                    create_entry(folder, about, source.labels, source.identities)
        except BaseException:
            in_use.release()
            if not (folder / "about.json").is_file():
                remove_entry(folder)
            raise
        os.utime(in_use.path)
        return FeatureEntry(folder, in_use)

    def remembered(
        self, weights_sha256: str, view: View, precision: str, dataset: str, split: str
    ) -> FeatureEntry | None:
        """Return the features of a complete split, found without its images.

        None if there are none, or if several sets of images were cached under one name and
        it cannot be known which is meant.
        """
        wanted = {
            "extraction": EXTRACTION,
            "weights_sha256": weights_sha256,
            **json.loads(json.dumps(asdict(view))),
            "precision": precision,
            "dataset": dataset,
            "split": split,
        }
        found = []
        for folder in entry_folders(self.folder):
            with contextlib.suppress(DamagedEntry):
                about = read_about(folder)
                whole = about["facts"].get("expected") in (None, about["rows"])
                if whole and wanted.items() <= about["facts"].items():
                    found.append(folder)
        entries = [entry for folder in found if (entry := self._open(folder, None)) is not None]
        whole_ones = [e for e in entries if e.is_complete() and not e.discard_damaged()]
        chosen = whole_ones[0] if len(whole_ones) == 1 else None
        for entry in entries:
            if entry is not chosen:
                entry.close()
        return chosen

    def trim(self) -> None:
        """Remove what was not used for longest until the rest fits."""
        if self.max_bytes is not None and self.folder.is_dir():
            with FileLock(self.folder / "cache.lock"):
                self._evict(self.max_bytes, None)

    def _open(self, folder: Path, wanted: Mapping[str, Any] | None) -> FeatureEntry | None:
        if not folder.is_dir():
            return None
        in_use = FileLock(folder / IN_USE)
        try:
            in_use.acquire(shared=True)
            entry = FeatureEntry(folder, in_use)
        except FileNotFoundError:
            return None
        except DamagedEntry as reason:
            _log.warning("cached features cannot be used (%s); they are made again.", reason)
            in_use.release()
            return None
        if wanted is not None and entry.facts != dict(wanted):
            in_use.release()
            return None
        os.utime(in_use.path)
        return entry

    def _make_room(self, needed: int, own: Path) -> None:
        if self.max_bytes is None:
            return
        # What can never fit is not worth throwing anything away for.
        kept = self._evict(self.max_bytes - needed, own) if needed <= self.max_bytes else 0
        if kept + needed > self.max_bytes:
            raise UsageError(
                f"cache {self.folder}",
                f"{show_bytes(needed)} of features do not fit: it may hold "
                f"{show_bytes(self.max_bytes)}, of which {show_bytes(kept)} are in use",
                f"--cache-size of at least {show_bytes(kept + needed)}",
            )

    def _evict(self, allowed: int, own: Path | None) -> int:
        """Return the bytes left after removing entries until at most `allowed` are."""
        removable = sorted(
            (path for path in cached_paths(self.folder) if path != own), key=last_used
        )
        # An entry that is being filled counts as what it will be.
        sizes = {path: full_bytes(path) for path in removable}
        kept = sum(sizes.values())
        for path in removable:
            if kept <= allowed:
                break
            if remove(path):
                _log.info("%s was not used for longest: removed from the cache", path.name)
                kept -= sizes[path]
        return kept


def entry_folders(cache: Path) -> list[Path]:
    """Return the folders of entries, finished or begun, sorted by name."""
    return sorted(lock.parent for lock in cache.glob(f"*/{IN_USE}"))


def cached_paths(cache: Path) -> list[Path]:
    """Return everything that takes room: entries, their remains, files of earlier versions."""
    remains = [path for path in cache.glob(f"{REMOVED}*") if not (path / IN_USE).exists()]
    return entry_folders(cache) + sorted(remains) + sorted(cache.glob(EARLIER))


def last_used(path: Path) -> float:
    """Return when a cached thing was last used, in seconds since 1970; 0 for an unread file."""
    try:
        return (path / IN_USE).stat().st_mtime if path.is_dir() else 0.0
    except OSError:
        return 0.0


def full_bytes(path: Path) -> int:
    """Return the bytes of a cached thing, its unfinished rows included."""
    files = [path] if path.is_file() else list(path.glob("*"))
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total


def remove(path: Path) -> bool:
    """Remove a cached thing; return False, and leave it, if it is in use."""
    if path.is_dir():
        return remove_entry(path)
    path.unlink(missing_ok=True)
    return True


def _holds(folder: Path, wanted: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Return whether an entry for `wanted` of this shape is there, whole or begun."""
    try:
        found = read_about(folder)
    except DamagedEntry as reason:
        if any(folder.glob("*.json")):
            _log.warning("cached features cannot be used (%s); they are made again.", reason)
        return False
    same = all(found[key] == about[key] for key in ("rows", "dim"))
    return same and found["facts"] == dict(wanted)


class CachedImages:
    """An `ImageSource` whose images are absent: labels and names from the cache."""

    def __init__(self, entry: FeatureEntry) -> None:
        self.labels, self.identities = entry.labels, entry.identities
        self._facts = entry.facts

    @property
    def name(self) -> str:
        """The data set's name."""
        return str(self._facts["dataset"])

    @property
    def split(self) -> str:
        """The split's name."""
        return str(self._facts["split"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the labels."""
        return tuple(self._facts["class_names"])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the images the features were made from."""
        return str(self._facts["fingerprint"])

    @property
    def expected(self) -> int | None:
        """The published size of the complete split."""
        size = self._facts["expected"]
        return None if size is None else int(size)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> np.ndarray:
        raise MissingData(
            f"{self.name}, {self.split}",
            "only cached features are here, not the images",
            "the images",
            "This evaluator changes the images or the network: fetch the data set.",
        )
