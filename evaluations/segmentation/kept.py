"""Confusion matrices beside their record: mIoU and its interval can be computed again."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadRecord
from ...checkpoints.files import atomic_path
from ..record import Record
from .scores import mean_iou

# Percents; the same counts give the same float64 arithmetic, whatever machine made them.
_TOLERANCE = 1e-9


def confusions_path(record: Path) -> Path:
    """Return where the matrices of the record in the file `record` lie: `<id>.confusions.npz`."""
    return record.with_suffix(".confusions.npz")


def confusions_sha256(confusions: np.ndarray) -> str:
    """Return the hash that a record holds of [images, classes, classes] int64 matrices."""
    digest = hashlib.sha256(str(confusions.shape).encode())
    digest.update(confusions.astype("<i8").tobytes())
    return digest.hexdigest()


def write_confusions(record: Path, confusions: np.ndarray) -> Path:
    """Write matrices beside the record in the file `record`; return their file.

    Raises:
        BadData: it cannot be written.
    """
    assert confusions.dtype == np.int64, confusions.dtype
    assert confusions.ndim == 3, confusions.shape
    path = confusions_path(record)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, confusions=confusions)
    return path


def read_confusions(record: Path) -> np.ndarray | None:
    """Return the matrices [images, classes, classes] int64 kept beside a record, if any.

    Raises:
        BadRecord: the file is damaged.
    """
    path = confusions_path(record)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return np.asarray(archive["confusions"], dtype=np.int64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _edited(path, f"cannot be read ({error})") from error


def check_confusions(path: Path, record: Record) -> None:
    """Return if the matrices beside the record in the file `path` give its number.

    Raises:
        BadRecord: they are gone, were changed, or give another mIoU.
    """
    if record.confusions_sha256 is None:
        return
    confusions = read_confusions(path)
    if confusions is None or confusions_sha256(confusions) != record.confusions_sha256:
        found = "are gone" if confusions is None else "were changed"
        raise _edited(path, f"the confusion matrices beside it {found}")
    if len(confusions) != record.images:
        raise _edited(path, f"says {record.images} images, {len(confusions)} matrices are kept")
    if record.metric == "miou":
        miou = 100 * float(mean_iou(confusions.sum(axis=0)))
        if not abs(miou - record.value) <= _TOLERANCE:
            raise _edited(path, f"says {record.value:g} %, its matrices give {miou:g} %")


def _edited(path: Path, found: str) -> BadRecord:
    return BadRecord(
        path,
        found,
        "an unedited record",
        "Delete the record, its .confusions.npz and its .run, and measure again.",
    )
