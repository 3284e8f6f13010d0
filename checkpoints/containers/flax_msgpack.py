"""MessagePack files (.msgpack, checkpoint_N) as flax.serialization writes them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..msgpack_file import MessagePack
from ..stored import Stored

_CHUNKED = "__msgpack_chunked_array__"  # how Flax keeps an array of more than a gibibyte
_TEXT = (*range(0xA1, 0xC0), 0xD9)  # first bytes of a text, the empty one left out


def is_msgpack(path: Path, head: bytes) -> bool:
    """Return whether the file begins with a map whose first key is a printable text."""
    # Not 0x80, an empty map: pickles begin with it.
    maps = {**dict.fromkeys(range(0x81, 0x90), 1), 0xDE: 3, 0xDF: 5}
    place = maps.get(head[0]) if head else None
    if place is None or len(head) < place + 3 or head[place] not in _TEXT:
        return False
    text, length = place + 1, head[place] & 0x1F
    if head[place] == 0xD9:
        text, length = text + 1, head[text]
    return head[text : text + length].replace(b"_", b"").isalnum()


def read_msgpack(path: Path) -> Mapping[str, Any]:
    """Return the tree of the file; lists are mappings by index, as Flax keeps them.

    Raises:
        BadCheckpoint: cut, damaged, nested without end, or no mapping.
    """
    tree = MessagePack(FileBytes(path)).whole()
    if not isinstance(tree, dict):
        raise BadCheckpoint(path, f"holds a {type(tree).__name__}", "a table of tensors")
    return {key: _joined(path, node) for key, node in tree.items()}


def _joined(path: Path, node: Any) -> Any:
    """Return the node with arrays that were cut into chunks made whole."""
    if not isinstance(node, dict):
        return node
    if _CHUNKED not in node:
        return {key: _joined(path, child) for key, child in node.items()}
    chunks, sizes = node.get("chunks"), node.get("shape")
    parts = list(chunks.values()) if isinstance(chunks, dict) else []
    shape = tuple(sizes.values()) if isinstance(sizes, dict) else (-1,)
    if (
        not parts
        or not all(isinstance(part, Stored) and part.dtype == parts[0].dtype for part in parts)
        or not all(isinstance(size, int) and size >= 0 for size in shape)
        or sum(math.prod(part.shape) for part in parts) != math.prod(shape)
    ):
        raise BadCheckpoint(path, f"an array of shape {shape} in chunks that do not make it up")

    def load() -> np.ndarray:
        return np.concatenate([part.load().reshape(-1) for part in parts]).reshape(shape)

    return Stored(shape=shape, dtype=parts[0].dtype, load=load)


CONTAINER = Container(
    matches=is_msgpack,
    open=read_msgpack,
    description="Flax's MessagePack file (.msgpack, checkpoint_N)",
    source="google/flax: flax/serialization.py",
)
