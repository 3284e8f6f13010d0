"""The bytes of a file, as if they were in memory, of which only a window is."""

import os
import weakref
from pathlib import Path

import numpy as np

from .errors import BadCheckpoint

_WINDOW = 1 << 16


class FileBytes:
    """Random access to a file: `bytes[i]`, `bytes[a:b]`, `find`, `array`.

    Not a memory map: the pages of one stay in the process once touched, and a file that
    shrinks underneath it ends the process. The file stays open as long as this does.

    Raises:
        BadCheckpoint: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadCheckpoint(path, f"cannot be read ({error.strerror})") from error
        weakref.finalize(self, os.close, self._descriptor)
        self.path = path
        self._size = os.fstat(self._descriptor).st_size
        self._start, self._window = 0, b""

    def __len__(self) -> int:
        return self._size

    def byte(self, index: int) -> int:
        """Return one byte. Raises: IndexError after the end."""
        place = index - self._start
        if not 0 <= place < len(self._window):
            self._load(index)
            place = 0
        return self._window[place]

    def slice(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start`, fewer at the end of the file."""
        place = start - self._start
        if place >= 0 and place + count <= len(self._window):
            return self._window[place : place + count]
        if count <= _WINDOW // 2:
            self._load(start)
            return self._window[:count]
        return os.pread(self._descriptor, min(count, max(self._size - start, 0)), start)

    def find(self, wanted: bytes, start: int, most: int) -> int:
        """Return where the byte `wanted` is within `most` bytes of `start`, or -1."""
        for begin in range(start, min(start + most, self._size), _WINDOW // 2):
            place = self.slice(begin, _WINDOW // 2).find(wanted)
            if place >= 0:
                return begin + place
        return -1

    def array(self, start: int, count: int) -> np.ndarray:
        """Return `count` bytes from `start` as a new array [count] uint8.

        Raises:
            BadCheckpoint: the file ends before.
        """
        if start < 0 or count < 0 or start + count > self._size:
            raise BadCheckpoint(self.path, "ends inside a tensor", todo="Download it again.")
        array = np.empty(count, np.uint8)
        view, done = array.data, 0
        while done < count:
            read = os.preadv(self._descriptor, [view[done:]], start + done)
            if read == 0:
                raise BadCheckpoint(self.path, "became shorter while it was read")
            done += read
        return array

    def _load(self, start: int) -> None:
        self._start, self._window = start, os.pread(self._descriptor, _WINDOW, start)
