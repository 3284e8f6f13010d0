"""Tables of sorted keys and values as LevelDB and TensorFlow write them.

google/leveldb: doc/table_format.md. A table is a run of blocks with checksums; the last
block lists the others, and a footer says where it is.
"""

from collections.abc import Iterator

import numpy as np

from .crc32c import masked_crc32c
from .errors import BadCheckpoint
from .file_bytes import FileBytes
from .protobuf import varint

MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48  # bytes: two handles of at most 20, and the magic
_LARGEST = 1 << 26  # bytes of a block: an index of a million tensors
_LONGEST_KEY = 1 << 12
_MOST_ENTRIES = 200_000


def read_table(file: FileBytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of every entry, in order.

    Raises:
        BadCheckpoint: cut, damaged, or compressed.
    """
    try:
        footer = file.slice(max(len(file) - _FOOTER, 0), _FOOTER)
        if len(footer) < _FOOTER or not footer.endswith(MAGIC):
            raise ValueError("its last eight bytes are not those of a table")
        _, _, place = _handle(footer, 0)
        offset, size, _ = _handle(footer, place)
        yield from _ordered(_all_entries(file, _block(file, offset, size)))
    except ValueError as error:
        raise BadCheckpoint(
            file.path,
            f"its table is cut or damaged ({error})",
            "a whole file",
            "Download it again.",
        ) from error


def _all_entries(file: FileBytes, index: bytes) -> Iterator[tuple[bytes, bytes]]:
    end = 0
    for _, handle in _entries(index):
        offset, size, _ = _handle(handle, 0)
        # One block listed a million times would keep us busy for hours.
        if offset < end:
            raise ValueError(f"the block at {offset} is listed twice")
        end = offset + size
        yield from _entries(_block(file, offset, size))


def _ordered(entries: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    before: bytes | None = None
    for count, (key, value) in enumerate(entries):
        if (before is not None and key <= before) or count >= _MOST_ENTRIES:
            raise ValueError(f"{key[:40]!r} is out of order, or one of more than {_MOST_ENTRIES}")
        before = key
        yield key, value


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
        # Keys share their beginnings: a long one could be repeated for three bytes a time.
        if shared + own > _LONGEST_KEY:
            raise ValueError(f"a key of {shared + own} bytes")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + length]
        place += own + length
