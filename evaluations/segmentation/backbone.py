"""The common ResNet as the backbone of a segmentation network: maps instead of features."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints.errors import ManifestMismatch, UsageError
from ...checkpoints.load import load_checkpoint
from ...checkpoints.resnet import ResNet
from .dilation import dilated


class SegmentationBackbone(ResNet):
    """A checkpoint's network, for mmsegmentation: images [N, 3, H, W] to a tuple of maps.

    Its parameters have the names that mmsegmentation's own ResNet gives them. Padding, stem
    and epsilon are the checkpoint's.
    """

    def __init__(
        self,
        checkpoint: str,
        depth: int,
        width_multiplier: float = 1.0,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        exact_dilation: bool = False,
        norm_eval: bool = False,
    ) -> None:
        """Read the weights at once, so that nothing is trained that does not fit.

        Args:
            checkpoint: a file, or a published name.
            depth: that the rest of the configuration was made for.
            width_multiplier: likewise.
            out_indices: which stages' maps are returned, from 0.
            output_stride: of the last map, at most: see `dilated`.
            exact_dilation: `exact` of `dilated`; mmsegmentation's `contract_dilation`.
            norm_eval: whether BatchNorm keeps the checkpoint's statistics in training.

        Raises:
            ManifestMismatch: the checkpoint is another network.
            UsageError: there is no such stage, or no such stride.
            MissingData, BadCheckpoint: see `load_checkpoint`.
        """
        loaded = load_checkpoint(checkpoint)
        spec = loaded.spec
        if (spec.depth, spec.width_multiplier) != (depth, width_multiplier):
            raise ManifestMismatch(
                Path(checkpoint).name,
                f"it is a {spec.name}",
                f"the ResNet-{depth} {width_multiplier:g}x that this configuration was made for",
                "Write a configuration for it: relicheck evaluate ... --dump-config FILE",
            )
        if not set(out_indices) <= set(range(len(spec.blocks))):
            raise UsageError(
                "out_indices", f"{tuple(out_indices)}", f"stages 0 to {len(spec.blocks) - 1}"
            )
        with torch.device("meta"):  # every layer is replaced by the loaded one
            super().__init__(spec)
        for name, layer in dilated(loaded, output_stride, exact=exact_dilation).named_children():
            if name != "fc":
                setattr(self, name, layer)
        self.manifest = loaded.manifest
        self.out_indices, self.norm_eval = tuple(out_indices), norm_eval

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Return the maps [N, C, h, w] of the stages `out_indices`."""
        maps = self.stages(images)[1:]
        return tuple(maps[index] for index in self.out_indices)

    def train(self, mode: bool = True) -> "SegmentationBackbone":
        """Return this network in training mode, BatchNorm as `norm_eval` says."""
        super().train(mode)
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self
