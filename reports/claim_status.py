"""Where a claim stands, in one or two words, and choosing claims by it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..checkpoints.errors import UsageError
from .claims import Claim
from .contradictions import load_contradictions
from .verdict import Judgement, Verdict

MEASURABLE, UNMEASURABLE, RECALLED, DISPUTED = "measurable", "unmeasurable", "recalled", "disputed"
# A claim without a record stands as one of the first three; `disputed` may come on top.
STATUSES = (MEASURABLE, UNMEASURABLE, RECALLED, DISPUTED)


def statuses(claim: Claim, judgements: Sequence[Judgement] = ()) -> tuple[str, ...]:
    """Return every status of `claim`: its verdicts where it was judged, else what it waits for.

    Args:
        judgements: of this claim, one per checkpoint that was measured.
    """
    if judgements:
        stands = tuple(dict.fromkeys(str(j.verdict) for j in judgements))
    elif claim.recalled:
        stands = (RECALLED,)
    else:
        stands = (UNMEASURABLE if claim.unmeasurable else MEASURABLE,)
    return (*stands, DISPUTED) if claim.id in _disputed() else stands


def status_words(claim: Claim, judgements: Sequence[Judgement] = ()) -> str:
    """Return the statuses as they are shown: `not reproduced, disputed`."""
    return ", ".join(status.replace("_", " ") for status in statuses(claim, judgements))


def with_status(
    claims: Iterable[Claim],
    wanted: Sequence[str],
    judged: Mapping[str, Sequence[Judgement]],
) -> list[Claim]:
    """Return the claims that have one of the statuses `wanted`; all, where none is named."""
    named = {status.replace(" ", "_").replace("-", "_") for status in wanted}
    return [
        claim
        for claim in claims
        if not named or named & set(statuses(claim, judged.get(claim.id, ())))
    ]


def judged_by_claim(records: Path, claims: Sequence[Claim]) -> dict[str, list[Judgement]]:
    """Return the judgements of a folder of records by the id of their claim.

    Raises:
        MissingData: there is no such folder, or no record in it.
        BadRecord: a record was edited, or cannot be a measurement.
    """
    from .matching import judge_records
    from .scored import latest, read_scored

    found: dict[str, list[Judgement]] = {}
    for judgement in judge_records([item.record for item in latest(read_scored(records))], claims):
        found.setdefault(judgement.claim.id, []).append(judgement)
    return found


def check_needs_records(wanted: Sequence[str], records: Path | None) -> None:
    """Return if the statuses can be told without records, or there are some.

    Raises:
        UsageError: a verdict is asked for and no records are named.
    """
    verdicts = sorted({status for status in wanted if status in set(Verdict)})
    if verdicts and records is None:
        raise UsageError(
            f"--status {verdicts[0]}",
            "a verdict, and no records are named",
            f"--records DIR with it, or one of {', '.join(STATUSES)}",
        )


def _disputed() -> frozenset[str]:
    return frozenset(name for c in load_contradictions() for name in c.claims)
