"""A table as plain text, Markdown or CSV, from the same header and rows.

Every layout is a function of its input alone: no time, no locale, Unix line ends, so
that a table regenerated from the same numbers is the same file to the byte.
"""

import csv
import io
import re
from collections.abc import Sequence

from ..checkpoints.errors import UsageError

# A cell that is read as a quantity: it begins with a digit, possibly signed.
_QUANTITY = re.compile(r"[+-]?\d")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table for a terminal: columns two blanks apart, quantities to the right.

    Ends with a line end. Control characters become blanks: a name read from a file
    must not move the reader's cursor.

    Raises:
        UsageError: a row has more or fewer cells than the header.
    """
    cells = [[_one_line(cell) for cell in row] for row in _checked(header, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = _quantities(cells)
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    )
    return "\n".join(lines) + "\n"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table in GitHub's Markdown; cells are escaped, not interpreted.

    Raises:
        UsageError: a row has more or fewer cells than the header.
    """
    cells = [[markdown_text(cell) for cell in row] for row in _checked(header, rows)]
    rule = ["---:" if is_right else "---" for is_right in _quantities(cells)]
    cells.insert(1, rule)
    return "".join("| " + " | ".join(row) + " |\n" for row in cells)


def csv_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table as CSV with Unix line ends.

    Raises:
        UsageError: a row has more or fewer cells than the header.
    """
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(_checked(header, rows))
    return stream.getvalue()


def markdown_text(text: str) -> str:
    """Return `text` so that Markdown shows it as it is: no HTML, no cell or table ends."""
    plain = _one_line(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([|`*\[\]])", r"\\\1", plain)


def _checked(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise UsageError(
                f"row {number} of the table", f"{len(row)} cells", f"{len(header)}, as the header"
            )
    return [list(header), *(list(row) for row in rows)]


def _quantities(cells: Sequence[Sequence[str]]) -> list[bool]:
    """Whether each column holds quantities only; empty cells do not count."""
    columns = ([row[index] for row in cells[1:] if row[index]] for index in range(len(cells[0])))
    return [bool(c) and all(_QUANTITY.match(cell) for cell in c) for c in columns]


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()
