"""Plain text for a terminal."""

from collections.abc import Sequence

from ..layout import text_table
from ..paper_tables import PaperTable, TableCell
from ..table_format import TableFormat, column_names


def render(tables: Sequence[PaperTable]) -> str:
    """Return the tables, one below the other, each with its notes."""
    return "\n".join(_table(table) for table in tables)


def _table(table: PaperTable) -> str:
    sections = [row.section for row in table.rows]
    blocks = any(sections)
    head = ((("Block",) if blocks else ()) + table.stub) + column_names(table)
    rows = [
        (((row.section,) if blocks else ()) + row.labels) + tuple(map(_cell, row.cells))
        for row in table.rows
    ]
    notes = "".join(
        (f"[{note.mark}] " if note.mark else "") + f"{note.text}\n" for note in table.notes
    )
    title = f"{table.layout.title} ({table.layout.paper}: {table.layout.source})"
    return f"{title}\n\n{text_table(head, rows)}" + (f"\n{notes}" if notes else "")


def _cell(cell: TableCell) -> str:
    return cell.text + (f" [{','.join(cell.marks)}]" if cell.marks else "")


FORMAT = TableFormat(suffix=".txt", render=render)
