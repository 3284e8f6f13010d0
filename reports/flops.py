"""What a ResNet costs to run: multiply-additions and parameters, counted from its architecture."""

from collections.abc import Iterator
from typing import NamedTuple

from ..checkpoints.spec import ResNetSpec


class _Convolution(NamedTuple):
    kernel: int
    inputs: int
    outputs: int
    side: int  # of the output, pixels


def multiply_adds(spec: ResNetSpec, image_size: int = 224) -> int:
    """Return the multiply-additions of one image through the network, without its classifier.

    Convolutions alone, as every published count does; BatchNorm, ReLU and pooling are
    below 1 %. torchvision prints 4.09e9 for ResNet-50 at 224, classifier (2e6) included.
    """
    return sum(
        c.kernel**2 * c.inputs * c.outputs * c.side**2 for c in _convolutions(spec, image_size)
    )


def parameters(spec: ResNetSpec) -> int:
    """Return how many weights the network has without its classifier, BatchNorm's included."""
    # Two trained vectors and two statistics for each channel of BatchNorm.
    return sum(c.kernel**2 * c.inputs * c.outputs + 4 * c.outputs for c in _convolutions(spec, 224))


def _convolutions(spec: ResNetSpec, image_size: int) -> Iterator[_Convolution]:
    """Yield every convolution. Sides are halved upwards, as all of our paddings give."""
    if spec.stem == "imagenet":
        side = -(-image_size // 2)
        yield _Convolution(7, 3, spec.stem_channels, side)
        side = -(-side // 2)  # the max-pool
    else:
        side = image_size
        yield _Convolution(3, 3, spec.stem_channels, side)
    channels = spec.stem_channels
    for stage, (inner, blocks) in enumerate(zip(spec.stage_channels, spec.blocks, strict=True)):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            outer, before = inner * spec.expansion, side
            side = -(-side // stride)
            if spec.bottleneck:
                yield _Convolution(1, channels, inner, before)
                yield _Convolution(3, inner, inner, side)
                yield _Convolution(1, inner, outer, side)
            else:
                yield _Convolution(3, channels, inner, side)
                yield _Convolution(3, inner, inner, side)
            changes = channels != outer or stride > 1
            begins = spec.shortcut == "every_stage" and not block
            if spec.shortcut != "parameter_free" and (changes or begins):
                yield _Convolution(1, channels, outer, side)
            channels = outer
