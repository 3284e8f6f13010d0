"""Containers: how a file holds a tree of tensors, whatever the tensors mean.

A container is opened without running a byte of it and without reading the values of its
tensors. What the tree means (BYOL's, torchvision's ...) is the business of `formats/`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadCheckpoint, MissingData
from .stored import Stored

HEAD = 64  # bytes that `matches` is given
_MOST_LEAVES = 200_000
_DEEPEST = 64


@dataclass(frozen=True, kw_only=True)
class Container:
    """One kind of file. `matches` is cheap and never raises."""

    matches: Callable[[Path, bytes], bool]  # (file or folder, its first HEAD bytes)
    open: Callable[[Path], Mapping[str, Any]]  # -> nested mappings; leaves Stored or plain
    description: str
    source: str
    # The files that are meant by one of them, for the hash; None: the file itself.
    files: Callable[[Path], list[Path]] | None = None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A checkpoint file, opened: its tree of names and shapes."""

    path: Path
    container: str  # name of the container
    tree: Mapping[str, Any]  # nested mappings; leaves are Stored, numbers, text or Inert
    files: tuple[Path, ...]  # of which it consists

    def at(self, *keys: str) -> Any:
        """Return the node under `keys`, or None where there is none."""
        node: Any = self.tree
        for key in keys:
            if not isinstance(node, Mapping) or key not in node:
                return None
            node = node[key]
        return node

    def facts(self) -> dict[str, Any]:
        """Return the plain values beside the tensors: step, epoch, best accuracy."""
        return {k: v for k, v in self.tree.items() if isinstance(v, (bool, int, float, str))}


def tensors_of(node: object, separator: str = ".") -> dict[str, Stored]:
    """Return every tensor below a node by its joined path; {} for what is not a mapping.

    Raises:
        BadCheckpoint: the tree is deeper or wider than any checkpoint.
    """
    return dict(_leaves(node, separator))


def _leaves(node: object, separator: str) -> Iterator[tuple[str, Stored]]:
    waiting: list[tuple[str, object, int]] = [("", node, 0)]
    visited = 0
    while waiting:
        path, value, depth = waiting.pop()
        visited += 1
        if visited > _MOST_LEAVES or depth > _DEEPEST:
            raise BadCheckpoint(
                path[:80] or "the file",
                f"its tree is deeper than {_DEEPEST} or has more than {_MOST_LEAVES} nodes",
                "a table of tensors",
            )
        if isinstance(value, Stored):
            yield path, value
        elif isinstance(value, Mapping):
            prefix = f"{path}{separator}" if path else ""
            waiting.extend((f"{prefix}{key}", child, depth + 1) for key, child in value.items())


def open_checkpoint(path: Path) -> Opened:
    """Return the tree of names and shapes in a file or folder of any known container.

    Raises:
        MissingData: there is nothing at `path`.
        BadCheckpoint: empty, truncated, damaged, or of no known kind.
    """
    from . import containers

    path = Path(path)
    # TensorFlow's users name a checkpoint by what its files' names have in common.
    if not path.exists() and (index := Path(f"{path}.index")).is_file():
        path = index
    if not path.exists():
        raise MissingData(path, "there is no such file", "a checkpoint")
    head = first_bytes(path)
    if path.is_file() and not head:
        raise BadCheckpoint(path, "the file is empty", "a checkpoint", "Download it again.")
    for name in containers.names():
        container = containers.load(name)
        if container.matches(path, head):
            files = container.files(path) if container.files else [path]
            tree = container.open(path)
            return Opened(path=path, container=name, tree=tree, files=tuple(files))
    raise BadCheckpoint(
        path,
        "not a checkpoint of a known kind",
        "one of: " + "; ".join(containers.load(name).description for name in containers.names()),
        "If it should be one, download it again.",
    )


def first_bytes(path: Path) -> bytes:
    """Return the first HEAD bytes of a file, b"" of a folder.

    Raises:
        BadCheckpoint: it cannot be read.
    """
    if path.is_dir():
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise BadCheckpoint(path, f"cannot be read ({error.strerror})", "a file") from error


def size_of(path: Path) -> int:
    """Return the bytes of a file."""
    return os.stat(path).st_size
