"""Segmentation, fine-tuned in minutes on two cores: small images of CamVid, small networks."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..segmentation.fine_tuning import measure
from ..segmentation.protocol import FcnProtocol, Schedule, Size
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class SegmentationCamvidCpuProtocol(FcnProtocol):
    """The recipe of `segmentation_detcon`, small: 200 iterations of 8 images of half the size.

    Chosen by us, because 30,000 iterations of 16 crops of 513 take two cores months. It ranks
    small networks among themselves and no paper's claim is judged by it. From BYOL
    (arXiv:2006.07733), App. D.4: scales, flips, the dilated last stage, the head's kind,
    batch statistics, the steps at 70 % and 90 %, weight decay. Smaller: 480 x 360 images fitted
    into 240 x 180, crops of 97, a head of 64 channels, and output stride 4, which small networks
    have anyway. Predictions are enlarged and scored at 480 x 360.

    One learning rate: ResNet-20's mIoU on 73 held-out training images was 31.1, 32.5 and 22.6 %
    at 0.03, 0.1 and 0.3.
    """

    name = "segmentation_camvid_cpu"

    iterations: int = 200
    batch_size: int = 8
    learning_rates: tuple[float, ...] = (0.1,)
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Schedule = "step"
    step_fractions: tuple[float, ...] = (0.7, 0.9)
    poly_power: float = 0.9  # not used
    poly_least_rate: float = 1e-4  # not used
    average_scored_only: bool = True
    norm_eval: bool = False
    resize_px: Size = (180, 240)
    cityscapes_resize_px: Size = (180, 360)
    crop_px: Size = (97, 97)
    cityscapes_crop_px: Size = (97, 97)
    smallest_scale: float = 0.5
    largest_scale: float = 2.0
    most_of_one_class: float = 1.0
    flip: float = 0.5
    photometric: bool = False
    output_stride: int = 4
    exact_dilation: bool = False
    head_channels: int = 64
    head_convolutions: int = 2
    head_dilation: int = 6
    head_concatenates: bool = False
    dropout: float = 0.0
    auxiliary_weight: float = 0.0
    auxiliary_channels: int = 64  # not used
    align_corners: bool = True
    held_out_fraction: float = 0.2
    held_out_seed: int = 0
    choice_seed: int = 0


def run(
    subject: Subject, protocol: SegmentationCamvidCpuProtocol, seed: int
) -> Iterator[Measurement]:
    """Yield mIoU on the scored split, with what the data set's scores add to it."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=SegmentationCamvidCpuProtocol(),
    source="ours, after BYOL (arXiv:2006.07733), App. D.4",
    splits=("train", "test"),
    stochastic=True,
    masks=True,
)
