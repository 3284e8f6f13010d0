"""Statistics of networks scored on the same images.

Every number here is a mean over images of a score in [0, 1]: 1 and 0 for right and
wrong, a fraction where one image was scored several times (seeds, corruptions). Those
repeats share their image, so the image, not the answer, is the unit that is sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from ..checkpoints.errors import BadRecord

# 1.96: a 95 % interval of a mean that is normal, as every mean of some hundred images is.
Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over images and how far it is known."""

    value: float  # percent, or percentage points for a difference
    standard_error: float | None  # in the unit of `value`, over images; None: not known
    images: int
    repeats: int = 1  # answers per image that were averaged: seeds times corruptions

    @property
    def half_width(self) -> float | None:
        """Half of the 95 % interval, in the unit of `value`."""
        return None if self.standard_error is None else Z_95 * self.standard_error

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval, in the unit of `value`."""
        half = self.half_width
        return None if half is None else (self.value - half, self.value + half)

    @property
    def above_zero(self) -> bool:
        """Whether the value is positive by more than its interval."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def below_zero(self) -> bool:
        """Whether the value is negative by more than its interval."""
        return self.interval is not None and self.interval[1] < 0


def image_scores(correct: Sequence[np.ndarray]) -> np.ndarray:
    """Return [images] float: the share of the [images] bool answers that are right, per image.

    Raises:
        BadRecord: the answers are not about equally many images, or there are none.
    """
    lengths = sorted({len(answers) for answers in correct})
    if len(lengths) != 1 or lengths[0] == 0:
        raise BadRecord(
            "per-image correctness", f"answers for {lengths or 'no'} images", "one number above 0"
        )
    return np.asarray(np.mean(np.stack(correct).astype(np.float64), axis=0))


def mean_estimate(scores: np.ndarray, repeats: int = 1) -> Estimate:
    """Return the mean of [images] scores in percent with its standard error over images.

    The standard error is the deviation over sqrt(n), with n and not n - 1 below the
    squares: for scores of 0 and 1 it is the binomial sqrt(p (1 - p) / n) to the last digit.
    """
    images = len(scores)
    return Estimate(
        value=100 * float(np.mean(scores)),
        standard_error=100 * float(np.std(scores)) / sqrt(images),
        images=images,
        repeats=repeats,
    )


def paired_difference(scores: np.ndarray, baseline: np.ndarray, repeats: int = 1) -> Estimate:
    """Return mean(scores - baseline) in points, with its standard error over the same images.

    Agresti, Categorical Data Analysis (2nd ed., 2002), Sec. 10.1.1: with b images right
    only in `scores` and c right only in `baseline`, the difference is (b - c) / n and its
    variance ((b + c) - (b - c)^2 / n) / n^2. That is the variance of the per-image
    differences over n, the form used here, which also holds for scores between 0 and 1
    (Miller, arXiv:2411.00640, on paired differences). Images that both answer alike cancel: the
    interval is narrower than the two single ones suggest.

    Args:
        scores: [images] floats in [0, 1].
        baseline: [images] floats in [0, 1], the same images in the same order.
        repeats: answers per image behind each score, for the reader.

    Raises:
        BadRecord: the two are not about equally many images.
    """
    if scores.shape != baseline.shape:
        raise BadRecord(
            "paired difference",
            f"{len(scores)} images against {len(baseline)}",
            "the same images in the same order",
        )
    return mean_estimate(scores - baseline, repeats)
