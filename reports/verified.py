"""What `relicheck verify` prints: the table, the reasons grouped, the exit code."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .claims import Claim
from .layout import text_table
from .proportion import reproduced
from .tables import HEADER, judgement_dicts, judgement_rows, verdict_words
from .verdict import Judgement, Verdict
from .where import network_of, weights_address, weights_needed


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
    held_up = Counter(line for j in absent for line in _missing_lines(j))
    if held_up:
        networks = _networks(absent)
        lines += ["", f"Not measured: {_claims(len(absent))}."]
        lines += [
            f"- {line.format(networks=networks.get(line, ''))} ({_claims(count)})"
            for line, count in held_up.most_common()
        ]
    return "\n" + "\n".join(lines).strip("\n") + "\n" if lines else ""


_MOST_NAMED = 6


def _missing_lines(judgement: Judgement) -> list[str]:
    """Return what is missing; weights without their network, so that one address is one line."""
    things = judgement.missing or (judgement.reason,)
    return [
        _weights_line(judgement.claim)
        if thing == weights_needed(judgement.claim)
        else thing.replace("{", "{{").replace("}", "}}")
        for thing in things
    ]


def _weights_line(claim: Claim) -> str:
    where = weights_address(claim).replace("{", "{{").replace("}", "}}")
    return "needs the weights of {networks} (" + where + "): --checkpoint FILE"


def _networks(absent: Sequence[Judgement]) -> dict[str, str]:
    """Return the networks that each line about weights stands for, the first few by name."""
    found: dict[str, dict[str, None]] = {}
    for judgement in absent:
        if weights_needed(judgement.claim) in judgement.missing:
            line = _weights_line(judgement.claim)
            found.setdefault(line, {})[network_of(judgement.claim)] = None
    return {line: _listed(list(names)) for line, names in found.items()}


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return "; ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _claims(count: int) -> str:
    return f"{count} claim" + ("s" if count != 1 else "")


def summary(judgements: Sequence[Judgement]) -> str:
    """Return how many claims came out how, and the interval of the share reproduced."""
    counts = Counter(verdict_words(judgement) for judgement in judgements)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    share = reproduced(judgements)
    return f"{_claims(len(judgements))}: {counted or 'none selected'}" + (
        f". {share.sentence}" if share.judged else ""
    )


def exit_code(judgements: Sequence[Judgement]) -> int:
    """Return 1 if a claim was contradicted, else 2 if a measurement was invalid, else 0."""
    if any(judgement.verdict.discrepancy for judgement in judgements):
        return 1
    return 2 if any(j.verdict is Verdict.INVALID for j in judgements) else 0


def judgements_as_json(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return every fact of every judgement, in the registry's order."""
    return [facts for judgement in judgements for facts in judgement_dicts([judgement])]
