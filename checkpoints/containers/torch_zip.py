"""torch's zip files (.pth, .pt, .ckpt, .tar since torch 1.6): a pickle and its storages."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..pickles.arrays import ARRAYS
from ..pickles.machine import Machine
from ..pickles.plain import PLAIN
from ..pickles.torch_tensors import TORCH, storage_reader
from .pickle_file import as_tree

_LOCAL_HEADER = 30  # bytes, then name and extra field
_AGAIN = "Download it again."
_CONSTRUCTORS = {**PLAIN, **ARRAYS, **TORCH}


def is_torch_zip(path: Path, head: bytes) -> bool:
    """Return whether the file is a zip that holds a `data.pkl`."""
    if head[:4] != b"PK\3\4":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        # A cut file has no directory; torch's own begin with this member.
        return b"/data.pkl" in head


def read_torch_zip(path: Path) -> Mapping[str, Any]:
    """Return the tree of the file; its storages stay in it until they are read.

    Raises:
        BadCheckpoint: cut, damaged, compressed, encrypted or big-endian.
    """
    archive = _Archive(path)
    pickles = [name for name in archive.members if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise BadCheckpoint(path, f"holds {len(pickles)} files data.pkl", "one")
    root = pickles[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.members:
        start, length = archive.place(f"{root}byteorder")
        if archive.file.slice(start, min(length, 16)) == b"big":
            raise BadCheckpoint(path, "was written on a big-endian machine", "little-endian")

    def locate(key: str, wanted: int) -> np.ndarray:
        start, length = archive.place(f"{root}data/{key}")
        if length < wanted:
            raise BadCheckpoint(path, f"its storage {key!r} has {length} bytes", f"{wanted}")
        return archive.file.array(start, wanted)

    start, _ = archive.place(pickles[0])
    reader = storage_reader(locate)
    return as_tree(path, Machine(archive.file, path, _CONSTRUCTORS, start, reader).run())


class _Archive:
    """The members of a zip whose members are stored plain."""

    def __init__(self, path: Path) -> None:
        self.file = FileBytes(path)
        try:
            with zipfile.ZipFile(path) as archive:
                self.members = {member.filename: member for member in archive.infolist()}
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BadCheckpoint(
                path,
                f"its zip directory is missing or damaged ({error})",
                "a whole file",
                _AGAIN,
            ) from error

    def place(self, name: str) -> tuple[int, int]:
        """Return where a member begins in the file, and its bytes.

        Raises:
            BadCheckpoint: there is none, or it does not lie there plainly.
        """
        path, member = self.file.path, self.members.get(name)
        if member is None:
            raise BadCheckpoint(path, f"has no member {name!r}", "a whole file", _AGAIN)
        # torch stores members uncompressed, so that they can be mapped; others are not its.
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise BadCheckpoint(path, f"its member {name!r} is compressed or encrypted", "bytes")
        header = self.file.slice(member.header_offset, _LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or header[:4] != b"PK\3\4":
            raise BadCheckpoint(path, f"its member {name!r} is not where it should be", "", _AGAIN)
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        start = member.header_offset + _LOCAL_HEADER + name_length + extra_length
        if start + member.file_size > len(self.file):
            raise BadCheckpoint(path, f"its member {name!r} ends after the file", "", _AGAIN)
        return start, member.file_size


CONTAINER = Container(
    matches=is_torch_zip,
    open=read_torch_zip,
    description="torch's zip file (.pth, .pt, .ckpt, .tar)",
    source="pytorch/pytorch: torch/serialization.py, caffe2/serialize/inline_container.cc",
)
