"""The files of `reports/tables/`: committed, and made here again to the byte.

`relicheck report --tables reports/tables` writes them, with `--check` it compares. What
holds measurements is made only where their data lie; elsewhere it is left as it is.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import lru_cache
from pathlib import Path

from ..checkpoints.errors import UnknownName
from ..checkpoints.files import write_text
from .bare import bare_judgement
from .battery import battery
from .characteristics_figure import characteristics_figure
from .characteristics_table import characteristics_table
from .claim_registry import load_claims
from .layout import csv_table
from .segmentation_table import segmentation
from .table_claims import place
from .table_files import CARDS, COMMITTED, committed_cards, committed_files, file_of
from .table_layout import load_layouts
from .tables import identified_rows, judgements_markdown
from .verdict import Judgement, Verdict

# The rows that the paper's own page shows: its abstract and its list of benchmarks.
_PAGE_TABLES = ("abstract", "benchmark list")
_DIFFERENCE_LINES = 12
_SKIPPED = "its data are not all under $RELICHECK_DATA"
_MEASURABLE_HERE = ("published:", "predictions:")

Files = Mapping[str, str | None]  # path below the folder -> content; None: cannot be made here


@dataclass(frozen=True, kw_only=True)
class Table:
    """Generated files that are made together. `make` gives them by their paths."""

    make: Callable[[], Files]
    folders: tuple[str, ...] = ()  # that hold nothing but these files
    long: bool = False  # many minutes: made only where it is named


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file."""

    name: str  # its path below the folder
    state: str  # "written", "unchanged", "different", "skipped" or "stray"
    detail: str = ""


def regenerate(folder: Path, check: bool = False, only: Sequence[str] = ()) -> list[Outcome]:
    """Write every file that can be made to `folder`, or only compare; return what was found.

    Args:
        folder: of the committed tables.
        check: compare and write nothing.
        only: names of `TABLES`; (): all but the long ones.

    Raises:
        UnknownName: there is none of that name.
    """
    for name in only:
        if name not in TABLES:
            raise UnknownName("generated table", name, TABLES)
    _measured_once.cache_clear()
    return [
        outcome
        for name, table in TABLES.items()
        if not only or name in only
        for outcome in _outcomes(Path(folder), name, table, check, wanted=bool(only))
    ]


def _outcomes(
    folder: Path, name: str, table: Table, check: bool, wanted: bool
) -> Iterable[Outcome]:
    if table.long and not wanted:
        yield Outcome(name=name, state="skipped", detail=f"takes long: --only {name} makes it")
    else:
        yield from _make(folder, table, check)


def _make(folder: Path, table: Table, check: bool) -> Iterable[Outcome]:
    made = table.make()
    for name, text in made.items():
        if text is None:
            yield Outcome(name=name, state="skipped", detail=_SKIPPED)
        else:
            yield _write_or_compare(folder, name, text, check)
    for inside in table.folders:
        for path in sorted((folder / inside).glob("*")):
            if not {f"{inside}/{path.name}", f"{inside}/*"} & set(made):
                detail = "no table gives this file: delete it"
                yield Outcome(name=f"{inside}/{path.name}", state="stray", detail=detail)


def _write_or_compare(folder: Path, name: str, text: str, check: bool) -> Outcome:
    path = folder / name
    before = path.read_bytes().decode("utf-8") if path.is_file() else None
    if before == text:
        return Outcome(name=name, state="unchanged")
    if not check:
        write_text(path, text)
        return Outcome(name=name, state="written")
    if before is None:
        return Outcome(name=name, state="different", detail="there is no such file")
    lines = unified_diff(before.splitlines(), text.splitlines(), "committed", "made now", n=0)
    detail = "\n".join(list(lines)[:_DIFFERENCE_LINES])
    return Outcome(name=name, state="different", detail=detail or "line ends differ")


def relicv2_page() -> list[Judgement]:
    """Return the claims of ReLICv2's page on ObjectNet and ImageNet, as a bare machine sees them.

    What is missing is said without looking for it: the table must not depend on what
    lies on the machine that makes it.
    """
    return [
        bare_judgement(claim)
        for claim in load_claims()
        if claim.paper == "ReLICv2"
        and claim.table in _PAGE_TABLES
        and claim.dataset in ("ObjectNet", "ImageNet")
        and claim.metric == "top1"
        and not claim.recalled
    ]


def published_checkpoints() -> list[Judgement]:
    """Return the claims about published weights that lie under $RELICHECK_DATA, measured."""
    return _measured("published:")


