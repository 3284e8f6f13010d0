"""Verdicts: few, and defined here once."""

from dataclasses import dataclass
from enum import StrEnum

from ..evaluations.record import Record
from .claims import Claim


class Verdict(StrEnum):
    """What relicheck says of one claim."""

    REPRODUCED = "reproduced"  # the whole interval lies within the margin
    NOT_REPRODUCED = "not_reproduced"  # the whole interval is worse by more than the margin
    EXCEEDS = "exceeds"  # the whole interval is better by more than the margin: a discrepancy too
    INCONCLUSIVE = "inconclusive"  # the interval crosses the margin: more seeds would settle it
    PROTOCOL_DEPENDENT = "protocol_dependent"  # admissible protocols disagree, the paper names none
    CONSISTENT = "consistent"  # measured on part of the images: cannot confirm, does not contradict
    NOT_MEASURED = "not_measured"  # something is missing; the reason says what and where to get it
    INVALID = "invalid"  # a gate failed: this measurement must not be compared

    @property
    def discrepancy(self) -> bool:
        """Whether the claim was measured and does not hold as stated."""
        return self in (Verdict.NOT_REPRODUCED, Verdict.EXCEEDS)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One claim beside what was measured. Numbers in the claim's unit; None: not measured."""

    claim: Claim
    verdict: Verdict
    reason: str  # one sentence for people
    measured: float | None = None  # mean over seeds
    standard_error: float | None = None  # of `measured`; 0 where nothing is sampled
    interval: tuple[float, float] | None = None  # 90 % interval of `difference`, rounding included
    difference: float | None = None  # measured minus claimed
    margin: float | None = None  # the one applied
    protocols: tuple[str, ...] = ()  # ids of the protocols measured
    records: tuple[Record, ...] = ()
    missing: tuple[str, ...] = ()  # for not_measured: each thing that is missing, and its source
