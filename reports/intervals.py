"""Intervals of a mean over seeds, and of a share of part of a finite set."""

from collections.abc import Sequence
from math import sqrt

# One-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom: 90 % intervals.
_T_95 = (
    6.3138, 2.9200, 2.3534, 2.1318, 2.0150, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125,
    1.7959, 1.7823, 1.7709, 1.7613, 1.7531, 1.7459, 1.7396, 1.7341, 1.7291, 1.7247,
    1.7207, 1.7171, 1.7139, 1.7109, 1.7081, 1.7056, 1.7033, 1.7011, 1.6991, 1.6973,
)  # fmt: skip
Z_95 = 1.6449  # their limit: the standard normal's


def t_95(degrees: int) -> float:
    """Return the one-sided 95 % quantile of Student's t; above 30 degrees, Cornish-Fisher.

    Abramowitz and Stegun (1964), 26.7.5, first term: z + (z^3 + z) / (4 degrees).
    """
    if degrees <= len(_T_95):
        return _T_95[degrees - 1]
    return Z_95 + (Z_95**3 + Z_95) / (4 * degrees)


def mean(values: Sequence[float]) -> float:
    """Return the mean of `values`."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation, with n - 1 below the squares."""
    centre = mean(values)
    return sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def half_width(deviation: float, seeds: int, known: bool) -> float:
    """Return half of the 90 % interval of a mean over `seeds`.

    Args:
        deviation: of one seed.
        seeds: how many were measured.
        known: whether the deviation is assumed (normal quantile) or comes from these seeds (t).
    """
    return (Z_95 if known else t_95(seeds - 1)) * deviation / sqrt(seeds)


def part_error(percent: float, images: int, of: int | None) -> float:
    """Return the standard error, in points, of a share measured on `images` out of `of`.

    Binomial with the finite-population correction sqrt((N - n) / (N - 1)) (Cochran,
    Sampling Techniques, 3rd ed., Sec. 3.2). The share inside is (k + 1) / (n + 2),
    so that none or all right is not mistaken for certainty. `of` None: no correction.
    """
    share = (percent / 100 * images + 1) / (images + 2)
    error = 100 * sqrt(share * (1 - share) / images)
    return error if of is None or of <= 1 else error * sqrt((of - images) / (of - 1))
