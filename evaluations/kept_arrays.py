"""Arrays that take long to make, kept under the user's cache until what they are of changes."""

import logging
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..checkpoints.cache import cache_folder
from ..checkpoints.errors import BadData
from ..checkpoints.files import atomic_path

_log = logging.getLogger(__name__)


def kept_arrays(
    kind: str, key: str, make: Callable[[], Mapping[str, np.ndarray]], *, keep_from: int
) -> Mapping[str, np.ndarray]:
    """Return the arrays kept as `kind`/`key`, or made now and kept.

    Args:
        kind: folder of the cache.
        key: what identifies their source: a hash.
        make: makes them.
        keep_from: keep them where the longest has so many rows; fewer are quick to make.
    """
    path = cache_folder() / kind / f"{key[:32]}.npz"
    found = _read(path) if path.is_file() else None
    if found is not None:
        return found
    made = make()
    if max(len(array) for array in made.values()) >= keep_from:
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **made)  # type: ignore[arg-type]
        except BadData as error:
            # It is made again next time: slower, and the same.
            _log.warning("%s", error)
    return made


def _read(path: Path) -> Mapping[str, np.ndarray] | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        _log.warning("%s: cannot be used (%s); it is made again.", path, error)
        return None
