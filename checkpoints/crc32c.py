"""CRC-32C, the checksum of TensorFlow's and LevelDB's files, over NumPy arrays.

Castagnoli's polynomial (RFC 3720, App. B.4). One byte at a time in Python takes minutes for
a network's weights; here the bytes are cut into lanes that are worked on together, and the
lanes' sums are joined by shifting them over the bytes that follow.
"""

from functools import cache

import numpy as np

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8  # google/leveldb: util/crc32c.h


@cache
def _table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


def crc32c(data: np.ndarray) -> int:
    """Return the CRC-32C of bytes [n] uint8.

    >>> hex(crc32c(np.frombuffer(b"123456789", np.uint8)))
    '0xe3069283'
    """
    lane = 1 << max(int(data.size).bit_length() // 2 - 1, 0)
    lanes = data.size // lane
    head = data.size - lanes * lane  # first, so that all lanes have one length
    total = np.array([0xFFFFFFFF], np.uint32)
    total = _advance(total, data[:head].reshape(1, head))
    if lanes:
        # The register starts at zero in a lane: its sum is then linear in its bytes.
        sums = _advance(np.zeros(lanes, np.uint32), data[head:].reshape(lanes, lane))
        total = _shift(total, lanes * lane) ^ _joined(sums, lane)
    return int(total[0]) ^ 0xFFFFFFFF


def _advance(register: np.ndarray, lanes: np.ndarray) -> np.ndarray:
    """Return the registers [lanes] after the bytes [lanes, length]."""
    table, columns = _table(), np.ascontiguousarray(lanes.T)
    for column in columns:
        register = table[(register ^ column) & 0xFF] ^ (register >> 8)
    return register


def _joined(sums: np.ndarray, length: int) -> np.ndarray:
    """Return the register [1] after lanes of `length` bytes with these sums, one by one."""
    while sums.size > 1:
        if sums.size % 2:  # a lane of zeros in front changes nothing
            sums = np.concatenate([np.zeros(1, np.uint32), sums])
        sums = _shift(sums[::2], length) ^ sums[1::2]
        length *= 2
    return sums


def _shift(register: np.ndarray, length: int) -> np.ndarray:
    """Return the registers after `length` bytes of zero."""
    power, operator = 0, _zero_byte()
    while length >> power:
        if length >> power & 1:
            register = _apply(operator, register)
        operator = _squared(power + 1)
        power += 1
    return register


@cache
def _zero_byte() -> tuple[int, ...]:
    # What one byte of zero makes of each bit of the register.
    return tuple(int(v) for v in _advance(1 << np.arange(32, dtype=np.uint32), _ZERO))


_ZERO = np.zeros((32, 1), np.uint8)


@cache
def _squared(power: int) -> tuple[int, ...]:
    before = _zero_byte() if power == 1 else _squared(power - 1)
    return tuple(int(v) for v in _apply(before, np.array(before, np.uint32)))


def _apply(operator: tuple[int, ...], register: np.ndarray) -> np.ndarray:
    result = np.zeros_like(register)
    for bit, column in enumerate(operator):
        result ^= np.where(register >> np.uint32(bit) & 1, np.uint32(column), np.uint32(0))
    return result


def masked_crc32c(data: np.ndarray) -> int:
    """Return the CRC-32C as LevelDB and TensorFlow store it: rotated, with an offset."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF
