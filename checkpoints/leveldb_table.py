"""Tables of sorted keys and values as LevelDB and TensorFlow write them.

google/leveldb: doc/table_format.md. A table is a run of blocks with checksums; the last
block lists the others, and a footer says where it is.
"""

from collections.abc import Iterator

import numpy as np

from .crc32c import masked_crc32c
from .errors import BadCheckpoint
from .file_bytes import FileBytes

MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48  # bytes: two handles of at most 20, and the magic
_LARGEST = 1 << 26  # bytes of a block: an index of a million tensors


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return (value, place after it) of a base-128 number. Raises: ValueError when it is cut."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number is cut or has more than ten bytes")


def read_table(file: FileBytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of every entry, in order.

    Raises:
        BadCheckpoint: cut, damaged, or compressed.
    """
    try:
        footer = file.slice(len(file) - _FOOTER, _FOOTER)
        if len(file) < _FOOTER or not footer.endswith(MAGIC):
            raise ValueError("its last eight bytes are not those of a table")
        _, _, place = _handle(footer, 0)
        offset, size, _ = _handle(footer, place)
        for _, handle in _entries(_block(file, offset, size)):
            yield from _entries(_block(file, *_handle(handle, 0)[:2]))
    except (ValueError, IndexError) as error:
        raise BadCheckpoint(
            file.path,
            f"its table is cut or damaged ({error})",
            "a whole file",
            "Download it again.",
        ) from error


def _handle(data: bytes, place: int) -> tuple[int, int, int]:
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return offset, size, place


def _block(file: FileBytes, offset: int, size: int) -> bytes:
    if size > _LARGEST or offset + size + 5 > len(file):
        raise ValueError(f"a block of {size} bytes at {offset}")
    data = file.slice(offset, size + 5)
    checked = np.frombuffer(data[: size + 1], np.uint8)
    if masked_crc32c(checked) != int.from_bytes(data[size + 1 :], "little"):
        raise ValueError(f"the checksum of the block at {offset} is wrong")
    if data[size]:
        raise ValueError("a block is compressed, which TensorFlow's never are")
    return data[:size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    place, key = 0, b""
    if end < 0:
        raise ValueError("a block has more restarts than bytes")
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        length, place = varint(block, place)
        if shared > len(key) or place + own + length > end:
            raise ValueError("an entry ends after its block")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + length]
        place += own + length
