"""Segmentation, fine-tuned: the recipe of BYOL and DetCon, trained with mmsegmentation."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..segmentation.fine_tuning import measure
from ..segmentation.protocol import FcnProtocol, Schedule, Size
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class SegmentationProtocol(FcnProtocol):
    """30,000 iterations of 16 images, an FCN of two dilated convolutions at output stride 16.

    BYOL (arXiv:2006.07733), App. D.4, for VOC: the dilation of conv5, the head, crops of 513,
    scales 0.5 to 2.0, flips, batch 16, weight decay 1e-4, five log-spaced learning rates in
    [1e-3, 1e-1] divided by ten at 70 % and at 90 %, chosen on 2,119 held-out images (here a
    fifth of the training images, which is as many), the mean of five seeds: --seed 0 to 4.
    DetCon (arXiv:2103.10957) is recalled to do the same with crops of 769 on Cityscapes, where
    ReLICv2's protocol was not seen.

    What the text does not say is chosen by us: momentum 0.9 without Nesterov, because it is the
    usual; BatchNorm trained on batch statistics with torch's momentum, because a frozen one
    would be worth saying; decay of every parameter, no photometric distortion, no dropout and
    no second head, because none is named; align_corners, because crops of 16 k + 1 pixels are
    made for it, as in mmsegmentation's own configurations of 769.

    BYOL scores the 513 centre crop. VOC's images are no larger than 500 px, so that crop is the
    whole image; here the image is predicted without the crop's empty margin, at its full size.
    """

    name = "segmentation_detcon"

    iterations: int = 30_000
    batch_size: int = 16
    learning_rates: tuple[float, ...] = (0.001, 0.00316, 0.01, 0.0316, 0.1)
    momentum: float = 0.9  # chosen by us
    weight_decay: float = 1e-4
    schedule: Schedule = "step"
    step_fractions: tuple[float, ...] = (0.7, 0.9)
    poly_power: float = 0.9  # not used
    poly_least_rate: float = 1e-4  # not used
    average_scored_only: bool = True  # chosen by us: the usual mean
    norm_eval: bool = False  # chosen by us
    resize_px: Size = (0, 0)
    cityscapes_resize_px: Size = (0, 0)
    crop_px: Size = (513, 513)
    cityscapes_crop_px: Size = (769, 769)  # recalled
    smallest_scale: float = 0.5
    largest_scale: float = 2.0
    most_of_one_class: float = 1.0  # chosen by us: none is named
    flip: float = 0.5
    photometric: bool = False  # chosen by us: none is named
    output_stride: int = 16
    exact_dilation: bool = False
    head_channels: int = 256
    head_convolutions: int = 2
    head_dilation: int = 6
    head_concatenates: bool = False
    dropout: float = 0.0  # chosen by us: none is named
    auxiliary_weight: float = 0.0  # chosen by us: none is named
    auxiliary_channels: int = 256  # not used
    align_corners: bool = True  # chosen by us
    held_out_fraction: float = 0.2  # 2,119 of 10,582
    held_out_seed: int = 0
    choice_seed: int = 0


def run(subject: Subject, protocol: SegmentationProtocol, seed: int) -> Iterator[Measurement]:
    """Yield mIoU on the scored split, with what the data set's scores add to it."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=SegmentationProtocol(),
    source="BYOL (arXiv:2006.07733), App. D.4; DetCon (arXiv:2103.10957)",
    splits=("train", "test"),
    stochastic=True,
    masks=True,
)
