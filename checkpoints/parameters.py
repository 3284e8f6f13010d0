"""The canonical parameters of a ResNet: torchvision's names and OIHW layout.

This list is the template that every conversion fills and every load is held
against; nothing may be missing and nothing left over.
"""

from collections.abc import Mapping

from .errors import ParameterMismatch
from .spec import ResNetSpec
from .variants import known_variant

Shapes = dict[str, tuple[int, ...]]


def parameter_shapes(spec: ResNetSpec, classes: int | None = None) -> Shapes:
    """Return name -> shape of every tensor of the network, in the order of the forward pass.

    Running means and variances are included (they change the function computed),
    batch counters are not (they do not). With `classes`, `fc.weight` [classes,
    feature_dim] and `fc.bias` [classes] come last.
    """
    kernel = 7 if spec.stem == "imagenet" else 3
    shapes: Shapes = {"conv1.weight": (spec.stem_channels, 3, kernel, kernel)}
    shapes |= _batch_norm("bn1", spec.stem_channels)
    channels = spec.stem_channels
    for stage, blocks in enumerate(spec.blocks):
        for block in range(blocks):
            shapes |= _block(spec, stage, block, channels)
            channels = spec.stage_channels[stage] * spec.expansion
    if classes is not None:
        shapes |= {"fc.weight": (classes, spec.feature_dim), "fc.bias": (classes,)}
    return shapes


def _block(spec: ResNetSpec, stage: int, block: int, channels: int) -> Shapes:
    prefix, inner = f"layer{stage + 1}.{block}", spec.stage_channels[stage]
    outer = inner * spec.expansion
    kernels = (1, 3, 1) if spec.bottleneck else (3, 3)
    widths = (inner, inner, outer) if spec.bottleneck else (inner, inner)
    shapes: Shapes = {}
    source = channels
    for index, (kernel, width) in enumerate(zip(kernels, widths, strict=True), start=1):
        shapes[f"{prefix}.conv{index}.weight"] = (width, source, kernel, kernel)
        shapes |= _batch_norm(f"{prefix}.bn{index}", width)
        source = width
    if has_projection(spec, stage, block, channels):
        shapes[f"{prefix}.downsample.0.weight"] = (outer, channels, 1, 1)
        shapes |= _batch_norm(f"{prefix}.downsample.1", outer)
    return shapes


def has_projection(spec: ResNetSpec, stage: int, block: int, channels: int) -> bool:
    """Return whether a block's shortcut is a 1x1 convolution with BatchNorm."""
    if block > 0 or spec.shortcut == "parameter_free":
        return False
    changes = stage > 0 or channels != spec.stage_channels[0] * spec.expansion
    return changes or spec.shortcut == "every_stage"


def _batch_norm(prefix: str, channels: int) -> Shapes:
    leaves = ("weight", "bias", "running_mean", "running_var")
    return {f"{prefix}.{leaf}": (channels,) for leaf in leaves}


def check_parameters(
    where: object, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Return if the two tables of shapes are equal.

    Raises:
        ParameterMismatch: names what is missing, unexpected and mis-shaped, with the
            likely cause.
    """
    missing = [name for name in wanted if name not in found]
    unexpected = [name for name in found if name not in wanted]
    misshaped = [name for name in wanted if name in found and tuple(found[name]) != wanted[name]]
    if not (missing or unexpected or misshaped):
        return
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing ({_first(missing)})")
    if unexpected:
        parts.append(f"{len(unexpected)} unexpected ({_first(unexpected)})")
    if misshaped:
        shown = [f"{n} has shape {tuple(found[n])}, not {wanted[n]}" for n in misshaped]
        parts.append(f"{len(misshaped)} mis-shaped ({_first(shown)})")
    raise ParameterMismatch(
        where,
        "parameters do not fit: " + "; ".join(parts),
        f"exactly the {len(wanted)} tensors of the network",
        _likely_cause(missing, unexpected, misshaped, found, wanted),
    )


def _first(names: list[str], shown: int = 4) -> str:
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")


def _likely_cause(
    missing: list[str],
    unexpected: list[str],
    misshaped: list[str],
    found: Mapping[str, tuple[int, ...]],
    wanted: Mapping[str, tuple[int, ...]],
) -> str:
    transposed = [
        name
        for name in misshaped
        if len(found[name]) == 4
        and tuple(found[name][axis] for axis in (3, 2, 0, 1)) == tuple(wanted[name])
    ]
    if transposed and len(transposed) == len([n for n in misshaped if len(wanted[n]) == 4]):
        return (
            "That is the axis order of Flax, Haiku and TensorFlow (HWIO), not torch's (OIHW): "
            "name the format with --format."
        )
    if variant := known_variant(found):
        return f"It shows {variant}: not a plain ResNet, and none that relicheck computes."
    if missing and unexpected and len({name.split(".")[0] for name in unexpected}) == 1:
        return (
            f"All unexpected names begin with {unexpected[0].split('.')[0]!r}: a prefix to strip?"
        )
    if misshaped and not (missing or unexpected):
        return "The depth fits but the width or the stem does not."
    return "Another depth, another architecture, or a truncated file."
