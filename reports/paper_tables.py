"""The papers' tables as plain data: each cell claimed, measured and judged, or why it is empty.

    tables = paper_tables(judgements)          # judgements: from verify(), judge_records(), ...
    for row in tables["byol_1"].rows: ...      # row.labels, row.cells[i].text, .claim, .judgements

A table is a function of the claims, the layouts and the judgements alone. What no judgement
speaks of is empty, and says what it would need without looking for it. Below a table stand how many
of its claims were reproduced, p values after Holm over each source's table, what a choice of
the best of several adds by chance, and what contradicts its claims.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .bare import bare_judgement, needs
from .claim_registry import load_claims
from .claims import Claim
from .contradictions import Contradiction, load_contradictions
from .inflation import inflation_note
from .multiplicity import over_tables
from .proportion import reproduced
from .table_claims import place
from .table_layout import Layout, load_layouts
from .tables import full_reason, measured_text, verdict_words
from .verdict import Judgement, Verdict

State = Literal["judged", "not_measured", "recalled", "empty"]

DASH = "-"
_RECALLED = "recalled: its source was not re-read; shown, never judged"


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """One cell. `judgements` has one entry, or one per checkpoint that speaks of the claim."""

    state: State
    claim: Claim | None = None  # None: nobody claims anything here
    judgements: tuple[Judgement, ...] = ()
    marks: tuple[str, ...] = ()  # of the table's notes that say why

    @property
    def claimed(self) -> str:
        """The value as printed; "" where there is no claim."""
        return self.claim.value if self.claim else ""

    @property
    def measured(self) -> str:
        """`91.73 ± 0.00`, of several checkpoints in their order; "" where nothing was."""
        return "; ".join(filter(None, map(measured_text, self.judgements)))

    @property
    def verdict(self) -> str:
        """`not reproduced`; "" where there is no claim."""
        return "; ".join(dict.fromkeys(map(verdict_words, self.judgements)))

    @property
    def text(self) -> str:
        """`claimed / measured ± / verdict`, or the claim alone; without the marks of notes."""
        if self.state == "judged":
            return f"{self.claimed} / {self.measured or DASH} / {self.verdict}"
        if self.state == "recalled":
            return f"({self.claimed}) / {DASH}"
        return f"{self.claimed} / {DASH}" if self.claim else DASH


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """A column's head, and the group it stands under ("" where it stands alone)."""

    head: str
    group: str


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row: its block's heading ("" for none), its labels (as the stub), its cells."""

    section: str
    labels: tuple[str, ...]
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note below the table. Its mark stands in the cells it explains; "": about them all."""

    mark: str
    text: str


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """One table, ready to be laid out."""

    layout: Layout  # name, title, topic, paper, source and what is known of the order
    stub: tuple[str, ...]  # heads of the columns that hold a row's labels
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[Note, ...] = field(default=())

    @property
    def name(self) -> str:
        """The table's name, as `--table` takes it."""
        return self.layout.name

    @property
    def cells(self) -> tuple[TableCell, ...]:
        """Every cell, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """Every judgement of the table, row by row."""
        return tuple(judgement for cell in self.cells for judgement in cell.judgements)


def paper_tables(
    judgements: Iterable[Judgement] = (),
    *,
    claims: Sequence[Claim] | None = None,
    layouts: Mapping[str, Layout] | None = None,
) -> dict[str, PaperTable]:
    """Return every declared table by its name, in the papers' order.

    Args:
        judgements: whatever was judged; claims of no table are left aside.
        claims: of the registry; None: all of it.
        layouts: of the tables wanted; None: all.

    Raises:
        BadClaim: a layout does not fit the registry.
    """
    claims = load_claims() if claims is None else claims
    layouts = load_layouts() if layouts is None else layouts
    known: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in over_tables(list(judgements)):
        known[judgement.claim.id].append(judgement)
    return {name: paper_table(layout, known, claims) for name, layout in layouts.items()}


def paper_table(
    layout: Layout,
    judgements: Mapping[str, Sequence[Judgement]],
    claims: Sequence[Claim],
    contradictions: Sequence[Contradiction] | None = None,
) -> PaperTable:
    """Return one table. `judgements` by claim id; a claim without any is judged bare.

    Args:
        layout: of the table.
        judgements: after Holm, where they are to be: `multiplicity.over_tables`.
        claims: of the registry.
        contradictions: between them; None: the registry's.
    """
    known = load_contradictions() if contradictions is None else contradictions
    notes = _Notes(layout, known)
    rows = tuple(
        TableRow(
            section=row.section,
            labels=row.labels,
            cells=tuple(_cell(claim, judgements, notes) for claim in cells),
        )
        for row, cells in zip(layout.rows, place(layout, claims), strict=True)
    )
    return PaperTable(
        layout=layout,
        stub=layout.stub,
        columns=tuple(TableColumn(head=c.head, group=c.group) for c in layout.columns),
        rows=rows,
        notes=notes.collected(rows),
    )


class _Notes:
    """The notes of one table, lettered in the order in which cells first need them."""

    def __init__(self, layout: Layout, contradictions: Sequence[Contradiction]) -> None:
        self._layout = layout
        self._contradictions = contradictions
        self._marks: dict[str, str] = {}

    def contradicting(self, claim: Claim) -> tuple[str, ...]:
        """Return a text for each contradiction that the claim is part of."""
        return tuple(map(_contradicted, (k for k in self._contradictions if claim.id in k.claims)))

    def marks(self, texts: Iterable[str]) -> tuple[str, ...]:
        found = [self._marks.setdefault(text, letters(len(self._marks))) for text in texts]
        return tuple(sorted(set(found), key=lambda mark: (len(mark), mark)))

    def collected(self, rows: Sequence[TableRow]) -> tuple[Note, ...]:
        cells = [cell for row in rows for cell in row.cells]
        states = {cell.state for cell in cells}
        counted = reproduced([judgement for cell in cells for judgement in cell.judgements])
        general = [
            self._layout.note,
            _ORDER[self._layout.layout],
            f"Where {DASH} stands alone, {self._layout.blank}." if "empty" in states else "",
            f"In parentheses: {_RECALLED}." if "recalled" in states else "",
            f"{counted.sentence}." if counted.judged else "",
        ]
        return (
            *(Note(mark="", text=text) for text in general if text),
            *(Note(mark=mark, text=text) for text, mark in self._marks.items()),
        )


def _contradicted(known: Contradiction) -> str:
    sums = "; ".join(fact.arithmetic for fact in known.facts)
    return f"{known.title}{': ' if sums else ''}{sums}. {known.statement}"


_ORDER = {
    "seen": "",
    "recalled": "Rows and columns are recalled: the paper's text could not be read.",
    "composed": "Composed here of claims from several sources, each in its own paper's table too.",
}


def _cell(
    claim: Claim | None, judgements: Mapping[str, Sequence[Judgement]], notes: _Notes
) -> TableCell:
    if claim is None:
        return TableCell(state="empty")
    found = tuple(judgements.get(claim.id, ())) or (bare_judgement(claim),)
    texts = [text for judgement in found for text in _why(judgement)]
    return TableCell(
        state=_state(found),
        claim=claim,
        judgements=found,
        marks=notes.marks(
            (*texts, *filter(None, [inflation_note(claim)]), *notes.contradicting(claim))
        ),
    )


def _state(judgements: Sequence[Judgement]) -> State:
    if judgements[0].claim.recalled:
        return "recalled"
    if all(judgement.verdict is Verdict.NOT_MEASURED for judgement in judgements):
        return "not_measured"
    return "judged"


def _why(judgement: Judgement) -> tuple[str, ...]:
    """Return what is to be said of a judgement below the table, beyond its cell."""
    if judgement.claim.recalled:
        return ()  # said once, of all of them
    if judgement.verdict is Verdict.NOT_MEASURED:
        return _why_empty(judgement)
    reason = () if judgement.verdict is Verdict.REPRODUCED else (full_reason(judgement),)
    if judgement.p_adjusted is None or judgement.p_value is None:
        return reason
    return (
        *reason,
        f"p = {judgement.p_value:.2g} that the claim holds within its margin, "
        f"{judgement.p_adjusted:.2g} after Holm over {judgement.family} claims of "
        f"{judgement.claim.paper}, {judgement.claim.table}",
    )


def _why_empty(judgement: Judgement) -> tuple[str, ...]:
    # What `verify` looked for and did not find says more than what the claim needs anywhere.
    if judgement != bare_judgement(judgement.claim):
        return judgement.missing or (judgement.reason,)
    return needs(judgement.claim)


def letters(number: int) -> str:
    """Return the mark of note `number`: a, b, ..., z, aa, ab, ...

    >>> letters(0), letters(25), letters(26)
    ('a', 'z', 'aa')
    """
    digits = ""
    while number >= 0:
        number, digit = divmod(number, 26)
        digits, number = chr(ord("a") + digit) + digits, number - 1
    return digits
