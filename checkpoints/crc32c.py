"""CRC-32C, the checksum of TensorFlow's and LevelDB's files, over NumPy arrays.

Castagnoli's polynomial (RFC 3720, App. B.4). A byte at a time, Python would need minutes for
a network's weights. But the register after a run of zeros is linear in the register before,
so rows of words are folded onto one another by tables; measured, 900 MB/s on one core.
"""

from functools import cache

import numpy as np

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8  # google/leveldb: util/crc32c.h
_ROW = 15  # log2 of the words of a row: its tables and itself stay in the processor's cache
_WORD = np.dtype("<u4")


def crc32c(data: np.ndarray) -> int:
    """Return the CRC-32C of bytes [n] uint8.

    >>> hex(crc32c(np.frombuffer(b"123456789", np.uint8)))
    '0xe3069283'
    """
    count = data.size // 4
    register = 0xFFFFFFFF
    if count:
        words = np.ascontiguousarray(data[: 4 * count]).view(_WORD)
        # Before the first word the register is all ones, before every row of zeros nothing.
        register = _after_words(words, register)
    for byte in data[4 * count :].tolist():
        register = int(_byte_table()[(register ^ byte) & 0xFF]) ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _after_words(words: np.ndarray, register: int) -> int:
    power = min(max(int(words.size - 1).bit_length(), 0), _ROW)
    row = 1 << power
    first = words.size % row or row
    # Zeros in front of everything change nothing: so all rows have one length.
    folded = np.zeros(row, _WORD)
    folded[row - first :] = words[:first]
    folded[row - first] ^= np.uint32(register)
    for start in range(first, words.size, row):
        folded = _fold(folded, words[start : start + row], power)
    while power:
        power -= 1
        folded = _fold(folded[: 1 << power], folded[1 << power :], power)
    return int(_fold(folded, np.zeros(1, _WORD), 0)[0])


def _fold(before: np.ndarray, after: np.ndarray, power: int) -> np.ndarray:
    """Return the words that stand for two rows of 2**power words, one after the other."""
    low, high = _tables(power)
    halves = before.view("<u2")
    folded: np.ndarray = low[halves[::2]] ^ high[halves[1::2]] ^ after
    return folded


@cache
def _tables(power: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what 2**power words of zeros make of each lower and upper half of a register."""
    images = _images(power)
    return _spanned(images[:16]), _spanned(images[16:])


def _spanned(images: np.ndarray) -> np.ndarray:
    table = np.zeros(1, _WORD)
    for image in images:
        table = np.concatenate([table, table ^ image])
    return table


@cache
def _images(power: int) -> np.ndarray:
    """Return what 2**power words of zeros make of each of the register's 32 bits."""
    if power == 0:
        images = np.uint32(1) << np.arange(32, dtype=_WORD)
        for _ in range(4):
            images = _byte_table()[images & 0xFF] ^ (images >> 8)
        return images
    half = _images(power - 1)
    bits = half[:, None] >> np.arange(32, dtype=_WORD) & 1
    squared: np.ndarray = np.bitwise_xor.reduce(bits * half, axis=1)
    return squared


@cache
def _byte_table() -> np.ndarray:
    table = np.arange(256, dtype=_WORD)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(_WORD)


def masked_crc32c(data: np.ndarray) -> int:
    """Return the CRC-32C as LevelDB and TensorFlow store it: rotated, with an offset."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF
