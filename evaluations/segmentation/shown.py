"""Predicted masks of the few images that people look at, kept beside their record."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadRecord
from ...checkpoints.files import atomic_path


def write_shown(record: Path, masks: Mapping[int, np.ndarray]) -> Path:
    """Write masks [H, W] uint8 by image beside the record in the file `record`.

    Returns:
        The file: `<id>.masks.npz`.
    """
    path = _path(record)
    arrays = {str(image): mask for image, mask in masks.items()}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return path


def read_shown(record: Path) -> dict[int, np.ndarray]:
    """Return the masks [H, W] uint8 by image kept beside a record; {} where there are none.

    Raises:
        BadRecord: the file is damaged.
    """
    path = _path(record)
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {int(name): np.asarray(archive[name]) for name in archive.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise BadRecord(
            path, f"cannot be read ({error})", "masks", "Delete it and measure again."
        ) from error


def _path(record: Path) -> Path:
    return record.with_suffix(".masks.npz")
