"""How one project's training code names what it saves, as a table; and the format made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from .container import Opened
from .errors import BadCheckpoint
from .format import Format, Upstream
from .spec import Preprocessing, ResNetSpec, Stem
from .torch_places import lone_place, network_at, with_classifier, without_fc
from .torch_table import Table, below, segments, torch_tensors, upstream_of


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A file and the table in it that holds the networks: enough to tell whose it is."""

    opened: Opened
    tensors: Table  # by their paths in the table, without wrappers (`module`, `_orig_mod`)

    @property
    def parts(self) -> set[str]:
        """The modules at the top of the table: {"backbone", "projector"}."""
        return segments(self.tensors)


def _no_doubt(beside: Beside) -> None:
    """Raise nothing: what the network computes is what its tensors tell."""


def _as_inferred(spec: ResNetSpec) -> ResNetSpec:
    return spec


def _unstated(beside: Beside) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Family:
    """The names of one project; places end with a dot, except the root's, which is empty."""

    networks: Mapping[str, tuple[str, ...]]  # name -> where in the table; the default comes first
    is_theirs: Callable[[Beside], bool]  # whether what lies beside the networks is theirs too
    method: Callable[[Beside], str | None] = _unstated
    tables: tuple[str, ...] = ("state_dict.", "")  # where in a file the table may lie
    keeps_fc: bool = False  # whether the backbone's own `fc` is a classifier and no projector
    # network -> where in the table a linear classifier on its features may lie
    classifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preprocessing: Mapping[Stem, Preprocessing] = field(default_factory=dict)  # where unusual
    # Raises BadCheckpoint where the file says that its network is none we compute.
    check: Callable[[Beside], None] = _no_doubt
    # spec as the tensors tell it -> spec as the family's code builds it
    specify: Callable[[ResNetSpec], ResNetSpec] = _as_inferred


def family_format(family: Family, *, description: str, source: str) -> Format:
    """Return the format of the files that are laid out as `family` says.

    Which file is whose is told by what lies beside the backbone. A backbone that was taken
    out has nothing beside it: it is read where the user names the format.
    """
    return Format(
        matches=lambda opened: _found(family, opened) is not None,
        read=lambda opened, network: _read(family, opened, network),
        description=description,
        source=source,
        networks=tuple(family.networks) if len(family.networks) > 1 else (),
    )


_Found = tuple[Beside, dict[str, Table]]


def _found(family: Family, opened: Opened) -> _Found | None:
    """Return the table and its networks by name; None: it is not this family's file."""
    tensors = torch_tensors(opened)
    for place in family.tables if tensors else ():
        beside = Beside(opened=opened, tensors=below(tensors, place))
        networks = {name: _first(beside, places) for name, places in family.networks.items()}
        networks = {name: table for name, table in networks.items() if table}
        if networks and family.is_theirs(beside):
            return beside, networks
    return None


def _first(beside: Beside, places: tuple[str, ...]) -> Table:
    return next((t for place in places if (t := network_at(beside.tensors, place))), {})


def _bare(family: Family, opened: Opened) -> _Found:
    """Return the file's one network under the family's name for it: a backbone by itself."""
    tensors = torch_tensors(opened)
    place = lone_place(opened, tensors)
    names = (name for name, places in family.networks.items() if _lies_at(place, places))
    name = next(names, next(iter(family.networks)))
    return Beside(opened=opened, tensors=tensors), {name: network_at(tensors, place)}


def _lies_at(place: str, places: tuple[str, ...]) -> bool:
    return any(known and f".{place}".endswith(f".{known}") for known in places)


def _read(family: Family, opened: Opened, network: str | None) -> Upstream:
    beside, networks = _found(family, opened) or _bare(family, opened)
    name = network or next(iter(family.networks))
    if name not in networks:
        raise BadCheckpoint(opened.path, f"holds no {name} network", " or ".join(networks))
    family.check(beside)
    table = networks[name] if family.keeps_fc else without_fc(networks[name])
    upstream = upstream_of(
        opened,
        with_classifier(table, beside.tensors, family.classifiers.get(name, ())),
        network=name if len(family.networks) > 1 else None,
        method=family.method(beside),
    )
    spec = family.specify(upstream.spec)
    preprocessing = family.preprocessing.get(spec.stem, upstream.preprocessing)
    return replace(upstream, spec=spec, preprocessing=preprocessing)
