"""Metrics of predictions: each sums and counts, and divides once."""

from collections.abc import Iterator

import numpy as np

from .evaluator import Measurement, top1
from .per_image import CELLS, LABELS


def scores(
    predicted: np.ndarray,
    labels: np.ndarray,
    metric: str = "top1",
    notes: tuple[str, ...] = (),
    condition: str = "",
) -> Iterator[Measurement]:
    """Yield top-1 and, where the data set's literature reports it, mean per class."""
    yield top1(predicted == labels, condition=condition, notes=notes)
    if metric == "mean_per_class":
        yield mean_per_class(predicted == labels, labels, notes, condition)


def mean_per_class(
    correct: np.ndarray, labels: np.ndarray, notes: tuple[str, ...] = (), condition: str = ""
) -> Measurement:
    """Return the mean over classes of the share that is right, in percent.

    The standard error adds the binomial variances of the classes.
    """
    counts = np.bincount(labels).astype(np.float64)
    right = np.bincount(labels, weights=correct.astype(np.float64), minlength=len(counts))
    right, counts = right[counts > 0], counts[counts > 0]
    share = right / counts
    variance = np.sum(share * (1 - share) / counts) / len(counts) ** 2
    return Measurement(
        metric="mean_per_class",
        value=100 * float(share.mean()),
        images=len(labels),
        standard_error=100 * float(np.sqrt(variance)),
        condition=condition,
        correct=correct,
        notes=notes,
        arrays={LABELS: np.asarray(labels, dtype=np.int32)},
    )


def ranked(logits: np.ndarray, k: int) -> np.ndarray:
    """Return the k best classes of each row, best first, [N, k]; ties to the lower class."""
    return np.argsort(-logits, axis=1, kind="stable")[:, :k]


def topk(ranks: np.ndarray, labels: np.ndarray, condition: str = "") -> Measurement:
    """Return top-k accuracy in percent from the k best classes of each image, [N, k]."""
    correct = (ranks == labels[:, None]).any(axis=1)
    plain = top1(correct, condition=condition)
    return Measurement(
        metric=f"top{ranks.shape[1]}",
        value=plain.value,
        images=plain.images,
        standard_error=plain.standard_error,
        condition=condition,
        correct=correct,
    )


def per_class(correct: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, ...]:
    """Return (right, images), each [classes] int64: counts, to be divided once by the caller."""
    images = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[correct], minlength=classes)
    return right.astype(np.int64), images.astype(np.int64)


def mean_over_conditions(
    correct: np.ndarray, condition: str = "", notes: tuple[str, ...] = ()
) -> Measurement:
    """Return the mean over corruptions and severities of top-1, from [conditions, images] bool.

    Its standard error is over images: every condition shows the same ones, so the
    conditions are averaged per image first.
    """
    per_image = correct.mean(axis=0)
    spread = float(per_image.std(ddof=1)) if len(per_image) > 1 else 0.0
    return Measurement(
        metric="mean_corruption_top1",
        value=100 * float(np.count_nonzero(correct)) / correct.size,
        images=len(per_image),
        standard_error=100 * spread / float(np.sqrt(len(per_image))),
        condition=condition,
        notes=notes,
        arrays={CELLS: np.asarray(correct, dtype=bool)},
    )
