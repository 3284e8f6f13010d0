"""The files of a report: the page, and its tables in Markdown and CSV."""

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..checkpoints.errors import UnknownName
from ..checkpoints.files import write_bytes, write_text
from ..evaluations.record import Record
from .bare import bare_judgement
from .claim_registry import load_claims
from .compare import DEFAULT_BASELINE, Comparison, comparisons
from .comparison_tables import comparison_csv, comparison_markdown
from .contradictions import Contradiction, load_contradictions
from .figures import accuracy_figure, filled_columns, png_bytes
from .matching import judge_records
from .page import Report, render_page
from .page.labelled import labelled_sets
from .page.paper_content import has_measurement
from .paper_tables import PaperTable, paper_tables
from .scored import latest, read_scored
from .segmentation_files import (
    segmentation_files,
    segmentation_sections,
    segmentation_sets,
)
from .tables import judgements_csv, judgements_markdown
from .verdict import Judgement


def report_of(
    records: Path,
    baseline: str = "random",
    title: str | None = None,
    *,
    every_claim: bool = True,
    data_root: Path | None = None,
) -> tuple[Report, list[Comparison]]:
    """Return the report of a folder of records, and its comparisons.

    Args:
        records: the folder.
        baseline: method that the others are held against.
        title: heading of the page.
        every_claim: whether the page lists the claims that nothing here measures, too, and
            the papers' tables that hold only such.
        data_root: where data sets lie; None: the data roots. Labels and images shown by
            class come from there; without them the page has no such section.

    Raises:
        MissingData: there is no such folder, or no record in it.
        BadRecord: a record was edited.
        UnknownName: no method of the comparison is called `baseline`.
    """
    everything = read_scored(records)
    scored = sorted(latest(everything), key=lambda item: (item.record.seed, item.record.id))
    compared = comparisons(scored, baseline)
    methods = {row.method for comparison in compared for row in comparison.rows}
    # Without the default baseline the table still stands; without a chosen one it misleads.
    if baseline not in {*methods, DEFAULT_BASELINE}:
        raise UnknownName("method among the records", baseline, methods)
    found = [item.record for item in scored]
    judgements = judge_records(found, load_claims())
    report = Report(
        title=title or "relicheck report",
        scored=everything,
        judgements=judgements,
        unmeasured=_unmeasured(judgements) if every_claim else (),
        baseline=baseline,
        commands=repeat_commands(found),
        labelled=labelled_sets(found, data_root),
        contradictions=_contradictions(judgements, every_claim),
        paper_tables=_paper_tables(judgements, every_claim),
    )
    return report, compared


def _unmeasured(judgements: Sequence[Judgement]) -> list[Judgement]:
    judged = {judgement.claim.id for judgement in judgements}
    return [bare_judgement(claim) for claim in load_claims() if claim.id not in judged]


def _contradictions(judgements: Sequence[Judgement], every_claim: bool) -> list[Contradiction]:
    shown = {judgement.claim.id for judgement in judgements}
    return [c for c in load_contradictions() if every_claim or shown.intersection(c.claims)]


def _paper_tables(judgements: Sequence[Judgement], every_claim: bool) -> list[PaperTable]:
    """Return the papers' tables, those with a measurement first, each in the papers' order."""
    tables = sorted(paper_tables(judgements).values(), key=lambda table: not has_measurement(table))
    return tables if every_claim else [table for table in tables if has_measurement(table)]


def repeat_commands(records: Sequence[Record]) -> list[str]:
    """Return the commands that measure these records again, one per subject and data set.

    A checkpoint is named as its file was, without its folder.
    """
    groups: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        if record.source in ("images", "features"):
            groups[record.subject, record.subject_kind, record.dataset].append(record)
    return [_command(*key, groups[key]) for key in sorted(groups)]


def _command(subject: str, kind: str, dataset: str, records: Sequence[Record]) -> str:
    from ..checkpoints.zoo import published_names

    is_file = kind == "checkpoint" and subject not in published_names()
    name = f"{subject}.safetensors" if is_file else subject
    evaluators = ",".join(sorted({record.evaluator for record in records}))
    seeds = sorted({record.seed for record in records})
    parts = ["relicheck", "evaluate", name, "--data", dataset, "--evaluators", evaluators]
    if seeds != [0]:
        parts += [part for seed in seeds for part in ("--seed", str(seed))]
    if any(not record.complete for record in records):
        parts += ["--limit", str(min(record.images for record in records))]
    return shlex.join(parts)


def write_report(folder: Path, report: Report) -> Path:
    """Write report.html, comparison.md and .csv, claims.md and .csv; return the page's path.

    With them comes `accuracy-<data set>.png` for each comparison, to be shown elsewhere, and
    what `segmentation_files` makes where masks were scored.
    Each file appears whole or not at all; all are rendered before the first is written.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
        BadData: the folder cannot be written.
    """
    compared = comparisons(latest(report.scored), report.baseline)
    segmented = segmentation_sets(latest(report.scored))
    report = replace(report, sections=[*report.sections, *segmentation_sections(segmented)])
    texts = {
        "comparison.md": "\n".join(
            f"# {c.dataset} ({c.split})\n\n{comparison_markdown(c)}" for c in compared
        )
        or "No comparison: no record is of an evaluator that the table declares.\n",
        "comparison.csv": comparison_csv(compared),
        "claims.md": judgements_markdown(report.judgements)
        if report.judgements
        else "No record belongs to a registered claim.\n",
        "claims.csv": judgements_csv(report.judgements),
        "report.html": render_page(report),
    }
    pictures = {
        f"accuracy-{c.dataset}.png": png_bytes(accuracy_figure(c))
        for c in compared
        if filled_columns(c)
    }
    pictures |= segmentation_files(segmented)
    for name, text in texts.items():
        write_text(Path(folder) / name, text)
    for name, picture in pictures.items():
        write_bytes(Path(folder) / name, picture)
    return Path(folder) / "report.html"
