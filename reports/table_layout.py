"""The layouts of the papers' tables: which claims are their rows and columns, read and checked.

A layout is data, one TOML file per paper under `layouts/`; a file holds `paper`, `order` and
tables::

    [[table]]
    name = "byol_1a"
    title = "Linear evaluation on ImageNet, ResNet-50"
    topic = "linear evaluation"
    source = "Table 1 (a)"                 # where the paper has it
    layout = "seen"                        # "seen", "recalled" or "composed"; see `Layout`
    covers = ["Table 1"]                   # the registry's tables whose claims stand here
    quotes = ["POA | Table 7"]             # tables of others that claims are borrowed from
    where = { architecture = "ResNet-50 1x" }
    stub = ["Method"]                      # heads of the columns that name a row
    keys = ["method"]                      # the claim's field behind each of them
    columns = [{ head = "Top-1", metric = "top1" }, { head = "Top-5", metric = "top5" }]
    rows = ["PIRL", { show = "BYOL", method = "BYOL" }]

A cell holds the one claim that meets the table's, the row's and the column's criteria. A row is
its labels, where these are the values of `keys`, or a table of criteria with the labels in
`show`. Blocks of rows under a heading of their own stand in `[[table.section]]` (`title`,
`where`, `rows`). A criterion is a field of `Claim` and its value, in which
`*` stands for any letters.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadClaim, UnknownName
from .claims import Claim

FOLDER = Path(__file__).parent / "layouts"

Criteria = tuple[tuple[str, str], ...]  # (field of Claim, its value)

_FIELDS = frozenset(f.name for f in fields(Claim))
_LAYOUTS = ("seen", "recalled", "composed")
_REQUIRED = ("name", "title", "topic", "source", "layout", "stub", "columns")
_OPTIONAL = ("covers", "quotes", "keys", "where", "rows", "section", "note", "blank")
_BLANK = {
    "seen": "the paper leaves the cell empty",
    "recalled": "no figure of the paper was seen",
    "composed": "no source claims a figure",
}


@dataclass(frozen=True, kw_only=True)
class LayoutColumn:
    """A column: what it is called, the group it stands under, what its claims have in common."""

    head: str
    group: str  # "" where it stands alone
    criteria: Criteria


@dataclass(frozen=True, kw_only=True)
class LayoutRow:
    """A row: the heading it stands under, its labels, what its claims have in common."""

    section: str  # "" where there is none
    labels: tuple[str, ...]  # one for each head of the stub
    criteria: Criteria


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One table: rows and columns in the source's order.

    `layout` says what is known of that order: "seen" in the source, "recalled" (the paper's
    text could not be read; rows and columns as they are remembered), or "composed" here
    from claims of several sources. A claim that is quoted stands in the table that covers
    it too; every claim covered stands in one cell of one table (`table_claims.unplaced`).
    """

    name: str
    title: str
    topic: str
    paper: str
    source: str  # "Table 1 (a)"
    layout: str
    covers: tuple[tuple[str, str], ...]  # (paper, table) as the registry words them
    quotes: tuple[tuple[str, str], ...]
    stub: tuple[str, ...]
    columns: tuple[LayoutColumn, ...]
    rows: tuple[LayoutRow, ...]
    blank: str  # what an empty cell means
    note: str = ""


def load_layouts(folder: Path = FOLDER) -> Mapping[str, Layout]:
    """Return every declared table by its name, in the order of the files and in theirs.

    Raises:
        BadClaim: a file that cannot be read, or a table that is not declared as it should be.
    """
    return _load(Path(folder))


def find_layout(name: str, folder: Path = FOLDER) -> Layout:
    """Return the table called `name`.

    Raises:
        UnknownName: there is none; the message gives the nearest.
    """
    known = load_layouts(folder)
    if name not in known:
        raise UnknownName("table", name, known)
    return known[name]


@lru_cache(maxsize=8)
def _load(folder: Path) -> dict[str, Layout]:
    bodies = [(file.name, _body(file)) for file in sorted(folder.glob("*.toml"))]
    layouts: dict[str, Layout] = {}
    for file, body in sorted(bodies, key=lambda item: (item[1].get("order", 100), item[0])):
        for table in body.get("table", []):
            layout = _layout(file, str(body.get("paper", "")), table)
            if layout.name in layouts:
                raise BadClaim(f"{file}, {layout.name}", "another table has this name", "a new one")
            layouts[layout.name] = layout
    return layouts


