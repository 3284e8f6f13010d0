"""Locks between processes that end with their holder, however it ends."""

import os
from pathlib import Path
from types import TracebackType

from ..checkpoints.errors import BadData


class FileLock:
    """A lock on the file `path`, which is made where it is absent; its folder must exist.

    Held by one process alone, or shared by several. The operating system gives it back
    when its holder dies, kill -9 included, so nothing stale is ever left to be judged.
    Two locks on one path exclude each other inside one process as well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock; return False if it is another's and `wait` is False.

        Raises:
            FileNotFoundError: the folder is not there (any more).
            BadData: the file cannot be made, or its file system has no locks.
        """
        import fcntl  # POSIX only, as in checkpoints/fetch.py

        assert self._handle is None, "held already"
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while True:
            handle = self._open()
            try:
                fcntl.flock(handle, kind)
            except BlockingIOError:
                os.close(handle)
                return False
            except OSError as error:
                os.close(handle)
                raise BadData(
                    self.path,
                    f"its file system has no locks ({error.strerror})",
                    todo="Name a folder on another one, such as a local disk.",
                ) from error
            except BaseException:
                os.close(handle)
                raise
            if self._is_at_its_path(handle):
                self._handle = handle
                return True
            # Whoever held it before removed the file: this is a lock on nothing.
            os.close(handle)

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.release()

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BadData(
                self.path, f"cannot be written ({error.strerror})", "a folder that can be"
            ) from error

    def _is_at_its_path(self, handle: int) -> bool:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev)

    def __enter__(self) -> "FileLock":
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
