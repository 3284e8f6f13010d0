"""Corruption errors as pure functions of the errors of cells, one (corruption, severity) each.

Hendrycks and Dietterich (arXiv:1903.12261), Sec. 4. CE, mCE, their relative forms and plain
mean accuracy are five metrics with five names; the first four are relative to AlexNet and
exist for ImageNet-C alone. Errors are fractions in [0, 1], results are in percent.

>>> round(corruption_error([0.4, 0.5, 0.6, 0.7, 0.8], 0.75), 6)
80.0
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..checkpoints.errors import BadData
from .splits import alexnet_errors

SEVERITIES = 5
# torchvision's AlexNet has 56.52 % on ImageNet (modestyachts/imagenet-testbed). The paper's
# own spreadsheet prints 43.5 %.
ALEXNET_CLEAN_ERROR = 0.4348

Errors = Mapping[str, Sequence[float]]  # corruption -> errors at severity 1 to 5


def corruption_error(errors: Sequence[float], reference: float) -> float:
    """Return CE: the sum of the five errors over AlexNet's, in percent.

    Args:
        errors: of severities 1 to 5.
        reference: AlexNet's mean error over the same five.
    """
    _check_five("corruption error", errors)
    return 100 * float(np.sum(errors)) / (SEVERITIES * reference)


def relative_corruption_error(
    errors: Sequence[float],
    clean_error: float,
    reference: float,
    reference_clean: float = ALEXNET_CLEAN_ERROR,
) -> float:
    """Return relative CE: the five increases over the clean error, over AlexNet's, in percent."""
    _check_five("relative corruption error", errors)
    increase = float(np.sum(errors)) - SEVERITIES * clean_error
    return 100 * increase / (SEVERITIES * (reference - reference_clean))


def mean_corruption_error(errors: Errors, names: Sequence[str]) -> float:
    """Return mCE: the mean CE over the corruptions `names`, in percent.

    Raises:
        BadData: a corruption or a severity is missing.
    """
    check_complete(errors, names)
    known = alexnet_errors()
    return float(np.mean([corruption_error(errors[name], known[name]) for name in names]))


def mean_relative_corruption_error(
    errors: Errors, clean_error: float, names: Sequence[str]
) -> float:
    """Return mrCE: the mean relative CE over the corruptions `names`, in percent.

    Raises:
        BadData: a corruption or a severity is missing.
    """
    check_complete(errors, names)
    known = alexnet_errors()
    relative = [relative_corruption_error(errors[n], clean_error, known[n]) for n in names]
    return float(np.mean(relative))


def mean_corruption_accuracy(errors: Errors, names: Sequence[str]) -> float:
    """Return plain mean accuracy over all cells of the corruptions `names`, in percent.

    Raises:
        BadData: a corruption or a severity is missing.
    """
    check_complete(errors, names)
    return 100 - 100 * float(np.mean([list(errors[name]) for name in names]))


def check_complete(errors: Errors, names: Sequence[str]) -> None:
    """Return if every corruption of `names` has five finite errors in [0, 1].

    Raises:
        BadData: naming each that has not.
    """
    absent = [name for name in names if name not in errors]
    if absent or not names:
        raise BadData(
            "mean corruption error",
            f"no errors of {', '.join(absent) or 'any corruption'}",
            f"all {len(names)} corruptions: a mean over fewer is another number",
        )
    for name in names:
        _check_five(name, errors[name])


def per_image_corruption_error(
    correct: np.ndarray, names: Sequence[str], clean: np.ndarray | None = None
) -> np.ndarray:
    """Return what each image adds to mCE, or to mrCE, in percent: [N] float64.

    Both are sums of errors with fixed weights, so that their mean over images is the
    metric itself, and the spread over images gives its standard error.

    Args:
        correct: [corruptions, 5, N] bool, the same images in the same order in each cell.
        names: of the corruptions.
        clean: [N] bool, for the same images uncorrupted; given: mrCE.
    """
    known = np.array([alexnet_errors()[name] for name in names])
    wrong = 1 - correct.mean(axis=1)
    if clean is None:
        return np.asarray(100 * (wrong / known[:, None]).mean(axis=0))
    increase = wrong - (1 - clean.astype(np.float64))[None, :]
    return np.asarray(100 * (increase / (known - ALEXNET_CLEAN_ERROR)[:, None]).mean(axis=0))


def bootstrap_standard_error(per_image: np.ndarray, seed: int = 0, resamples: int = 1000) -> float:
    """Return the standard error of the mean of [N] values, by drawing images with replacement.

    An image is drawn with all its cells: cells of one image are far from independent, and
    treating them so would make the error several times too small.
    """
    images = len(per_image)
    rng = np.random.default_rng(seed)
    # In double: means of 50,000 that differ in the fourth digit.
    values = per_image.astype(np.float64)
    means = [float(values[rng.integers(images, size=images)].mean()) for _ in range(resamples)]
    return float(np.std(means, ddof=1))


def _check_five(where: str, errors: Sequence[float]) -> None:
    found = np.asarray(errors, np.float64)
    if found.shape != (SEVERITIES,):
        raise BadData(where, f"{found.size} severities", f"errors of all {SEVERITIES}")
    if not ((found >= 0) & (found <= 1)).all():
        raise BadData(where, f"errors {found.tolist()}", "fractions from 0 to 1")
