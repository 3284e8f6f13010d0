"""NumPy files (.npy) that hold one pickled mapping, as DetCon's do."""

import ast
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..pickles.arrays import ARRAYS
from ..pickles.machine import Machine
from ..pickles.plain import PLAIN
from .pickle_file import as_tree

_MAGIC = b"\x93NUMPY"
_LARGEST_HEADER = 10_000  # bytes: NumPy's own limit


def is_npy(path: Path, head: bytes) -> bool:
    """Return whether the file begins with NumPy's magic."""
    return head.startswith(_MAGIC)


def read_npy(path: Path) -> Mapping[str, Any]:
    """Return the mapping that `numpy.save` pickled into the file.

    Raises:
        BadCheckpoint: cut, damaged, or an array of numbers.
    """
    file = FileBytes(path)
    # numpy/lib/format.py: versions 1 has two bytes of header length, 2 and 3 four.
    layout, start = ("<H", 10) if file.slice(6, 1) == b"\1" else ("<I", 12)
    try:
        (length,) = struct.unpack(layout, file.slice(8, start - 8))
        if length > _LARGEST_HEADER:
            raise ValueError(f"its header declares {length} bytes")
        header = ast.literal_eval(file.slice(start, length).decode("latin-1"))
        kind = header["descr"]
    except (ValueError, SyntaxError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise BadCheckpoint(path, f"its NumPy header cannot be read ({error})") from error
    if kind != "|O":
        raise BadCheckpoint(
            path, f"holds one array of {kind}", "a pickled table of parameters (dtype |O)"
        )
    return as_tree(path, Machine(file, path, {**PLAIN, **ARRAYS}, start + length).run())


CONTAINER = Container(
    matches=is_npy,
    open=read_npy,
    description="a NumPy file with a pickled table (.npy)",
    source="numpy/numpy: numpy/lib/format.py",
)
