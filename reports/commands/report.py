"""Write the report of a folder of records."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ..cli import json_option, print_json, say

if TYPE_CHECKING:
    from ..generated import Outcome


@click.command("report", short_help="Write a page and tables from records.")
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/records"),
    show_default=True,
    help="Folder of records, as evaluate, verify and demo keep them.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Folder for report.html and the tables [default: runs/report]; with --table the file to "
    "write [default: standard output], with --model-cards the folder.",
)
@click.option(
    "--baseline",
    default="random",
    show_default=True,
    help="Method that the others are held against.",
)
@click.option("--title", help="Heading of the page.")
@click.option(
    "--table",
    "names",
    multiple=True,
    help="Instead of a report, this table of a paper: relicheck list tables; 'all' for every "
    "one. Repeatable. Cells are filled from --records, if that folder is there.",
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    help="With --table: text, markdown, csv, latex (booktabs), json, tracker.",
)
@click.option(
    "--model-cards",
    is_flag=True,
    help="Instead of a report, a Hugging Face model card (model-index) per checkpoint judged.",
)
@click.option(
    "--tables",
    type=click.Path(path_type=Path, file_okay=False),
    help="Instead of a report, write the committed tables to this folder.",
)
@click.option("--check", is_flag=True, help="With --tables: compare, write nothing.")
@click.option("--only", multiple=True, help="With --tables: these alone, for instance battery.")
@json_option
@click.pass_context
def COMMAND(
    context: click.Context,
    records: Path,
    output: Path | None,
    baseline: str,
    title: str | None,
    names: tuple[str, ...],
    form: str,
    model_cards: bool,
    tables: Path | None,
    check: bool,
    only: tuple[str, ...],
    as_json: bool,
) -> int:
    """Write report.html, its tables (.md, .csv) and figure from a folder of records.

    Subjects measured on the same images are set side by side, with paired differences
    from the baseline; records that belong to a registered claim are judged. With --table a
    table of a paper is written instead, with --model-cards a card per checkpoint. Nothing is
    measured. Exit code 1: a claim is not reproduced, or with --check a table differs.

    \b
    Example:
      relicheck report --records relicheck-demo/records --output relicheck-demo
      relicheck report --table relicv2_ood --format latex -o ood.tex
    """
    if sum((bool(names), model_cards, tables is not None)) > 1:
        raise click.UsageError("--table, --model-cards and --tables exclude each other.")
    if (check or only) and tables is None:
        raise click.UsageError("--check and --only go with --tables DIR.")
    if tables is not None:
        return _tables(tables, check, only, as_json)
    if names:
        stated = context.get_parameter_source("records") is ParameterSource.COMMANDLINE
        return _table(names, "json" if as_json else form, _known(records, stated), output)
    if model_cards:
        return _cards(output or Path("runs/report"), records, as_json)
    return _report(records, output or Path("runs/report"), baseline, title, as_json)


def _known(records: Path, stated: bool) -> Path | None:
    # Without records a table still says what is claimed and what measuring it would need.
    return records if stated or records.is_dir() else None


def _table(names: tuple[str, ...], form: str, records: Path | None, output: Path | None) -> int:
    from ...checkpoints.files import write_text
    from ..table_files import render_tables

    text = render_tables(names, form, records)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        say(f"Written: {output}")
    return 0


def _cards(folder: Path, records: Path, as_json: bool) -> int:
    from ..table_files import write_cards

    paths = write_cards(folder, records)
    if as_json:
        print_json({"cards": [str(path) for path in paths]})
    for path in () if as_json else paths:
        click.echo(f"Card: {path}")
    if not paths:
        say("No record of the folder is judged by a registered claim: no card.")
    return 0


def _report(records: Path, output: Path, baseline: str, title: str | None, as_json: bool) -> int:
    from ..comparison_tables import comparison_text
    from ..contradictions import contradictions_among, contradictions_text
    from ..proportion import reproduced
    from ..report_files import report_of, write_report
    from ..tables import judgement_dicts, judgements_text
    from ..verified import summary

    report, compared = report_of(records, baseline, title)
    page = write_report(output, report)
    if as_json:
        print_json(
            {
                "report": str(page),
                "claims": judgement_dicts(report.judgements),
                "reproduced": reproduced(report.judgements).as_dict(),
                "contradictions": [c.as_dict() for c in contradictions_among(report.judgements)],
                "comparisons": [comparison.as_dict() for comparison in compared],
            }
        )
    else:
        for comparison in compared:
            click.echo(comparison_text(comparison))
        if report.judgements:
            click.echo(judgements_text(report.judgements))
            click.echo(contradictions_text(contradictions_among(report.judgements)), nl=False)
            say(summary(report.judgements))
        click.echo(f"Report: {page}")
    return 1 if any(judgement.verdict.discrepancy for judgement in report.judgements) else 0


def _tables(folder: Path, check: bool, only: tuple[str, ...], as_json: bool) -> int:
    from ..generated import regenerate

    outcomes = regenerate(folder, check, only)
    if as_json:
        print_json({o.name: {"state": o.state, "detail": o.detail} for o in outcomes})
    else:
        _print_outcomes(outcomes)
    different = any(outcome.state in ("different", "stray") for outcome in outcomes)
    if different:
        say(f"Write them anew with: relicheck report --tables {folder}")
    return 1 if different else 0


def _print_outcomes(outcomes: "Sequence[Outcome]") -> None:
    """Print what changed by name; of hundreds of other files their number says enough."""
    for outcome in outcomes:
        if outcome.state not in ("unchanged", "skipped"):
            click.echo(f"{outcome.name}: {outcome.state}")
            if outcome.detail:
                say(outcome.detail)
    skipped = Counter(o.detail for o in outcomes if o.state == "skipped")
    for reason, count in skipped.items():
        click.echo(f"{count} skipped: {reason}")
    unchanged = sum(outcome.state == "unchanged" for outcome in outcomes)
    click.echo(f"{unchanged} of {len(outcomes)} files unchanged")
