"""By how much a number is too high because the best of several was printed."""

from .claim_rules import SEED_DEVIATION
from .claims import Claim
from .metrics import METRICS


def expected_maximum(draws: int) -> float:
    """Return the mean of the largest of `draws` standard normal variables.

    Order statistics: the integral of x k phi(x) Phi(x)^(k-1); 0.5642 (= 1 / sqrt(pi)) for two,
    1.5388 for ten (Harter, Biometrika 48, 1961, Table 1).
    """
    from math import inf

    from scipy.integrate import quad
    from scipy.special import log_ndtr
    from scipy.stats import norm

    if draws == 1:
        return 0.0

    def density(x: float) -> float:
        from math import exp

        return x * draws * exp(norm.logpdf(x) + (draws - 1) * log_ndtr(x))

    return float(quad(density, -inf, inf)[0])


def expected_inflation(claim: Claim) -> float | None:
    """Return by how many points the best of `claim.best_of` exceeds their mean, on average.

    For runs that differ by chance alone, independently, with the deviation over seeds that is
    assumed for the claim's kind. 0 where the source chose nothing; None where the deviation
    between what it chose from is not known (k-NN does not vary with a seed). Settings that differ
    in quality inflate less than this says, epochs of one run (which move together) too: it is
    an upper bound on what chance adds, not a correction.
    """
    if claim.best_of == 1:
        return 0.0
    deviation = SEED_DEVIATION.get(claim.kind)
    return None if deviation is None else deviation * expected_maximum(claim.best_of)


def inflation_note(claim: Claim) -> str:
    """Return one sentence about a best-of-k claim; "" where the source chose nothing."""
    if claim.best_of == 1:
        return ""
    size = expected_inflation(claim)
    better = "low" if METRICS[claim.metric].lower_is_better else "high"
    said = f"The best of {claim.best_of} ({claim.best_of_what})"
    if size is None:
        return (
            f"{said}: too {better} by {expected_maximum(claim.best_of):.2f} deviations between "
            "them on average, if they differ by chance alone; that deviation is not known."
        )
    return (
        f"{said}: too {better} by up to {size:.2f} points on average, at a deviation of "
        f"{SEED_DEVIATION[claim.kind]:g} a run."
    )
