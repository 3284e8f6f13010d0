"""ResNets with torchvision's names that bear no other project's marks.

pytorch/vision: torchvision/models/resnet.py; references/classification/train.py keeps `model` and
its moving average `model_ema`. Under any prefix (`state_dict`, `module.`, `backbone.`), as many
projects save: timm, torch's ImageNet example, and backbones that were taken out of their files.
Those of Barlow Twins, VICReg and DINO have nothing in them that tells whose they are.

A 3x3 stem is taken to have stride 1, padding 1 and no max-pool after it, which no weight tells;
neither does one tell an anti-aliased network of timm (resnetaa50, resnetblur50) from a plain one.
"""

from dataclasses import replace

from .. import formats
from ..container import Opened
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..torch_places import lone_place, network_at, places_of, with_classifier
from ..torch_table import Table, torch_tensors, upstream_of

_NAME = "torchvision"
_EMA = "model_ema."
# torch.nn.Sequential(backbone, classifier): facebookresearch/vicreg evaluate.py.
_PAIR = ("0.", "1.")
_STEM = "a 3x3 stem of stride 1 and padding 1, without max-pool, which no weight tells"


def matches(opened: Opened) -> bool:
    """Return whether a ResNet lies here by torchvision's names, and no other format claims it."""
    if not places_of(torch_tensors(opened)):
        return False
    others = (formats.load(name) for name in formats.names() if name != _NAME)
    return not any(other.matches(opened) for other in others)


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network (or its moving average), with `fc` where that is a linear classifier.

    Heads of other kinds (projectors, predictors, prototypes) are dropped and listed.

    Raises:
        BadCheckpoint: there is no such network, more than one, or not a plain one.
    """
    tensors = torch_tensors(opened)
    averaged = {name: t for name, t in tensors.items() if name.startswith(_EMA)}
    if network == "ema" and not averaged:
        raise BadCheckpoint(opened.path, f"holds no {_EMA.rstrip('.')}", "a moving average")
    tensors = averaged if network == "ema" else _without(tensors, averaged)
    place = lone_place(opened, tensors)
    upstream = upstream_of(
        opened,
        with_classifier(network_at(tensors, place), tensors, _classifiers(place)),
        network=network or ("model" if averaged else None),
    )
    if upstream.spec.stem == "imagenet":
        return upstream
    return replace(upstream, stored={**(upstream.stored or {}), "assumed": _STEM})


def _without(tensors: Table, averaged: Table) -> Table:
    return {name: tensor for name, tensor in tensors.items() if name not in averaged}


def _classifiers(place: str) -> tuple[str, ...]:
    first, second = _PAIR
    paired = place == first or place.endswith(f".{first}")
    return (place.removesuffix(first) + second,) if paired else ()


FORMAT = Format(
    matches=matches,
    read=read,
    description="ResNets with torchvision's names (.pth, .pt, .tar, .th, .safetensors)",
    source="pytorch/vision: torchvision/models/resnet.py",
    networks=("model", "ema"),
)
