"""Tables of torch tensors: those of a file by their paths, and a ResNet's as what was read."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .container import Opened, tensors_of
from .errors import BadCheckpoint
from .format import Upstream
from .infer import infer_spec
from .parameters import parameter_shapes
from .spec import Preprocessing, ResNetSpec
from .stored import Stored, shapes_of
from .variants import known_variant

Table = dict[str, Stored]
TORCH_CONTAINERS = ("torch_zip", "torch_legacy", "safetensors_file", "pickle_file")
_COUNTER = "num_batches_tracked"  # takes no part in the function computed
# DataParallel, torch.compile, FSDP and activation checkpointing wrap modules in these.
_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
FIRST = "layer1.0.conv1.weight"  # where a path ends like this, a ResNet lies
# What may lie beside a backbone in its own table without taking part in its features.
_HEAD = re.compile(
    r"fc|linear|logits?|mlp|.*head.*|.*classif.*|.*proj.*|.*predict.*|.*proto.*|.*queue.*|.*embed.*"
)
_LISTED = 4  # names of a head that are listed one by one; more are counted


def torch_tensors(opened: Opened) -> Table:
    """Return every tensor of a torch file by its path without wrappers; {} for other files."""
    if opened.container not in TORCH_CONTAINERS:
        return {}
    found = tensors_of(opened.tree)
    plain = {_unwrapped(name): tensor for name, tensor in found.items()}
    # Two names that differ by a wrapper only are two tensors: then nothing is taken away.
    return plain if len(plain) == len(found) else found


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def below(tensors: Mapping[str, Stored], place: str) -> Table:
    """Return the tensors whose path begins with `place`, without it."""
    return {n[len(place) :]: t for n, t in tensors.items() if n.startswith(place)}


def segments(tensors: Mapping[str, Stored]) -> set[str]:
    """Return the first parts of the names: {"backbone", "projector"}."""
    return {name.partition(".")[0] for name in tensors}


def is_resnet(table: Mapping[str, Stored]) -> bool:
    """Return whether the first block of a ResNet lies here by torchvision's names."""
    return FIRST in table


def upstream_of(
    opened: Opened,
    table: Mapping[str, Stored],
    *,
    preprocessing: Preprocessing | None = None,
    network: str | None = None,
    method: str | None = None,
) -> Upstream:
    """Return tensors that have torchvision's names as what a format reads.

    `fc` is kept where it is one linear layer on the features. What is called like a head is
    dropped; everything else stays, so that the check against the template refuses what does
    not belong.

    Args:
        preprocessing: None: torchvision's evaluation for the ImageNet stem (shorter side
            256, crop 224, bilinear), no resize at 32 pixels for the CIFAR stem.

    Raises:
        BadCheckpoint: they are not a plain ResNet's.
    """
    named = {n: t for n, t in table.items() if not n.endswith(_COUNTER) and not _is_fact(n, t)}
    spec = _spec(opened, named)
    head, bias = (named[n].shape if n in named else () for n in ("fc.weight", "fc.bias"))
    classes = head[0] if head[1:] == (spec.feature_dim,) and bias == head[:1] else None
    wanted = parameter_shapes(spec, classes)
    others = [n for n in named if n not in wanted and not _HEAD.fullmatch(n.partition(".")[0])]
    kept = {n: named[n] for n in (*(n for n in wanted if n in named), *sorted(others))}
    return Upstream(
        tensors=kept,
        spec=spec,
        preprocessing=preprocessing or usual_preprocessing(spec.stem == "imagenet"),
        classes=classes,
        dropped=dropped(opened, kept),
        stored=facts(opened),
        network=network,
        method=method,
    )


def _is_fact(name: str, tensor: Stored) -> bool:
    # AveragedModel counts its updates beside the network it holds.
    return tensor.shape == () and "." not in name


def _spec(opened: Opened, named: Mapping[str, Stored]) -> ResNetSpec:
    shapes = shapes_of(named)
    try:
        return infer_spec(shapes, opened.path, padding="symmetric")
    except BadCheckpoint as error:
        variant = known_variant(shapes)
        if variant is None:
            raise
        raise BadCheckpoint(
            opened.path, f"its network shows {variant}", "a plain ResNet", error.todo
        ) from error


def dropped(opened: Opened, kept: Mapping[str, Stored]) -> tuple[str, ...]:
    """Return what of the file is left aside: `fc.0.weight`, `encoder_k (161 tensors)`."""
    used = {id(tensor) for tensor in kept.values()}
    every = {n: t for n, t in tensors_of(opened.tree).items() if not n.endswith(_COUNTER)}
    holding = {
        name[:end] for name, tensor in every.items() if id(tensor) in used for end in _ends(name)
    }
    groups: dict[str, list[str]] = {}
    for name, tensor in every.items():
        if id(tensor) not in used and not _is_fact(name, tensor):
            # The outermost part of the file in which nothing is kept.
            group = next((name[:end] for end in _ends(name) if name[:end] not in holding), name)
            groups.setdefault(group, []).append(name)
    told = (
        [f"{group} ({len(names)} tensors)"] if len(names) > _LISTED else names
        for group, names in groups.items()
    )
    return tuple(sorted(line for lines in told for line in lines))


def _ends(name: str) -> list[int]:
    return [match.start() for match in re.finditer(r"\.", name)]


def facts(opened: Opened) -> dict[str, Any]:
    """Return the numbers and texts beside the table; tensors of one number count as one."""
    found = opened.facts()
    for name, value in opened.tree.items():
        if isinstance(value, Stored) and _is_fact(str(name), value):
            found[str(name)] = np.asarray(value.load()).item()
    return found


def usual_preprocessing(imagenet: bool) -> Preprocessing:
    """Return torchvision's evaluation of ImageNet, or CIFAR's images as they are."""
    if imagenet:
        return Preprocessing(image_size=224, resize=256, interpolation="bilinear")
    return Preprocessing(image_size=32, resize=None, interpolation="bicubic")
