"""Flax's names for the parameters of a ResNet, ours and those of Flax's ImageNet example."""

import re
from collections.abc import Mapping

# Leaf of a canonical name -> (collection, leaf) of Flax; a BatchNorm's weight is `scale`.
_LEAVES = {
    "weight": ("params", "scale"),
    "bias": ("params", "bias"),
    "running_mean": ("batch_stats", "mean"),
    "running_var": ("batch_stats", "var"),
}
_CANONICAL = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
_NUMBER = re.compile(r"\.(\d+)")
_JOINED = re.compile(r"_(\d+)")
_EXAMPLE_STEM = {"conv_init": "conv1", "bn_init": "bn1", "Dense_0": "fc"}
_EXAMPLE_BLOCK = re.compile(r"(?:Bottleneck)?ResNetBlock_(\d+)")
_EXAMPLE_PARTS = {"conv_proj": "downsample.0", "norm_proj": "downsample.1"}
_EXAMPLE_LAYER = re.compile(r"(Conv|BatchNorm)_(\d)")


def flax_place(name: str) -> list[str]:
    """Return collection, modules and leaf of a canonical name in our own Flax network.

    >>> flax_place("layer2.0.downsample.1.running_var")
    ['batch_stats', 'layer2_0', 'downsample_1', 'var']
    """
    module, _, leaf = _NUMBER.sub(r"_\1", name).rpartition(".")
    last = module.rpartition(".")[2]
    is_kernel = leaf == "weight" and (last.startswith(("conv", "fc")) or last == "downsample_0")
    collection, leaf = ("params", "kernel") if is_kernel else _LEAVES[leaf]
    return [collection, *module.split("."), leaf]


def canonical_from_own(path: str) -> str | None:
    """Return the canonical name of a path in our own network; None for none of it.

    >>> canonical_from_own("layer2_0.downsample_1.var")
    'layer2.0.downsample.1.running_var'
    """
    module, _, leaf = path.rpartition(".")
    if leaf not in _CANONICAL:
        return None
    return _JOINED.sub(r".\1", module) + f".{_CANONICAL[leaf]}"


def canonical_from_example(path: str, places: Mapping[int, tuple[int, int]]) -> str | None:
    """Return the canonical name of a path in Flax's ImageNet example; None for none of it.

    google/flax: examples/imagenet/models.py, whose blocks count through all stages.

    Args:
        places: block's number -> (stage, block within it), both from 0; see `block_places`.

    >>> canonical_from_example("ResNetBlock_3.norm_proj.mean", {3: (1, 1)})
    'layer2.1.downsample.1.running_mean'
    """
    module, _, leaf = path.rpartition(".")
    if leaf not in _CANONICAL:
        return None
    if module in _EXAMPLE_STEM:
        return f"{_EXAMPLE_STEM[module]}.{_CANONICAL[leaf]}"
    block, _, part = module.partition(".")
    found, layer = _EXAMPLE_BLOCK.fullmatch(block), _EXAMPLE_LAYER.fullmatch(part)
    if found is None or int(found[1]) not in places:
        return None
    if layer is not None:
        part = f"{'conv' if layer[1] == 'Conv' else 'bn'}{int(layer[2]) + 1}"
    elif part not in _EXAMPLE_PARTS:
        return None
    stage, row = places[int(found[1])]
    return f"layer{stage + 1}.{row}.{_EXAMPLE_PARTS.get(part, part)}.{_CANONICAL[leaf]}"


def block_places(channels: Mapping[str, int], stem: int) -> dict[int, tuple[int, int]]:
    """Return block's number -> (stage, block within it) for Flax's ImageNet example.

    A stage is told by its channels: the example doubles them with every stage.

    Args:
        channels: path -> output channels of every convolution. stem: those of the stem.
    """
    rows: dict[int, int] = {}
    places = {}
    found = ((_EXAMPLE_BLOCK.fullmatch(p.partition(".")[0]), p, c) for p, c in channels.items())
    inner = {int(m[1]): c for m, p, c in found if m and p.endswith(".Conv_0.kernel")}
    for number in sorted(inner):
        stage = (inner[number] // stem).bit_length() - 1
        places[number] = (stage, rows.get(stage, 0))
        rows[stage] = rows.get(stage, 0) + 1
    return places
