"""What SimCLR's TensorFlow code and its descendants have in common, whoever names the layers.

google-research/simclr: resnet.py, model.py, data_util.py, and tf2/ of the same names;
google-research/compressive-visual-representations has a copy of the latter.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from .container import Opened, tensors_of
from .errors import BadCheckpoint
from .object_graph import Node
from .spec import Preprocessing, ResNetSpec
from .stored import Stored, hwio_to_oihw

# Their names of BatchNorm's values -> torch's.
LEAVES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# data_util.py: CROP_PROPORTION 0.875, bicubic; [0, 1] without mean and deviation.
_PREPROCESSING = Preprocessing(
    image_size=224, resize=256, interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1)
)
_SLOT = ".OPTIMIZER_SLOT/"
_GROUPED = 4  # names with one beginning that are told one by one


def preprocessing_of(spec: ResNetSpec) -> Preprocessing:
    """Return the input of SimCLR's own evaluation; CIFAR's images are taken as they are.

    data.py, get_preprocess_fn: up to 32 pixels, test images are not cropped.
    """
    if spec.stem == "cifar":
        return replace(_PREPROCESSING, image_size=32, resize=None)
    return _PREPROCESSING


def refused(path: Path, kind: str) -> BadCheckpoint:
    """Return the error for a network of theirs that is not a plain ResNet."""
    return BadCheckpoint(
        path,
        f"holds {kind}",
        "a plain ResNet (sk_ratio and se_ratio of 0)",
        "Its function is another one. The authors also publish networks without: r50_1x_sk0.",
    )


SELECTIVE = "a ResNet with selective kernels and the stem of ResNet-D"
SQUEEZED = "a squeeze-and-excitation ResNet"


def norm_of(convolution: str) -> str:
    """Return the canonical name of the BatchNorm that follows a convolution."""
    if convolution.endswith("downsample.0"):
        return convolution.removesuffix("0") + "1"
    return convolution.replace("conv", "bn")


def layer(convolution: str, kernel: Stored, norm: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return a convolution [kh, kw, in, out] and its BatchNorm by their canonical names."""
    named = {f"{convolution}.weight": hwio_to_oihw(kernel)}
    return named | {f"{norm_of(convolution)}.{LEAVES[leaf]}": norm[leaf] for leaf in norm}


def classifier(kernel: Stored | None, bias: Stored | None, feature_dim: int) -> dict[str, Stored]:
    """Return a dense layer [features, classes] as `fc`; {} where it does not take features."""
    if kernel is None or bias is None or len(kernel.shape) != 2 or kernel.shape[0] != feature_dim:
        return {}
    return {"fc.weight": hwio_to_oihw(kernel), "fc.bias": bias}


def dropped(opened: Opened, kept: Iterable[Stored], group: Callable[[str], str]) -> tuple[str, ...]:
    """Return what of the file is left aside: its names, or `ema_model (105 tensors)`.

    Args:
        group: name -> what it belongs to; groups of more than a few are told as one.
    """
    used = {id(tensor.load) for tensor in kept}
    names = [n for n, t in tensors_of(opened.tree, "/").items() if id(t.load) not in used]
    counts = Counter(group(name) for name in names)
    few = {name for name in names if counts[group(name)] <= _GROUPED}
    many = {f"{name} ({count} tensors)" for name, count in counts.items() if count > _GROUPED}
    return tuple(sorted(few | many))


def group_of(key: str) -> str:
    """Return what a variable of TensorFlow 2 belongs to: `model/_projection_head`, slots."""
    return "slots of the optimiser" if _SLOT in key else "/".join(key.split("/")[:2])


def encoder_tensors(encoder: Node) -> dict[str, Stored]:
    """Return the tensors of a `Resnet` of tf2/resnet.py by canonical names.

    Raises:
        BadCheckpoint: it has selective kernels or squeeze-and-excitation.
    """
    stem = encoder.items_at("initial_conv_relu_max_pool")
    if sum(entry.at("conv2d") is not None for entry in stem) > 1:
        raise refused(encoder.opened.path, SELECTIVE)
    named = _in_turn(stem, ["conv1"])
    for number, group in enumerate(encoder.items_at("block_groups"), start=1):
        for index, block in enumerate(group.items_at("layers")):
            named |= _block(block, f"layer{number}.{index}")
    return named


def _block(block: Node, name: str) -> dict[str, Stored]:
    # A bottleneck's lists or a basic block's.
    inner = block.items_at("conv_relu_dropblock_layers") or block.items_at("conv2d_bn_layers")
    shortcut = block.items_at("projection_layers") or block.items_at("shortcut_layers")
    if any(entry.at("conv2d_0") for entry in inner):
        raise refused(block.opened.path, SELECTIVE)
    if block.at("se_layer") or any(entry.at("se_reduce") for entry in inner):
        raise refused(block.opened.path, SQUEEZED)
    named = _in_turn(inner, [f"{name}.conv{number}" for number in (1, 2, 3)])
    return named | _in_turn(shortcut, [f"{name}.downsample.0"])


def _in_turn(layers: list[Node], names: list[str]) -> dict[str, Stored]:
    """Return the convolutions and norms of a list of layers, which take turns in it."""
    kernels = [kernel for entry in layers if (kernel := entry.at("conv2d", "kernel"))]
    norms = [norm for entry in layers if (norm := entry.at("bn"))]
    named: dict[str, Stored] = {}
    for name, kernel, norm in zip(names, kernels, norms, strict=False):
        leaves = {leaf: norm.tensor_at(leaf) for leaf in LEAVES}
        found = {leaf: tensor for leaf, tensor in leaves.items() if tensor is not None}
        if kernel.tensor is not None:
            named |= layer(name, kernel.tensor, found)
    # What was not saved is found missing by the check against the template.
    return named
