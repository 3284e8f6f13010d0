"""Claimed beside measured: the rows of the table that the project is for."""

import json
import re
from collections.abc import Iterable
from typing import Any

from .layout import csv_table, markdown_table, markdown_text, text_table
from .verdict import Judgement, Verdict

__all__ = [
    "FACTS",
    "HEADER",
    "csv_cell",
    "csv_table",
    "facts",
    "full_reason",
    "identified_rows",
    "judgement_dicts",
    "judgement_facts",
    "judgement_row",
    "judgement_rows",
    "judgements_csv",
    "judgements_json",
    "judgements_markdown",
    "judgements_text",
    "markdown_table",
    "measured_text",
    "reason_groups",
    "sort_judgements",
    "text_table",
    "verdict_words",
]

HEADER = ("Dataset", "Model", "Metric", "Claimed", "Measured ±", "Protocol", "Verdict")

# "ResNet-50 1x (expected; the page does not state it)": the remark goes to the long layouts.
_REMARK = re.compile(r"\s*\([^()]*\)\s*$")


def sort_judgements(judgements: Iterable[Judgement]) -> list[Judgement]:
    """Return the judgements by data set, method, architecture, metric and claim id."""
    return sorted(
        judgements,
        key=lambda j: (
            j.claim.dataset.casefold(),
            j.claim.method.casefold(),
            j.claim.architecture.casefold(),
            j.claim.metric,
            j.claim.id,
        ),
    )


def judgement_rows(judgements: Iterable[Judgement]) -> list[tuple[str, ...]]:
    """Return one row of cells per judgement, sorted, for the columns of `HEADER`.

    The number behind ± is half of the 90 % interval that the verdict was read from,
    without the widening for the claim's rounding; a claim that was not measured has an
    empty cell.
    """
    return [judgement_row(judgement) for judgement in sort_judgements(judgements)]


def judgements_text(judgements: Iterable[Judgement]) -> str:
    """Return the table for a terminal."""
    return text_table(HEADER, judgement_rows(judgements))


def judgements_markdown(judgements: Iterable[Judgement]) -> str:
    """Return the table in Markdown, with the claims' ids, and the reasons below it.

    A claim that is reproduced needs none: its row has both numbers.
    """
    ordered = sort_judgements(judgements)
    reasons = (
        f"- **{verdict}**, {', '.join(map(_code, ids))}: {markdown_text(reason)}\n"
        for verdict, reason, ids in reason_groups(
            j for j in ordered if j.verdict is not Verdict.REPRODUCED
        )
    )
    return markdown_table(*identified_rows(ordered)) + "\n" + "".join(reasons)


