"""The files of a report: the page, and its tables in Markdown and CSV."""

from pathlib import Path

from ..checkpoints.files import write_text
from .compare import comparisons
from .comparison_tables import comparison_csv, comparison_markdown
from .page import Report, render_page
from .scored import latest
from .tables import judgements_csv, judgements_markdown


def write_report(folder: Path, report: Report) -> Path:
    """Write report.html, comparison.md and .csv, claims.md and .csv; return the page's path.

    Each file appears whole or not at all; all are rendered before the first is written.

    Raises:
        MissingDependency: jinja2 or matplotlib is not installed.
        BadData: the folder cannot be written.
    """
    compared = comparisons(latest(report.scored), report.baseline)
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
    for name, text in texts.items():
        write_text(Path(folder) / name, text)
    return Path(folder) / "report.html"
