"""The ResNet of `checkpoints.spec.ResNetSpec` in Flax, NHWC.

He et al. (arXiv:1512.03385), version 1, with the stride of a bottleneck on its 3x3
convolution as in DeepMind's Haiku networks and in torchvision. Module names are
torchvision's with `_` for `.`, so that export needs one rule.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ..checkpoints.parameters import has_projection
from ..checkpoints.spec import ResNetSpec

Module = Callable[..., Any]


def _padding(spec: ResNetSpec, kernel: int) -> Any:
    # At stride 1 the two agree; at stride 2 SAME pads more after than before. `fixed` is
    # symmetric in convolutions, `flax` in the stem.
    same = spec.padding == "same" or (spec.padding == "flax" and kernel != 7)
    return "SAME" if same else [(kernel // 2, kernel // 2)] * 2


class Block(nn.Module):
    """A basic (3x3, 3x3) or bottleneck (1x1, 3x3, 1x1) block with its shortcut."""

    spec: ResNetSpec
    channels: int  # inner
    stride: int
    projection: bool
    norm: Module

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Return [batch, ceil(height / stride), ceil(width / stride), channels * expansion]."""
        outer = self.channels * self.spec.expansion
        kernels = (1, 3, 1) if self.spec.bottleneck else (3, 3)
        strides = (1, self.stride, 1) if self.spec.bottleneck else (self.stride, 1)
        y = x
        for index, (kernel, stride) in enumerate(zip(kernels, strides, strict=True), start=1):
            last = index == len(kernels)
            y = self._conv(outer if last else self.channels, kernel, stride, f"conv{index}")(y)
            y = self.norm(name=f"bn{index}")(y)
            y = y if last else nn.relu(y)
        return nn.relu(y + self._shortcut(x, outer))

    def _conv(self, channels: int, kernel: int, stride: int, name: str) -> nn.Conv:
        padding = _padding(self.spec, kernel)
        return nn.Conv(
            channels, (kernel, kernel), stride, padding=padding, use_bias=False, name=name
        )

    def _shortcut(self, x: Array, outer: int) -> Array:
        if self.projection:
            projected = self._conv(outer, 1, self.stride, "downsample_0")(x)
            return jnp.asarray(self.norm(name="downsample_1")(projected))
        if self.stride == 1 and x.shape[-1] == outer:
            return x
        # He et al., option A: every second pixel, and zeros for the new channels.
        before = (outer - x.shape[-1]) // 2
        after = outer - x.shape[-1] - before
        subsampled = x[:, :: self.stride, :: self.stride]
        return jnp.pad(subsampled, ((0, 0), (0, 0), (0, 0), (before, after)))


class ResNet(nn.Module):
    """Images [batch, height, width, 3], normalised, to features [batch, feature_dim]."""

    spec: ResNetSpec
    momentum: float = 0.9  # of BatchNorm: the share of the past in the running statistics

    def __call__(self, images: Array, train: bool) -> Array:
        """Return the features after global average pooling."""
        return jnp.asarray(self.stages(images, train)[-1].mean(axis=(1, 2)))

    @nn.compact
    def stages(self, images: Array, train: bool) -> list[Array]:
        """Return the outputs of the stem and of every stage, for comparisons."""
        spec = self.spec
        norm = partial(
            nn.BatchNorm,
            use_running_average=not train,
            momentum=self.momentum,
            epsilon=spec.bn_epsilon,
        )
        outputs = [self._stem(images, norm)]
        for stage, blocks in enumerate(spec.blocks):
            x = outputs[-1]
            for block in range(blocks):
                x = Block(
                    spec,
                    spec.stage_channels[stage],
                    2 if block == 0 and stage > 0 else 1,
                    has_projection(spec, stage, block, x.shape[-1]),
                    norm,
                    name=f"layer{stage + 1}_{block}",
                )(x)
            outputs.append(x)
        return outputs

    def _stem(self, images: Array, norm: Module) -> Array:
        spec, imagenet = self.spec, self.spec.stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        x = nn.Conv(
            spec.stem_channels,
            (kernel, kernel),
            stride,
            padding=[(2, 2)] * 2 if spec.stem == "cifar_padded" else _padding(spec, kernel),
            use_bias=False,
            name="conv1",
        )(images)
        x = nn.relu(norm(name="bn1")(x))
        if imagenet:
            pool: Module = nn.max_pool
            same = "SAME" if spec.padding != "symmetric" else [(1, 1), (1, 1)]
            x = pool(x, (3, 3), (2, 2), same)
        return jnp.asarray(x)
