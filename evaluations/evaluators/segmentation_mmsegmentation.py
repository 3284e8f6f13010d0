"""Segmentation, fine-tuned by mmsegmentation's own defaults: poly schedule, two heads."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..segmentation.fine_tuning import measure
from ..segmentation.protocol import FcnProtocol, Schedule, Size
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class SegmentationMmsegmentationProtocol(FcnProtocol):
    """20,000 iterations of 16 images, an FCN with a second head at output stride 8.

    Every value is that of mmsegmentation 1.2.2, configs/fcn/fcn_r50-d8_4xb4-20k_voc12aug-
    512x512.py and what it inherits; Cityscapes' sizes are those of configs/_base_/datasets/
    cityscapes.py (its FCN configurations train longer, on batches of 8: --set
    segmentation_mmsegmentation.iterations=40000, .batch_size=8). Source: MMSegmentation
    Contributors, github.com/open-mmlab/mmsegmentation; the head: FCN (arXiv:1411.4038).

    Ours are the backbone (mmsegmentation's ResNet-50 has three 3x3 convolutions for a stem;
    this one is the checkpoint's) and BatchNorm on one device, which sees the whole batch as
    theirs does over four. A single learning rate: nothing is chosen, nothing is held out.
    """

    name = "segmentation_mmsegmentation"

    iterations: int = 20_000
    batch_size: int = 16  # 4 on each of 4 devices
    learning_rates: tuple[float, ...] = (0.01,)
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Schedule = "poly"
    step_fractions: tuple[float, ...] = (0.7, 0.9)  # not used
    poly_power: float = 0.9
    poly_least_rate: float = 1e-4
    average_scored_only: bool = False  # `avg_non_ignore` is not set
    norm_eval: bool = False
    resize_px: Size = (512, 2048)
    cityscapes_resize_px: Size = (1024, 2048)
    crop_px: Size = (512, 512)
    cityscapes_crop_px: Size = (512, 1024)
    smallest_scale: float = 0.5
    largest_scale: float = 2.0
    most_of_one_class: float = 0.75
    flip: float = 0.5
    photometric: bool = True
    output_stride: int = 8
    exact_dilation: bool = True
    head_channels: int = 512
    head_convolutions: int = 2
    head_dilation: int = 1
    head_concatenates: bool = True
    dropout: float = 0.1
    auxiliary_weight: float = 0.4
    auxiliary_channels: int = 256
    align_corners: bool = False
    held_out_fraction: float = 0.2  # not used
    held_out_seed: int = 0  # not used
    choice_seed: int = 0  # not used


def run(
    subject: Subject, protocol: SegmentationMmsegmentationProtocol, seed: int
) -> Iterator[Measurement]:
    """Yield mIoU on the scored split, with what the data set's scores add to it."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=SegmentationMmsegmentationProtocol(),
    source="mmsegmentation 1.2.2, fcn_r50-d8_4xb4-20k_voc12aug-512x512; FCN (arXiv:1411.4038)",
    splits=("train", "test"),
    stochastic=True,
    masks=True,
)
