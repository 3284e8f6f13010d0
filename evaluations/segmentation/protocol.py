"""What the named protocols of fine-tuned segmentation have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...checkpoints.errors import UsageError
from ..evaluator import Protocol

Schedule = Literal["step", "poly"]
Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True, kw_only=True)
class FcnProtocol(Protocol):
    """A fully convolutional network (FCN) on a backbone, both trained on images with masks.

    Long et al. (arXiv:1411.4038), with the convolutions of mmsegmentation's `FCNHead`. The
    named protocols say where each of their values comes from.

    Where the grid has several learning rates, each is tried once, with seed `choice_seed`, on
    all but a share of the training images, and scored on that share; the best by mIoU is then
    trained anew on all of them, by every seed. A grid of one rate chooses nothing.

    Every random number of training follows from the seed and the iteration, so that a run that
    was killed and goes on ends where it would have ended. On a GPU that is true up to the order
    in which its kernels add.
    """

    # training
    iterations: int
    batch_size: int  # images; BatchNorm sees all of them
    learning_rates: tuple[float, ...]  # of the first iteration
    momentum: float
    weight_decay: float  # of every parameter, BatchNorm's and offsets included
    schedule: Schedule
    step_fractions: tuple[float, ...]  # of the iterations, after which `step` divides by ten
    poly_power: float  # of `poly`
    poly_least_rate: float  # that `poly` ends at
    # Whether the loss is divided by the pixels that are scored, or by all, the ignored included.
    average_scored_only: bool
    norm_eval: bool  # whether the backbone's BatchNorm keeps the checkpoint's statistics
    # what an image is shown as
    resize_px: Size  # fitted into this size, either way up, before anything; (0, 0): its own
    cityscapes_resize_px: Size  # likewise, of Cityscapes
    crop_px: Size  # of a training crop; smaller images are filled up, which is not scored
    cityscapes_crop_px: Size
    smallest_scale: float  # of a training image, drawn evenly up to the largest
    largest_scale: float
    most_of_one_class: float  # of a crop's pixels, else drawn again, ten times; 1: any crop
    flip: float  # probability
    photometric: bool  # brightness, contrast, saturation and hue drawn, as in SSD
    # the network
    output_stride: int  # of the backbone's last map, at most: see `dilation.dilated`
    exact_dilation: bool  # likewise
    head_channels: int
    head_convolutions: int  # 3x3, each with BatchNorm and ReLU
    head_dilation: int
    head_concatenates: bool  # the backbone's map to the last convolution's
    dropout: float  # probability, of whole channels before the classifier
    auxiliary_weight: float  # of the loss of a second head on the last stage but one; 0: none
    auxiliary_channels: int
    align_corners: bool  # how maps are enlarged to the image
    # choosing the learning rate
    held_out_fraction: float  # of the training images
    held_out_seed: int
    choice_seed: int

    def crop_of(self, data: str) -> Size:
        """Return the training crop of a data set, (height, width)."""
        return self.cityscapes_crop_px if data == "cityscapes" else self.crop_px

    def resize_of(self, data: str) -> Size | None:
        """Return the size that a data set's images are fitted into; None: they keep their own."""
        size = self.cityscapes_resize_px if data == "cityscapes" else self.resize_px
        return None if size == (0, 0) else size

    def milestones(self) -> list[int]:
        """Return the iterations after which `step` divides the learning rate by ten."""
        return [round(fraction * self.iterations) for fraction in self.step_fractions]

    def check(self) -> None:
        """Return if the fields can be.

        Raises:
            UsageError: they cannot; the message names the fields.
        """
        self._need(self.iterations >= 1, "iterations", self.iterations, "at least 1")
        self._need(self.batch_size >= 2, "batch_size", self.batch_size,
                   "at least 2: BatchNorm works on the statistics of a batch")  # fmt: skip
        rates = self.learning_rates
        self._need(bool(rates) and min(rates) > 0, "learning_rates", rates, "one or more above 0")
        self._need(len(set(rates)) == len(rates), "learning_rates", rates, "each once")
        self._need(self.schedule in ("step", "poly"), "schedule", self.schedule, "step or poly")
        for name in ("crop_px", "cityscapes_crop_px"):
            self._need_size(name, getattr(self, name), 8)
        for name in ("resize_px", "cityscapes_resize_px"):
            self._need_size(name, getattr(self, name), 0)
        scales = (self.smallest_scale, self.largest_scale)
        self._need(0 < scales[0] <= scales[1], "smallest_scale, largest_scale", scales,
                   "above 0, the smaller first")  # fmt: skip
        for name in ("flip", "most_of_one_class", "momentum"):
            value = getattr(self, name)
            self._need(0 <= value <= 1, name, value, "0 to 1")
        self._need(0 <= self.dropout < 1, "dropout", self.dropout, "0 to below 1")
        self._need(self.head_convolutions >= 1, "head_convolutions", self.head_convolutions,
                   "at least 1")  # fmt: skip
        self._need(min(self.head_channels, self.head_dilation, self.auxiliary_channels) >= 1,
                   "head_channels, head_dilation, auxiliary_channels",
                   (self.head_channels, self.head_dilation, self.auxiliary_channels),
                   "at least 1 each")  # fmt: skip
        self._need(0 < self.held_out_fraction < 1, "held_out_fraction", self.held_out_fraction,
                   "above 0, below 1")  # fmt: skip

    def _need(self, holds: bool, name: str, found: object, wanted: str) -> None:
        if not holds:
            raise UsageError(f"{self.name}.{name}", f"{found}", wanted)

    def _need_size(self, name: str, size: Sequence[int], least: int) -> None:
        holds = len(size) == 2 and min(size) >= least
        self._need(holds, name, size, f"height and width, at least {least} px each")
