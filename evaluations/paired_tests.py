"""Two classifiers on the same images: is one better, and by how much?

The images they answer alike say nothing about which is better; every number here comes
from the images that one gets right and the other wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadRecord


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How many images each of two classifiers answered rightly."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def images(self) -> int:
        """Return how many images were answered."""
        return self.both + self.first_only + self.second_only + self.neither


def agreement(first: np.ndarray, second: np.ndarray) -> Agreement:
    """Return the four counts of two classifiers' correctness, [images] bool each.

    Raises:
        BadRecord: the two are not about equally many images, or there are none.
    """
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise BadRecord(
            "paired test",
            f"answers for {first.size} and {second.size} images",
            "the same images in the same order",
        )
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    return Agreement(
        both=int(np.count_nonzero(first & second)),
        first_only=int(np.count_nonzero(first & ~second)),
        second_only=int(np.count_nonzero(second & ~first)),
        neither=int(np.count_nonzero(~first & ~second)),
    )


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Two-sided p values of the hypothesis that neither classifier is better."""

    exact: float
    mid: float  # less conservative: half of the observed table's probability is left out


def mcnemar(counts: Agreement) -> McNemar:
    """Return the exact and the mid-p McNemar test.

    McNemar (Psychometrika 1947): under the hypothesis the images that only one gets right
    are the first's with probability 1/2. Exact binomial rather than the chi-squared
    approximation, which fails for few such images; mid-p by Fagerland et al. (BMC Medical
    Research Methodology 13:91, 2013): the exact p less the probability of the
    observed count.
    """
    from scipy.stats import binom

    differing = counts.first_only + counts.second_only
    fewer = min(counts.first_only, counts.second_only)
    if counts.first_only == counts.second_only:
        return McNemar(exact=1.0, mid=1.0)
    exact = 2 * float(binom.cdf(fewer, differing, 0.5))
    return McNemar(
        exact=min(exact, 1.0), mid=min(exact - float(binom.pmf(fewer, differing, 0.5)), 1.0)
    )


def paired_bootstrap(
    counts: Agreement, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval of second minus first, in percentage points.

    Efron and Tibshirani (1993), Ch. 13: images are drawn with replacement, both answers
    of an image together. A resample changes only the counts of the images where the two
    differ, so it is drawn as those counts (multinomial) and no image is copied.
    """
    draws = np.random.default_rng([seed, 0xB007]).multinomial(
        counts.images,
        np.array([counts.first_only, counts.second_only, counts.both + counts.neither])
        / counts.images,
        size=resamples,
    )
    differences = 100 * (draws[:, 1] - draws[:, 0]) / counts.images
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, in the given order (Holm 1979).

    The smallest is multiplied by n, the next by n - 1, ...; none falls below a smaller one's.
    """
    adjusted, running = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted
