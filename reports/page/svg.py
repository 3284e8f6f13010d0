"""Figures as inline SVG: few elements, classes instead of colours, real text.

The page's style sheet colours the classes, so that one figure serves light, dark and
print; and text stays text: it is searched, enlarged and read aloud. Numbers are rounded
to a tenth of a unit, which makes the bytes the same on every machine.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 420  # units; a unit is 0.8 px on a telephone of 360 px and at most 1.4 px elsewhere
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

Transform = Callable[[float], float]


def element(name: str, content: str = "", **attributes: object) -> str:
    """Return `<name ...>content</name>`; an underscore in a name is a hyphen.

    Attributes that are None are left out, texts are escaped; `content` is markup.
    """
    parts = [
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    opening = f"<{name}{''.join(parts)}"
    return f"{opening}>{content}</{name}>" if content else f"{opening}/>"


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else escape(str(value))


def number(value: float) -> str:
    """Return a coordinate to a tenth: `12.3`, `12`."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Return one line of text."""
    shown = None if anchor == "start" else anchor
    return element("text", escape(words), x=float(x), y=float(y), class_=kind, text_anchor=shown)


def figure(height: float, title: str, description: str, content: str, name: str) -> str:
    """Return an <svg> with its title and description, which screen readers announce.

    Args:
        height: in units; the width is `WIDTH`.
        title: what is shown, a few words.
        description: the same in sentences with the numbers that matter.
        content: its elements.
        name: unique in the page.
    """
    head = element("title", escape(title), id=f"{name}-title")
    head += element("desc", escape(description), id=f"{name}-desc")
    return element(
        "svg",
        head + content,
        viewBox=f"0 0 {WIDTH} {number(height)}",
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def logit(percent: float) -> float:
    """Return log(p / (1 - p)) of a percent strictly between 0 and 100."""
    return math.log(percent / (100 - percent))


def unlogit(value: float) -> float:
    """Return the percent whose logit is `value`."""
    return 100 / (1 + math.exp(-value))


@dataclass(frozen=True, kw_only=True)
class Scale:
    """An axis: where a value lies between two ends of the drawing."""

    low: float  # value at `start`
    high: float  # value at `end`
    start: float  # units
    end: float
    transform: Transform = float

    def __call__(self, value: float) -> float:
        """Return the position of `value` in units."""
        low, high = self.transform(self.low), self.transform(self.high)
        share = (self.transform(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values within the axis: about as many as asked for."""
        rough = (self.high - self.low) / max(1, about)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * s for s in _STEPS if power * s >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(index * step, 10) + 0.0 for index in range(first, last + 1)]


def limits(
    values: Iterable[float], margin: float = 0.06, least: float = 1e-6
) -> tuple[float, float]:
    """Return the ends of an axis that holds `values` with some room on both sides."""
    found = list(values)
    low, high = min(found), max(found)
    room = max((high - low) * margin, least)
    return low - room, high + room


def tick_text(value: float) -> str:
    """Return a tick's label: no more decimals than it needs, a true minus."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def x_axis(scale: Scale, y: float, top: float, label: str, ticks: Sequence[float]) -> str:
    """Return a horizontal axis with grid lines up to `top`, and its label."""
    parts = []
    for value in ticks:
        x = scale(value)
        parts.append(element("line", x1=x, x2=x, y1=float(top), y2=float(y), class_="grid"))
        parts.append(text(x, y + 15, tick_text(value), "tick", "middle"))
    parts.append(
        element("line", x1=scale.start, x2=scale.end, y1=float(y), y2=float(y), class_="axis")
    )
    parts.append(text((scale.start + scale.end) / 2, y + 32, label, "label", "middle"))
    return "".join(parts)


def y_axis(scale: Scale, x: float, right: float, ticks: Sequence[float]) -> str:
    """Return a vertical axis with grid lines to `right`; its label stands above the drawing."""
    parts = []
    for value in ticks:
        y = scale(value)
        parts.append(element("line", x1=float(x), x2=float(right), y1=y, y2=y, class_="grid"))
        parts.append(text(x - 7, y + 4, tick_text(value), "tick", "end"))
    return "".join(parts)


# Corners of areas and ends of lines, in radii from the mark's centre; y points down.
_AREAS = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "up": ((0, -1.15), (1.15, 0.85), (-1.15, 0.85)),
    "down": ((0, 1.15), (1.15, -0.85), (-1.15, -0.85)),
    "diamond": ((0, -1.3), (1.2, 0), (0, 1.3), (-1.2, 0)),
}
_LINES = {
    "cross": (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
    "plus": (((-1.2, 0), (1.2, 0)), ((0, -1.2), (0, 1.2))),
}


def mark(shape: str, x: float, y: float, radius: float = 4.5) -> str:
    """Return the path data of a mark: shapes differ, so that colour is never needed."""

    def path(corners: Iterable[tuple[float, float]]) -> str:
        return "M" + "L".join(
            f"{number(x + radius * dx)} {number(y + radius * dy)}" for dx, dy in corners
        )

    if shape in _AREAS:
        return path(_AREAS[shape]) + "z"
    if shape in _LINES:
        return "".join(path(line) for line in _LINES[shape])
    r = number(radius)
    half = f"a{r} {r} 0 1 0 "
    return (
        f"M{number(x - radius)} {number(y)}{half}{number(2 * radius)} 0"
        f"{half}{number(-2 * radius)} 0z"
    )


def point(shape: str, x: float, y: float, kind: str, radius: float = 4.5) -> str:
    """Return a mark as an element of the classes `kind`."""
    drawn = " drawn" if shape in _LINES else ""
    return element("path", d=mark(shape, x, y, radius), class_=f"mark{drawn} {kind}")


SHAPES = ("circle", "square", "up", "diamond", "down", "plus", "cross")


def series_class(place: int) -> str:
    """Return the class that gives the colour of the series at `place`: six, then again."""
    return f"s{place % 6}"
