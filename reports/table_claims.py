"""Which claim stands in which cell of a declared table."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ..checkpoints.errors import BadClaim
from .claims import Claim
from .table_layout import Criteria, Layout

Grid = tuple[tuple[Claim | None, ...], ...]  # [rows][columns]; None: no claim


def place(layout: Layout, claims: Iterable[Claim]) -> Grid:
    """Return the claim in each cell of the table, None where there is none.

    Raises:
        BadClaim: several claims would stand in one cell, one claim in several, or a row or
            a column has none at all: each means that the layout does not fit the registry.
    """
    tables = (*layout.covers, *layout.quotes)
    known = [claim for claim in claims if (claim.paper, claim.table) in tables]
    grid = tuple(
        tuple(_cell(layout, known, (*row.criteria, *column.criteria)) for column in layout.columns)
        for row in layout.rows
    )
    _check(layout, grid)
    return grid


def unplaced(layouts: Mapping[str, Layout], claims: Sequence[Claim]) -> list[str]:
    """Return the ids of covered claims that do not stand in exactly one cell.

    A claim is covered where a layout covers its paper's table; where it is quoted does not
    count.
    """
    covered = {pair for layout in layouts.values() for pair in layout.covers}
    counts = {claim.id: 0 for claim in claims if (claim.paper, claim.table) in covered}
    for layout in layouts.values():
        for claim in (claim for row in place(layout, claims) for claim in row if claim):
            if (claim.paper, claim.table) in layout.covers:
                counts[claim.id] += 1
    return [identifier for identifier, count in counts.items() if count != 1]


def _cell(layout: Layout, known: Sequence[Claim], criteria: Criteria) -> Claim | None:
    found = [claim for claim in known if meets(claim, criteria)]
    if len(found) > 1:
        raise BadClaim(
            f"table {layout.name}, the cell of {dict(criteria)}",
            f"{len(found)} claims: {', '.join(claim.id for claim in found[:4])}",
            "one",
        )
    return found[0] if found else None


def meets(claim: Claim, criteria: Criteria) -> bool:
    """Return whether the claim has each field's value; `*` stands for any letters."""
    return all(
        # Only with a star: the brackets of a plain value are no character class.
        fnmatchcase(getattr(claim, field), value)
        if "*" in value
        else getattr(claim, field) == value
        for field, value in criteria
    )


def _check(layout: Layout, grid: Grid) -> None:
    ids = [claim.id for row in grid for claim in row if claim is not None]
    if twice := sorted({identifier for identifier in ids if ids.count(identifier) > 1}):
        raise BadClaim(f"table {layout.name}", f"{twice[0]} stands in several cells", "one cell")
    for row, cells in zip(layout.rows, grid, strict=True):
        if not any(cells):
            raise BadClaim(f"table {layout.name}, row {row.labels}", "no claim is of this row")
    for number, column in enumerate(layout.columns):
        if not any(cells[number] for cells in grid):
            raise BadClaim(
                f"table {layout.name}, column {column.head}", "no claim is of this column"
            )