def published_predictions() -> list[Judgement]:
    """Return the claims about published predictions that lie under $RELICHECK_DATA, counted."""
    return _measured("predictions:")


def _titled(title: str, name: str, make: Callable[[], tuple[str, str] | None]) -> Table:
    """Return the table whose Markdown and CSV `make` gives, None where its data are absent."""

    def files() -> Files:
        made = make()
        if made is None:
            return {f"{name}.md": None, f"{name}.csv": None}
        return {f"{name}.md": f"# {title}\n\n{made[0]}", f"{name}.csv": made[1]}

    return Table(make=files)


def _judged(judge: Callable[[], list[Judgement]]) -> Callable[[], tuple[str, str] | None]:
    def make() -> tuple[str, str] | None:
        judgements = judge()
        if not judgements:
            return None
        # Without the records' ids, which change with every change of the code.
        return judgements_markdown(judgements), csv_table(*identified_rows(judgements))

    return make


def papers() -> Files:
    """Return the papers' tables in every committed format, the index and the tracker's page.

    Where published weights or predictions are absent, the files with claims about them cannot
    be made: None.
    """
    judgements = [replace(j, records=()) for j in _all_measured()]
    files: dict[str, str | None] = dict(committed_files(judgements))
    for name in _measurable_tables() if not judgements else ():
        files |= dict.fromkeys((file_of(name, form) for form in COMMITTED), None)
        files |= {"papers.md": None, "tracker.md": None}
    return files


def cards() -> Files:
    """Return the model cards of the published weights and predictions that were measured."""
    judgements = _all_measured()
    return committed_cards(judgements) if judgements else {f"{CARDS}/*": None}


def _all_measured() -> list[Judgement]:
    weights, answers = published_checkpoints(), published_predictions()
    return [*weights, *answers] if weights and answers else []


def _measurable_tables() -> list[str]:
    """Return the names of the tables with a claim about something published that we measure."""
    claims = load_claims()
    return [
        name
        for name, layout in load_layouts().items()
        if any(
            claim.subject.startswith(_MEASURABLE_HERE)
            for row in place(layout, claims)
            for claim in row
            if claim
        )
    ]


def _characteristics() -> Files:
    text, table = characteristics_table()
    return {
        "operating_characteristics.md": f"# {_CHARACTERISTICS}\n\n{text}",
        "operating_characteristics.csv": table,
        "operating_characteristics.svg": characteristics_figure(),
    }


def _measured(kind: str) -> list[Judgement]:
    return list(_measured_once(kind))


# Several files show the same measurements; `regenerate` forgets those of an earlier call.
@lru_cache(maxsize=2)
def _measured_once(kind: str) -> tuple[Judgement, ...]:
    from .verify import verify

    claims = [claim for claim in load_claims() if claim.subject.startswith(kind)]
    with tempfile.TemporaryDirectory() as scratch:
        judgements = verify(claims, records=Path(scratch) / "records") if claims else []
    # Part of the data would make another table: what our evaluators can measure is all there,
    # or the committed table stays.
    absent = [
        j for j in judgements if j.verdict is Verdict.NOT_MEASURED and not j.claim.unmeasurable
    ]
    return () if absent else tuple(judgements)


_CHARACTERISTICS = "How often a verdict errs: operating characteristics by simulation"

TABLES = {
    "relicv2_page": _titled(
        "ReLICv2's page: claims on ObjectNet and ImageNet", "relicv2_page", _judged(relicv2_page)
    ),
    "published_checkpoints": _titled(
        "Published CIFAR-10 weights: claimed and measured",
        "published_checkpoints",
        _judged(published_checkpoints),
    ),
    "published_predictions": _titled(
        "Published predictions: claimed and counted",
        "published_predictions",
        _judged(published_predictions),
    ),
    "papers": Table(make=papers, folders=tuple(COMMITTED.values())),
    "model_index": Table(make=cards, folders=(CARDS,)),
    "operating_characteristics": Table(make=_characteristics),
    # Nothing is claimed of these numbers, no verdict rests on them, and the evaluators behind them
    # have their own tests; making them takes many times as long as all the others together.
    "battery": replace(
        _titled(
            "The evaluators on real images: published weights beside an untrained network",
            "battery",
            battery,
        ),
        long=True,
    ),
    "segmentation": _titled(
        "Segmentation of CamVid: linear heads on frozen backbones", "segmentation", segmentation
    ),
}
