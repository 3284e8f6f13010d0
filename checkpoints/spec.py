"""What a network computes besides its weights: the architecture and its input.

Two checkpoints with equal tensors but different padding are different functions
(BYOL's ResNet-50 loses 4.6 points when the asymmetric padding is ignored:
github.com/google-deepmind/deepmind-research/issues/84). So everything that changes
the function computed lives here and travels in the manifest.
"""

from dataclasses import dataclass
from typing import Literal

from .errors import ManifestMismatch

Stem = Literal["imagenet", "cifar", "cifar_padded"]
Shortcut = Literal["projection", "every_stage", "parameter_free"]
Padding = Literal["same", "symmetric", "fixed", "flax"]
Interpolation = Literal["bicubic", "bilinear"]

# Blocks per stage: He et al. (arXiv:1512.03385), Table 1; 200 as in google-deepmind/relicv2.
_IMAGENET_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
# He et al., Sec. 4.2: 6n + 2 layers, three stages of n blocks.
_CIFAR_BLOCKS = {depth: ((depth - 2) // 6,) * 3 for depth in (20, 32, 44, 56, 110)}


@dataclass(frozen=True, kw_only=True)
class ResNetSpec:
    """The architecture of one ResNet (version 1, post-activation).

    Depths 18 to 200 have four stages from 64 channels; depths 20, 32, 44, 56 and
    110 are the three-stage CIFAR family from 16 channels. The stride of a bottleneck
    sits on its 3x3 convolution, as in torchvision and in DeepMind's Haiku networks.

    Raises:
        ManifestMismatch: the values do not describe a network.
    """

    depth: int
    width_multiplier: float = 1.0  # of every channel count, the stem's included
    # imagenet: 7x7 stride 2 and max-pool; cifar: 3x3 stride 1; cifar_padded: the same with 2
    # pixels around the image instead of 1, whatever `padding` says (vturrisi/solo-learn:
    # solo/methods/base.py).
    stem: Stem = "imagenet"
    # projection: a 1x1 convolution where the shape changes; every_stage: also where the first
    # stage begins (BYOL's ResNet-18 and -34); parameter_free: He's option A.
    shortcut: Shortcut = "projection"
    # symmetric: torch's. same: TensorFlow's, asymmetric at stride 2 (Haiku, Flax). fixed:
    # symmetric convolutions and a `same` max-pool (SimCLR's TensorFlow code, resnet.py). flax:
    # `same` but for the 7x7 stem, which is symmetric (google/flax: examples/imagenet/models.py).
    padding: Padding = "symmetric"
    bn_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        known = {**_IMAGENET_BLOCKS, **_CIFAR_BLOCKS}
        if self.depth not in known:
            raise ManifestMismatch(
                "ResNetSpec", f"depth {self.depth}", f"one of {', '.join(map(str, sorted(known)))}"
            )
        for field, value, choices in (
            ("stem", self.stem, ("imagenet", "cifar", "cifar_padded")),
            ("shortcut", self.shortcut, ("projection", "every_stage", "parameter_free")),
            ("padding", self.padding, ("same", "symmetric", "fixed", "flax")),
        ):
            if value not in choices:
                raise ManifestMismatch("ResNetSpec", f"{field} {value!r}", " or ".join(choices))
        if not (0 < self.width_multiplier <= 16 and min(self.stage_channels) >= 1):
            raise ManifestMismatch(
                "ResNetSpec",
                f"width multiplier {self.width_multiplier}",
                "one in (0, 16] that leaves every stage a channel",
            )
        if not 0 < self.bn_epsilon < 1:
            raise ManifestMismatch("ResNetSpec", f"bn_epsilon {self.bn_epsilon}", "one in (0, 1)")
        if self.shortcut == "parameter_free" and self.bottleneck:
            raise ManifestMismatch(
                "ResNetSpec",
                f"parameter-free shortcuts at depth {self.depth}",
                "basic blocks (18, 34 or the CIFAR family)",
            )

    @property
    def blocks(self) -> tuple[int, ...]:
        """Number of blocks of each stage."""
        return _CIFAR_BLOCKS.get(self.depth) or _IMAGENET_BLOCKS[self.depth]

    @property
    def bottleneck(self) -> bool:
        """Whether blocks are 1x1, 3x3, 1x1 with four-fold expansion."""
        return self.depth in (50, 101, 152, 200)

    @property
    def stem_channels(self) -> int:
        """Channels after the stem."""
        base = 16 if self.depth in _CIFAR_BLOCKS else 64
        return int(base * self.width_multiplier)

    @property
    def stage_channels(self) -> tuple[int, ...]:
        """Inner channels of each stage: those of its 3x3 convolutions."""
        return tuple(self.stem_channels * 2**stage for stage in range(len(self.blocks)))

    @property
    def expansion(self) -> int:
        """Output channels of a block over its inner channels."""
        return 4 if self.bottleneck else 1

    @property
    def feature_dim(self) -> int:
        """Length of the features after global average pooling."""
        return self.stage_channels[-1] * self.expansion

    @property
    def name(self) -> str:
        """The field's name for it: `ResNet-50 1x`."""
        return f"ResNet-{self.depth} {self.width_multiplier:g}x"


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image becomes the network's input at evaluation time.

    Channels are scaled to [0, 1], then `(x - mean) / std`. SimCLR's released
    networks use mean 0 and deviation 1; BYOL's, ReLICv2's and torchvision's the
    ImageNet statistics (shared by all of them: BYOL, arXiv:2006.07733, App. B).
    """

    image_size: int  # pixels, side of the square given to the network
    resize: int | None = None  # pixels, shorter side before the centre crop; None: no resize
    interpolation: Interpolation = "bicubic"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        if self.image_size < 1 or (self.resize is not None and self.resize < self.image_size):
            raise ManifestMismatch(
                "Preprocessing",
                f"image_size {self.image_size}, resize {self.resize}",
                "a resize no smaller than the crop",
            )
        if self.interpolation not in ("bicubic", "bilinear"):
            raise ManifestMismatch(
                "Preprocessing", f"interpolation {self.interpolation!r}", "bicubic or bilinear"
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ManifestMismatch(
                "Preprocessing", f"mean {self.mean}, std {self.std}", "three of each, std above 0"
            )
