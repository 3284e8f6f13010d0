"""The page's figures with their captions and legends."""

from collections.abc import Sequence
from typing import Any

from ..verdict import Judgement
from .dots import Dot, DotRow, dot_figure
from .effective import Panel, panels
from .effective_figure import effective_figure, methods_of
from .per_class import PerClass
from .scatter import difference_figure, plotted, scatter_figure
from .svg import SHAPES, element, point, series_class


def scatter_pictures(judgements: Sequence[Judgement]) -> list[dict[str, str]]:
    """Return the claims as points: claimed against measured, and the difference."""
    shown = plotted(judgements)
    if not shown:
        return []
    return [
        {
            "svg": scatter_figure(shown, "scatter"),
            "caption": f"{len(shown)} claims in percent. On the diagonal both numbers agree.",
        },
        {
            "svg": difference_figure(shown, "difference"),
            "caption": "The same claims, the difference enlarged. Bars are 90 % intervals, where "
            "they are wider than the mark.",
        },
    ]


def effective_pictures(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Return a picture for each shifted set, and one legend for all of them; {}: none."""
    found = panels(judgements)
    if not found:
        return {}
    order = methods_of(found)
    return {
        "legend": [
            {"words": method, "key": legend_key(place)} for place, method in enumerate(order)
        ],
        "pictures": [
            {
                "svg": effective_figure(panel, order, f"shift-{panel.data.replace('.', '-')}"),
                "caption": _caption(panel),
            }
            for panel in found
        ],
    }


def _caption(panel: Panel) -> str:
    line = panel.line
    text = (
        f"{panel.title}: fewer than three supervised networks, so no baseline."
        if line is None
        else f"{panel.title}: baseline through {line.networks} supervised networks."
    )
    best = [
        (effective, network)
        for network in panel.points
        if not network.standard and (effective := panel.effective(network)) is not None
    ]
    if best:
        effective, highest = max(best, key=lambda pair: pair[0])
        words = f"{effective:+.1f}".replace("-", "\N{MINUS SIGN}")
        text += (
            f" Of the others {highest.claim.method}, {highest.claim.architecture}, lies "
            f"{'highest above' if effective > 0 else 'nearest below'} it: {words} points."
        )
    if panel.left_out:
        names = ", ".join(f"{c.method}, {c.architecture} ({c.value})" for c in panel.left_out)
        text += f" Without a place on a logit axis: {names}."
    return text


def class_pictures(found: Sequence[PerClass]) -> list[dict[str, Any]]:
    """Return one picture by class for each set of images and protocol, with its legend."""
    return [_class_picture(per_class, f"classes-{n}") for n, per_class in enumerate(found, start=1)]


def _class_picture(shown: PerClass, name: str) -> dict[str, Any]:
    rows = [
        DotRow(
            name=title,
            dots=[
                Dot(
                    value=network.by_class[place].value,
                    interval=network.by_class[place].interval,
                    place=index,
                )
                for index, network in enumerate(shown.networks)
            ],
        )
        for place, title in enumerate(shown.classes)
    ]
    which = (
        f"all {shown.of} classes"
        if len(shown.classes) == shown.of
        else f"the {len(shown.classes)} of {shown.of} classes in which they differ most"
    )
    description = "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{network.name} {dot.value:.1f}"
            for network, dot in zip(shown.networks, row.dots, strict=True)
        )
        for row in rows
    )
    return {
        "title": f"{shown.title}, {shown.protocol}",
        "svg": dot_figure(
            rows,
            "top-1 accuracy by class (%)",
            f"Accuracy by class on {shown.title}",
            f"Top-1 accuracy in percent by class, {shown.protocol}. {description}.",
            name,
            within=(0.0, 100.0),
        ),
        "caption": f"{shown.title}, {shown.protocol}: {which}, the hardest at the top, with 95 % "
        "Wilson intervals over the images of a class.",
        "legend": [
            {"words": f"{network.name} ({network.overall:.2f} %)", "key": legend_key(place)}
            for place, network in enumerate(shown.networks)
        ],
    }


def legend_key(place: int) -> str:
    """Return the mark of the series at `place` as a small <svg> beside its name."""
    drawn = point(SHAPES[place % len(SHAPES)], 7, 7, series_class(place))
    return element("svg", drawn, class_="key", viewBox="0 0 14 14", aria_hidden="true")
