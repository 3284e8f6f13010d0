"""What is registered: names with one line each, found without importing any of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..checkpoints.discovery import Modules
from ..checkpoints.errors import UnknownName


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered thing."""

    name: str
    description: str


def entries(kind: str) -> list[Entry]:
    """Return what is registered under `kind`, sorted by name.

    Raises:
        UnknownName: there is no such kind; the message names the nearest.
    """
    if kind not in _KINDS:
        raise UnknownName("kind of thing to list", kind, _KINDS)
    return sorted(_KINDS[kind](), key=lambda entry: entry.name)


def kinds() -> list[str]:
    """Return the kinds of things that are registered, in the order of a number's way."""
    return list(_KINDS)


def _modules(registry: Modules[Any]) -> Iterator[Entry]:
    for name in registry.names():
        yield Entry(name=name, description=registry.summary(name))


def _methods() -> Iterator[Entry]:
    from ..pretrain import methods

    yield from _modules(methods)


def _configs() -> Iterator[Entry]:
    from ..pretrain import recipes

    yield from _modules(recipes)


def _formats() -> Iterator[Entry]:
    from ..checkpoints import formats

    yield from _modules(formats)


def _exports() -> Iterator[Entry]:
    from ..checkpoints.export_format import exports

    yield from _modules(exports)


def _checkpoints() -> Iterator[Entry]:
    from ..checkpoints.zoo import locate_published, published_names, read_published

    for name in published_names():
        entry = read_published(name)
        # Whether it is there, not whether it is right: a list must not hash gigabytes.
        here = "here" if locate_published(entry) else "not here"
        facts = [entry.licence, entry.size, "cannot be opened" if entry.refused else "", here]
        stated = ", ".join(fact for fact in facts if fact)
        yield Entry(name=name, description=f"{entry.title} ({stated})")


def _datasets() -> Iterator[Entry]:
    from ..evaluations.dataset import datasets

    yield from _modules(datasets)


def _evaluators() -> Iterator[Entry]:
    from ..evaluations.evaluator import evaluators

    yield from _modules(evaluators)


def _claims() -> Iterator[Entry]:
    from .claim_registry import load_claims

    for claim in load_claims():
        recalled = ", recalled" if claim.recalled else ""
        unit = " %" if claim.unit == "%" else ""
        yield Entry(
            name=claim.id,
            description=f"{claim.method}, {claim.architecture}, {claim.dataset}, "
            f"{claim.metric} {claim.value}{unit}{recalled}",
        )


def _tables() -> Iterator[Entry]:
    from .table_layout import load_layouts

    for name, layout in load_layouts().items():
        description = f"{layout.title} ({layout.paper}: {layout.source})"
        yield Entry(name=name, description=description)


_KINDS: dict[str, Callable[[], Iterator[Entry]]] = {
    "methods": _methods,
    "configs": _configs,
    "formats": _formats,
    "exports": _exports,
    "checkpoints": _checkpoints,
    "datasets": _datasets,
    "evaluators": _evaluators,
    "claims": _claims,
    "tables": _tables,
}
