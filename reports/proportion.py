"""How many claims were reproduced, and how well that share is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from .verdict import Judgement, Verdict

# What a complete measurement can come out as. `consistent` and a part of the images cannot
# confirm a claim whatever it says, and would count against the papers.
_DECIDABLE = (
    Verdict.REPRODUCED,
    Verdict.NOT_REPRODUCED,
    Verdict.EXCEEDS,
    Verdict.INCONCLUSIVE,
    Verdict.PROTOCOL_DEPENDENT,
)


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """k of n claims reproduced, with the 95 % Wilson interval of the share in percent."""

    reproduced: int
    judged: int  # measured completely, whatever the verdict
    interval: tuple[float, float]  # percent; (0, 100) where nothing was judged

    @property
    def sentence(self) -> str:
        """Return it for people: `118 of 136 reproduced, 95 % Wilson interval 80.0 to 91.5 %`."""
        if not self.judged:
            return "no claim was measured completely"
        low, high = self.interval
        return (
            f"{self.reproduced} of {self.judged} reproduced, "
            f"95 % Wilson interval {low:.1f} to {high:.1f} %"
        )

    def as_dict(self) -> dict[str, int | list[float]]:
        """Return it as JSON can hold it; the interval in percent."""
        return {
            "reproduced": self.reproduced,
            "judged": self.judged,
            "wilson_95_percent": list(self.interval),
        }


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share, as fractions; (0, 1) for no trials.

    Wilson (J. Am. Stat. Assoc. 22, 1927), without continuity correction, as
    `scipy.stats.binomtest(k, n).proportion_ci(level, "wilson")`, which the tests hold it
    against: a summary is printed where scipy is not installed, too.
    """
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, weight = successes / trials, z * z / trials
    centre = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / trials + weight / trials / 4)
    # At the ends the interval reaches 0 or 1 exactly; float arithmetic leaves 1e-17.
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


def reproduced(judgements: Sequence[Judgement]) -> Reproduced:
    """Return how many of the claims that were measured completely are reproduced.

    Claims of one network share its luck, so the interval, which takes them for independent
    draws, is the shortest that can be defended.
    """
    judged = [j for j in judgements if j.verdict in _DECIDABLE and _complete(j)]
    count = sum(j.verdict is Verdict.REPRODUCED for j in judged)
    low, high = wilson(count, len(judged))
    return Reproduced(reproduced=count, judged=len(judged), interval=(100 * low, 100 * high))


def _complete(judgement: Judgement) -> bool:
    return all(record.complete for record in judgement.records)