def identified_rows(
    judgements: Iterable[Judgement],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows with the claim's id last: one network has many claims on it."""
    ordered = sort_judgements(judgements)
    rows = zip(judgement_rows(ordered), ordered, strict=True)
    return (*HEADER, "Claim"), [(*row, judgement.claim.id) for row, judgement in rows]


def judgements_csv(judgements: Iterable[Judgement]) -> str:
    """Return the table as CSV: one column per fact, numbers without units, empty: missing."""
    dicts = judgement_dicts(judgements)
    rows = [[csv_cell(value) for value in d.values()] for d in dicts]
    return csv_table(tuple(dicts[0]) if dicts else FACTS, rows)


def judgements_json(judgements: Iterable[Judgement]) -> str:
    """Return every fact of every judgement as a JSON list, keys sorted."""
    return json.dumps(judgement_dicts(judgements), indent=1, sort_keys=True, allow_nan=False) + "\n"


def judgement_dicts(judgements: Iterable[Judgement]) -> list[dict[str, Any]]:
    """Return the facts of every judgement, sorted, as JSON can hold them.

    Numbers are in the claim's unit; what was not measured is None.
    """
    return [judgement_facts(judgement) for judgement in sort_judgements(judgements)]


def reason_groups(judgements: Iterable[Judgement]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (verdict, reason, claim ids) for every distinct reason, in the table's order.

    What is missing, and where to get it, follows the reason unless the reason says so itself.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for judgement in sort_judgements(judgements):
        key = (verdict_words(judgement), full_reason(judgement))
        groups.setdefault(key, []).append(judgement.claim.id)
    return [(verdict, reason, tuple(ids)) for (verdict, reason), ids in groups.items()]


def full_reason(judgement: Judgement) -> str:
    """Return the reason of the verdict with each missing thing that it does not name itself.

    A known disagreement is explained by what the registry knows of it.
    """
    claim = judgement.claim
    more = [thing for thing in judgement.missing if thing not in judgement.reason]
    if claim.expected_reason and claim.expected_verdict == judgement.verdict:
        more.append(f"Known: {claim.expected_reason}")
    return " ".join([judgement.reason, *more]).strip()


def verdict_words(judgement: Judgement) -> str:
    """Return the verdict as it is shown: `not reproduced`."""
    return str(judgement.verdict).replace("_", " ")


def judgement_row(judgement: Judgement) -> tuple[str, ...]:
    """Return the cells of one judgement, for the columns of `HEADER`."""
    claim = judgement.claim
    unit = f" ({claim.unit})" if claim.unit in ("%", "points") else ""
    return (
        claim.dataset,
        f"{claim.method}, {_REMARK.sub('', claim.architecture)}",
        claim.metric + unit,
        claim.value + (" (recalled)" if claim.recalled else ""),
        measured_text(judgement),
        ", ".join(judgement.protocols),
        verdict_words(judgement),
    )


def measured_text(judgement: Judgement) -> str:
    """Return `25.87 ± 0.20`, the half-width without the widening for rounding; "": nothing."""
    if judgement.measured is None:
        return ""
    # As many decimals as the claim, and at least two: a claim of 25.9 hides 25.949 otherwise.
    decimals = max(2, _decimals(judgement.claim.value))
    half_width = _half_width(judgement)
    spread = "" if half_width is None else f" ± {half_width:.{decimals}f}"
    return f"{judgement.measured:.{decimals}f}{spread}"


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def _half_width(judgement: Judgement) -> float | None:
    if judgement.interval is None:
        return None
    low, high = judgement.interval
    return max(0.0, (high - low) / 2 - judgement.claim.rounding)


FACTS = (
    "claim", "dataset", "method", "architecture", "metric", "unit", "claimed", "measured",
    "standard_error", "difference", "interval", "margin", "margin_reason", "protocol_claimed",
    "protocols", "verdict", "reason", "missing", "records", "confidence", "source",
)  # fmt: skip


def judgement_facts(judgement: Judgement) -> dict[str, Any]:
    """Return the facts of one judgement, as JSON can hold them: the names of `FACTS`."""
    return dict(zip(FACTS, facts(judgement), strict=True))


def facts(judgement: Judgement) -> tuple[Any, ...]:
    """Return the facts of one judgement in the order of `FACTS`."""
    claim = judgement.claim
    return (
        claim.id, claim.dataset, claim.method, claim.architecture, claim.metric, claim.unit,
        claim.value, judgement.measured, judgement.standard_error, judgement.difference,
        list(judgement.interval) if judgement.interval else None, judgement.margin,
        claim.margin_reason, claim.protocol, list(judgement.protocols), str(judgement.verdict),
        judgement.reason, list(judgement.missing), [record.id for record in judgement.records],
        claim.confidence, claim.source,
    )  # fmt: skip


def csv_cell(value: object) -> str:
    """Return one fact as CSV holds it; "" for what is missing."""
    if isinstance(value, list):
        return "; ".join(csv_cell(item) for item in value)
    # Six significant digits below the point: float noise would make the file differ by machine.
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)


def _code(name: str) -> str:
    return "`" + name.replace("`", "'") + "`"
