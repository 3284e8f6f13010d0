"""The page of the public claim trackers: Dataset | Model | Metric | Claimed | Verified | Status."""

from collections.abc import Sequence

from ..layout import markdown_table
from ..paper_tables import PaperTable
from ..table_format import TableFormat, claim_cells
from ..tables import judgement_row
from ..verdict import Judgement

HEADER = ("Dataset", "Model", "Metric", "Claimed", "Verified", "Status")


def render(tables: Sequence[PaperTable]) -> str:
    """Return one line per judgement, each claim once, however many tables quote it."""
    seen: dict[str, tuple[Judgement, ...]] = {}
    for table in tables:
        for *_, cell in claim_cells(table):
            if cell.claim is not None:
                seen.setdefault(cell.claim.id, cell.judgements)
    judgements = (judgement for found in seen.values() for judgement in found)
    return markdown_table(HEADER, [_row(judgement) for judgement in judgements])


def _row(judgement: Judgement) -> tuple[str, ...]:
    dataset, model, metric, claimed, measured, _, verdict = judgement_row(judgement)
    return dataset, model, metric, claimed, measured or "-", verdict


FORMAT = TableFormat(suffix=".md", render=render)
