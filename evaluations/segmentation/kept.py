"""Confusion matrices beside their record: mIoU and its interval can be computed again."""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadRecord
from ...checkpoints.files import atomic_path
from ..record import Record
from .scores import mean_iou

# Percents; the same counts give the same float64 arithmetic, whatever machine made them.
_TOLERANCE = 1e-9


CONFUSIONS = "confusions"  # the array's name: [images, classes, classes] int64


def arrays_path(record: Path) -> Path:
    """Return where the arrays of the record in the file `record` lie: `<id>.arrays.npz`."""
    return record.with_suffix(".arrays.npz")


def hashes_of(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the hash of each array's type, shape and values, which a record holds."""
    return {name: _sha256_of_array(array) for name, array in sorted(arrays.items())}


def _sha256_of_array(array: np.ndarray) -> str:
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    head = f"{plain.dtype.str} {plain.shape}\n".encode()
    return hashlib.sha256(head + plain.tobytes()).hexdigest()


def write_arrays(record: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write arrays by name beside the record in the file `record`; return their file.

    Raises:
        BadData: it cannot be written.
    """
    path = arrays_path(record)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return path


def read_confusions(record: Path) -> np.ndarray | None:
    """Return the matrices [images, classes, classes] int64 kept beside a record, if any.

    Raises:
        BadRecord: the file is damaged.
    """
    path = arrays_path(record)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return np.asarray(archive[CONFUSIONS], dtype=np.int64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _edited(path, f"cannot be read ({error})") from error


def check_confusions(path: Path, record: Record) -> None:
    """Return if the matrices beside the record in the file `path` give its number.

    Raises:
        BadRecord: they are gone, were changed, or give another mIoU.
    """
    if CONFUSIONS not in record.arrays_sha256:
        return
    confusions = read_confusions(path)
    stated = record.arrays_sha256[CONFUSIONS]
    if confusions is None or _sha256_of_array(confusions) != stated:
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
        "Delete the record, its .arrays.npz and its .run, and measure again.",
    )
