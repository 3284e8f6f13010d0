"""The papers' tables as files: from records for a user, and committed for the repository."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..checkpoints.files import write_text
from .claim_registry import load_claims
from .layout import markdown_table
from .matching import judge_records
from .model_index import card_file, model_cards
from .paper_tables import PaperTable, paper_tables
from .scored import latest, read_scored
from .table_format import table_formats
from .table_layout import find_layout, load_layouts
from .verdict import Judgement

# Format -> its folder among the committed tables.
COMMITTED = {"markdown": "markdown", "csv": "csv", "latex": "latex", "json": "json"}
CARDS = "model_index"


def judgements_of(records: Path | None) -> list[Judgement]:
    """Return what a folder of records says of the registry's claims; None: nothing.

    Raises:
        MissingData: there is no such folder, or no record in it.
        BadRecord: a record was edited.
    """
    if records is None:
        return []
    found = [item.record for item in latest(read_scored(records))]
    return judge_records(found, load_claims())


def chosen_tables(names: Sequence[str], judgements: Iterable[Judgement]) -> list[PaperTable]:
    """Return the tables of these names, in this order; `all` stands for every one.

    Raises:
        UnknownName: there is no such table; the message names the nearest.
    """
    layouts = load_layouts()
    wanted: dict[str, None] = {}
    for name in names:
        wanted |= dict.fromkeys(layouts if name == "all" else [find_layout(name).name])
    tables = paper_tables(judgements, layouts={name: layouts[name] for name in wanted})
    return list(tables.values())


def render_tables(names: Sequence[str], form: str, records: Path | None) -> str:
    """Return the tables of these names in one format, their cells filled from `records`.

    Raises:
        UnknownName: no such table or format.
        MissingData, BadRecord: as `judgements_of`.
    """
    return table_formats.load(form).render(chosen_tables(names, judgements_of(records)))


def write_cards(folder: Path, records: Path) -> list[Path]:
    """Write one model card for each checkpoint that `records` judge; return their paths.

    Raises:
        MissingData, BadRecord: as `judgements_of`.
        BadData: the folder cannot be written.
    """
    cards = model_cards(judgements_of(records))
    for name, text in cards.items():
        write_text(Path(folder) / card_file(name), text)
    return [Path(folder) / card_file(name) for name in cards]


def committed_files(judgements: Sequence[Judgement]) -> dict[str, str]:
    """Return every committed file of the papers' tables: path below the folder, content.

    One per table in each of `COMMITTED`, the tracker's page and the index; model cards are
    `committed_cards`.
    """
    tables = paper_tables(judgements)
    files = {
        file_of(name, form): table_formats.load(form).render([table])
        for form in COMMITTED
        for name, table in tables.items()
    }
    files["papers.md"] = _index(tables)
    files["tracker.md"] = _TRACKER + table_formats.load("tracker").render(list(tables.values()))
    return files


def committed_cards(judgements: Sequence[Judgement]) -> dict[str, str]:
    """Return every committed model card: path below the folder, content."""
    return {f"{CARDS}/{card_file(name)}": text for name, text in model_cards(judgements).items()}


def file_of(name: str, form: str) -> str:
    """Return the committed file of a table: `latex/byol_1a.tex`."""
    return f"{COMMITTED[form]}/{name}{table_formats.load(form).suffix}"


_TRACKER = "# Claims, one line each\n\nEvery claim of the registry, in the order of the tables.\n\n"
_INDEX = """# The papers' tables, regenerated

Rows and columns as in the papers, each cell claimed / measured / verdict or why it is empty. All
claims in one list: [tracker.md](tracker.md); one card per checkpoint measured:
[model_index](model_index). JSON has every number in full; its schema stands in
`reports/table_formats/json.py`.

"""


def _index(tables: Mapping[str, PaperTable]) -> str:
    topics: dict[str, list[PaperTable]] = {}
    for table in tables.values():
        topics.setdefault(table.layout.topic, []).append(table)
    return _INDEX + "\n".join(
        f"## {topic[:1].upper()}{topic[1:]}\n\n{_links(listed)}" for topic, listed in topics.items()
    )


def _links(tables: Sequence[PaperTable]) -> str:
    header = ("Table", "Source", "Claims", "Judged", "Files")
    rows = [_counted(table) for table in tables]
    body = markdown_table(header, [(*row, "") for row in rows]).splitlines()
    links = [
        " ".join(f"[{form}]({file_of(table.name, form)})" for form in COMMITTED) for table in tables
    ]
    # Links are no text to be escaped: they come in after it.
    filled = [
        line.removesuffix("|  |") + f"| {link} |"
        for line, link in zip(body[2:], links, strict=True)
    ]
    return "\n".join((*body[:2], *filled)) + "\n"


def _counted(table: PaperTable) -> tuple[str, str, str, str]:
    claims = sum(cell.claim is not None for cell in table.cells)
    judged = sum(cell.state == "judged" for cell in table.cells)
    layout = table.layout
    return layout.title, f"{layout.paper}: {layout.source}", str(claims), str(judged)
