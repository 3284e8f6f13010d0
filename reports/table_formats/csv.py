"""CSV, tidy: one row per claim (and checkpoint, where several were measured), every field."""

from collections.abc import Sequence

from ..layout import csv_table
from ..paper_tables import PaperTable
from ..table_format import TableFormat, claim_cells
from ..tables import FACTS, csv_cell, facts

_PLACE = ("table", "title", "topic", "paper", "paper_table", "section", "row", "column", "state")


def render(tables: Sequence[PaperTable]) -> str:
    """Return one line per judgement; numbers in the claim's unit, empty where there is none.

    Floats have six decimals, so that sums in another order give the same file; the JSON has
    them in full. `row` holds the labels, joined by ` | `.
    """
    rows = [line for table in tables for line in _lines(table)]
    return csv_table((*_PLACE, *FACTS), rows)


def _lines(table: PaperTable) -> list[list[str]]:
    layout = table.layout
    about = [layout.name, layout.title, layout.topic, layout.paper, layout.source]
    return [
        [*about, section, " | ".join(labels), column, cell.state, *map(csv_cell, facts(judgement))]
        for section, labels, column, cell in claim_cells(table)
        for judgement in cell.judgements
    ]


FORMAT = TableFormat(suffix=".csv", render=render)
