"""Claimed against measured, and the difference between the two."""

from collections.abc import Sequence
from html import escape

from ..verdict import Judgement
from .marks import MARKS, words
from .svg import WIDTH, Scale, element, figure, limits, point, text, tick_text, x_axis, y_axis

_LEFT, _RIGHT, _TOP = 46.0, WIDTH - 14.0, 30.0


def plotted(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements with a number in percent, discrepancies last: drawn on top."""
    known = (j for j in judgements if j.measured is not None and j.claim.unit == "%")
    return sorted(known, key=lambda j: (-MARKS[j.verdict].rank, j.claim.id))


def scatter_figure(judgements: Sequence[Judgement], name: str) -> str:
    """Return measured against claimed in percent, with the line of equality, as an <svg>.

    Args:
        judgements: as `plotted` gives them, at least one.
        name: unique in the page.
    """
    points = [(j.claim.number, _measured(j)) for j in judgements]
    low, high = limits([value for point in points for value in point], least=0.5)
    bottom = _TOP + (_RIGHT - _LEFT) * 0.82
    across = Scale(low=low, high=high, start=_LEFT, end=_RIGHT)
    up = Scale(low=low, high=high, start=bottom, end=_TOP)
    content = text(4, 14, "measured (%)", "label")
    content += x_axis(across, bottom, _TOP, "claimed (%)", across.ticks())
    content += y_axis(up, _LEFT, _RIGHT, up.ticks())
    content += element(
        "line", x1=across(low), y1=up(low), x2=across(high), y2=up(high), class_="guide"
    )
    for judgement, (claimed, measured) in zip(judgements, points, strict=True):
        content += _point(judgement, across(claimed), up(measured))
    return figure(
        bottom + 40,
        "Claimed against measured",
        f"{len(points)} claims with a measurement, claimed and measured value in percent; "
        f"points on the diagonal agree. {_counted(judgements)}",
        content,
        name,
    )


def difference_figure(judgements: Sequence[Judgement], name: str) -> str:
    """Return measured minus claimed, in points, against the claim, as an <svg>.

    The scatter over a hundred points hides what decides: tenths of a point. Bars are the
    90 % intervals that the verdicts were read from.
    """
    ends = [j.interval or (_difference(j), _difference(j)) for j in judgements]
    low, high = limits([*(v for pair in ends for v in pair), 0.0], least=0.02)
    across_low, across_high = limits([j.claim.number for j in judgements], least=0.5)
    bottom = _TOP + (_RIGHT - _LEFT) * 0.82
    across = Scale(low=across_low, high=across_high, start=_LEFT, end=_RIGHT)
    up = Scale(low=low, high=high, start=bottom, end=_TOP)
    content = text(4, 14, "measured \N{MINUS SIGN} claimed (points)", "label")
    content += x_axis(across, bottom, _TOP, "claimed (%)", across.ticks())
    content += y_axis(up, _LEFT, _RIGHT, up.ticks())
    content += element("line", x1=_LEFT, x2=_RIGHT, y1=up(0.0), y2=up(0.0), class_="guide")
    for judgement, (below, above) in zip(judgements, ends, strict=True):
        x = across(judgement.claim.number)
        tone = MARKS[judgement.verdict].tone
        if up(below) - up(above) > 9:  # a shorter bar lies under its mark
            content += element("line", x1=x, x2=x, y1=up(below), y2=up(above), class_=f"bar {tone}")
        content += _point(judgement, x, up(_difference(judgement)))
    return figure(
        bottom + 40,
        "Measured minus claimed",
        f"The difference of {len(judgements)} claims from what was measured, in points, between "
        f"{tick_text(round(low, 2))} and {tick_text(round(high, 2))}. {_counted(judgements)}",
        content,
        name,
    )


def _point(judgement: Judgement, x: float, y: float) -> str:
    look = MARKS[judgement.verdict]
    title = element(
        "title",
        escape(
            f"{judgement.claim.id}: claimed {judgement.claim.value}, measured "
            f"{_measured(judgement):.2f}, {words(judgement.verdict)}"
        ),
    )
    # Not a stop of the tab key: a hundred of them stand between the reader and the table,
    # which has the same links.
    return element(
        "a",
        title + point(_SHAPE.get(look.shape, look.shape), x, y, look.tone),
        href=f"#{judgement.claim.id}",
        tabindex="-1",
    )


_SHAPE = {"ring": "circle", "dash": "plus", "bang": "cross"}


def _counted(judgements: Sequence[Judgement]) -> str:
    counts = {verdict: sum(j.verdict is verdict for j in judgements) for verdict in MARKS}
    return ", ".join(f"{n} {words(v)}" for v, n in counts.items() if n).capitalize() + "."


def _measured(judgement: Judgement) -> float:
    assert judgement.measured is not None
    return judgement.measured


def _difference(judgement: Judgement) -> float:
    assert judgement.difference is not None
    return judgement.difference
