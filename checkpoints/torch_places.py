"""Where in a torch checkpoint its ResNets lie, by the paths of their tensors."""

from collections.abc import Mapping

from .container import Opened
from .errors import BadCheckpoint
from .stored import Stored
from .torch_table import FIRST, Table, below

# torch.nn.Sequential(*list(resnet.children())[:-1]) numbers torchvision's modules; 2 and 3
# are ReLU and max-pool.
_FIRST_NUMBERED = "4.0.conv1.weight"
_NUMBERED = {"0": "conv1", "1": "bn1", **{str(3 + stage): f"layer{stage}" for stage in range(1, 5)}}


def network_at(tensors: Mapping[str, Stored], place: str) -> Table:
    """Return the ResNet at `place` by torchvision's names, {} where there is none.

    Its modules may be numbered, as children of a Sequential; its shortcuts may be called
    `shortcut` instead of `downsample` (kuangliu/pytorch-cifar: models/resnet.py).
    """
    inside = below(tensors, place)
    if FIRST not in inside and _is_numbered(inside):
        parts = {name: name.partition(".") for name in inside}
        named = {n: ".".join((_NUMBERED.get(p[0], p[0]), p[2])) for n, p in parts.items()}
        inside = {named[name]: tensor for name, tensor in inside.items()}
    if FIRST not in inside:
        return {}
    return {name.replace(".shortcut.", ".downsample."): t for name, t in inside.items()}


def _is_numbered(inside: Mapping[str, Stored]) -> bool:
    return _FIRST_NUMBERED in inside and "0.weight" in inside and len(inside["0.weight"].shape) == 4


def places_of(tensors: Mapping[str, Stored]) -> list[str]:
    """Return every place where a ResNet lies: ["teacher.backbone.", "student.backbone."]."""
    ends = (FIRST, _FIRST_NUMBERED)
    at_ends = ((name, end) for name in tensors for end in ends if f".{name}".endswith(f".{end}"))
    found = {name.removesuffix(end) for name, end in at_ends}
    return sorted(place for place in found if network_at(tensors, place))


def lone_place(opened: Opened, tensors: Mapping[str, Stored]) -> str:
    """Return the one place where a ResNet lies.

    Raises:
        BadCheckpoint: there is none, or more than one.
    """
    places = places_of(tensors)
    if len(places) == 1:
        return places[0]
    if not places:
        raise BadCheckpoint(
            opened.path,
            f"its {len(tensors)} tensors are not those of a ResNet (no {FIRST})",
            "a ResNet with torchvision's names, possibly under a prefix",
        )
    shown = ", ".join(place.rstrip(".") or "its root" for place in places[:4])
    raise BadCheckpoint(
        opened.path,
        f"holds {len(places)} ResNets ({shown})",
        "one, or a format that says which is which",
        "Name the format with --format, or save the one that you mean by itself.",
    )


def with_classifier(table: Table, tensors: Mapping[str, Stored], places: tuple[str, ...]) -> Table:
    """Return the network with the first linear layer of `places` that there is as its `fc`."""
    found = next((p for p in places if f"{p}weight" in tensors and f"{p}bias" in tensors), None)
    if found is None:
        return table
    head = {f"fc.{leaf}": tensors[f"{found}{leaf}"] for leaf in ("weight", "bias")}
    return {**without_fc(table), **head}


def without_fc(table: Table) -> Table:
    """Return the network without what it calls `fc`."""
    return {name: tensor for name, tensor in table.items() if not name.startswith("fc.")}
