"""Plain containers in a pickle, and the read-only mappings that jax's libraries use."""

from collections.abc import Callable, Mapping
from typing import Any

from .inert import Inert

_MAPPINGS = (
    "builtins.dict",
    "collections.OrderedDict",
    "types.MappingProxyType",
    "flax.core.frozen_dict.FrozenDict",
    "frozendict.frozendict",
    "frozendict.core.frozendict",
    # dm-haiku pickles a FlatMap as a call of FlatMapping with one dict, whose nested mappings
    # are frozendicts (haiku/_src/data_structures.py).
    "haiku._src.data_structures.FlatMapping",
    "haiku._src.data_structures.FlatMap",
    "haiku._src.data_structures.frozendict",
    "haiku._src.data_structures.FlatStructure",
)
_SEQUENCES = ("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "torch.Size")


def _mapping(args: tuple[Any, ...]) -> Any:
    content = args[0] if args else {}
    if isinstance(content, Mapping):
        return dict(content)
    if isinstance(content, list):  # pairs, as OrderedDict has them
        plain = [p for p in content if isinstance(p, (list, tuple)) and len(p) == 2]
        return {key: value for key, value in plain if isinstance(key, (str, int, float))}
    return Inert("builtins.dict", args)


def _sequence(args: tuple[Any, ...]) -> list[Any]:
    return list(args[0]) if args and isinstance(args[0], (list, tuple)) else []


def _object(args: tuple[Any, ...]) -> Any:
    # copyreg._reconstructor(class, base, state) makes a bare object; its BUILD follows.
    return Inert(args[0].name) if args and isinstance(args[0], Inert) else Inert("object", args)


PLAIN: Mapping[str, Callable[[tuple[Any, ...]], Any]] = {
    **dict.fromkeys(_MAPPINGS, _mapping),
    **dict.fromkeys(_SEQUENCES, _sequence),
    # defaultdict(factory): the factory is never called.
    "collections.defaultdict": lambda args: _mapping(args[1:]),
    "copyreg._reconstructor": _object,
}
