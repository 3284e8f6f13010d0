"""Pickles (.pkl) of plain pickle or dill, read without unpickling."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..pickles.arrays import ARRAYS
from ..pickles.inert import Inert
from ..pickles.machine import Machine
from ..pickles.plain import PLAIN
from .torch_legacy import is_legacy

_PROTO = 0x80


def is_pickle(path: Path, head: bytes) -> bool:
    """Return whether the file begins as a pickle of protocol 2 to 5, but is not torch's."""
    return head[:1] == bytes([_PROTO]) and head[1:2] in b"\2\3\4\5" and not is_legacy(path, head)


def read_pickle(path: Path) -> Mapping[str, Any]:
    """Return the tree of a pickled mapping or object.

    Raises:
        BadCheckpoint: cut, damaged, or neither a mapping nor an object with members.
    """
    value = Machine(FileBytes(path), path, {**PLAIN, **ARRAYS}).run()
    return as_tree(path, value)


def as_tree(path: Path, value: Any) -> Mapping[str, Any]:
    """Return what a pickle holds as a mapping.

    Raises:
        BadCheckpoint: it is none; a lone call is named.
    """
    members = value.members() if isinstance(value, Inert) else value
    if isinstance(members, Mapping) and members:
        return members
    found = repr(value) if isinstance(value, Inert) else f"a {type(value).__name__}"
    raise BadCheckpoint(
        path,
        f"holds {found}",
        "a table of tensors",
        "If it should be a checkpoint, ask its authors for one of plain tensors.",
    )


CONTAINER = Container(
    matches=is_pickle,
    open=read_pickle,
    description="a pickle of protocol 2 to 5 (.pkl)",
    source="CPython: Lib/pickletools.py",
)
