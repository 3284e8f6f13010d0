"""Verdicts: few, and defined here once. One pure function of a claim and its records.

DESIGN.md, "Judging a claim". Same weights on the same images carry no sampling error,
only rounding and numerics; a probe or a fine-tuned network varies with its seed; a part
of the images varies with the draw. So the interval depends on the claim's kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..checkpoints.errors import BadClaim, BadRecord
from ..evaluations.record import Record
from .claim_rules import FEWEST_STANDARD_ERRORS, SEED_DEVIATION, TEST_IMAGES
from .claims import Claim
from .decision import NOISE, Outcome, decide, limits
from .inflation import inflation_note
from .intervals import Z_95, deviation, mean, part_correction, part_error, t_95, upper_tails
from .metrics import METRICS, SHARES
from .power import power_statement
from .records import flaw, from_predictions, number_of
from .spread import Key, Spread, by_protocol, spread_key

_MOST_SEEDS = 100
# A fraction that, taken as a percent, lands this near what was measured is one.
_NEAR_POINTS = 10.0


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
    spread: Spread | None = None  # over seeds, as the interval has it; None: nothing is sampled
    # Of "the claim holds within its margin"; None where nothing is sampled. `p_adjusted` after
    # Holm over the `family` claims of its table that were tested (`multiplicity.over_tables`).
    p_value: float | None = None
    p_adjusted: float | None = None
    family: int = 1
    power: str = ""  # how likely so many seeds decide it; "" where nothing is sampled


def judge(
    claim: Claim, records: Iterable[Record], spreads: Mapping[Key, Spread] | None = None
) -> Judgement:
    """Return the verdict on `claim` from `records`, all of one subject.

    Gates come first: a recalled claim is never judged, a record of unknown weights, of an
    inadmissible protocol or of another data set is invalid. Then every protocol is judged
    by itself; where they disagree and the paper names none, that is the verdict.

    Args:
        claim: what is claimed.
        records: that speak of it.
        spreads: over seeds, pooled over networks (`spread.pool`); None: these records' own.

    Raises:
        BadRecord: a record is about something else, of another subject or of more or fewer
            images than the others, or holds an impossible number. It is never averaged in.
        BadClaim: the claim is a fraction where percents are measured.
    """
    records = tuple(records)
    if claim.recalled:
        return _unmeasured(claim, "recalled, its source was not re-read: shown, never judged")
    if not records:
        return _unmeasured(claim, claim.unmeasurable or "no record speaks of it")
    # By object: a record's id is a hash over all of it.
    numbers = {id(record): number_of(record, claim) for record in records}
    _check_percent(claim, numbers.values())
    _check_one_subject(claim, records)
    for record in records:
        if reason := flaw(record, claim, TEST_IMAGES.get(claim.data)):
            return Judgement(
                claim=claim,
                verdict=Verdict.INVALID,
                reason=f"Must not be compared: {reason}.",
                protocols=(record.protocol,),
                records=records,
            )
    return _combine(
        [_judge_protocol(claim, group, numbers, spreads or {}) for group in by_protocol(records)]
    )


def _unmeasured(claim: Claim, reason: str) -> Judgement:
    return Judgement(claim=claim, verdict=Verdict.NOT_MEASURED, reason=reason)


def _check_percent(claim: Claim, numbers: Iterable[float]) -> None:
    """Return if the claim is no fraction among percents; the converse is the record's check."""
    decimals = len(claim.value.partition(".")[2])
    # "0.3" may be a percent, of a collapsed network; "0.761" beside 76.2 is not.
    if claim.unit != "%" or not 0 < claim.number <= 1 or decimals < 2:
        return
    for number in numbers:
        if abs(100 * claim.number - number) < _NEAR_POINTS:
            raise BadClaim(
                f"claim {claim.id}",
                f"claimed {claim.value} %, measured {number:.2f} %",
                "a percent: a fraction was written as it is",
            )


def _check_one_subject(claim: Claim, records: Sequence[Record]) -> None:
    for field in ("weights_sha256", "subject", "split", "data_fingerprint"):
        # Fine-tuned and pretrained networks differ in their weights from seed to seed.
        if claim.kind == "re_pretraining" and field in ("weights_sha256", "subject"):
            continue
        found = sorted({str(getattr(record, field)) for record in records})
        if len(found) > 1:
            raise BadRecord(
                f"claim {claim.id}",
                f"records of {len(found)} different {field}: {', '.join(found)}",
                "records of one subject on one data set",
            )


