"""TensorFlow checkpoints (X.index and X.data-00000-of-00001), read without TensorFlow.

tensorflow/core/util/tensor_bundle and protobuf/tensor_bundle.proto: the index is a table of
name -> (dtype, shape, shard, offset, size, checksum), the data files hold the bytes.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container
from ..crc32c import masked_crc32c
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..leveldb_table import MAGIC, read_table, varint
from ..stored import Stored, decode, itemsize_of

# tensorflow/core/framework/types.proto; what is not here is named and left.
_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    19: "float16",
}
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")


def index_of(path: Path) -> Path | None:
    """Return the index file that a path means: itself, of a prefix, a data file or a folder.

    Raises:
        BadCheckpoint: a folder holds several.
    """
    if path.is_dir():
        found = sorted(path.glob("*.index"))
        if len(found) > 1:
            names = ", ".join(file.stem for file in found[:6])
            raise BadCheckpoint(
                path, f"holds {len(found)} checkpoints ({names})", "one", "Name one of them."
            )
        return found[0] if found else None
    if path.suffix == ".index" and path.is_file():
        return path
    index = Path(f"{_DATA.sub('', str(path))}.index")
    return index if index.is_file() else None


def files_of(path: Path) -> list[Path]:
    """Return the index and data files of a checkpoint, for its hash."""
    index = index_of(path)
    return [] if index is None else [index, *sorted(index.parent.glob(f"{index.stem}.data-*"))]


def is_bundle(path: Path, head: bytes) -> bool:
    """Return whether an index file is meant that ends with a table's magic."""
    index = next(iter(sorted(path.glob("*.index"))), None) if path.is_dir() else index_of(path)
    if index is None:
        return False
    with index.open("rb") as stream:
        stream.seek(max(0, index.stat().st_size - len(MAGIC)))
        return stream.read() == MAGIC or index.suffix == ".index"


def read_bundle(path: Path) -> Mapping[str, Any]:
    """Return name -> tensor; what is not numbers is a text that says its kind.

    Raises:
        BadCheckpoint: cut, damaged, big-endian, or a data file is missing.
    """
    index = index_of(path)
    assert index is not None, path
    entries = dict(read_table(FileBytes(index)))
    try:
        header = _fields(entries.pop(b"", b""))
        shards = _shards(index, int(header.get(1, [1])[0]))
        if header.get(2, [0])[0]:
            raise BadCheckpoint(index, "was written on a big-endian machine", "little-endian")
        return {
            key.decode("utf-8"): _tensor(index, key.decode("utf-8"), _fields(value), shards)
            for key, value in entries.items()
        }
    except (ValueError, IndexError, TypeError, UnicodeDecodeError) as error:
        raise BadCheckpoint(
            index, f"an entry is damaged ({error})", "a whole file", "Download it again."
        ) from error


def _shards(index: Path, count: int) -> list[FileBytes]:
    if not 1 <= count <= 100_000:
        raise ValueError(f"{count} data files")
    paths = [
        index.with_name(f"{index.stem}.data-{number:05d}-of-{count:05d}") for number in range(count)
    ]
    for path in paths:
        if not path.is_file():
            raise BadCheckpoint(
                index,
                f"its data file {path.name} is not beside it",
                "index and data files in one folder",
                "Download all files of the checkpoint.",
            )
    return [FileBytes(path) for path in paths]


def _tensor(index: Path, name: str, entry: Mapping[int, list[Any]], shards: list[FileBytes]) -> Any:
    kind = _DTYPES.get(int(entry.get(1, [0])[0]))
    shape = tuple(_dimensions(entry.get(2, [b""])[0]))
    if kind is None:
        return f"values of TensorFlow's type {entry.get(1, [0])[0]}"
    if 7 in entry:
        return "a partitioned tensor"
    shard, offset, size = (int(entry.get(field, [0])[0]) for field in (3, 4, 5))
    if size != math.prod(shape) * itemsize_of(kind) or shard >= len(shards):
        raise ValueError(f"{name} of shape {shape} has {size} bytes in data file {shard}")
    if offset + size > len(shards[shard]):
        raise ValueError(f"{name} ends after its data file")
    checksum = int.from_bytes(entry.get(6, [b""])[0], "little")

    def load() -> np.ndarray:
        raw = shards[shard].array(offset, size)
        if masked_crc32c(raw) != checksum:
            raise BadCheckpoint(
                index, f"the checksum of {name} is wrong", "whole data", "Download it again."
            )
        return decode(raw, kind).reshape(shape)

    return Stored(shape=shape, dtype=kind, load=load)


def _dimensions(shape: bytes) -> Iterator[int]:
    for dimension in _fields(shape).get(2, []):
        yield int(_fields(dimension).get(1, [0])[0])


def _fields(message: bytes) -> dict[int, list[Any]]:
    """Return field number -> values of a protocol buffer: numbers, or bytes."""
    fields: dict[int, list[Any]] = {}
    place = 0
    while place < len(message):
        tag, place = varint(message, place)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, place = varint(message, place)
        else:
            if kind == 2:
                length, place = varint(message, place)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ValueError(f"a field of kind {kind}")
            if place + length > len(message):
                raise ValueError("a field ends after its message")
            value, place = message[place : place + length], place + length
        fields.setdefault(tag >> 3, []).append(value)
    return fields


CONTAINER = Container(
    matches=is_bundle,
    open=read_bundle,
    files=files_of,
    description="a TensorFlow checkpoint (.index and .data files)",
    source="tensorflow/tensorflow: tensorflow/core/protobuf/tensor_bundle.proto",
)
