"""What `relicheck verify` prints: the table, the reasons grouped, the exit code."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .layout import text_table
from .tables import HEADER, judgement_dicts, judgement_rows, verdict_words
from .verdict import Judgement, Verdict


def table_text(judgements: Sequence[Judgement]) -> str:
    """Return the table in the registry's order: the ReLICv2 page before other papers."""
    return text_table(HEADER, [row for j in judgements for row in judgement_rows([j])])


def reasons_text(judgements: Sequence[Judgement]) -> str:
    """Return why a verdict is not `reproduced`, and each missing thing with what it holds up."""
    lines = []
    for judgement in judgements:
        if judgement.verdict not in (Verdict.NOT_MEASURED, Verdict.REPRODUCED):
            lines.append(f"{judgement.claim.id}: {verdict_words(judgement)}, {judgement.reason}")
            if judgement.claim.expected_reason:
                lines.append(f"  known: {judgement.claim.expected_reason}")
    absent = [j for j in judgements if j.verdict is Verdict.NOT_MEASURED]
    held_up = Counter(thing for j in absent for thing in j.missing or (j.reason,))
    if held_up:
        lines += ["", f"Not measured: {_claims(len(absent))}."]
        lines += [f"- {thing} ({_claims(count)})" for thing, count in held_up.most_common()]
    return "\n" + "\n".join(lines).strip("\n") + "\n" if lines else ""


def _claims(count: int) -> str:
    return f"{count} claim" + ("s" if count != 1 else "")


def summary(judgements: Sequence[Judgement]) -> str:
    """Return one sentence: how many claims came out how."""
    counts = Counter(verdict_words(judgement) for judgement in judgements)
    return f"{_claims(len(judgements))}: " + (
        ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        or "none selected"
    )


def exit_code(judgements: Sequence[Judgement]) -> int:
    """Return 1 if a claim was contradicted, else 2 if a measurement was invalid, else 0."""
    if any(judgement.verdict.discrepancy for judgement in judgements):
        return 1
    return 2 if any(j.verdict is Verdict.INVALID for j in judgements) else 0


def judgements_as_json(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return every fact of every judgement, in the registry's order."""
    return [facts for judgement in judgements for facts in judgement_dicts([judgement])]
