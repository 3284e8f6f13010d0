"""Average precision over eleven recall points, as PASCAL VOC 2007 scored classification."""

import numpy as np

from ..checkpoints.errors import BadData
from .evaluator import Measurement
from .per_image import SCORES, TARGETS

# As `targets` of an image source; the devkit's files say 1, 0 and -1 for the same three.
POSITIVE, DIFFICULT, NEGATIVE = 1, -1, 0
_RECALL_POINTS = 11  # 0, 0.1, ..., 1


def average_precision_11_point(scores: np.ndarray, targets: np.ndarray) -> float:
    """Return the average precision of one class, a fraction in [0, 1].

    PASCAL VOC 2007 (Everingham et al., IJCV 2010; the devkit's VOCevalcls.m): images by
    descending score, ties in their given order; at each recall 0, 0.1, ..., 1 the best
    precision at that recall or above, 0 where it is never reached; the mean of the eleven.
    A difficult image counts neither as right nor as wrong.

    We compare recalls as whole numbers. The devkit's 0:0.1:1 has 3 * 0.1, which in floating
    point lies above 0.3, so that a recall of exactly 3/10 misses its own point there.

    Args:
        scores: [N] floats, higher is likelier.
        targets: [N] integers: 1 shows the class, 0 does not, -1 is difficult.

    Raises:
        BadData: lengths differ, no image shows the class, a score is not a number, or a
            target is none of the three.
    """
    scores, targets = np.asarray(scores), np.asarray(targets)
    _check(scores, targets)
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    order = order[targets[order] != DIFFICULT]
    found = np.cumsum(targets[order] == POSITIVE)
    precision = found / np.arange(1, len(found) + 1)
    # The best precision at this rank or any later one: recall only grows with the rank.
    best = np.maximum.accumulate(precision[::-1])[::-1]
    total = int(found[-1])
    # First rank at which 10 * found >= k * total, that is recall >= k / 10. Recall 1 is
    # reached at the last rank at the latest.
    first = np.searchsorted(10 * found, np.arange(_RECALL_POINTS) * total)
    return float(best[first].sum() / _RECALL_POINTS)


def mean_average_precision(
    scores: np.ndarray,
    targets: np.ndarray,
    notes: tuple[str, ...] = (),
    *,
    resamples: int = 200,
    seed: int = 0,
) -> Measurement:
    """Return the mean over classes of `average_precision_11_point`, in percent.

    The standard error is the deviation over bootstrap resamples of the images; a resample
    that lost every image of a class leaves that class out.

    Args:
        scores: [N, classes] floats.
        targets: [N, classes] of 1, 0, -1 as above.
        notes: what a reader must know.
        resamples: of the images; 0: no standard error.
        seed: of the resamples.

    Raises:
        BadData: as `average_precision_11_point`, for any class.
    """
    if scores.shape != targets.shape or scores.ndim != 2:
        raise BadData(
            "average precision",
            f"scores of shape {scores.shape}, targets of shape {targets.shape}",
            "[images, classes] for both",
        )
    images, classes = scores.shape
    value = sum(average_precision_11_point(scores[:, k], targets[:, k]) for k in range(classes))
    return Measurement(
        metric="map_11_point",
        value=100 * value / classes,
        images=images,
        standard_error=_bootstrap_error(scores, targets, resamples, seed),
        notes=notes,
        # Of 32 bits as they were, or the order of two scores could change.
        arrays={SCORES: scores, TARGETS: targets.astype(np.int8)},
    )


def _bootstrap_error(
    scores: np.ndarray, targets: np.ndarray, resamples: int, seed: int
) -> float | None:
    if resamples < 2:
        return None
    images, classes = scores.shape
    rng = np.random.default_rng([seed, 0xA9])
    means = []
    for _ in range(resamples):
        drawn = rng.integers(0, images, size=images)
        kept = [k for k in range(classes) if (targets[drawn, k] == POSITIVE).any()]
        found = [average_precision_11_point(scores[drawn, k], targets[drawn, k]) for k in kept]
        if found:
            means.append(sum(found) / len(found))
    return 100 * float(np.std(means, ddof=1)) if len(means) > 1 else None


def _check(scores: np.ndarray, targets: np.ndarray) -> None:
    where = "average precision"
    if scores.shape != targets.shape or scores.ndim != 1:
        raise BadData(where, f"{scores.shape} scores, {targets.shape} targets", "one each")
    if not np.isfinite(scores).all():
        raise BadData(where, "a score is not finite", "finite scores")
    if not np.isin(targets, (POSITIVE, DIFFICULT, NEGATIVE)).all():
        raise BadData(where, f"targets {np.unique(targets)[:5]}", "1, 0 or -1 (difficult)")
    if not (targets == POSITIVE).any():
        raise BadData(where, "no image shows the class", "at least one, else it has no recall")
