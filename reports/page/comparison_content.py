"""Networks measured on the same images: their table, and the same in pictures."""

from collections.abc import Sequence
from typing import Any

from ..compare import Comparison, Missing
from ..comparison_tables import captions, cell_text, row_names, sentences
from ..paired import Estimate
from ..scored import Scored
from ..severity import severity_curves
from .dots import Dot, DotRow, dot_figure
from .lines import severity_svg


def comparison_content(
    comparison: Comparison, scored: Sequence[Scored], number: int
) -> dict[str, Any]:
    """Return what the template shows of one comparison, the `number`-th of the page."""
    caption, difference_caption = captions(comparison)
    return {
        "number": number,
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
    figures = [
        {
            "svg": _accuracy(comparison, index, f"{unique}-{index}"),
            "caption": f"{column.title}, with 95 % intervals over images. "
            f"Dashed: {comparison.baseline}.",
        }
        for index, column in enumerate(comparison.columns)
        if any(isinstance(row.cells[index], Estimate) for row in comparison.rows)
    ]
    curves = severity_curves(item for item in scored if comparison.covers(item))
    if any(curve.estimates for curve in curves):
        figures.append(
            {
                "svg": severity_svg(curves, comparison.rows, f"{unique}-severity"),
                "caption": "Top-1 accuracy by severity, the mean over the corruptions of each "
                "severity, with 95 % intervals over images. Dashed and dotted: references.",
            }
        )
    return figures


def _accuracy(comparison: Comparison, index: int, name: str) -> str:
    title = comparison.columns[index].title
    rows, reference = [], None
    for place, (label, row) in enumerate(zip(row_names(comparison), comparison.rows, strict=True)):
        cell = row.cells[index]
        dots = []
        if isinstance(cell, Estimate):
            tone = "" if row.is_method else "reference"
            shape = "" if row.is_method else "cross" if row.is_baseline else "plus"
            dots = [
                Dot(value=cell.value, interval=cell.interval, place=place, tone=tone, shape=shape)
            ]
            reference = cell.value if row.is_baseline else reference
        rows.append(DotRow(name=label, dots=dots))
    values = (
        f"{label} {cell_text(row.cells[index]) or 'missing'}"
        for label, row in zip(row_names(comparison), comparison.rows, strict=True)
    )
    description = f"{title} in percent by method: {'; '.join(values)}."
    return dot_figure(rows, f"{title} (%)", title, description, name, reference)
