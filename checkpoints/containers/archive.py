"""Archives (.zip, .tar, .tar.gz) of a TensorFlow checkpoint, as SimCLR's are published."""

import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import Container
from ..unpack import unpack
from .tensorflow_bundle import read_bundle
from .torch_zip import is_torch_zip

_GZIP = b"\x1f\x8b"
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257


def is_archive_file(path: Path, head: bytes) -> bool:
    """Return whether the file is a zip (not torch's), a tar, or a tar under gzip."""
    if not path.is_file():
        return False
    if head[:4] == b"PK\3\4":
        return not is_torch_zip(path, head)
    try:
        with path.open("rb") as stream:
            stream.seek(_TAR_MAGIC_AT)
            if stream.read(len(_TAR_MAGIC)) == _TAR_MAGIC:
                return True
        if head[:2] == _GZIP:
            with tarfile.open(path, "r|gz") as tape:
                return tape.next() is not None
    except (tarfile.TarError, OSError, EOFError):
        # A cut archive still has its first bytes; unpacking says what is wrong with it.
        return head[:2] == _GZIP
    return False


def read_archive(path: Path) -> Mapping[str, Any]:
    """Return the tree of the checkpoint that lies nearest to the archive's root.

    Its index and data are unpacked into a temporary folder, which is gone before this
    returns: what has opened a file keeps it.

    Raises:
        BadCheckpoint: damaged, a bomb, paths that leave it, or no TensorFlow checkpoint.
    """
    scratch = Path(tempfile.mkdtemp(prefix="relicheck-"))
    try:
        unpack(path, scratch / path.name)
        return read_bundle(scratch / path.name)
    finally:
        shutil.rmtree(scratch)


CONTAINER = Container(
    matches=is_archive_file,
    open=read_archive,
    description="an archive (.zip, .tar, .tar.gz) of a TensorFlow checkpoint",
    source="google-research/simclr: README.md, which links such archives",
)
