"""The one ResNet of the torch side: torchvision's names, every padding and stem.

He et al. (arXiv:1512.03385). Every evaluator and every conversion uses this module,
so padding, stem and shortcuts can never differ between two measurements.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .manifest import Manifest
from .parameters import has_projection
from .spec import Padding, ResNetSpec


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return TensorFlow's SAME padding (before, after) of one axis of `size` pixels.

    The output has ceil(size / stride) pixels; an odd total puts the extra pixel after,
    which is what makes it differ from torch's padding at stride 2.
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class _Convolution(nn.Conv2d):
    """A convolution without bias and with either padding."""

    def __init__(
        self,
        source: int,
        target: int,
        kernel: int,
        stride: int,
        padding: Padding,
        pixels: int | None = None,
    ) -> None:
        """Args: pixels: on every side at stride 1; None: half the kernel."""
        same = padding == "same" or (padding == "flax" and kernel != 7)
        self._same = same and stride > 1
        super().__init__(
            source,
            target,
            kernel,
            stride,
            # At stride 1 both paddings are (kernel - 1) / 2 on each side.
            padding=0 if self._same else kernel // 2 if pixels is None else pixels,
            bias=False,
        )

    def forward(self, images: Tensor) -> Tensor:
        if self._same:
            images = _pad_same(images, self.kernel_size[0], self.stride[0], value=0.0)
        return super().forward(images)


def _pad_same(images: Tensor, kernel: int, stride: int, value: float) -> Tensor:
    top, bottom = same_padding(images.shape[-2], kernel, stride)
    left, right = same_padding(images.shape[-1], kernel, stride)
    return functional.pad(images, (left, right, top, bottom), value=value)


class _MaxPool(nn.Module):
    """The stem's 3x3 max-pool at stride 2."""

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self._padding = padding

    def forward(self, images: Tensor) -> Tensor:
        if self._padding == "symmetric":
            return functional.max_pool2d(images, 3, 2, padding=1)
        return functional.max_pool2d(_pad_same(images, 3, 2, value=float("-inf")), 3, 2)


class _ParameterFreeShortcut(nn.Module):
    """He et al., Sec. 4.2, option A: every second pixel, missing channels zero.

    The zeros are split before and after, as in the CIFAR networks people publish
    (akamaster/pytorch_resnet_cifar10); He et al. do not say where they go.
    """

    def __init__(self, source: int, target: int, stride: int) -> None:
        super().__init__()
        missing = target - source
        self._stride, self._before, self._after = stride, missing // 2, missing - missing // 2

    def forward(self, images: Tensor) -> Tensor:
        kept = images[:, :, :: self._stride, :: self._stride]
        return functional.pad(kept, (0, 0, 0, 0, self._before, self._after))


class _Block(nn.Module):
    """A basic or a bottleneck block; the stride is on the (first) 3x3 convolution."""

    def __init__(self, spec: ResNetSpec, stage: int, block: int, channels: int) -> None:
        super().__init__()
        inner = spec.stage_channels[stage]
        outer = inner * spec.expansion
        stride = 2 if stage > 0 and block == 0 else 1
        if spec.bottleneck:
            plan = [(channels, inner, 1, 1), (inner, inner, 3, stride), (inner, outer, 1, 1)]
        else:
            plan = [(channels, inner, 3, stride), (inner, inner, 3, 1)]
        self._layers = len(plan)
        for index, (source, target, kernel, step) in enumerate(plan, start=1):
            convolution = _Convolution(source, target, kernel, step, spec.padding)
            setattr(self, f"conv{index}", convolution)
            setattr(self, f"bn{index}", nn.BatchNorm2d(target, eps=spec.bn_epsilon))
        self.downsample: nn.Module | None = None
        if has_projection(spec, stage, block, channels):
            self.downsample = nn.Sequential(
                _Convolution(channels, outer, 1, stride, spec.padding),
                nn.BatchNorm2d(outer, eps=spec.bn_epsilon),
            )
        elif stride != 1 or channels != outer:
            self.downsample = _ParameterFreeShortcut(channels, outer, stride)

    def forward(self, images: Tensor) -> Tensor:
        shortcut = images if self.downsample is None else self.downsample(images)
        for index in range(1, self._layers + 1):
            images = getattr(self, f"bn{index}")(getattr(self, f"conv{index}")(images))
            if index < self._layers:
                images = functional.relu(images)
        return functional.relu(images + shortcut)


