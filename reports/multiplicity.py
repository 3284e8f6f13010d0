"""Many claims of one table: how often is one of them called wrong by chance?

Each verdict of its own errs at most once in twenty at the margin; of thirty, one or two will.
The p values of the discrepancies of one table are therefore adjusted by Holm (Scand. J. Statist.
6, 1979): the chance that any claim of the table that holds is called a discrepancy stays below 5 %.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ..evaluations.paired_tests import holm
from ..evaluations.record import Record
from .claims import Claim
from .spread import by_protocol, pool
from .verdict import Judgement, Verdict, judge

LEVEL = 0.05


def judge_together(measured: Sequence[tuple[Claim, Sequence[Record]]]) -> list[Judgement]:
    """Return the verdicts on several claims, whose seeds inform one another, in the given order.

    The spread over seeds is pooled over networks per protocol, and the p values of each
    source's table are adjusted for their number.

    Raises:
        BadRecord: as `judge`.
    """
    alone = [judge(claim, records) for claim, records in measured]
    spreads = pool(
        group
        for judgement in alone
        if judgement.verdict is not Verdict.INVALID
        for group in by_protocol(judgement.records)
    )
    if spreads:
        alone = [judge(claim, records, spreads) for claim, records in measured]
    return over_tables(alone)


def over_tables(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements, in their order, with `p_adjusted` over each source's table.

    A table is `claim.paper` and `claim.table`. Its family are all its claims whose verdict was
    read from a sample (`p_value` is not None), whatever they came out as: to adjust over the
    discrepancies alone would be to choose the family by its result. Numbers without
    sampling error (recomputations, re-evaluations) are no tests and stay as they are. A
    discrepancy above 5 % after the adjustment becomes inconclusive and says so.
    """
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, judgement in enumerate(judgements):
        if judgement.p_value is not None:
            families[judgement.claim.paper, judgement.claim.table].append(index)
    result = list(judgements)
    for members in families.values():
        adjusted = holm([float(result[index].p_value or 0.0) for index in members])
        for index, p in zip(members, adjusted, strict=True):
            result[index] = _adjusted(result[index], p, len(members))
    return result


def _adjusted(judgement: Judgement, p: float, family: int) -> Judgement:
    judgement = replace(judgement, p_adjusted=p, family=family)
    if not judgement.verdict.discrepancy or p <= LEVEL:
        return judgement
    words = str(judgement.verdict).replace("_", " ")
    return replace(
        judgement,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"{judgement.reason} By itself it would be {words} (p = {judgement.p_value:.2g}); "
        f"as one of {family} claims of its table p = {p:.2g} after Holm, which decides nothing.",
    )