def _combine(judgements: Sequence[Judgement]) -> Judgement:
    """Return one verdict from one judgement per protocol."""
    first = judgements[0]
    if len(judgements) == 1:
        return first
    protocols = tuple(dict.fromkeys(p for j in judgements for p in j.protocols))
    records = tuple(record for j in judgements for record in j.records)
    spelled = "; ".join(
        f"{j.protocols[0]}: {j.measured:.2f}, {str(j.verdict).replace('_', ' ')}"
        for j in judgements
    )
    if len({j.verdict for j in judgements}) == 1:
        return replace(
            first,
            reason=f"All protocols agree. {first.reason}",
            protocols=protocols,
            records=records,
            # Each of them has to be a discrepancy for all to be one.
            p_value=max((j.p_value for j in judgements if j.p_value is not None), default=None),
        )
    return Judgement(
        claim=first.claim,
        verdict=Verdict.PROTOCOL_DEPENDENT,
        reason=f"The source names no protocol, and they disagree: {spelled}.",
        margin=first.margin,
        protocols=protocols,
        records=records,
    )


def _judge_protocol(
    claim: Claim,
    records: Sequence[Record],
    numbers: dict[int, float],
    spreads: Mapping[Key, Spread],
) -> Judgement:
    """Return the verdict from the records of one protocol."""
    seeds = {record.seed: numbers[id(record)] for record in records}
    if len(seeds) < len(records):
        raise BadRecord(
            f"claim {claim.id}",
            f"{len(records)} records of {len(seeds)} seeds",
            "one record per seed: two of one seed are not two seeds",
        )
    if len(sizes := {record.images for record in records}) > 1:
        raise BadRecord(
            f"claim {claim.id}",
            f"records of {' and '.join(f'{size:,}' for size in sorted(sizes))} images",
            "all of one number: a part is not averaged with the whole",
        )
    values = list(seeds.values())
    measured, difference = mean(values), mean(values) - claim.number
    facts = Judgement(
        claim=claim,
        verdict=Verdict.INCONCLUSIVE,
        reason="",
        measured=measured,
        difference=difference,
        margin=claim.margin,
        protocols=(records[0].protocol,),
        records=tuple(records),
    )
    if not all(record.complete for record in records):
        return _judge_part(facts, values)
    if claim.kind == "recomputation":
        return _judge_recomputation(facts)
    return _judge_complete(
        facts, values, spreads.get(spread_key(records[0], claim.kind == "re_pretraining"))
    )


def _judge_recomputation(facts: Judgement) -> Judgement:
    """Judge the same outputs, or weights on pixels that need no decoder and no resizing.

    Nothing is sampled, so nothing stays in doubt.

    The unrounded claim lies within `rounding` of the printed one; the claim is
    reproduced where some such value lies within the margin.
    """
    claim, difference = facts.claim, _known(facts.difference)
    spread = claim.rounding
    facts = replace(facts, standard_error=0.0, interval=(difference - spread, difference + spread))
    counted = from_predictions(facts.records[0])
    how = "the same outputs, counted again" if counted else "the same weights on the same pixels"
    if abs(difference) <= spread + claim.margin + NOISE:
        return _conclude(facts, Verdict.REPRODUCED, how)
    return _conclude(facts, _direction(facts), how)


def _judge_complete(facts: Judgement, values: Sequence[float], pooled: Spread | None) -> Judgement:
    claim, difference, seeds = facts.claim, _known(facts.difference), len(values)
    spread = _spread(claim, values, pooled)
    if spread is None:
        error, quantile, how = 0.0, 0.0, "same weights, same images: no sampling error"
    else:
        error, quantile = spread.deviation / seeds**0.5, spread.quantile
        how = spread.words(seeds)
    low, high = limits(difference, error, quantile, claim.rounding)
    facts = replace(facts, standard_error=error, interval=(low, high), spread=spread)
    if spread is not None:
        beyond = abs(difference) - claim.rounding - claim.margin
        facts = replace(
            facts,
            p_value=_p_value(beyond, error, spread.degrees),
            power=power_statement(claim, spread.deviation, seeds, spread.degrees),
        )
    outcome = Outcome(int(decide(low, high, error, claim.margin)))
    if outcome in (Outcome.BELOW, Outcome.ABOVE):
        return _conclude(facts, _direction(facts), how)
    if outcome is Outcome.INSIDE:
        return _conclude(facts, Verdict.REPRODUCED, how)
    if max(-low, high) <= claim.margin + NOISE:
        how += f"; the margin is below {FEWEST_STANDARD_ERRORS:g} standard errors"
    settled = "; ".join(part for part in (_settle(facts, seeds), facts.power) if part)
    return _conclude(facts, Verdict.INCONCLUSIVE, f"{how}; {settled}")


