"""Scores of predicted masks: everything from one confusion matrix per image.

An image's matrix counts its scored pixels: row = true class, column = predicted class. Sums of
matrices give every score of any set of images, so nothing else needs to be kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .masks import IGNORE

BOOTSTRAP_DRAWS = 2_000


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the counts of one image's pixels, [classes, classes] int64, [true, predicted].

    Pixels whose truth is 255 are left out, whatever is predicted there.

    Args:
        truth: [H, W] uint8, classes or 255.
        predicted: [H, W] integers, classes only.
        classes: how many there are.
    """
    assert truth.shape == predicted.shape, (truth.shape, predicted.shape)
    scored = truth != IGNORE
    # In int64 before the product: 18 * 19 + 18 does not fit into a uint8.
    pairs = truth[scored].astype(np.int64) * classes + predicted[scored].astype(np.int64)
    counts = np.bincount(pairs, minlength=classes * classes)
    assert len(counts) == classes * classes, "a class beyond the last one"
    return counts.reshape(classes, classes)


def class_iou(matrix: np.ndarray) -> np.ndarray:
    """Return each class's intersection over union, [..., classes] float64 in [0, 1].

    NaN where a class occurs neither in the truth nor in the prediction: 0 / 0, no failure.

    Args:
        matrix: [..., classes, classes] counts, pooled over images.
    """
    both = np.diagonal(matrix, axis1=-2, axis2=-1).astype(np.float64)
    union = matrix.sum(axis=-1) + matrix.sum(axis=-2) - both
    return np.asarray(np.divide(both, union, out=np.full(both.shape, np.nan), where=union > 0))


def mean_iou(matrix: np.ndarray) -> np.ndarray:
    """Return the mean over classes of the pooled IoU, [...] float64 in [0, 1].

    PASCAL VOC's measure (Everingham et al. 2015, Sec. 4.1.4; called accuracy there): pixels are
    pooled over all images first, then each class counts once. A mean of images' mIoU is another
    number. A class that occurs neither in truth nor in prediction is left out, as in
    mmsegmentation (`IoUMetric`, numpy.nanmean); one that is predicted and never true counts 0.

    Args:
        matrix: [..., classes, classes] counts, pooled over images; NaN without any pixel.
    """
    iou = class_iou(matrix)
    there = ~np.isnan(iou)
    count = there.sum(axis=-1)
    total = np.where(there, iou, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def pixel_accuracy(matrix: np.ndarray) -> np.ndarray:
    """Return the share of scored pixels whose class is right, [...] float64 in [0, 1]."""
    right = np.trace(matrix, axis1=-2, axis2=-1).astype(np.float64)
    total = matrix.sum(axis=(-2, -1))
    return np.asarray(np.divide(right, total, out=np.full(total.shape, np.nan), where=total > 0))


def mean_accuracy(matrix: np.ndarray) -> np.ndarray:
    """Return the mean over true classes of the share of their pixels that is right, in [0, 1]."""
    right = np.diagonal(matrix, axis1=-2, axis2=-1).astype(np.float64)
    true = matrix.sum(axis=-1)
    share = np.divide(right, true, out=np.full(right.shape, np.nan), where=true > 0)
    there = ~np.isnan(share)
    count = there.sum(axis=-1)
    total = np.where(there, share, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What drawing other images would have given, in [0, 1]."""

    low: float  # 2.5 % of the draws lie below
    high: float  # 2.5 % of the draws lie above
    standard_error: float  # standard deviation of the draws


def bootstrap(
    confusions: np.ndarray, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> tuple[Spread, Spread]:
    """Return the spread of mIoU and of pixel accuracy over images.

    Images are drawn with replacement, as many as there are, and their matrices summed: mIoU is
    no mean over images, so no formula gives its error (Efron and Tibshirani 1993, Ch. 13,
    percentile interval). Pixels of one image are not independent; images are the unit.

    Args:
        confusions: [images, classes, classes] int64.
        seed: of the draws; the same seed gives the same interval.
        draws: how many samples.
    """
    miou, accuracy = (np.concatenate(found) for found in zip(*_drawn(confusions, seed, draws),
                                                            strict=True))  # fmt: skip
    return _spread(miou), _spread(accuracy)


def class_intervals(
    confusions: np.ndarray, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> np.ndarray:
    """Return the 95 % interval over images of each class's IoU, [classes, 2] float64 in [0, 1].

    Args:
        confusions: [images, classes, classes] int64.
        seed: of the draws.
        draws: how many samples; those without a class leave it out.

    Returns:
        (2.5 %, 97.5 %) of the draws; NaN for a class that occurs nowhere.
    """
    values = np.concatenate([class_iou(pooled) for pooled in _pooled(confusions, seed, draws)])
    found = np.full((values.shape[1], 2), np.nan)
    there = ~np.isnan(values).all(axis=0)
    found[there] = np.nanquantile(values[:, there], [0.025, 0.975], axis=0).T
    return found


def paired_difference(
    first: np.ndarray, second: np.ndarray, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> Spread:
    """Return the spread over images of mIoU(second) - mIoU(first), from the same draws.

    Args:
        first: [images, classes, classes] int64 of one model.
        second: the same images by another model.
        seed: of the draws.
        draws: how many samples.
    """
    assert first.shape == second.shape, (first.shape, second.shape)
    both = (_drawn(side, seed, draws) for side in (first, second))
    differences = [b[0] - a[0] for a, b in zip(*both, strict=True)]
    return _spread(np.concatenate(differences))


# A product of this many counts is made at once: [draws, images] by [images, classes ** 2].
_SAMPLES_AT_ONCE = 200


def _drawn(
    confusions: np.ndarray, seed: int, draws: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (mIoU, pixel accuracy) of some samples at a time."""
    for pooled in _pooled(confusions, seed, draws):
        yield mean_iou(pooled), pixel_accuracy(pooled)


def _pooled(confusions: np.ndarray, seed: int, draws: int) -> Iterator[np.ndarray]:
    """Yield the summed matrices [some, classes, classes] of the samples that a seed draws."""
    images, classes, _ = confusions.shape
    rng = np.random.default_rng(seed)
    # float64 holds every count below 2 ** 53, and its product is far faster than int64's.
    flat = confusions.reshape(images, -1).astype(np.float64)
    for begin in range(0, draws, _SAMPLES_AT_ONCE):
        count = min(_SAMPLES_AT_ONCE, draws - begin)
        times = rng.multinomial(images, np.full(images, 1 / images), size=count)
        yield (times.astype(np.float64) @ flat).reshape(count, classes, classes)


def _spread(values: np.ndarray) -> Spread:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Spread(low=float(low), high=float(high), standard_error=float(np.nanstd(values, ddof=1)))
