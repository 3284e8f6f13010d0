"""Writing files so that an interruption never leaves half of one behind."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .errors import BadData

_CHUNK = 1 << 20


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it there if the block succeeds.

    The rename is atomic within one file system, hence the temporary file lies in
    the same folder. On any exception, Ctrl-C included, it is removed.
    """
    target = Path(target)
    temporary = _temporary(target)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files private; a result should be as readable as any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BadData(
            target, f"cannot be written ({error.strerror})", todo="Name another --output."
        ) from error
    os.close(handle)
    return Path(name)


def check_writable(target: Path) -> None:
    """Return if a file could be written at `target`; its folder is made.

    For before long work: what cannot be kept should not be begun.

    Raises:
        BadData: it could not.
    """
    _temporary(Path(target)).unlink()


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` as UTF-8 with Unix line ends, whole or not at all."""
    write_bytes(target, text.encode("utf-8"))


def write_bytes(target: Path, content: bytes) -> None:
    """Write `content` to `target`, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class HashBeside:
    """The SHA-256 of a file, computed by another thread while this one does something else."""

    def __init__(self, path: Path) -> None:
        """Begin."""
        self._path, self._given_up = path, threading.Event()
        pool = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._digest = pool.submit(self._compute)
        pool.shutdown(wait=False)

    def _compute(self) -> str:
        digest = hashlib.sha256()
        with self._path.open("rb") as stream:
            while not self._given_up.is_set() and (chunk := stream.read(_CHUNK)):
                digest.update(chunk)
        return digest.hexdigest()

    def result(self) -> str:
        """Return it in hexadecimal, when it is there. Raises: OSError, from reading."""
        return self._digest.result()

    def give_up(self) -> None:
        """End soon: nobody will ask, and a program waits for its threads."""
        self._given_up.set()


def sha256_of_files(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of a file; of several files or folders, over names and contents."""
    if len(paths) == 1 and paths[0].is_file():
        return sha256_of_file(paths[0])
    digest = hashlib.sha256()
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
        for file in inside or [path]:
            name = file.relative_to(path).as_posix() if inside else file.name
            digest.update(f"{name}\0{sha256_of_file(file)}\n".encode())
    return digest.hexdigest()


def sha256_of_path(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files by name and contents."""
    return sha256_of_files([Path(path)])
