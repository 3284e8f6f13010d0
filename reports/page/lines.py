"""Accuracy against the severity of a corruption, one line per row of a comparison."""

from collections.abc import Sequence

from ..compare import Row
from ..comparison_tables import cell_text
from ..severity import SeverityCurve
from .svg import (
    SHAPES,
    WIDTH,
    Scale,
    element,
    figure,
    limits,
    number,
    point,
    series_class,
    text,
    x_axis,
    y_axis,
)

_LEFT, _TOP, _BOTTOM = 36.0, 30.0, 300.0
_NAMES = 104.0  # units on the right for the names at the lines' ends
_LINE = 15.0  # between two names


def severity_svg(curves: Sequence[SeverityCurve], rows: Sequence[Row], name: str) -> str:
    """Return top-1 by severity with 95 % intervals over images, as an <svg>.

    Args:
        curves: at least one with a number; a curve without a row is not drawn.
        rows: the comparison's rows: their order gives colours and marks.
        name: unique in the page.
    """
    by_network = {(c.method, c.architecture): c for c in curves if c.estimates}
    drawn = [
        (place, row, by_network[row.method, row.architecture])
        for place, row in enumerate(rows)
        if (row.method, row.architecture) in by_network
    ]
    estimates = [e for _, _, curve in drawn for _, e in curve.estimates]
    low, high = limits([v for e in estimates for v in (e.interval or (e.value,))], least=1.0)
    severities = sorted({s for _, _, curve in drawn for s, _ in curve.estimates})
    right = WIDTH - _NAMES
    across = Scale(low=severities[0] - 0.2, high=severities[-1] + 0.2, start=_LEFT, end=right)
    up = Scale(low=max(0.0, low), high=min(100.0, high), start=_BOTTOM, end=_TOP)
    content = text(4, 14, "top-1 accuracy (%)", "label")
    content += x_axis(across, _BOTTOM, _TOP, "severity of the corruption",
                      [float(s) for s in severities])  # fmt: skip
    content += y_axis(up, _LEFT, right, up.ticks())
    for place, row, curve in drawn:
        content += _line(curve, row, place, across, up)
    ends = [(up(curve.estimates[-1][1].value), place, row) for place, row, curve in drawn]
    for y, place, row in _apart(ends):
        content += text(right + 8, y + 4, row.method, f"name {_tone(row, place)}")
    return figure(_BOTTOM + 40, "Accuracy by severity", describe(curves), content, name)


def describe(curves: Sequence[SeverityCurve]) -> str:
    """Return every number of the figure in words."""
    lines = (
        f"{curve.method}: "
        + ", ".join(f"severity {s} {cell_text(estimate)}" for s, estimate in curve.estimates)
        for curve in curves
    )
    return "Top-1 accuracy in percent by severity. " + "; ".join(lines) + "."


def _line(curve: SeverityCurve, row: Row, place: int, across: Scale, up: Scale) -> str:
    tone = _tone(row, place)
    style = "" if row.is_method else " dashed" if row.is_baseline else " dotted"
    points = [(across(float(s)), up(e.value), e) for s, e in curve.estimates]
    parts = []
    for x, _, estimate in points:
        if estimate.interval is not None:
            below, above = (up(min(max(v, up.low), up.high)) for v in estimate.interval)
            parts.append(element("line", x1=x, x2=x, y1=below, y2=above, class_=f"bar {tone}"))
    path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y, _ in points)
    parts.append(element("path", d=path, class_=f"curve {tone}{style}"))
    shape = SHAPES[place % len(SHAPES)]
    parts += [point(shape, x, y, tone, 3.5) for x, y, _ in points]
    return "".join(parts)


def _tone(row: Row, place: int) -> str:
    return series_class(place) if row.is_method else "reference"


def _apart(ends: list[tuple[float, int, Row]]) -> list[tuple[float, int, Row]]:
    """Return the names' heights, moved down where they would overlap, then up at the foot."""
    placed: list[tuple[float, int, Row]] = []
    for y, place, row in sorted(ends, key=lambda end: end[:2]):
        placed.append((max(y, placed[-1][0] + _LINE) if placed else y, place, row))
    over = max(0.0, placed[-1][0] - (_BOTTOM - 2)) if placed else 0.0
    result: list[tuple[float, int, Row]] = []
    for y, place, row in reversed(placed):
        ceiling = result[-1][0] - _LINE if result else y - over
        result.append((min(y, ceiling), place, row))
    return result[::-1]
