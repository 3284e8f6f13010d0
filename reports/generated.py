"""The tables of `reports/tables/`: committed, and made here again to the byte.

`relicheck report --tables reports/tables` writes them, with `--check` it compares. A
table of measurements is made only where its data lie; elsewhere it is left as it is.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from ..checkpoints.files import write_text
from .battery import battery
from .characteristics_figure import characteristics_figure
from .characteristics_table import characteristics_table
from .claim_registry import load_claims
from .claims import Claim
from .layout import csv_table
from .segmentation_table import segmentation
from .tables import identified_rows, judgements_markdown
from .verdict import Judgement, Verdict
from .where import data_address, weights_needed

# The rows that the paper's own page shows: its abstract and its list of benchmarks.
_PAGE_TABLES = ("abstract", "benchmark list")
_DIFFERENCE_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Table:
    """One generated table. `make` gives Markdown and CSV; None where its data are absent."""

    title: str
    make: Callable[[], tuple[str, str] | None]
    figure: Callable[[], str] | None = None  # gives an SVG that stands beside it


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file of a table."""

    name: str
    state: str  # "written", "unchanged", "different" or "skipped"
    detail: str = ""


def regenerate(folder: Path, check: bool = False) -> list[Outcome]:
    """Write every table that can be made to `folder`, or only compare; return what was found.

    Args:
        folder: of the committed tables.
        check: compare and write nothing.
    """
    return [
        outcome for name, table in TABLES.items() for outcome in _make(folder, name, table, check)
    ]


def _make(folder: Path, name: str, table: Table, check: bool) -> Iterable[Outcome]:
    made = table.make()
    if made is None:
        yield Outcome(
            name=name, state="skipped", detail="its data are not all under $RELICHECK_DATA"
        )
        return
    files = [(".md", f"# {table.title}\n\n{made[0]}"), (".csv", made[1])]
    if table.figure is not None:
        files.append((".svg", table.figure()))
    for suffix, text in files:
        yield _write_or_compare(Path(folder) / f"{name}{suffix}", text, check)


def _write_or_compare(path: Path, text: str, check: bool) -> Outcome:
    before = path.read_bytes().decode("utf-8") if path.is_file() else None
    if before == text:
        return Outcome(name=path.name, state="unchanged")
    if not check:
        write_text(path, text)
        return Outcome(name=path.name, state="written")
    if before is None:
        return Outcome(name=path.name, state="different", detail="there is no such file")
    lines = unified_diff(before.splitlines(), text.splitlines(), "committed", "made now", n=0)
    detail = "\n".join(list(lines)[:_DIFFERENCE_LINES])
    return Outcome(name=path.name, state="different", detail=detail or "line ends differ")


def relicv2_page() -> list[Judgement]:
    """Return the claims of ReLICv2's page on ObjectNet and ImageNet, as a bare machine sees them.

    What is missing is said without looking for it: the table must not depend on what
    lies on the machine that makes it.
    """
    return [
        _bare(claim)
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


def _judged(judge: Callable[[], list[Judgement]]) -> Callable[[], tuple[str, str] | None]:
    def make() -> tuple[str, str] | None:
        judgements = judge()
        if not judgements:
            return None
        # Without the records' ids, which change with every change of the code.
        return judgements_markdown(judgements), csv_table(*identified_rows(judgements))

    return make


def _bare(claim: Claim) -> Judgement:
    folder = f"$RELICHECK_DATA/{claim.data}"
    missing = (
        weights_needed(claim),
        f"needs {claim.dataset} under {folder}: {_address(claim.data)}",
    )
    return Judgement(
        claim=claim,
        verdict=Verdict.NOT_MEASURED,
        reason="; ".join(thing.rstrip(".") for thing in missing) + ".",
        missing=missing,
    )


def _address(data: str) -> str:
    from ..evaluations.dataset import datasets

    return datasets.load(data).obtain if data in datasets.names() else data_address(data)


def _measured(kind: str) -> list[Judgement]:
    from .verify import verify

    claims = [claim for claim in load_claims() if claim.subject.startswith(kind)]
    with tempfile.TemporaryDirectory() as scratch:
        judgements = verify(claims, records=Path(scratch) / "records") if claims else []
    # Part of the data would make another table: what our evaluators can measure is all there,
    # or the committed table stays.
    absent = [
        j for j in judgements if j.verdict is Verdict.NOT_MEASURED and not j.claim.unmeasurable
    ]
    return [] if absent else judgements


TABLES = {
    "relicv2_page": Table(
        title="ReLICv2's page: claims on ObjectNet and ImageNet", make=_judged(relicv2_page)
    ),
    "published_checkpoints": Table(
        title="Published CIFAR-10 weights: claimed and measured",
        make=_judged(published_checkpoints),
    ),
    "published_predictions": Table(
        title="Published predictions: claimed and counted", make=_judged(published_predictions)
    ),
    "battery": Table(
        title="The evaluators on real images: published weights beside an untrained network",
        make=battery,
    ),
    "operating_characteristics": Table(
        title="How often a verdict errs: operating characteristics by simulation",
        make=characteristics_table,
        figure=characteristics_figure,
    ),
    "segmentation": Table(
        title="Segmentation of CamVid: linear heads on frozen backbones", make=segmentation
    ),
}
