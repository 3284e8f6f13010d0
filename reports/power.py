"""How many seeds a verdict needs: the chance that an honest re-run is called reproduced.

The interval has the width of the spread that happens to be observed, so the chance is an integral
over that spread (the distribution of two one-sided tests: Phillips, J. Pharmacokinet. Biopharm. 18,
1990, who writes it with Owen's Q). It is evaluated to 1e-6 by Gauss-Legendre quadrature and held
against simulation by the tests.
"""

from functools import lru_cache
from typing import Any

from .claim_rules import FEWEST_STANDARD_ERRORS, SEED_DEVIATION
from .claims import Claim
from .intervals import Z_95, t_95

_NODES = 96
_USUAL_SEEDS = (1, 3, 5)
_MOST_SEEDS = 100


def power(
    margin: float,
    deviation: float,
    seeds: int,
    *,
    degrees: int | None,
    rounding: float = 0.0,
    claim_deviation: float = 0.0,
    shift: float = 0.0,
) -> float:
    """Return the probability of `reproduced` for a claim whose true difference is `shift`.

    Args:
        margin: of the claim.
        deviation: of one seed, the true one, in the margin's unit.
        seeds: whose mean is measured.
        degrees: of freedom of the deviation that the interval is made of: seeds - 1 for the
            seeds' own, more where it is pooled, None where it is assumed and not observed.
        rounding: half of the claim's last digit.
        claim_deviation: of the claimed number about its own mean; `deviation` where the
            source ran once.
        shift: true mean of our runs minus true mean of the source's.
    """
    import numpy as np
    from scipy.special import chdtr, chdtri, ndtr

    error = deviation / seeds**0.5
    total = (error**2 + claim_deviation**2) ** 0.5
    room = margin - rounding
    if room <= 0:
        return 0.0
    if not total or not error:
        return _chance(room, total, shift)

    quantile = Z_95 if degrees is None else t_95(degrees)
    # The largest observed over true error at which the interval fits, and which the gate of
    # 2.5 standard errors lets pass.
    widest = min(room / (quantile * error), margin / (FEWEST_STANDARD_ERRORS * error))
    if degrees is None:
        return _chance(room - quantile * error, total, shift) if widest >= 1 else 0.0
    share = float(chdtr(degrees, degrees * widest**2))
    nodes, weights = _quadrature()
    # Over the share of the spread's distribution rather than over the spread: smooth, bounded,
    # and cut off exactly where the interval stops fitting.
    observed = np.sqrt(chdtri(degrees, 1 - share * (nodes + 1) / 2) / degrees)
    half = room - quantile * error * observed
    inside = ndtr((half - shift) / total) - ndtr((-half - shift) / total)
    return float(share / 2 * np.sum(weights * np.clip(inside, 0.0, None)))


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Any, Any]:
    """Return nodes in [-1, 1] and weights of Gauss and Legendre: 4 ms to make."""
    import numpy as np

    return np.polynomial.legendre.leggauss(_NODES)


def _chance(half: float, total: float, shift: float) -> float:
    from scipy.special import ndtr

    if half < 0:
        return 0.0
    if not total:
        return float(abs(shift) <= half)
    return float(ndtr((half - shift) / total) - ndtr((-half - shift) / total))


def honest_power(claim: Claim, deviation: float, seeds: int, degrees: int | None) -> float:
    """Return the chance that `claim` is called reproduced if it is as true as its own re-run.

    The claimed number is itself the mean of `claim.claimed_seeds` runs of the same spread.
    """
    return power(
        claim.margin,
        deviation,
        seeds,
        degrees=degrees,
        rounding=claim.rounding,
        claim_deviation=deviation / claim.claimed_seeds**0.5,
    )


def power_statement(claim: Claim, deviation: float, seeds: int, degrees: int | None) -> str:
    """Return it as a sentence's part: `3 seeds at deviation 0.1 decide a margin of 0.5 ...`."""
    chance = honest_power(claim, deviation, seeds, degrees)
    verb = "seeds decide" if seeds > 1 else "seed decides"
    return (
        f"{seeds} {verb} a margin of {claim.margin:.3g} with probability {_rounded(chance)} "
        f"(an honest re-run, deviation {deviation:.2g} a seed)"
    )


def power_lines(claim: Claim) -> list[str]:
    """Return what 1, 3 and 5 seeds would settle for `claim`; [] where nothing is sampled.

    One seed is judged by the assumed deviation, several by their own.
    """
    deviation = SEED_DEVIATION.get(claim.kind)
    if deviation is None:
        return []
    return [
        power_statement(claim, deviation, seeds, None if seeds == 1 else seeds - 1)
        for seeds in _USUAL_SEEDS
    ]


def power_summary(claim: Claim) -> str:
    """Return the same in one line, and how many seeds decide with probability 0.9."""
    deviation = SEED_DEVIATION.get(claim.kind)
    if deviation is None:
        return "nothing varies with a seed: one measurement decides"
    chances = ", ".join(
        f"{seeds} seed{'s' if seeds > 1 else ''} {_rounded(chance)}"
        for seeds in _USUAL_SEEDS
        for chance in [honest_power(claim, deviation, seeds, None if seeds == 1 else seeds - 1)]
    )
    enough = seeds_for(claim, deviation)
    needed = "" if enough is None else f"; {enough} seeds decide with 0.9"
    return (
        f"an honest re-run is called reproduced with probability: {chances} (margin "
        f"{claim.margin:.3g}, deviation {deviation:g} a seed, assumed; one seed is judged by it, "
        f"several by their own{needed})"
    )


def seeds_for(
    claim: Claim, deviation: float, chance: float = 0.9, extra_degrees: int = 0
) -> int | None:
    """Return the fewest seeds, at least two, that decide with that `chance`; None: none up to 100.

    Args:
        extra_degrees: of freedom that other networks' seeds add to the spread.
    """
    for seeds in range(2, _MOST_SEEDS + 1):
        if honest_power(claim, deviation, seeds, seeds - 1 + extra_degrees) >= chance:
            return seeds
    return None


def _rounded(chance: float) -> str:
    # 0.9996 is not certainty.
    return "above 0.99" if chance > 0.99 else "below 0.01" if chance < 0.01 else f"{chance:.2f}"
