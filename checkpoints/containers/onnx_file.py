"""ONNX models (.onnx): the initialisers and the texts of a graph, without the onnx library.

onnx/onnx: onnx/onnx.proto. A file is nested Protocol Buffers messages; those that hold no
weights are stepped over, and the weights stay in the file until they are asked for.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..msgpack_file import stored_bytes
from ..stored import itemsize_of

# TensorProto.DataType.
_DTYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64",
           16: "bfloat16"}  # fmt: skip
# Field numbers: ModelProto, GraphProto, TensorProto, StringStringEntryProto.
_GRAPH, _TEXTS, _INITIALIZER = 7, 14, 5
_DIMS, _DATA_TYPE, _NAME, _RAW, _EXTERNAL = 1, 2, 8, 9, 13
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Fields that may follow ir_version (1, a varint), as the bytes that begin them.
_SECOND = b"\x12\x1a\x22\x28\x32\x3a\x42\x72"
_MOST_FIELDS = 1_000_000
_LONGEST_TEXT = 1 << 24  # bytes
_HIGHEST_RANK = 32


def is_onnx(path: Path, head: bytes) -> bool:
    """Return whether the file begins with an ir_version and a field of ONNX's model."""
    # The header of a .safetensors file of the right length could begin so, too.
    return (
        len(head) > 9
        and head[0] == 8
        and 3 <= head[1] <= 40
        and head[2] in _SECOND
        and head[8:9] != b"{"
    )


def read_onnx(path: Path) -> Mapping[str, Any]:
    """Return {"initializers": name -> tensor, "metadata": key -> text}.

    Raises:
        BadCheckpoint: cut, damaged, or with its weights in another file.
    """
    walk = _Walk(FileBytes(path))
    tree: dict[str, Any] = {"initializers": {}, "metadata": {}}
    for part in walk.fields(0, len(walk.file)):
        if part.number == _GRAPH and part.is_bytes:
            for inner in walk.fields(part.start, part.end):
                if inner.number == _INITIALIZER and inner.is_bytes:
                    name, tensor = walk.tensor(inner.start, inner.end)
                    tree["initializers"][name] = tensor
        elif part.number == _TEXTS and part.is_bytes:
            key, value = walk.text_pair(part.start, part.end)
            tree["metadata"][key] = value
    if not tree["initializers"]:
        raise BadCheckpoint(path, "an ONNX file without weights", "initialisers in its graph")
    return tree


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One field of a message: a number (`value`), or bytes from `start` to `end`."""

    number: int
    is_bytes: bool
    start: int = 0
    end: int = 0
    value: int = 0


@dataclass
class _Tensor:
    name: str = ""
    kind: int = 0
    shape: list[int] = field(default_factory=list)
    raw: tuple[int, int] | None = None


class _Walk:
    """Reads the fields of messages in a file."""

    def __init__(self, file: FileBytes) -> None:
        self.file, self._fields = file, 0

    def fields(self, position: int, end: int) -> Iterator[_Field]:
        """Yield the fields of the message from `position` to `end`."""
        while position < end:
            self._fields += 1
            if self._fields > _MOST_FIELDS:
                raise self._bad(f"has more than {_MOST_FIELDS} fields")
            tag, position = self.varint(position, end)
            number, kind = tag >> 3, tag & 7
            if kind == _VARINT:
                value, position = self.varint(position, end)
                yield _Field(number=number, is_bytes=False, value=value)
                continue
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind)
            if kind == _BYTES:
                length, position = self.varint(position, end)
            if length is None or length > end - position:
                raise self._bad(f"has a field of {length} bytes at byte {position}")
            start, position = position, position + length
            yield _Field(number=number, is_bytes=kind == _BYTES, start=start, end=position)

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """Return the number at `position`, seven bits a byte, and where it ends."""
        value = 0
        for shift in range(0, 70, 7):
            if position >= end:
                break
            byte = self.file.byte(position)
            value |= (byte & 0x7F) << shift
            position += 1
            if byte < 0x80:
                return value, position
        raise self._bad(f"has a number without end at byte {position}")

    def text(self, found: _Field) -> str:
        """Return the text of a field, cut where it is longer than any manifest."""
        length = min(found.end - found.start, _LONGEST_TEXT)
        return self.file.slice(found.start, length).decode("utf-8", "replace")

    def text_pair(self, start: int, end: int) -> tuple[str, str]:
        """Return the key and the value of a StringStringEntryProto."""
        pair = {f.number: self.text(f) for f in self.fields(start, end) if f.is_bytes}
        return pair.get(_KEY, ""), pair.get(_VALUE, "")

    def tensor(self, start: int, end: int) -> tuple[str, Any]:
        """Return a TensorProto's name and its values, or in words why they are not here."""
        found = _Tensor()
        for part in self.fields(start, end):
            if part.number == _NAME and part.is_bytes:
                found.name = self.text(part)
            elif part.number == _DATA_TYPE:
                found.kind = part.value
            elif part.number == _DIMS:
                found.shape += self._sizes(part)
            elif part.number == _RAW and part.is_bytes:
                found.raw = (part.start, part.end - part.start)
            elif part.number == _EXTERNAL:
                raise self._bad("keeps its weights in another file")
        return found.name, self._stored(found)

    def _sizes(self, part: _Field) -> list[int]:
        # One number, or a run of them: writers may pack repeated numbers.
        sizes, position = ([], part.start) if part.is_bytes else ([part.value], part.end)
        while position < part.end and len(sizes) <= _HIGHEST_RANK:
            size, position = self.varint(position, part.end)
            sizes.append(size)
        return sizes

    def _stored(self, found: _Tensor) -> Any:
        dtype = _DTYPES.get(found.kind)
        if dtype is None or found.raw is None:
            return f"an initialiser of data type {found.kind} without raw bytes"
        if len(found.shape) > _HIGHEST_RANK:
            raise self._bad(f"has a tensor {found.name[:80]} of {len(found.shape)} axes")
        start, count = found.raw
        if math.prod(found.shape) * itemsize_of(dtype) != count:
            raise self._bad(f"has {count} bytes for {found.name[:80]} of shape {found.shape}")
        return stored_bytes(self.file, start, count, tuple(found.shape), dtype)

    def _bad(self, found: str) -> BadCheckpoint:
        return BadCheckpoint(self.file.path, found, "a whole ONNX file", "Download it again.")


CONTAINER = Container(
    matches=is_onnx,
    open=read_onnx,
    description="an ONNX model (.onnx)",
    source="onnx/onnx: onnx/onnx.proto",
)
