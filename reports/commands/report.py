"""Write the report of a folder of records."""

from pathlib import Path

import click

from ..cli import json_option, print_json, say


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
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/report"),
    show_default=True,
    help="Folder for report.html and the tables.",
)
@click.option(
    "--baseline",
    default="random",
    show_default=True,
    help="Method that the others are held against.",
)
@click.option("--title", help="Heading of the page.")
@click.option(
    "--tables",
    type=click.Path(path_type=Path, file_okay=False),
    help="Instead of a report, write the committed tables to this folder.",
)
@click.option("--check", is_flag=True, help="With --tables: compare, write nothing.")
@json_option
def COMMAND(
    records: Path,
    output: Path,
    baseline: str,
    title: str | None,
    tables: Path | None,
    check: bool,
    as_json: bool,
) -> int:
    """Write report.html, its tables (.md, .csv) and figure from a folder of records.

    Subjects measured on the same images are set side by side, with paired differences
    from the baseline; records that belong to a registered claim are judged. Nothing is
    measured. Exit code 1: a claim is not reproduced, or with --check a table differs.

    \b
    Example:
      relicheck report --records relicheck-demo/records --output relicheck-demo
    """
    if check and tables is None:
        raise click.UsageError("--check goes with --tables DIR.")
    if tables is not None:
        return _tables(tables, check, as_json)
    return _report(records, output, baseline, title, as_json)


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


def _tables(folder: Path, check: bool, as_json: bool) -> int:
    from ..generated import regenerate

    outcomes = regenerate(folder, check)
    if as_json:
        print_json({o.name: {"state": o.state, "detail": o.detail} for o in outcomes})
    else:
        for outcome in outcomes:
            click.echo(f"{outcome.name}: {outcome.state}")
            if outcome.detail:
                say(outcome.detail)
    different = any(outcome.state == "different" for outcome in outcomes)
    if different:
        say(f"Write them anew with: relicheck report --tables {folder}")
    return 1 if different else 0
