"""A reader of MessagePack that skips what is long: arrays stay in the file until asked for.

msgpack/msgpack: spec.md. Not the `msgpack` library, which wants the whole file in memory;
and Flax's own array types need no Flax to be understood.
"""

import math
import struct
from typing import Any

import numpy as np

from .errors import BadCheckpoint
from .file_bytes import FileBytes
from .stored import Stored, decode, itemsize_of

_DEEPEST = 64
_MOST_NODES = 1_000_000
_HIGHEST_RANK = 32
_LONGEST_TEXT = 1 << 24  # bytes; a manifest is a few kilobytes
_ARRAY, _COMPLEX, _SCALAR = 1, 2, 3  # flax/serialization.py: _MsgpackExtType

# First byte -> layout of the number that follows; the rest is by ranges.
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d",
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_LENGTHS = {
    0xC4: ("bytes", ">B"), 0xC5: ("bytes", ">H"), 0xC6: ("bytes", ">I"),
    0xC7: ("extension", ">B"), 0xC8: ("extension", ">H"), 0xC9: ("extension", ">I"),
    0xD9: ("text", ">B"), 0xDA: ("text", ">H"), 0xDB: ("text", ">I"),
    0xDC: ("list", ">H"), 0xDD: ("list", ">I"),
    0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
}  # fmt: skip


class MessagePack:
    """One pass over a file from `position`; `value` returns what stands there."""

    def __init__(self, file: FileBytes) -> None:
        self.file, self.position, self._nodes = file, 0, 0

    def whole(self) -> Any:
        """Return the one value that the file holds. Raises: as `value`."""
        value = self.value()
        if self.position != len(self.file):
            raise self._bad(f"{len(self.file) - self.position} bytes after its end")
        return value

    def value(self, depth: int = 0) -> Any:
        """Return the next value: mappings (lists too, by index), numbers, texts, `Stored`.

        Raises:
            BadCheckpoint: the file ends, nests too deep, or declares what it cannot hold.
        """
        self._nodes += 1
        if depth > _DEEPEST or self._nodes > _MOST_NODES:
            raise self._bad(f"deeper than {_DEEPEST} or more than {_MOST_NODES} values")
        code = self._number(">B")
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        if code in _NUMBERS:
            return self._number(_NUMBERS[code])
        if code < 0x80 or code >= 0xE0:
            return code if code < 0x80 else code - 0x100
        kind, length = self._kind(code)
        if kind == "map":
            return self._map(length, depth)
        if kind == "list":
            return {str(index): self.value(depth + 1) for index in self._counted(length)}
        if kind == "extension":
            return self._extension(length)
        return self._text(length, kind)

    def _kind(self, code: int) -> tuple[str, int]:
        if code in _LENGTHS:
            kind, layout = _LENGTHS[code]
            return kind, int(self._number(layout))
        if code < 0xC0:
            kind = "map" if code < 0x90 else "list" if code < 0xA0 else "text"
            return kind, code & (0x1F if kind == "text" else 0x0F)
        if 0xD4 <= code <= 0xD8:
            return "extension", 1 << (code - 0xD4)
        raise self._bad(f"the byte {code:#x}")

    def _counted(self, count: int) -> range:
        # Every element takes a byte at least, so a longer declaration is a lie.
        if count > len(self.file) - self.position:
            raise self._bad(f"a table of {count} entries")
        return range(count)

    def _map(self, count: int, depth: int) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for _ in self._counted(count):
            key = self.value(depth + 1)
            if not isinstance(key, (str, int)) or str(key) in table:
                raise self._bad(f"the key {str(key)[:40]!r} twice or of no kind for a key")
            table[str(key)] = self.value(depth + 1)
        return table

    def _text(self, length: int, kind: str) -> str:
        start = self._skip(length)
        if length > _LONGEST_TEXT or kind == "bytes":
            return f"{length} bytes"
        return self.file.slice(start, length).decode("utf-8", "replace")

    def _extension(self, length: int) -> Any:
        code = self._number(">b")
        start = self._skip(length)
        if code not in (_ARRAY, _SCALAR):
            return f"{length} bytes of extension {code}"
        end, self.position = self.position, start
        tensor = self._array(end)
        self.position = end
        if code == _SCALAR and isinstance(tensor, Stored) and tensor.shape == ():
            return tensor.load().item()
        return tensor

    def _array(self, end: int) -> Any:
        """Return Flax's array: a list of shape, name of the dtype, and the bytes in C order."""
        if self._kind(self._number(">B")) != ("list", 3):
            raise self._bad("an array without shape, dtype and bytes")
        shape = self._shape()
        kind, length = self._kind(self._number(">B"))
        name = self._text(length, "text") if kind in ("text", "bytes") else ""
        kind, count = self._kind(self._number(">B"))
        start = self._skip(count)
        if kind not in ("bytes", "text") or start + count != end:
            raise self._bad("an array whose bytes end elsewhere")
        return self._stored(shape, name, start, count)

    def _shape(self) -> tuple[int, ...]:
        # Not `value`: an array inside a shape inside an array would nest without end.
        kind, rank = self._kind(self._number(">B"))
        if kind != "list" or rank > _HIGHEST_RANK:
            raise self._bad(f"a shape that is a {kind} of {rank}")
        return tuple(self._size() for _ in range(rank))

    def _size(self) -> int:
        code = self._number(">B")
        if code < 0x80:
            return int(code)
        if not 0xCC <= code <= 0xCF:
            raise self._bad("a shape that does not consist of sizes")
        return int(self._number(_NUMBERS[code]))

    def _stored(self, shape: tuple[int, ...], name: str, start: int, count: int) -> Any:
        if name != "bfloat16" and not _is_plain(name):
            return f"an array of {name[:40]}"
        if math.prod(shape) * itemsize_of(name) != count:
            raise self._bad(f"an array of shape {shape} {name} in {count} bytes")
        return stored_bytes(self.file, start, count, shape, name)

    def _number(self, layout: str) -> Any:
        size = struct.calcsize(layout)
        return struct.unpack(layout, self.file.slice(self._skip(size), size))[0]

    def _skip(self, length: int) -> int:
        start = self.position
        if length > len(self.file) - start:
            raise self._bad(f"{length} bytes where {len(self.file) - start} are left")
        self.position = start + length
        return start

    def _bad(self, found: str) -> BadCheckpoint:
        return BadCheckpoint(
            self.file.path,
            f"declares {found}, at byte {self.position}",
            "a whole MessagePack file",
            "Download it again.",
        )


def stored_bytes(
    file: FileBytes, start: int, count: int, shape: tuple[int, ...], dtype: str
) -> Stored:
    """Return the tensor that lies in C order in `count` bytes of a file."""

    def load() -> np.ndarray:
        return decode(file.array(start, count), dtype).reshape(shape)

    return Stored(shape=shape, dtype=dtype, load=load)


def _is_plain(name: str) -> bool:
    try:
        kind = np.dtype(name)
    except TypeError:
        return False
    return kind.kind in "fiub" and kind.name == name
