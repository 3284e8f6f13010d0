"""torch's older, unzipped files (.th, .pth, .tar before torch 1.6): pickles, then storages."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..pickles.arrays import ARRAYS
from ..pickles.machine import Machine
from ..pickles.plain import PLAIN
from ..pickles.torch_tensors import TORCH, Storage, storage_reader
from ..stored import itemsize_of

# torch/serialization.py: MAGIC_NUMBER, pickled as LONG1 of ten bytes after the protocol.
_MAGIC = 0x1950A86A20F9469CFC6C
_HEAD = b"\x8a\x0a" + _MAGIC.to_bytes(10, "little") + b"."
_CONSTRUCTORS = {**PLAIN, **ARRAYS, **TORCH}


def is_legacy(path: Path, head: bytes) -> bool:
    """Return whether the file begins with torch's magic number."""
    return head[2 : 2 + len(_HEAD)] == _HEAD


def read_legacy(path: Path) -> Mapping[str, Any]:
    """Return the tree of the file: magic, protocol, system, object, keys, storages.

    Raises:
        BadCheckpoint: cut, damaged, or written on a big-endian machine.
    """
    file = FileBytes(path)
    places: dict[str, tuple[int, int]] = {}  # key -> (start, elements)
    sizes: dict[str, int] = {}  # key -> bytes of an element

    def locate(key: str, wanted: int) -> np.ndarray:
        start, _ = places[key]
        return file.array(start, wanted)

    def storage(identity: Any) -> Any:
        found = read_storage(identity)
        if isinstance(found, Storage):
            sizes[found.key] = itemsize_of(found.dtype)
        return found

    read_storage = storage_reader(locate)
    position, values = 0, []
    for index in range(5):
        machine = Machine(file, path, _CONSTRUCTORS, position, storage if index == 3 else None)
        values.append(machine.run())
        position = machine.position
    _, _, system, tree, keys = values
    if not isinstance(system, Mapping) or system.get("little_endian") is False:
        raise BadCheckpoint(path, "was written on a big-endian machine", "little-endian values")
    places.update(_places(path, file, position, keys, sizes))
    if not isinstance(tree, Mapping):
        from .pickle_file import as_tree

        return as_tree(path, tree)
    return tree


def _places(
    path: Path, file: FileBytes, position: int, keys: Any, sizes: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    # Each storage: the number of its elements in eight bytes, then the elements.
    places = {}
    for key in map(str, keys if isinstance(keys, (list, tuple)) else ()):
        if position + 8 > len(file):
            raise _cut(path, key)
        (count,) = struct.unpack("<q", file.slice(position, 8))
        length = count * sizes.get(key, 0)
        if count < 0 or key not in sizes or position + 8 + length > len(file):
            raise _cut(path, key)
        places[key] = (position + 8, count)
        position += 8 + length
    if missing := sorted(set(sizes) - set(places)):
        raise _cut(path, missing[0])
    return places


def _cut(path: Path, key: str) -> BadCheckpoint:
    return BadCheckpoint(
        path, f"ends inside its storage {key!r}", "a whole file", "Download it again."
    )


CONTAINER = Container(
    matches=is_legacy,
    open=read_legacy,
    description="torch's file before version 1.6 (.th, .pth, .tar)",
    source="pytorch/pytorch: torch/serialization.py, _legacy_save",
)
