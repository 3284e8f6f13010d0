"""The papers' tables with a verdict in each cell."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ..paper_tables import PaperTable, TableCell
from .marks import MARKS, words


def paper_content(tables: Sequence[PaperTable]) -> list[dict[str, Any]]:
    """Return what the template shows of the tables, in the order given."""
    return [_table(table) for table in tables]


def judged_first(tables: Sequence[PaperTable]) -> int:
    """Return how many tables stand before the first one of which nothing was measured."""
    return next((n for n, table in enumerate(tables) if not has_measurement(table)), len(tables))


def has_measurement(table: PaperTable) -> bool:
    """Return whether a cell of the table was judged."""
    return any(cell.state == "judged" for cell in table.cells)


def _table(table: PaperTable) -> dict[str, Any]:
    verdicts = Counter(j.verdict for j in table.judgements)
    counted = [f"{verdicts[v]} {words(v)}" for v in MARKS if verdicts[v]]
    return {
        "name": table.name,
        "title": table.layout.title,
        "counted": ", ".join(counted),
        "stub": table.stub,
        # Columns of one group stand under one head; without groups one row of heads is enough.
        "groups": [
            {"head": head, "span": len(list(columns))}
            for head, columns in groupby(column.group for column in table.columns)
        ]
        if any(column.group for column in table.columns)
        else [],
        "columns": [column.head for column in table.columns],
        "rows": [
            {
                "section": row.section
                if index == 0 or row.section != table.rows[index - 1].section
                else "",
                "labels": row.labels,
                "cells": [_cell(cell) for cell in row.cells],
            }
            for index, row in enumerate(table.rows)
        ],
        "width": len(table.stub) + len(table.columns),
        "notes": table.notes,
        "lettered": [note for note in table.notes if note.mark],
    }


def _cell(cell: TableCell) -> dict[str, Any]:
    verdict = cell.judgements[0].verdict if cell.judgements else None
    return {
        "state": cell.state,
        "claim": cell.claim.id if cell.claim else "",
        "claimed": cell.claimed,
        "measured": cell.measured if cell.state == "judged" else "",
        "verdict": str(verdict) if verdict and cell.state == "judged" else "",
        "words": cell.verdict,
        "tone": MARKS[verdict].tone if verdict else "",
        "marks": ", ".join(cell.marks),
    }
