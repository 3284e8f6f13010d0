"""Which network a set of tensors belongs to: depth, width, stem and shortcuts.

Padding and epsilon leave no trace in the tensors; the format that read them says.
"""

import re
from collections.abc import Mapping

from .errors import BadCheckpoint, ManifestMismatch
from .spec import Padding, ResNetSpec, Shortcut, Stem

_BLOCK = re.compile(r"layer(\d+)\.(\d+)\.conv1\.weight")


def infer_spec(
    shapes: Mapping[str, tuple[int, ...]],
    where: object,
    *,
    padding: Padding,
    bn_epsilon: float = 1e-5,
    small_stem: Stem = "cifar",
) -> ResNetSpec:
    """Return the spec whose parameters have these canonical names and shapes.

    Args:
        small_stem: which of the 3x3 stems it is, where it has one: they pad differently.

    Raises:
        BadCheckpoint: no plain ResNet has them.
    """
    blocks: dict[int, int] = {}
    for name in shapes:
        if found := _BLOCK.fullmatch(name):
            stage = int(found[1])
            blocks[stage] = max(blocks.get(stage, 0), int(found[2]) + 1)
    stem = shapes.get("conv1.weight", ())
    if len(stem) != 4 or not blocks or sorted(blocks) != list(range(1, len(blocks) + 1)):
        raise BadCheckpoint(
            where,
            f"its {len(shapes)} tensors are not those of a ResNet (no conv1 and layer1.0.conv1)",
            "a ResNet with torchvision's names, possibly under a prefix",
        )
    counts = tuple(blocks[stage] for stage in sorted(blocks))
    bottleneck = "layer1.0.conv3.weight" in shapes
    try:
        return ResNetSpec(
            depth=_depth(counts, bottleneck),
            width_multiplier=stem[0] / (16 if len(counts) == 3 else 64),
            stem="imagenet" if stem[2] == 7 else small_stem,
            shortcut=_shortcut(shapes, bottleneck),
            padding=padding,
            bn_epsilon=bn_epsilon,
        )
    except ManifestMismatch as error:
        raise BadCheckpoint(
            where, f"blocks per stage {counts} are not those of a known ResNet ({error.found})"
        ) from error


def _shortcut(shapes: Mapping[str, tuple[int, ...]], bottleneck: bool) -> Shortcut:
    if "layer2.0.downsample.0.weight" not in shapes:
        return "parameter_free"
    # A bottleneck widens the first stage too, so there a projection is the usual case.
    everywhere = "layer1.0.downsample.0.weight" in shapes and not bottleneck
    return "every_stage" if everywhere else "projection"


def _depth(counts: tuple[int, ...], bottleneck: bool) -> int:
    # Weighted layers: the convolutions of the blocks, the stem and the classifier.
    return sum(counts) * (3 if bottleneck else 2) + 2
