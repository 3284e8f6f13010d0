"""TensorFlow checkpoints (X.index and X.data-00000-of-00001), read without TensorFlow.

tensorflow/core/util/tensor_bundle and protobuf/tensor_bundle.proto: the index is a table of
name -> (dtype, shape, shard, offset, size, checksum), the data files hold the bytes. Each
tensor is held against its checksum when it is read, at 700 MB/s.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..bundle_files import data_files, files_of, index_of
from ..container import Container
from ..crc32c import masked_crc32c
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..leveldb_table import read_table
from ..protobuf import Field, fields, messages, number, varint
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
    22: "uint32",
    23: "uint64",
}
_VERSION = 1  # of the format; tensor_bundle.cc: kTensorBundleVersion
_HIGHEST_RANK = 32
# The one text that is kept: how the variables of TensorFlow 2 hang together (`object_graph`).
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_LONGEST_TEXT = 1 << 26  # bytes; that of a ResNet-200 with its optimiser has about a megabyte
# Fields of BundleEntryProto and BundleHeaderProto.
_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE, _CHECKSUM, _SLICES = range(1, 8)
_SHARDS, _ENDIANNESS, _VERSIONS = 1, 2, 3
_AGAIN = "Download it again."

_Entry = dict[int, list[Field]]


def is_bundle(path: Path, head: bytes) -> bool:
    """Return whether the index or data of a checkpoint, or a folder with one, is meant."""
    return index_of(path, choose=False) is not None


def read_bundle(path: Path) -> Mapping[str, Any]:
    """Return name -> tensor; the object graph as bytes; of what else there is, its kind in words.

    Raises:
        BadCheckpoint: cut, damaged, of a later version, or a data file is missing.
    """
    index = index_of(path)
    assert index is not None, path
    entries = dict(read_table(FileBytes(index)))
    try:
        shards = _shards(index, fields(entries.pop(b"", b"")))
        # Parts of partitioned tensors have keys of their own, which begin with a zero.
        named = {k.decode("utf-8"): v for k, v in entries.items() if not k.startswith(b"\0")}
        return {name: _leaf(index, name, fields(value), shards) for name, value in named.items()}
    except ValueError as error:  # UnicodeDecodeError included
        raise BadCheckpoint(
            index, f"an entry is damaged ({error})", "a whole file", _AGAIN
        ) from error


def _shards(index: Path, header: _Entry) -> list[FileBytes]:
    if number(header, _ENDIANNESS):
        raise BadCheckpoint(index, "was written on a big-endian machine", "little-endian")
    versions = fields((messages(header, _VERSIONS) or [b""])[-1])
    if (least := number(versions, 2)) > _VERSION:
        raise BadCheckpoint(index, f"needs a reader of version {least}", f"version {_VERSION}")
    paths = data_files(index, number(header, _SHARDS))
    for path in paths:
        if not path.is_file():
            raise BadCheckpoint(
                index,
                f"its data file {path.name} is not beside it",
                "index and data files in one folder",
                "Download all files of the checkpoint.",
            )
    return [FileBytes(path) for path in paths]


def _leaf(index: Path, name: str, entry: _Entry, shards: list[FileBytes]) -> Any:
    kind = number(entry, _DTYPE)
    shard, offset, size = (number(entry, field) for field in (_SHARD, _OFFSET, _SIZE))
    if kind not in _DTYPES and name != OBJECT_GRAPH:
        return f"values of TensorFlow's type {kind}"
    if shard >= len(shards) or offset + size > len(shards[shard]):
        raise ValueError(f"{name[:80]} ends after data file {shard}")
    checksum = int.from_bytes((messages(entry, _CHECKSUM) or [b""])[-1], "little")
    if name == OBJECT_GRAPH:
        return _text(index, name, shards[shard].slice(offset, min(size, _LONGEST_TEXT)), checksum)
    dtype, shape = _DTYPES[kind], _shape((messages(entry, _SHAPE) or [b""])[-1])
    if _SLICES in entry:
        return _partitioned(index, name, shape, dtype)
    if size != math.prod(shape) * itemsize_of(dtype):
        raise ValueError(f"{name[:80]} of shape {shape} and {dtype} has {size} bytes")

    def load() -> np.ndarray:
        raw = shards[shard].array(offset, size)
        if masked_crc32c(raw) != checksum:
            raise _wrong(index, name)
        return decode(raw, dtype).reshape(shape)

    return Stored(shape=shape, dtype=dtype, load=load)


def _shape(message: bytes) -> tuple[int, ...]:
    dimensions = messages(fields(message), 2)
    if len(dimensions) > _HIGHEST_RANK:
        raise ValueError(f"a tensor has {len(dimensions)} axes")
    return tuple(number(fields(dimension), 1) for dimension in dimensions)


def _partitioned(index: Path, name: str, shape: tuple[int, ...], dtype: str) -> Stored:
    def load() -> np.ndarray:
        raise BadCheckpoint(
            index,
            f"{name} is cut into parts by a variable partitioner",
            "whole variables, as a ResNet's are",
            "Restore it in TensorFlow without a partitioner and save it again.",
        )

    return Stored(shape=shape, dtype=dtype, load=load)


def _text(index: Path, name: str, raw: bytes, checksum: int) -> bytes:
    """Return the one text that lies in `raw`: length, checksum of the length, bytes.

    tensor_bundle.cc, WriteStringTensor: the length counts as four bytes in the checksums.
    """
    length, place = varint(raw, 0)
    checked = (length & 0xFFFFFFFF).to_bytes(4, "little") + raw[place:]
    if len(raw) != place + 4 + length or masked_crc32c(np.frombuffer(checked, "u1")) != checksum:
        raise _wrong(index, name)
    return raw[place + 4 :]


def _wrong(index: Path, name: str) -> BadCheckpoint:
    return BadCheckpoint(index, f"the checksum of {name[:80]} is wrong", "whole data", _AGAIN)


CONTAINER = Container(
    matches=is_bundle,
    open=read_bundle,
    files=files_of,
    description="a TensorFlow checkpoint (.index and .data files)",
    source="tensorflow/tensorflow: tensorflow/core/protobuf/tensor_bundle.proto",
)