def _body(file: Path) -> dict[str, Any]:
    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadClaim(file.name, f"not valid TOML ({error})") from error
    _check_keys(file.name, body, ("paper", "table"), ("order",))
    return body


def _layout(file: str, paper: str, table: Mapping[str, Any]) -> Layout:
    where = f"{file}, {table.get('name', 'a table without a name')}"
    _check_keys(where, table, _REQUIRED, _OPTIONAL)
    if table["layout"] not in _LAYOUTS:
        raise BadClaim(f"{where}, layout", repr(table["layout"]), " or ".join(_LAYOUTS))
    stub, keys = tuple(table["stub"]), tuple(table.get("keys", ()))
    own = _criteria(where, table.get("where", {}))
    return Layout(
        **{name: table[name] for name in ("name", "title", "topic", "source", "layout")},
        paper=paper,
        covers=tuple(_source_table(paper, words) for words in table.get("covers", ())),
        quotes=tuple(_source_table(paper, words) for words in table.get("quotes", ())),
        stub=stub,
        columns=tuple(_column(where, column, own) for column in table["columns"]),
        rows=tuple(_rows(where, table, stub, keys)),
        blank=table.get("blank", _BLANK[table["layout"]]),
        note=table.get("note", ""),
    )


def _source_table(paper: str, words: str) -> tuple[str, str]:
    """Return (paper, table) of "Table 1", or of "MULAN | Table 7" for another paper's."""
    other, bar, table = words.partition(" | ")
    return (other, table) if bar else (paper, words)


def _column(where: str, column: Mapping[str, Any], own: Criteria) -> LayoutColumn:
    body = dict(column)
    head, group = body.pop("head", None), body.pop("group", "")
    if not isinstance(head, str) or not isinstance(group, str):
        raise BadClaim(f"{where}, columns", f"{column!r}", "a column with a head")
    return LayoutColumn(head=head, group=group, criteria=(*own, *_criteria(where, body)))


def _rows(
    where: str, table: Mapping[str, Any], stub: Sequence[str], keys: Sequence[str]
) -> Iterator[LayoutRow]:
    blocks = table.get("section", [{"rows": table.get("rows", [])}])
    if ("section" in table) == ("rows" in table):
        raise BadClaim(where, "both or neither of rows and section", "one of them")
    for block in blocks:
        _check_keys(f"{where}, section", block, ("rows",), ("title", "where"))
        shared = _criteria(where, block.get("where", {}))
        for row in block["rows"]:
            labels, criteria = _row(where, row, keys)
            if len(labels) != len(stub):
                raise BadClaim(
                    f"{where}, row {row!r}", f"{len(labels)} labels", f"{len(stub)}, as the stub"
                )
            yield LayoutRow(
                section=block.get("title", ""), labels=labels, criteria=(*shared, *criteria)
            )


def _row(where: str, row: Any, keys: Sequence[str]) -> tuple[tuple[str, ...], Criteria]:
    if isinstance(row, Mapping):
        body = dict(row)
        return _words(body.pop("show", "")), _criteria(where, body)
    labels = _words(row)
    if len(keys) != len(labels):
        raise BadClaim(f"{where}, row {row!r}", f"{len(labels)} labels", f"{len(keys)}, as keys")
    return labels, _criteria(where, dict(zip(keys, labels, strict=True)))


def _words(labels: str | Sequence[str]) -> tuple[str, ...]:
    return (labels,) if isinstance(labels, str) else tuple(labels)


def _criteria(where: str, body: Mapping[str, Any]) -> Criteria:
    for field, value in body.items():
        if field not in _FIELDS or not isinstance(value, str):
            raise BadClaim(f"{where}, {field}", f"{value!r}", "a field of a claim and its value")
    return tuple(body.items())


def _check_keys(
    where: str, body: Mapping[str, Any], required: Sequence[str], optional: Sequence[str]
) -> None:
    if missing := [name for name in required if name not in body]:
        raise BadClaim(where, f"no {missing[0]!r}", f"all of {', '.join(required)}")
    if unknown := [name for name in body if name not in (*required, *optional)]:
        raise BadClaim(where, f"an unknown key {unknown[0]!r}", ", ".join((*required, *optional)))
