"""What the templates show, as plain texts; figures are <svg> elements, images `data:` addresses."""

from collections.abc import Sequence
from typing import Any

from ... import __version__
from ..compare import comparisons
from ..comparison_tables import summary
from ..contradictions import Contradiction
from ..proportion import reproduced
from ..provenance_tables import environment_lines, measured_rows, protocol_rows
from ..scored import latest
from ..tables import full_reason, measured_text
from ..verdict import Judgement, Verdict
from .claim_data import claim_data, ordered
from .comparison_content import comparison_content
from .gallery import address_of, galleries
from .marks import MARKS, words
from .paper_content import judged_first, paper_content
from .per_class import per_class
from .pictures import class_pictures, effective_pictures, scatter_pictures
from .report import Report, Section
from .scatter import plotted


def page_content(report: Report) -> dict[str, Any]:
    """Return what the templates show; the same report gives the same content."""
    # In an order of their own: the files' times would make the page differ from copy to copy.
    shown = sorted(latest(report.scored), key=lambda item: (item.record.seed, item.record.id))
    compared = comparisons(shown, report.baseline)
    claims = ordered([*report.judgements, *report.unmeasured])
    return {
        "title": report.title,
        "version": __version__,
        "summaries": [summary(comparison) for comparison in compared],
        "tiles": _tiles(claims),
        "share": _share(report.judgements),
        "claims": _claims(ordered(report.judgements)),
        "claims_listed": len(claims),
        "claim_data": claim_data(claims) if claims else "",
        "choices": _choices(claims),
        "scatter": scatter_pictures(report.judgements),
        "scatter_marks": sorted({str(j.verdict) for j in plotted(report.judgements)}),
        "effective": effective_pictures(claims),
        "contradictions": [_contradiction(c) for c in report.contradictions],
        "papers": paper_content(report.paper_tables),
        "papers_judged": judged_first(report.paper_tables),
        "comparisons": [
            comparison_content(c, shown, number) for number, c in enumerate(compared, start=1)
        ],
        "classes": class_pictures(per_class(shown, report.labelled)),
        "galleries": galleries(shown, report.labelled),
        "sections": [_section(section) for section in report.sections],
        "measured": measured_rows([item.record for item in shown]),
        "protocols": protocol_rows([item.record for item in shown]),
        "environments": environment_lines([item.record for item in shown]),
        "replaced": len(report.scored) - len(shown),
        "commands": list(report.commands),
        "marks": [
            {"name": str(v), "words": words(v), "tone": m.tone, "meaning": m.meaning}
            for v, m in MARKS.items()
        ],
    }


def _tiles(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    counts = dict.fromkeys(MARKS, 0)
    for judgement in judgements:
        counts[judgement.verdict] += 1
    return [
        {"name": str(v), "words": words(v), "count": f"{n:,}", "number": n, "tone": MARKS[v].tone,
         "measured": v is not Verdict.NOT_MEASURED, "meaning": MARKS[v].meaning}
        for v, n in counts.items()
        if n
    ]  # fmt: skip


def _share(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Return the headline: k of n reproduced with the interval of that share; {}: none judged."""
    found = reproduced(judgements)
    if not found.judged:
        return {}
    low, high = found.interval
    return {
        "reproduced": found.reproduced,
        "judged": found.judged,
        "percent": f"{100 * found.reproduced / found.judged:.1f}",
        "interval": f"{low:.1f} to {high:.1f}",
        "low": f"{low:.1f}",
        "high": f"{high:.1f}",
        "width": f"{high - low:.1f}",
        "sentence": found.sentence,
    }


def _claims(judgements: Sequence[Judgement]) -> list[dict[str, str]]:
    """Return the rows that the page has without its script: of the claims that were judged."""
    rows: list[dict[str, str]] = []
    anchors: set[str] = set()
    for judgement in judgements:
        # Several checkpoints may speak of one claim; its address leads to the first row.
        anchor = "" if judgement.claim.id in anchors else judgement.claim.id
        anchors.add(anchor)
        rows.append({**_claim(judgement), "anchor": anchor})
    return rows


def _claim(judgement: Judgement) -> dict[str, str]:
    claim = judgement.claim
    difference = judgement.difference
    return {
        "id": claim.id,
        "model": claim.method,
        "architecture": claim.architecture,
        "dataset": claim.dataset,
        "metric": claim.metric,
        "unit": "" if claim.unit == "as printed" else claim.unit,
        "paper": claim.paper,
        "claimed": claim.value + (" (recalled)" if claim.recalled else ""),
        "measured": measured_text(judgement),
        "difference": "" if difference is None else signed(difference),
        "verdict": str(judgement.verdict),
        "words": words(judgement.verdict),
        "tone": MARKS[judgement.verdict].tone,
        "reason": full_reason(judgement),
    }


def signed(value: float) -> str:
    """Return a difference with its sign: `+0.12`, a true minus before negative ones."""
    # Adding 0.0 turns the -0.0 of a rounded negative into 0.
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}")


def _choices(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return the filters: what can be chosen in each, with how many claims it leaves."""
    values = {
        "paper": [j.claim.paper for j in judgements],
        "dataset": [j.claim.dataset for j in judgements],
        "method": [j.claim.method for j in judgements],
    }
    titles = {"paper": "Paper", "dataset": "Data set", "method": "Method"}
    return [
        {
            "name": name,
            "title": titles[name],
            "options": [
                {"value": value, "count": found.count(value)}
                for value in sorted(set(found), key=lambda v: (v.casefold(), v))
            ],
        }
        for name, found in values.items()
    ]


def _contradiction(contradiction: Contradiction) -> dict[str, Any]:
    return {
        "id": contradiction.id,
        "title": contradiction.title,
        "statement": contradiction.statement,
        "source": contradiction.source,
        "facts": [
            {"arithmetic": fact.arithmetic, "claims": list(fact.claims)}
            for fact in contradiction.facts
        ],
        "figures": list(contradiction.figures),
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "text": list(section.text),
        "tables": list(section.tables),
        "pictures": [
            {
                "address": address_of(picture.png),
                "caption": picture.caption,
                "description": picture.description,
            }
            for picture in section.pictures
        ],
    }
