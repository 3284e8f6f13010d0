"""The rule that a verdict is read from, as a function of arrays.

DESIGN.md, "Judging a claim", 2: two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm.
15, 1987) at 5 % each are the 90 % interval held against the margin. `verdict.judge` calls it with
one claim, `characteristics` with ten thousands of simulated ones: the operating characteristics
are those of this function and of no copy of it.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from .claim_rules import FEWEST_STANDARD_ERRORS

# Float noise of subtracting two percents; far below any printed digit.
NOISE = 1e-9


class Outcome(IntEnum):
    """Where the interval of `measured minus claimed` lies."""

    BELOW = -1  # the whole interval is below minus the margin
    INSIDE = 0  # the whole interval is within the margin
    ABOVE = 1  # the whole interval is above the margin
    OPEN = 2  # it crosses a margin, or the margin is too narrow for it to be trusted


def limits(difference: Any, error: Any, quantile: Any, rounding: Any) -> tuple[Any, Any]:
    """Return the ends of the interval of `difference`, widened by the claim's rounding.

    Args:
        difference: mean over seeds minus the claim, in the claim's unit; number or array.
        error: standard error of that mean, in the same unit.
        quantile: of the error's distribution, for one side: Student's t or the normal.
        rounding: half of the claim's last printed digit.
    """
    half = quantile * error + rounding
    return difference - half, difference + half


def decide(low: Any, high: Any, error: Any, margin: Any) -> np.ndarray:
    """Return an `Outcome` per interval, as int8; shapes broadcast.

    An interval inside the margin counts only where the margin is at least 2.5 standard
    errors: below that the interval lies inside by luck of a small observed spread.
    """
    low, high, error = np.asarray(low), np.asarray(high), np.asarray(error)
    limit = np.asarray(margin) + NOISE
    inside = (low >= -limit) & (high <= limit) & (limit >= FEWEST_STANDARD_ERRORS * error)
    return np.select(
        [low > limit, high < -limit, inside],
        [np.int8(Outcome.ABOVE), np.int8(Outcome.BELOW), np.int8(Outcome.INSIDE)],
        np.int8(Outcome.OPEN),
    ).astype(np.int8)
