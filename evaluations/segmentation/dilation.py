"""The same backbone with denser feature maps: strides exchanged for dilation."""

import copy
from typing import TYPE_CHECKING

from ...checkpoints.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from ...checkpoints.resnet import ResNet


def native_stride(network: "ResNet") -> int:
    """Return by how much the last feature map is smaller than the image: 32, or 4 for CIFAR's.

    >>> from relicheck.checkpoints.resnet import ResNet
    >>> from relicheck.checkpoints.spec import ResNetSpec
    >>> native_stride(ResNet(ResNetSpec(depth=18)))
    32
    """
    stem = 4 if network.spec.stem == "imagenet" else 1
    return stem << (len(network.spec.blocks) - 1)


def dilated(network: "ResNet", output_stride: int, *, exact: bool = False) -> "ResNet":
    """Return a copy of `network` whose last feature map has at most `output_stride`.

    BYOL (arXiv:2006.07733), App. D.4: the 3x3 convolutions of conv5 get dilation 2 and stride
    1, all of them, the formerly strided one too. The parameters are the same, so the copy takes
    the same weights. A network that is dense enough already is only copied.

    Args:
        network: any of ours; it is left as it is.
        output_stride: pixels of the image for a pixel of the map: a power of two.
        exact: the first 3x3 of a stage keeps the dilation of the stage before, as in
            torchvision's DeepLab. Every second pixel is then what it was without dilation;
            BYOL and mmsegmentation do otherwise.

    Raises:
        UsageError: no stride that a ResNet can have.
    """
    native = native_stride(network)
    stem = native >> (len(network.spec.blocks) - 1)
    if output_stride < stem or output_stride & (output_stride - 1):
        raise UsageError(
            "output_stride", f"{output_stride}", f"a power of two of at least {stem}, the stem's"
        )
    made = copy.deepcopy(network)
    stride, dilation = stem, 1
    for stage in range(2, len(network.spec.blocks) + 1):
        before = dilation
        if stride < output_stride:
            stride *= 2
            continue
        dilation *= 2
        for place, block in enumerate(getattr(made, f"layer{stage}")):
            _dilate(block, before if exact and place == 0 else dilation, dilation)
    return made


def _dilate(block: "nn.Module", first: int, others: int) -> None:
    """Set a block's strides to 1, and the dilation of its first 3x3 convolution and the others."""
    from ...checkpoints.resnet import _Convolution, _ParameterFreeShortcut

    dilation = first
    for layer in block.modules():
        if isinstance(layer, _ParameterFreeShortcut):
            layer._stride = 1
        if not isinstance(layer, _Convolution):
            continue
        # At stride 1 TensorFlow's SAME padding is symmetric, as torch's is.
        layer.stride, layer._same = (1, 1), False
        if layer.kernel_size == (3, 3):
            layer.dilation = layer.padding = (dilation, dilation)
            dilation = others
        else:
            layer.padding = (0, 0)
