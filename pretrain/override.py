"""Changing a config by name: `epochs=5`, `spec.width_multiplier=0.25`, `views.0.side=16`."""

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ..checkpoints.errors import UnknownName, UsageError

T = TypeVar("T")


def override(config: T, assignments: Iterable[str]) -> T:
    """Return `config` with every `key=value` applied; a dot reaches into a field.

    Values are JSON, or the bare text where they are not. A number of a tuple's entry
    reaches into the tuple.

    Raises:
        UsageError: not of the form key=value, or a value of another kind than the present one.
        UnknownName: there is no such key; the message names the nearest.
    """
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not (equals and key):
            raise UsageError("--set", f"{assignment!r}", "key=value, such as epochs=5")
        config = _replaced(config, key.split("."), _value(text), key)
    return config


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value


def _replaced(node: Any, path: list[str], value: Any, key: str) -> Any:
    if not path:
        return _checked(node, value, key)
    name, rest = path[0], path[1:]
    if is_dataclass(node) and not isinstance(node, type):
        known = [field.name for field in fields(node)]
        if name not in known:
            raise UnknownName("key of the config", key, _dotted(key, name, known))
        return replace(node, **{name: _replaced(getattr(node, name), rest, value, key)})
    if isinstance(node, tuple) and name.isdigit() and int(name) < len(node):
        entries = list(node)
        entries[int(name)] = _replaced(entries[int(name)], rest, value, key)
        return tuple(entries)
    raise UsageError(f"--set {key}", f"{name!r} does not name a part of {node!r}")


def _dotted(key: str, name: str, known: list[str]) -> list[str]:
    """Return the known names with what stood before `name` in `key`."""
    before = key.split(".")[: key.split(".").index(name)]
    return [".".join([*before, field]) for field in known]


def _checked(present: Any, value: Any, key: str) -> Any:
    if isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, not to a reader of --set seed=true.
    if type(value) is not type(present) and present is not None:
        raise UsageError(
            f"--set {key}", f"{value!r}", f"a {type(present).__name__} such as {present!r}"
        )
    return value
