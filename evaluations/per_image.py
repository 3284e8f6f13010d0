"""What was answered for each image, kept beside a record as `<id>.npz`.

Whatever a metric can be computed from again goes there: rightness, confusion counts,
scores. Bits are packed eight to a byte. Nothing is unpickled, and no array is made before
what its header declares was held against what the file holds.
"""

import hashlib
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..checkpoints.errors import BadRecord
from ..checkpoints.files import atomic_path

# Names of the arrays that metrics are computed from again; N images in the data set's order.
CORRECT = "correct"  # [N] bool: answered rightly
LABELS = "labels"  # [N] integers: the truth
CELLS = "cells"  # [corruptions * severities, N] bool: rightness in each cell
CLEAN = "clean"  # [N] bool: rightness on the uncorrupted images
SCORES = "scores"  # [N, classes] floats
CONFUSIONS = "confusions"  # [N, classes, classes] int64 pixels, [true, predicted]
TARGETS = "targets"  # [N, classes] of 1, 0, -1: several labels for each image

# Packed bits forget how many there were; their shape stands beside them.
_SHAPE = ".shape"
_MOST_BYTES = 1 << 30  # of all arrays of one record, unpacked
_MOST_ARRAYS = 100
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
_DAMAGE_TOO = (RuntimeError, NotImplementedError, MemoryError)  # encrypted, unknown compression


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name to the .npz file `path`, whole or not at all; equal, equal bytes."""
    kept: dict[str, Any] = {}
    for name, array in sorted(arrays.items()):
        assert array.dtype.kind in "biuf", (name, array.dtype)
        if array.dtype == bool:
            kept[name] = np.packbits(array)
            kept[name + _SHAPE] = np.array(array.shape, dtype=np.int64)
        else:
            kept[name] = array
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **kept)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays that `write_arrays` wrote to `path`.

    Raises:
        BadRecord: absent, cut, damaged, a decompression bomb, or not such a file.
    """
    try:
        with path.open("rb") as stream:
            return arrays_in(stream, path)
    except OSError as error:
        raise BadRecord(path, f"cannot be read ({error})", _WANTED, _AGAIN) from error


_WANTED = "the arrays kept beside a record, as they were written"
_AGAIN = "Delete the record and its .npz and .run, and measure again."


def arrays_in(stream: IO[bytes], where: object) -> dict[str, np.ndarray]:
    """Return the arrays of an open .npz file; `where` names it in messages.

    Raises:
        BadRecord: as `read_arrays`.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            _check_sizes(archive, where)
            found = {
                info.filename.removesuffix(".npy"): _array(archive, info, where)
                for info in archive.infolist()
            }
        return {
            name: _unpacked(array, found[name + _SHAPE]) if name + _SHAPE in found else array
            for name, array in found.items()
            if not name.endswith(_SHAPE)
        }
    except (*_DAMAGE, *_DAMAGE_TOO) as error:
        raise BadRecord(where, f"cannot be read ({error})", _WANTED, _AGAIN) from error


def sha256_of_array(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's type, shape and values, in hexadecimal."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    head = f"{plain.dtype.str} {plain.shape}\n".encode()
    return hashlib.sha256(head + plain.tobytes()).hexdigest()


def _check_sizes(archive: zipfile.ZipFile, where: object) -> None:
    members = archive.infolist()
    names = [info.filename for info in members]
    if len(members) > _MOST_ARRAYS or len(set(names)) < len(names):
        raise BadRecord(where, f"{len(members)} arrays, or one twice", _WANTED, _AGAIN)
    declared = sum(info.file_size for info in members)
    if declared > _MOST_BYTES:
        raise BadRecord(
            where, f"{declared:,} bytes when unpacked", f"at most {_MOST_BYTES:,}", _AGAIN
        )


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: object) -> np.ndarray:
    """Return one array; reading stops at the size that the member declares."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise BadRecord(where, f"{info.filename} is of .npy version {version}", "1.0", _AGAIN)
        shape, fortran, kind = np.lib.format.read_array_header_1_0(member)
        held, wanted = info.file_size - member.tell(), kind.itemsize * math.prod(shape)
        # np.load makes the array first and finds out afterwards that the file is shorter.
        if kind.kind not in "biuf" or held != wanted:
            raise BadRecord(
                where,
                f"{info.filename} declares {kind} {shape}, and holds {held:,} bytes",
                "plain numbers, as many as it declares",
                _AGAIN,
            )
        values = np.frombuffer(member.read(), dtype=kind)
    return values.reshape(shape, order="F" if fortran else "C")


def _unpacked(packed: np.ndarray, shape: np.ndarray) -> np.ndarray:
    sides = [int(side) for side in shape.tolist()]
    bits = math.prod(sides)
    if min(sides, default=0) < 0 or packed.dtype != np.uint8 or packed.size != -(-bits // 8):
        raise ValueError(f"{packed.size} packed bytes for an array of shape {tuple(sides)}")
    return np.unpackbits(packed, count=bits).astype(bool).reshape(sides)