def _spread(claim: Claim, values: Sequence[float], pooled: Spread | None) -> Spread | None:
    """Return what is known of the spread over seeds; None where nothing varies with a seed."""
    if pooled is not None:
        return pooled
    if len(values) > 1:
        return Spread(deviation=deviation(values), degrees=len(values) - 1)
    if claim.kind in SEED_DEVIATION:
        return Spread(deviation=SEED_DEVIATION[claim.kind], degrees=None)
    return None


def _p_value(beyond: float, error: float, degrees: int | None) -> float:
    """Return P(so far beyond the margin | the claim holds at the margin), one-sided."""
    return float(upper_tails(beyond - NOISE, error, degrees))


def _judge_part(facts: Judgement, values: Sequence[float]) -> Judgement:
    """Judge a number from part of the images: consistent at best, never reproduced."""
    claim, record = facts.claim, facts.records[0]
    images = min(r.images for r in facts.records)
    seeds, part = len(values), f"{images} of {record.data_images or 'an unknown number of'} images"
    sampling = _sampling_error(facts, images)
    if sampling is None:
        return replace(
            facts,
            reason=f"Only {part}, and no standard error of {record.metric} was kept: only the "
            "complete split decides.",
        )
    spread = deviation(values) if seeds > 1 else SEED_DEVIATION.get(claim.kind, 0.0)
    error = (sampling**2 + spread**2 / seeds) ** 0.5
    difference = _known(facts.difference)
    half = Z_95 * error + claim.rounding
    low, high = difference - half, difference + half
    facts = replace(facts, standard_error=error, interval=(low, high))
    if low <= NOISE and high >= -NOISE:
        return _conclude(facts, Verdict.CONSISTENT, f"only {part}: cannot confirm")
    return _conclude(
        facts, Verdict.INCONCLUSIVE, f"only {part}: off, but only the complete split decides"
    )


def _sampling_error(facts: Judgement, images: int) -> float | None:
    """Return the error of a number from part of the images; None: not known.

    Binomial for a share of images. mIoU, mCE and mAP are none: theirs is the bootstrap over
    images that the evaluator recorded.
    """
    record = facts.records[0]
    if record.metric in SHARES:
        return part_error(_known(facts.measured), images, record.data_images)
    errors = [r.standard_error for r in facts.records if r.standard_error is not None]
    if len(errors) < len(facts.records):
        return None
    return max(errors) * part_correction(images, record.data_images)


def _known(value: float | None) -> float:
    assert value is not None
    return value


def _direction(facts: Judgement) -> Verdict:
    sign = -1 if METRICS[facts.claim.metric].lower_is_better else 1
    return Verdict.EXCEEDS if sign * _known(facts.difference) > 0 else Verdict.NOT_REPRODUCED


def _settle(facts: Judgement, measured_seeds: int) -> str:
    """Return how many seeds would settle it, at the present mean and deviation."""
    claim, difference, spread = facts.claim, _known(facts.difference), facts.spread
    if spread is None or not spread.deviation:
        return "how far the claim was rounded leaves it open"
    # An assumed deviation is replaced by the seeds' own as soon as there are two.
    known = (spread.degrees or 0) - measured_seeds if spread.degrees else -1
    for seeds in range(max(2, measured_seeds + 1), _MOST_SEEDS + 1):
        error = spread.deviation / seeds**0.5
        low, high = limits(difference, error, t_95(seeds + known), claim.rounding)
        if decide(low, high, error, claim.margin) != Outcome.OPEN:
            return f"{seeds} seeds would settle it if they stay like this"
    return f"it lies too near the margin: {_MOST_SEEDS} seeds would not settle it"


def _conclude(facts: Judgement, verdict: Verdict, how: str) -> Judgement:
    claim, (low, high) = facts.claim, facts.interval or (0.0, 0.0)
    points = " points" if claim.unit in ("%", "points") else ""
    accuracy = ""
    if METRICS[claim.metric].error_of:
        accuracy = f", {METRICS[claim.metric].error_of} {100 - _known(facts.measured):.2f}"
    reason = (
        f"{_signed(_known(facts.difference))}{points} from {claim.value}{accuracy} "
        f"(90 % interval {_signed(low)} to {_signed(high)}, margin {claim.margin:.3g}): {how}."
    )
    # The best of several is too high by chance alone: the likeliest cause of a shortfall.
    chosen = inflation_note(claim) if verdict is Verdict.NOT_REPRODUCED else ""
    return replace(facts, verdict=verdict, reason=f"{reason} {chosen}".strip())


def _signed(value: float) -> str:
    # Adding 0.0 turns the -0.0 of a rounded negative into 0.
    return f"{round(value, 3) + 0.0:+.3f}"
