"""Intervals of a mean over seeds, and of a share of part of a finite set."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

Z_95 = 1.6448536269514722  # one-sided 95 % quantile of the standard normal: 90 % intervals


def t_95(degrees: int) -> float:
    """Return the one-sided 95 % quantile of Student's t: ends of a 90 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.95))


def upper_tails(beyond: Any, error: Any, degrees: int | None) -> Any:
    """Return P(a mean lies so far above its expectation), one-sided; shapes broadcast.

    Args:
        beyond: how far it lies above, in the unit of `error`.
        error: its standard error; 0: what is above is certain, what is not is not.
        degrees: of freedom of the error, for Student's t; None: known, for the normal.

    Returns:
        float64 array of p values.
    """
    import numpy as np
    from scipy.special import ndtr, stdtr

    beyond, error = np.asarray(beyond, float), np.asarray(error, float)
    statistic = np.divide(beyond, error, out=np.zeros(np.broadcast(beyond, error).shape),
                          where=error > 0)  # fmt: skip
    tails = ndtr(-statistic) if degrees is None else stdtr(degrees, -statistic)
    return np.where(error > 0, tails, np.where(beyond > 0, 0.0, 1.0))


def mean(values: Sequence[float]) -> float:
    """Return the mean of `values`."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation, with n - 1 below the squares."""
    centre = mean(values)
    return sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def part_error(percent: float, images: int, of: int | None) -> float:
    """Return the standard error, in points, of a share measured on `images` out of `of`.

    Binomial with the finite-population correction. The share inside is (k + 1) / (n + 2),
    so that none or all right is not mistaken for certainty.
    """
    share = (percent / 100 * images + 1) / (images + 2)
    return 100 * sqrt(share * (1 - share) / images) * part_correction(images, of)


def part_correction(images: int, of: int | None) -> float:
    """Return sqrt((N - n) / (N - 1)): what is left to chance when n of N images are known.

    Cochran, Sampling Techniques, 3rd ed., Sec. 3.2. 1 where `of` is None: not known.
    """
    return 1.0 if of is None or of <= 1 else sqrt((of - images) / (of - 1))
