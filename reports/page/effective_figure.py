"""The picture of effective robustness: one drawing for each shifted set."""

from collections.abc import Callable, Sequence
from html import escape

from .effective import Panel, Point
from .svg import (
    SHAPES,
    WIDTH,
    Scale,
    element,
    figure,
    logit,
    series_class,
    text,
    unlogit,
    x_axis,
    y_axis,
)
from .svg import point as svg_point

_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, WIDTH - 14.0, 30.0, 290.0
_ROUND = (0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95, 98, 99)


def methods_of(found: Sequence[Panel]) -> list[str]:
    """Return the methods of all panels in the order of their marks: the supervised first."""
    own = {p.claim.method for panel in found for p in panel.points if not p.standard}
    return ["Supervised", *sorted(own)]


def effective_figure(panel: Panel, order: Sequence[str], name: str) -> str:
    """Return the accuracies of one shifted set against ImageNet's, logit-scaled, as an <svg>.

    Filled marks were measured here, hollow ones are claimed; the solid line is the
    baseline, the dashed one equality.
    """
    across = _scale([p.imagenet for p in panel.points], _LEFT, _RIGHT)
    up = _scale([p.shifted for p in panel.points], _BOTTOM, _TOP)
    content = text(4, 14, f"{panel.title} top-1 (%)", "label")
    content += x_axis(across, _BOTTOM, _TOP, "ImageNet top-1 (%)", _ticks(across))
    content += y_axis(up, _LEFT, _RIGHT, _ticks(up))
    content += _straight(lambda x: x, across, up, "guide")
    if panel.line is not None:
        content += _straight(panel.line, across, up, "fit")
    for point in sorted(panel.points, key=lambda p: (not p.standard, p.claim.id)):
        place = 0 if point.standard else order.index(point.claim.method)
        content += _point(panel, point, across(point.imagenet), up(point.shifted), place)
    return figure(
        _BOTTOM + 40, f"{panel.title} against ImageNet", _description(panel), content, name
    )


def _scale(values: list[float], start: float, end: float) -> Scale:
    logits = [logit(value) for value in values]
    room = max(0.12, 0.08 * (max(logits) - min(logits)))
    return Scale(
        low=unlogit(min(logits) - room),
        high=unlogit(max(logits) + room),
        start=start,
        end=end,
        transform=logit,
    )


def _ticks(scale: Scale) -> list[float]:
    """Return round percents on the axis, or equal steps where it spans too few of them."""
    shown = [float(t) for t in _ROUND if scale.low <= t <= scale.high]
    kept: list[float] = []
    for tick in shown:
        if not kept or abs(scale(tick) - scale(kept[-1])) >= 26:
            kept.append(tick)
    return kept if len(kept) >= 3 else scale.ticks(4)


def _straight(of: Callable[[float], float], across: Scale, up: Scale, kind: str) -> str:
    """Return the part of a line that lies within the drawing; it is straight in logits."""
    steps = 160
    inside = []
    for step in range(steps + 1):
        logits = logit(across.low) + (logit(across.high) - logit(across.low)) * step / steps
        x = unlogit(logits)
        if up.low <= of(x) <= up.high:
            inside.append((across(x), up(of(x))))
    if len(inside) < 2:
        return ""
    (x1, y1), (x2, y2) = inside[0], inside[-1]
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _point(panel: Panel, point: Point, x: float, y: float, place: int) -> str:
    claim = point.claim
    above = panel.effective(point)
    extra = "" if above is None else f", {above:+.1f} points from the baseline"
    how = "measured" if point.measured else "claimed"
    title = (
        f"{claim.method}, {claim.architecture}: ImageNet {point.imagenet:.1f}, "
        f"{panel.title} {point.shifted:.1f} ({how}){extra}"
    )
    hollow = "" if point.measured else " hollow"
    drawn = svg_point(SHAPES[place % len(SHAPES)], x, y, f"{series_class(place)}{hollow}")
    link = element("title", escape(title)) + drawn
    return element("a", link, href=f"#{claim.id}", tabindex="-1")


def _description(panel: Panel) -> str:
    parts = [
        f"{p.claim.method}, {p.claim.architecture}: {p.imagenet:.1f} and {p.shifted:.1f}"
        for p in panel.points
        if not p.standard
    ]
    own = f"; by self-supervised networks {'; '.join(parts)}" if parts else ""
    line = panel.line
    baseline = (
        "No baseline: too few supervised networks"
        if line is None
        else f"The baseline through {line.networks} supervised networks has slope "
        f"{line.slope:.2f} in logits"
    )
    return (
        f"Top-1 accuracy on {panel.title} against ImageNet, {len(panel.points)} networks. "
        f"{baseline}{own}."
    )
