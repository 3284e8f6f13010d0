"""Kinds of ResNet that are not the plain one, told by the names and shapes of their tensors.

Nothing here opens a file: a refusal that names the architecture saves its reader an hour.
Sources: huggingface/pytorch-image-models timm/models/resnet.py, resnetv2.py, sknet.py,
res2net.py; adobe/antialiased-cnns antialiased_cnns/resnet.py; XingangPan/IBN-Net
ibnnet/resnet_ibn.py; openai/CLIP clip/model.py.
"""

import re
from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

_BY_NAME = (
    (r"^[23]\.0\.conv1\.", "a Sequential without the ReLU of its stem (it was no child module)"),
    (r"\.se\.conv\.", "efficient channel attention (ECA)"),
    (r"\.conv\d\.(paths|attn)\.", "selective kernels (SK)"),
    (r"\.(se|se_module|attn)\.", "channel attention in its blocks (squeeze-and-excitation or kin)"),
    (r"\.conv2\.(fc1|bn0|bn1)\.", "split attention (ResNeSt)"),
    (r"\.convs\.\d+\.", "convolutions in scales (Res2Net)"),
    (r"\.(IN|BN)\.(weight|bias)$", "instance normalisation in its blocks (IBN)"),
    (r"(^|\.)filt$|(^|\.)aa\.", "anti-aliased strides (BlurPool)"),
    (r"^layer\d+\.\d+\.downsample\.2\.", "average-pooled shortcuts (ResNet-D)"),
    (r"^(conv1\.\d+\.|stem\.|layer0\.|conv2\.weight$)", "a stem of several layers (ResNet-C, -D)"),
    (r"^layer\d+\.\d+\.(conv4|bn4)\.", "blocks of more than three convolutions"),
    (r"^layer\d+\.\d+\.(gain|alpha|scale)", "learned gains on its residuals"),
)


def known_variant(shapes: Shapes) -> str | None:
    """Return which kind of ResNet the canonical names and shapes show; None: no known one."""
    by_name = next((text for rule, text in _BY_NAME if _any(rule, shapes)), None)
    return by_name or _by_norm(shapes) or _by_shape(shapes)


def _any(rule: str, shapes: Shapes) -> bool:
    return any(re.search(rule, name) for name in shapes)


def _by_norm(shapes: Shapes) -> str | None:
    norms = [n for n in shapes if re.fullmatch(r"(layer\d+\.\d+\.)?bn\d\.weight", n)]
    if not norms and _any(r"^(layer\d+\.\d+\.)?conv\d\.bias$", shapes):
        return "no BatchNorm left (folded into convolutions that have biases)"
    if norms and not _any(r"running_(mean|var)$", shapes):
        return "no running statistics (GroupNorm, weight standardisation, or parameters only)"
    # Before its first convolution a block sees the channels of the block before.
    inner, first = shapes.get("layer2.0.conv1.weight", ()), shapes.get("layer2.0.bn1.weight")
    if len(inner) == 4 and first is not None and inner[0] != inner[1] and first == inner[1:2]:
        return "pre-activation (ResNet v2)"
    return None


def _by_shape(shapes: Shapes) -> str | None:
    stem = shapes.get("conv1.weight", ())
    inner, middle = (shapes.get(f"layer1.0.{name}.weight", ()) for name in ("conv1", "conv2"))
    if len(stem) != 4 or len(inner) != 4 or len(middle) != 4:
        return None
    if stem[1] != 3:
        return f"an input of {stem[1]} channels"
    if middle[1] != inner[0]:
        return f"grouped convolutions (ResNeXt, {inner[0] // max(middle[1], 1)} groups)"
    if inner[0] > stem[0]:
        return "inner convolutions wider than its stem (Wide ResNet)"
    return None
