"""Intervals of a mean over seeds, and of a share of part of a finite set."""

from collections.abc import Sequence
from math import sqrt

Z_95 = 1.6448536269514722  # one-sided 95 % quantile of the standard normal: 90 % intervals


def t_95(degrees: int) -> float:
    """Return the one-sided 95 % quantile of Student's t: ends of a 90 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.95))


def upper_tail(statistic: float, degrees: int | None) -> float:
    """Return P(T > statistic) for Student's t, or for the standard normal (`degrees` None)."""
    from scipy.special import ndtr, stdtr

    return float(ndtr(-statistic) if degrees is None else stdtr(degrees, -statistic))


def mean(values: Sequence[float]) -> float:
    """Return the mean of `values`."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation, with n - 1 below the squares."""
    centre = mean(values)
    return sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def part_error(percent: float, images: int, of: int | None) -> float:
    """Return the standard error, in points, of a share measured on `images` out of `of`.

    Binomial with the finite-population correction sqrt((N - n) / (N - 1)) (Cochran,
    Sampling Techniques, 3rd ed., Sec. 3.2). The share inside is (k + 1) / (n + 2),
    so that none or all right is not mistaken for certainty. `of` None: no correction.
    """
    share = (percent / 100 * images + 1) / (images + 2)
    error = 100 * sqrt(share * (1 - share) / images)
    return error if of is None or of <= 1 else error * sqrt((of - images) / (of - 1))
