"""What a format of the papers' tables is, and the registry of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..checkpoints.discovery import Modules
from .paper_tables import PaperTable, TableCell


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    """One format. `render` is a pure function: the same tables give the same bytes anywhere."""

    suffix: str  # ".tex"
    render: Callable[[Sequence[PaperTable]], str]  # ends with a line end


table_formats = Modules(
    "relicheck.reports.table_formats", "FORMAT", TableFormat, "format of tables"
)


def column_names(table: PaperTable) -> tuple[str, ...]:
    """Return what each column is called in one line: `Top-1, 1 %`, its group first."""
    return tuple(
        f"{column.group}, {column.head}" if column.group else column.head
        for column in table.columns
    )


def claim_cells(
    table: PaperTable,
) -> list[tuple[str, tuple[str, ...], str, TableCell]]:
    """Return (section, row's labels, column, cell) of every cell with a claim, row by row."""
    names = column_names(table)
    return [
        (row.section, row.labels, name, cell)
        for row in table.rows
        for name, cell in zip(names, row.cells, strict=True)
        if cell.claim is not None
    ]
