"""The table of tensors inside a torch checkpoint, wherever its project keeps it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .container import Opened
from .format import Upstream
from .infer import infer_spec
from .parameters import parameter_shapes
from .spec import Preprocessing
from .stored import Stored, shapes_of

Table = dict[str, Stored]
TORCH_CONTAINERS = ("torch_zip", "torch_legacy", "safetensors_file", "pickle_file")
_COUNTER = "num_batches_tracked"  # takes no part in the function computed


def table_at(opened: Opened, *keys: str) -> Table:
    """Return the tensors directly under `keys`, by name; {} where there is no such table."""
    node = opened.at(*keys) if keys else opened.tree
    if opened.container not in TORCH_CONTAINERS or not isinstance(node, Mapping):
        return {}
    return {str(name): value for name, value in node.items() if isinstance(value, Stored)}


def under(table: Mapping[str, Stored], prefix: str) -> Table:
    """Return the tensors whose name begins with `prefix`, without it."""
    return {n[len(prefix) :]: t for n, t in table.items() if n.startswith(prefix)}


def is_resnet(table: Mapping[str, Stored]) -> bool:
    """Return whether a stem and a first block lie here by torchvision's names."""
    return {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"} <= table.keys()


def facts(opened: Opened) -> dict[str, Any]:
    """Return the numbers and texts beside the table; tensors of one number count as one."""
    found = opened.facts()
    for name, value in opened.tree.items():
        if isinstance(value, Stored) and value.shape == ():
            found[str(name)] = np.asarray(value.load()).item()
    return found


def upstream_of(
    opened: Opened,
    table: Mapping[str, Stored],
    *,
    outside: tuple[str, ...] = (),
    preprocessing: Preprocessing | None = None,
    network: str | None = None,
    method: str | None = None,
) -> Upstream:
    """Return tensors that have torchvision's names as what a format reads.

    `fc` is kept where it is one linear layer. Everything that looks like a part of the
    backbone stays, so that the check against the template refuses what does not belong.

    Args:
        outside: names in the file that the format left aside (heads, other networks).
        preprocessing: None: torchvision's evaluation for the ImageNet stem (shorter side
            256, crop 224, bilinear), no resize at 32 pixels for the CIFAR stem.

    Raises:
        BadCheckpoint: they are not a ResNet's.
    """
    named = {n: t for n, t in table.items() if not n.endswith(_COUNTER)}
    spec = infer_spec(shapes_of(named), opened.path, padding="symmetric")
    head = named.get("fc.weight")
    is_linear = head is not None and len(head.shape) == 2 and "fc.bias" in named
    classes = head.shape[0] if head is not None and is_linear else None
    wanted = parameter_shapes(spec, classes)
    kept = {n: t for n, t in named.items() if n in wanted or n.startswith(("layer", "bn", "conv"))}
    return Upstream(
        tensors=kept,
        spec=spec,
        preprocessing=preprocessing or usual_preprocessing(spec.stem == "imagenet"),
        classes=classes,
        dropped=tuple(sorted({*outside, *(set(named) - set(kept))})),
        stored=facts(opened),
        network=network,
        method=method,
    )


def usual_preprocessing(imagenet: bool) -> Preprocessing:
    """Return torchvision's evaluation of ImageNet, or CIFAR's images as they are."""
    if imagenet:
        return Preprocessing(image_size=224, resize=256, interpolation="bilinear")
    return Preprocessing(image_size=32, resize=None, interpolation="bicubic")
