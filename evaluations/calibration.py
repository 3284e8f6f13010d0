"""Calibration: whether a classifier is right as often as it says it is."""

import numpy as np

from ..checkpoints.errors import BadData


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax [N, classes] float64 of logits [N, classes]."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    likelihood = np.exp(shifted)
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def expected_calibration_error(
    confidence: np.ndarray, correct: np.ndarray, bins: int = 15
) -> float:
    """Return the expected calibration error, a fraction in [0, 1].

    Guo et al. (arXiv:1706.04599), Sec. 2: images are sorted by confidence into equal-width
    bins ((m - 1) / M, m / M]; the error is the mean over images of their bin's
    |accuracy - mean confidence|.

    Args:
        confidence: [N] floats in [0, 1], of the answered class.
        correct: [N] bool, whether the answer was right.
        bins: M; 15 in the paper.

    Raises:
        BadData: lengths differ, there are no images, or a confidence is outside [0, 1].
    """
    confidence = np.asarray(confidence, dtype=np.float64)
    correct = np.asarray(correct, dtype=bool)
    if confidence.shape != correct.shape or confidence.ndim != 1 or not len(confidence):
        raise BadData(
            "calibration", f"{confidence.shape} confidences, {correct.shape} answers", "one each"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise BadData("calibration", "a confidence outside [0, 1]", "probabilities")
    if bins < 1:
        raise BadData("calibration", f"{bins} bins", "at least one")
    # Half open on the left, so 1 / M itself is in the first bin; 0 has no bin below it.
    chosen = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    stated = np.bincount(chosen, weights=confidence, minlength=bins)
    right = np.bincount(chosen, weights=correct.astype(np.float64), minlength=bins)
    # |right / count - stated / count| * count / N: the counts cancel.
    return float(np.abs(right - stated).sum() / len(confidence))
