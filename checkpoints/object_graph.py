"""TensorFlow 2's object graph: which attribute of which object holds a variable.

tensorflow/core/protobuf/trackable_object_graph.proto. A checkpoint calls a variable by the
shortest way to it, and in a SavedModel that is often `variables/63`; the graph beside it has
every other way, that by the names of the authors' attributes included.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .container import Opened
from .containers.tensorflow_bundle import OBJECT_GRAPH
from .errors import BadCheckpoint
from .protobuf import fields, messages, number, text
from .stored import Stored

# Fields of TrackableObjectGraph, TrackableObject and its three kinds of references.
_NODES = 1
_CHILDREN, _ATTRIBUTES, _SLOTS = 1, 2, 3
_ID, _NAME = 1, 2
_ATTRIBUTE_NAME, _KEY = 1, 3
_VALUE = "VARIABLE_VALUE"


@dataclass(frozen=True, eq=False)
class Node:
    """One object: what hangs on it by name, and its value if it is a variable.

    Reading any of its properties raises BadCheckpoint where the graph is damaged.
    """

    opened: Opened
    messages: list[bytes]  # of all objects, decoded one by one as they are reached
    id: int

    def at(self, *names: str) -> "Node | None":
        """Return the object that lies behind these attributes, None where one is missing."""
        node = self
        for name in names:
            if name not in node.children:
                return None
            node = Node(self.opened, self.messages, node.children[name])
        return node

    def tensor_at(self, *names: str) -> Stored | None:
        """Return the value of the variable behind these attributes, None where there is none."""
        node = self.at(*names)
        return node.tensor if node else None

    def items_at(self, *names: str) -> list["Node"]:
        """Return the entries of the list behind these attributes, in order; [] for no list."""
        held = self.at(*names)
        numbers = sorted(int(n) for n in (held.children if held else ()) if _is_index(n))
        entries = (held.at(str(index)) for index in numbers) if held else ()
        return [entry for entry in entries if entry is not None]

    @property
    def children(self) -> Mapping[str, int]:
        """The ids of the objects that its attributes hold, by their names."""
        return self._decoded[0]

    @property
    def tensor(self) -> Stored | None:
        """The value of a variable; None where this is no variable, or was not saved."""
        value = self.opened.tree.get(self._decoded[1])
        return value if isinstance(value, Stored) else None

    @property
    def slotted(self) -> set[int]:
        """The ids of the variables for which this optimiser keeps slots."""
        return self._decoded[2]

    @cached_property
    def _decoded(self) -> tuple[dict[str, int], str, set[int]]:
        try:
            if self.id >= len(self.messages):
                raise ValueError("a reference to no object")
            parts = fields(self.messages[self.id])
            children = [fields(part) for part in messages(parts, _CHILDREN)]
            saved = [fields(part) for part in messages(parts, _ATTRIBUTES)]
            values = [text(part, _KEY) for part in saved if text(part, _ATTRIBUTE_NAME) == _VALUE]
            return (
                {text(child, _NAME): number(child, _ID) for child in children},
                values[0] if values else "",
                {number(fields(part), _ID) for part in messages(parts, _SLOTS)},
            )
        except ValueError as error:
            raise _damaged(self.opened, error) from error


def _is_index(name: str) -> bool:
    return re.fullmatch(r"0|[1-9]\d{0,3}", name) is not None


def read_object_graph(opened: Opened) -> Node | None:
    """Return the root of a checkpoint's object graph, None where it has none.

    Raises:
        BadCheckpoint: it is damaged.
    """
    raw: Any = opened.tree.get(OBJECT_GRAPH)
    if not isinstance(raw, bytes):
        return None
    try:
        return Node(opened, messages(fields(raw), _NODES), 0)
    except ValueError as error:
        raise _damaged(opened, error) from error


def _damaged(opened: Opened, found: object) -> BadCheckpoint:
    return BadCheckpoint(
        opened.path, f"its object graph is damaged ({found})", "a whole file", "Download it again."
    )
