"""Rows of points with intervals: accuracy by method, and accuracy by class."""

from collections.abc import Sequence
from dataclasses import dataclass

from .svg import SHAPES, WIDTH, Scale, element, figure, limits, point, series_class, text, x_axis

_TOP, _ROW = 12.0, 26.0
_APART = 5.0  # units between the dots of a row
_LETTER = 6.6  # units of a letter of a row's name, on average
_LONGEST = 22  # letters of a row's name that are shown


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One value of a row."""

    value: float
    interval: tuple[float, float] | None  # None: not known
    place: int = 0  # of its series: gives colour and mark
    tone: str = ""  # instead of the series' colour
    shape: str = ""  # instead of the series' mark


@dataclass(frozen=True, kw_only=True)
class DotRow:
    """One line of the figure."""

    name: str
    dots: Sequence[Dot]


def dot_figure(
    rows: Sequence[DotRow],
    label: str,
    title: str,
    description: str,
    name: str,
    reference: float | None = None,
    within: tuple[float, float] | None = None,
) -> str:
    """Return one line per row, its dots on a common axis, as an <svg>.

    Points with intervals, not bars: the axis need not begin at 0.

    Args:
        rows: at least one dot.
        label: of the axis, with its unit.
        title: what is shown, a few words.
        description: the same in sentences.
        name: unique in the page.
        reference: where a dashed line goes.
        within: values that the axis must not pass.
    """
    values = [v for row in rows for d in row.dots for v in _ends(d)]
    low, high = limits([*values, *([] if reference is None else [reference])], least=0.5)
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    left = 10 + _LETTER * min(_LONGEST, max(len(row.name) for row in rows))
    bottom = _TOP + _ROW * len(rows)
    across = Scale(low=low, high=high, start=left, end=WIDTH - 12.0)
    content = x_axis(across, bottom, _TOP, label, across.ticks(4 if left > 120 else 5))
    if reference is not None:
        x = across(reference)
        content += element("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="guide")
    for index, row in enumerate(rows):
        y = _TOP + _ROW * (index + 0.5)
        content += text(left - 8, y + 4, _shortened(row.name), "name", "end")
        # Aside of one another, or the bars of near values hide each other.
        apart = min(_APART, (_ROW - 8) / max(1, len(row.dots)))
        for index_in_row, dot in enumerate(row.dots):
            content += _dot(dot, across, y + apart * (index_in_row - (len(row.dots) - 1) / 2))
    return figure(bottom + 40, title, description, content, name)


def _dot(dot: Dot, across: Scale, y: float) -> str:
    tone = dot.tone or series_class(dot.place)
    bar = ""
    if dot.interval is not None:
        x1, x2 = (across(v) for v in _ends(dot))
        bar = element("line", x1=x1, x2=x2, y1=y, y2=y, class_=f"bar {tone}")
    return bar + point(dot.shape or SHAPES[dot.place % len(SHAPES)], across(dot.value), y, tone)


def _ends(dot: Dot) -> tuple[float, float]:
    return dot.interval or (dot.value, dot.value)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
