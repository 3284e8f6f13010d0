"""Changing a protocol's fields from outside: another protocol, with another hash."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..checkpoints.errors import UnknownName, UsageError
from .evaluator import Protocol


def apply_overrides(
    protocols: Mapping[str, Protocol], overrides: Mapping[str, object]
) -> dict[str, Protocol]:
    """Return `protocols` (evaluator name -> protocol) with fields replaced.

    Args:
        protocols: by evaluator.
        overrides: `evaluator.field` or `protocol.field` to a value, or to its text.

    Raises:
        UnknownName: no such evaluator among these, or no such field.
        UsageError: the value is not one of the field's type.
    """
    changed = dict(protocols)
    for key, value in overrides.items():
        owner, _, field = key.rpartition(".")
        name = _evaluator(owner, protocols)
        known = {f.name for f in fields(changed[name])}
        if field not in known:
            raise UnknownName(f"field of {changed[name].name}", field, known)
        current = getattr(changed[name], field)
        changed[name] = replace(changed[name], **{field: _as(current, value, key)})
    return changed


def _evaluator(owner: str, protocols: Mapping[str, Protocol]) -> str:
    for name, protocol in protocols.items():
        if owner in (name, protocol.name):
            return name
    raise UnknownName("chosen evaluator or protocol", owner, protocols)


def _as(current: Any, value: object, key: str) -> Any:
    """Return `value` in the type of `current`; text is read as that type is written."""
    try:
        if isinstance(current, tuple):
            items = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
            # An empty default says nothing of its items' type: they stay text.
            return tuple(_as(current[0], item, key) if current else item for item in items)
        if isinstance(current, bool):
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if isinstance(current, int):
            number = float(str(value))
            if number != int(number):
                raise ValueError(value)
            return int(number)
        if isinstance(current, float):
            return float(str(value))
        return str(value)
    except (KeyError, ValueError, TypeError) as error:
        kind = type(current[0] if isinstance(current, tuple) and current else current).__name__
        plural = "comma-separated values" if isinstance(current, tuple) else "a value"
        raise UsageError(f"--set {key}", f"{value!r}", f"{plural} of type {kind}") from error
