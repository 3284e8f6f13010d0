"""JSON, every number in full, by the schema `relicheck.paper_tables/1`.

    tables    list, in the order asked for, each:
      name, title, topic, paper, source     as the layout declares them
      layout      "seen", "recalled" or "composed": what is known of the order of rows and columns
      stub        heads of the columns that name a row
      columns     list of {head, group}; group "" where a column stands alone
      rows        list of {section, labels, cells}; labels as many as stub, cells as columns, each:
        state       "judged", "not_measured", "recalled" or "empty"
        claim       id, or null where nobody claims anything
        text        what the other formats show
        marks       list of the marks of notes that say why
        judgements  list, one per checkpoint that speaks of the claim: claim, dataset, method,
                    architecture, metric, unit, claimed (as printed, hence text), measured,
                    standard_error, difference, interval ([low, high], 90 %, widened by the
                    claim's rounding), margin, margin_reason, protocol_claimed, protocols,
                    verdict, reason, missing, records (ids), confidence, source. Numbers are in
                    the claim's unit; null where nothing was measured
      notes       list of {mark, text}; mark "" where a note is about the whole table

Keys are sorted; a field may be added within version 1, none changes its meaning.
"""

import json
from collections.abc import Sequence
from typing import Any

from ..paper_tables import PaperTable, TableCell
from ..table_format import TableFormat
from ..tables import judgement_facts

SCHEMA = "relicheck.paper_tables/1"


def render(tables: Sequence[PaperTable]) -> str:
    """Return the tables as one JSON object."""
    body = {"schema": SCHEMA, "tables": [as_dict(table) for table in tables]}
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def as_dict(table: PaperTable) -> dict[str, Any]:
    """Return one table as JSON can hold it."""
    layout = table.layout
    return {
        **{key: getattr(layout, key) for key in ("name", "title", "topic", "paper", "source")},
        "layout": layout.layout,
        "stub": list(table.stub),
        "columns": [{"head": column.head, "group": column.group} for column in table.columns],
        "rows": [
            {"section": row.section, "labels": list(row.labels), "cells": [*map(_cell, row.cells)]}
            for row in table.rows
        ],
        "notes": [{"mark": note.mark, "text": note.text} for note in table.notes],
    }


def _cell(cell: TableCell) -> dict[str, Any]:
    return {
        "state": cell.state,
        "claim": cell.claim.id if cell.claim else None,
        "text": cell.text,
        "marks": list(cell.marks),
        "judgements": [judgement_facts(judgement) for judgement in cell.judgements],
    }


FORMAT = TableFormat(suffix=".json", render=render)
