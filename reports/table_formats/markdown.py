"""GitHub's Markdown: one heading, one table and its notes for each."""

from collections.abc import Iterator, Sequence

from ..layout import markdown_text
from ..paper_tables import Note, PaperTable, TableCell
from ..table_format import TableFormat, column_names


def render(tables: Sequence[PaperTable]) -> str:
    """Return the tables, one below the other; blocks of rows under a bold line of their own."""
    return "\n".join(_table(table) for table in tables)


def _table(table: PaperTable) -> str:
    head = (*table.stub, *column_names(table))
    lines = [list(map(markdown_text, head)), ["---"] * len(head), *_rows(table)]
    body = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    layout = table.layout
    origin = markdown_text(f"{layout.paper}: {layout.source}.")
    notes = "".join(f"- {_note(note)}\n" for note in table.notes)
    legend = "Each cell: claimed / measured ± half of its 90 % interval / verdict.\n"
    title = markdown_text(layout.title)
    return f"# {title}\n\n{origin} {legend}\n{body}" + (f"\n{notes}" if notes else "")


def _rows(table: PaperTable) -> Iterator[list[str]]:
    section = ""
    for row in table.rows:
        if row.section != section:
            section = row.section
            blank = [""] * (len(row.labels) + len(row.cells) - 1)
            yield [f"**{markdown_text(section)}**", *blank]
        yield [*map(markdown_text, row.labels), *map(_cell, row.cells)]


def _cell(cell: TableCell) -> str:
    marks = f" <sup>{','.join(cell.marks)}</sup>" if cell.marks else ""
    return markdown_text(cell.text) + marks


def _note(note: Note) -> str:
    return (f"<sup>{note.mark}</sup> " if note.mark else "") + markdown_text(note.text)


FORMAT = TableFormat(suffix=".md", render=render)
