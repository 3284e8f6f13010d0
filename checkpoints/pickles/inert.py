"""What a pickle asks for and does not get: names of code, kept as data."""

from collections.abc import Mapping
from typing import Any

# NamedTuples are pickled as a name and bare values; their fields are known from the source.
_FIELDS = {
    # google-deepmind/deepmind-research: byol/byol_experiment.py
    "_ByolExperimentState": (
        "online_params",
        "target_params",
        "online_state",
        "target_state",
        "opt_state",
    ),
    # google-deepmind/deepmind-research: byol/eval_experiment.py; relicv2/eval_experiment.py
    "_EvalExperimentState": (
        "backbone_params",
        "classif_params",
        "backbone_state",
        "backbone_opt_state",
        "classif_opt_state",
    ),
}


class Inert:
    """A function, class or object of a pickle, by name, with what it was given.

    It is never called or built. Its repr does not descend into its arguments, which may be
    nested without end.
    """

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = (), state: Any = None) -> None:
        self.name, self.args, self.state = name, args, state

    def __repr__(self) -> str:
        return f"a call of {self.name}, which is not run"

    def members(self) -> Mapping[str, Any]:
        """Return the object's named members as far as the pickle tells them, else {}.

        Members are an object's state (`__dict__`), a named tuple's fields (from the class's
        own definition where dill stored it by value, else from its published source), or the
        one mapping that a mapping's subclass was made from.
        """
        if isinstance(self.state, Mapping):
            return self.state
        if fields := _fields(self):
            return dict(zip(fields, self.args, strict=False))
        if len(self.args) == 1 and isinstance(self.args[0], Mapping):
            return self.args[0]
        return {}


def is_inert(value: object) -> bool:
    """Return whether a value of a tree is code that was not run."""
    return isinstance(value, Inert)


def _fields(inert: Inert) -> tuple[str, ...]:
    short = inert.name.rpartition(".")[2]
    known = _FIELDS.get(short, ())
    return known if len(known) == len(inert.args) else ()


def with_fields(cls: Inert, args: tuple[Any, ...]) -> Inert:
    """Return an object of a class that dill stored by value, named fields and all.

    dill 0.3: `_create_namedtuple(name, fields, module)`, `_create_type(type, name, bases,
    members)`.
    """
    name, *rest = [arg for arg in cls.args if isinstance(arg, str)] or [cls.name]
    del rest
    fields: Any = ()
    if cls.name.endswith("_create_namedtuple") and len(cls.args) > 1:
        fields = cls.args[1]
    for members in cls.args:
        if isinstance(members, Mapping):
            fields = members.get("_fields", fields)
    if isinstance(fields, (tuple, list)) and 0 < len(fields) == len(args):
        return Inert(name, args, {str(f): a for f, a in zip(fields, args, strict=True)})
    return Inert(name, args)