class ResNet(nn.Module):
    """A ResNet of any `ResNetSpec`: normalised images to logits or features.

    `forward` maps float images [N, 3, H, W] to logits [N, classes] where there is a
    head, else to features [N, feature_dim].
    """

    manifest: Manifest | None = None  # set by whoever loaded the weights

    def __init__(self, spec: ResNetSpec, classes: int | None = None) -> None:
        super().__init__()
        self.spec = spec
        imagenet = spec.stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        pixels = 2 if spec.stem == "cifar_padded" else None
        self.conv1 = _Convolution(3, spec.stem_channels, kernel, stride, spec.padding, pixels)
        self.bn1 = nn.BatchNorm2d(spec.stem_channels, eps=spec.bn_epsilon)
        self.maxpool = _MaxPool(spec.padding) if imagenet else nn.Identity()
        channels = spec.stem_channels
        for stage, blocks in enumerate(spec.blocks):
            row = []
            for block in range(blocks):
                row.append(_Block(spec, stage, block, channels))
                channels = spec.stage_channels[stage] * spec.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*row))
        self.fc = nn.Linear(spec.feature_dim, classes) if classes is not None else None

    def stages(self, images: Tensor) -> list[Tensor]:
        """Return the feature maps [N, C, h, w] after the stem and after every stage."""
        maps = [self.maxpool(functional.relu(self.bn1(self.conv1(images))))]
        for stage in range(len(self.spec.blocks)):
            maps.append(getattr(self, f"layer{stage + 1}")(maps[-1]))
        return maps

    def features(self, images: Tensor) -> Tensor:
        """Return the features [N, feature_dim]: the last stage, averaged over space."""
        last: Tensor = self.stages(images)[-1]
        return last.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, classes] where there is a head, else features [N, feature_dim]."""
        features = self.features(images)
        return features if self.fc is None else self.fc(features)

    def canonical_tensors(self) -> dict[str, np.ndarray]:
        """Return the parameters and statistics by canonical name, float32, on the CPU."""
        return {
            name: tensor.detach().cpu().numpy().astype(np.float32)
            for name, tensor in self.state_dict().items()
            # A counter of batches takes no part in the function computed.
            if not name.endswith("num_batches_tracked")
        }

    def fill(self, tensors: Mapping[str, np.ndarray]) -> "ResNet":
        """Return this network with every parameter and statistic taken from `tensors`.

        They share the arrays' memory where those are writable: who goes on to train the
        network changes the arrays.

        Raises:
            RuntimeError: a name is missing or left over (checked before, with a better
                message, by `parameters.check_parameters`).
        """
        state = {name: _tensor(array) for name, array in tensors.items()}
        counters = {
            name: torch.zeros((), dtype=torch.int64)
            for name in self.state_dict()
            if name.endswith("num_batches_tracked")
        }
        self.load_state_dict({**counters, **state}, assign=True)
        return self


def _tensor(array: np.ndarray) -> Tensor:
    # Shared, not copied, where torch may write to it: a large network fits in memory once.
    shared = array if array.flags.writeable else np.array(array)
    return torch.from_numpy(np.ascontiguousarray(shared))


def build(tensors: Mapping[str, np.ndarray], manifest: Manifest) -> ResNet:
    """Return the network of `manifest` with these weights, in evaluation mode.

    Where the arrays can be written to, the network shares their memory.
    """
    with torch.device("meta"):  # no memory, no random numbers: every value is replaced
        network = ResNet(manifest.spec, manifest.classes)
    network.fill(tensors).eval()
    network.manifest = manifest
    return network


def untrained(spec: ResNetSpec, seed: int = 0) -> ResNet:
    """Return a network with torch's own random initialisation, in evaluation mode.

    The same for the same seed, whatever was drawn before; nothing else notices.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet(spec).eval()
