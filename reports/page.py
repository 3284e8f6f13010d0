"""The report as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from .compare import Comparison, Missing, comparisons
from .comparison_tables import (
    captions,
    cell_text,
    row_names,
    sentences,
    summary,
)
from .proportion import reproduced
from .provenance_tables import environment_lines, measured_rows, protocol_rows
from .scored import Scored, latest
from .tables import HEADER, full_reason, judgement_rows, sort_judgements
from .verdict import Judgement, Verdict

_TEMPLATE = Path(__file__).with_name("page.html")

# A sign beside the word and the colour: either of them alone would do.
_BADGES = {
    Verdict.REPRODUCED: ("good", "✓"),
    Verdict.CONSISTENT: ("", "≈"),
    Verdict.NOT_REPRODUCED: ("bad", "✗"),
    Verdict.EXCEEDS: ("bad", "▲"),
    Verdict.INCONCLUSIVE: ("", "?"),
    Verdict.PROTOCOL_DEPENDENT: ("", "↔"),
    Verdict.NOT_MEASURED: ("empty", "\u2013"),
    Verdict.INVALID: ("bad", "!"),
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything the page shows."""

    title: str
    scored: Sequence[Scored] = ()
    judgements: Sequence[Judgement] = ()
    baseline: str = "random"
    commands: Sequence[str] = ()  # that repeat the numbers, one line each


def render_page(report: Report) -> str:
    """Return the page; the same report gives the same bytes.

    Everything that comes from a record or a claim is escaped.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    from jinja2 import Environment, StrictUndefined

    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True
    ).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(page_content(report))


def page_content(report: Report) -> dict[str, Any]:
    """Return what the template shows, as plain texts; figures are SVG elements."""
    shown = latest(report.scored)
    compared = comparisons(shown, report.baseline)
    return {
        "title": report.title,
        "version": __version__,
        "summaries": [*map(summary, compared), *_claims_summary(report.judgements)],
        "comparisons": [
            _comparison(c, shown, number) for number, c in enumerate(compared, start=1)
        ],
        "claim_header": (*HEADER[:6], "Verdict and reason"),
        "judgements": _judgements(report.judgements),
        "measured": measured_rows([item.record for item in shown]),
        "protocols": protocol_rows([item.record for item in shown]),
        "environments": environment_lines([item.record for item in shown]),
        "replaced": len(report.scored) - len(shown),
        "commands": list(report.commands),
    }


def _comparison(comparison: Comparison, scored: Sequence[Scored], number: int) -> dict[str, Any]:
    caption, difference_caption = captions(comparison)
    return {
        "where": f"{comparison.dataset} ({comparison.split})",
        "caption": caption,
        "difference_caption": difference_caption,
        "baseline": comparison.baseline,
        "columns": [column.title for column in comparison.columns],
        "rows": _rows(comparison),
        "sentences": sentences(comparison),
        "figures": _figures(comparison, scored, f"figure-{number}"),
    }


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    references = [index for index, row in enumerate(comparison.rows) if not row.is_method]
    return [
        {
            "name": name,
            "reference": not row.is_method,
            "first_reference": references[:1] == [index],
            "cells": [
                _cell(cell, difference, row.is_baseline)
                for cell, difference in zip(row.cells, row.differences, strict=True)
            ],
        }
        for index, (name, row) in enumerate(
            zip(row_names(comparison), comparison.rows, strict=True)
        )
    ]


def _cell(cell: Any, difference: Any, is_baseline: bool) -> dict[str, Any]:
    if isinstance(cell, Missing):
        return {"missing": True, "reason": cell.reason, "difference": "", "difference_reason": ""}
    shown = {"missing": False, "text": cell_text(cell), "difference": "", "difference_reason": ""}
    if is_baseline:
        return shown
    if isinstance(difference, Missing):
        return {**shown, "difference_reason": difference.reason}
    outcome = "wins" if difference.above_zero else "loses" if difference.below_zero else ""
    return {**shown, "difference": cell_text(difference, signed=True), "outcome": outcome}


def _figures(comparison: Comparison, scored: Sequence[Scored], unique: str) -> list[dict[str, str]]:
    from .figures import accuracy_figure, filled_columns, inline_svg, severity_figure
    from .severity import severity_curves

    figures = [
        {
            "svg": inline_svg(accuracy_figure(comparison, [index]), f"{unique}-{index}"),
            "caption": f"{comparison.columns[index].title}, with 95 % intervals over images. "
            f"Dashed: {comparison.baseline}.",
            "description": _description(comparison, index),
        }
        for index in filled_columns(comparison)
    ]
    curves = severity_curves(item for item in scored if comparison.covers(item))
    if any(curve.estimates for curve in curves):
        lines = (
            f"{curve.method}: "
            + ", ".join(f"severity {s} {cell_text(estimate)}" for s, estimate in curve.estimates)
            for curve in curves
        )
        figures.append(
            {
                "svg": inline_svg(severity_figure(curves, comparison.rows), f"{unique}-severity"),
                "caption": "Top-1 accuracy by severity, the mean over the corruptions of each "
                "severity, with 95 % intervals over images. Dashed and dotted: references.",
                "description": "Top-1 accuracy in percent by severity. " + "; ".join(lines),
            }
        )
    return figures


def _description(comparison: Comparison, index: int) -> str:
    values = (
        f"{name} {cell_text(row.cells[index]) or 'missing'}"
        for name, row in zip(row_names(comparison), comparison.rows, strict=True)
    )
    return f"{comparison.columns[index].title} in percent by method: {'; '.join(values)}."


def _claims_summary(judgements: Sequence[Judgement]) -> list[str]:
    if not judgements:
        return []
    counts = dict.fromkeys(Verdict, 0)
    for judgement in judgements:
        counts[judgement.verdict] += 1
    parts = (f"{n} {str(v).replace('_', ' ')}" for v, n in counts.items() if n)
    noun = "claim" if len(judgements) == 1 else "claims"
    share = reproduced(judgements)
    said = f"Of {len(judgements)} published {noun}: {', '.join(parts)}."
    return [said, f"{share.sentence[:1].upper()}{share.sentence[1:]}."] if share.judged else [said]


def _judgements(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    ordered = sort_judgements(judgements)
    return [
        {
            "id": judgement.claim.id,
            "cells": cells,
            "kind": _BADGES[judgement.verdict][0],
            "sign": _BADGES[judgement.verdict][1],
            "reason": full_reason(judgement),
        }
        for judgement, cells in zip(ordered, judgement_rows(ordered), strict=True)
    ]
