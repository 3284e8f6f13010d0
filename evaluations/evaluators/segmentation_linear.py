"""Segmentation with a frozen backbone: a linear head on its dense features."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import BadData, UsageError
from ..evaluator import Evaluator, Measurement, Protocol
from ..segmentation.dense import dense_features
from ..segmentation.linear_head import Recipe, train_head
from ..segmentation.measurements import measurements
from ..segmentation.predicted import read_masks, score
from ..subject import Subject

MAJORITY = "majority_class"


@dataclass(frozen=True, kw_only=True)
class SegmentationLinearProtocol(Protocol):
    """BatchNorm and a 1x1 convolution on the frozen last feature map, logits upsampled.

    After DINOv2 (arXiv:2304.07193), Sec. 7.4, "Lin.": a linear layer predicts a map of logits
    from frozen features, which is upsampled to the image. Its released head has BatchNorm
    before the 1x1 convolution (facebookresearch/dinov2, eval/segmentation, BNHead), and its
    configuration AdamW with 1e-3, weight decay 1e-4, 16 images a step, 40,000 steps, 1,500 of
    them warm-up, then linear decay; these numbers are recalled, not read again.

    Different here, so that two cores suffice: whole images instead of random scales, crops and
    flips, because features are made once; 512 pixels of each image drawn anew at each step
    instead of all of them, and BatchNorm's statistics are over these; no sliding window. The
    features are those of the dilated network at output stride 16, or of a denser network
    (CIFAR's have stride 4) as it is.

    Beside the model it yields the majority class: the most frequent class of the training
    pixels everywhere, under the condition `majority_class`.
    """

    name = "segmentation_linear"

    output_stride: int = 16  # at most, px of the image for one of the map
    shorter_side: int = 0  # px, that images are resized to; 0: as they are. Masks never are
    steps: int = 40_000
    warmup_steps: int = 1_500
    batch_size: int = 16  # images
    pixels_per_image: int = 512  # drawn at each step
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4

    def recipe(self) -> Recipe:
        """Return how the head is trained."""
        return Recipe(
            steps=self.steps,
            batch_size=self.batch_size,
            pixels_per_image=self.pixels_per_image,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warmup_steps=self.warmup_steps,
        )


def run(subject: Subject, protocol: SegmentationLinearProtocol, seed: int) -> Iterator[Measurement]:
    """Yield mIoU, pixel and mean class accuracy; then those of the majority class."""
    _check(protocol)
    train, test = subject.images("train"), subject.images("test")
    if train.class_names != test.class_names:
        raise BadData(train.name, "training and scored images have other classes", "the same")
    mask_of, pixels = read_masks(train)
    if np.count_nonzero(pixels) < 2:
        raise BadData(
            f"{train.name}, {train.split}",
            f"pixels of {np.count_nonzero(pixels)} classes",
            "at least two classes in the training masks",
        )
    fitted, scored = (
        dense_features(
            subject, role, output_stride=protocol.output_stride, shorter_side=protocol.shorter_side
        )
        for role in ("train", "test")
    )
    head = train_head(fitted, mask_of, len(train.class_names), protocol.recipe(), seed)
    found = score(test, lambda image, size: head.predict(scored.map_of(image), size))
    notes = (f"trained on {len(train):,} images, head of {fitted.rows.shape[1]} features",)
    for measured in measurements(found.confusions, test.class_names, notes=notes):
        # What people look at goes with the number it shows.
        shown = found.shown if measured.arrays else None
        yield replace(measured, predicted_masks=shown)
    most = int(np.argmax(pixels))
    floor = score(test, lambda image, size: np.full(size, most, dtype=np.uint8))
    notes = (f"{train.class_names[most]} everywhere",)
    yield from measurements(floor.confusions, test.class_names, condition=MAJORITY, notes=notes)


def _check(protocol: SegmentationLinearProtocol) -> None:
    if (
        min(protocol.steps, protocol.pixels_per_image, protocol.batch_size) < 1
        or protocol.learning_rate <= 0
        or protocol.weight_decay < 0
        or protocol.shorter_side < 0
        or not 0 <= protocol.warmup_steps <= protocol.steps
    ):
        raise UsageError(
            protocol.name,
            f"{protocol.steps} steps ({protocol.warmup_steps} of warm-up) of "
            f"{protocol.batch_size} images, {protocol.pixels_per_image} pixels each, learning "
            f"rate {protocol.learning_rate:g}, weight decay {protocol.weight_decay:g}, "
            f"shorter_side {protocol.shorter_side}",
            "at least 1 step, image and pixel, warm-up within the steps, a rate above 0",
        )


EVALUATOR = Evaluator(
    run=run,
    protocol=SegmentationLinearProtocol(),
    source="DINOv2 (arXiv:2304.07193), Sec. 7.4; facebookresearch/dinov2, eval/segmentation",
    splits=("train", "test"),
    stochastic=True,
    masks=True,
)
