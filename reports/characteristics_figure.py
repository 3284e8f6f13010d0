"""The committed figure of the operating characteristics, drawn without a library.

Written out as SVG here, so that its bytes depend on no version of a plotting library: the
committed file is compared with what is made now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .characteristics import PROBE, SMALL_SET, Scenario, curve

_WIDTH, _HEIGHT = 380, 250  # of one panel's axes, px
_LEFT, _TOP, _GAP, _BOTTOM = 62, 58, 74, 112
_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class _Line:
    """How one curve is told apart: colour (Okabe and Ito), dashes and name."""

    key: str
    colour: str
    dashes: str
    name: str


_LINES = (
    _Line(key="reproduced", colour="#0072B2", dashes="", name="this rule: reproduced"),
    _Line(key="discrepancy", colour="#D55E00", dashes="9 4", name="this rule: a discrepancy"),
    _Line(key="binomial", colour="#009E73", dashes="2 4", name="binomial rule: reproduced"),
    _Line(key="relative", colour="#595959", dashes="12 4 2 4", name="5 % rule: reproduced"),
)


def characteristics_figure() -> str:
    """Return the figure as SVG text, on white, one panel per scenario."""
    panels = ((PROBE, 1.0), (SMALL_SET, 2.0))
    width = _LEFT + len(panels) * _WIDTH + (len(panels) - 1) * _GAP + 24
    height = _TOP + _HEIGHT + _BOTTOM
    body = [
        _panel(scenario, widest, _LEFT + index * (_WIDTH + _GAP))
        for index, (scenario, widest) in enumerate(panels)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d" '
        'font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif" font-size="13" '
        'fill="#1a1a1a">\n'
        '<title id="t">How often each rule says reproduced, by true difference</title>\n'
        '<desc id="d">Left a linear probe on ImageNet, right a small test set, three seeds each. '
        "This rule falls from nearly 100 % to under 5 % at the margin; the 5 % rule stays at "
        "100 % throughout, the binomial rule on the small set too.</desc>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        + "".join(body)
        + _legend(_TOP + _HEIGHT + 66)
        + "</svg>\n"
    )


def _panel(scenario: Scenario, widest: float, left: int) -> str:
    shifts = [widest * step / _STEPS for step in range(_STEPS + 1)]
    values = curve(scenario, shifts)
    margin = left + _WIDTH * scenario.margin / widest
    parts = [
        f'<g><text x="{left}" y="{_TOP - 32}" font-size="14" font-weight="bold">'
        f"{scenario.name}</text>\n",
        f'<text x="{left}" y="{_TOP - 14}">{scenario.seeds} seeds, deviation '
        f"{scenario.deviation:g}, margin {scenario.margin:g}</text>\n",
        *(_horizontal(left, percent) for percent in (0, 25, 50, 75, 100)),
        *(_tick(left, widest, step) for step in range(5)),
        f'<path d="M{margin:.1f} {_TOP}V{_TOP + _HEIGHT}" stroke="#1a1a1a" stroke-width="1" '
        'stroke-dasharray="4 3"/>\n',
        f'<text x="{margin + 5:.1f}" y="{_TOP + 40}" font-size="12">margin</text>\n',
        *(
            _path(line, shifts, values[line.key], widest, left)
            for line in _LINES
            if values[line.key]
        ),
        f'<text x="{left + _WIDTH / 2:.0f}" y="{_TOP + _HEIGHT + 40}" text-anchor="middle">'
        "true difference from the claim (points)</text>\n",
    ]
    if left == _LEFT:
        middle = _TOP + _HEIGHT / 2
        parts.append(
            f'<text x="18" y="{middle:.0f}" text-anchor="middle" '
            f'transform="rotate(-90 18 {middle:.0f})">share of verifications (%)</text>\n'
        )
    return "".join(parts) + "</g>\n"


def _horizontal(left: int, percent: int) -> str:
    y = _y(percent)
    return (
        f'<path d="M{left} {y:.1f}H{left + _WIDTH}" stroke="#d9d9d9" stroke-width="1"/>'
        f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{percent}</text>\n'
    )


def _tick(left: int, widest: float, step: int) -> str:
    x = left + _WIDTH * step / 4
    return (
        f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 20}" text-anchor="middle" font-size="12">'
        f"{widest * step / 4:g}</text>\n"
    )


def _path(
    line: _Line, shifts: Sequence[float], values: Sequence[float], widest: float, left: int
) -> str:
    points = " ".join(
        f"{left + _WIDTH * shift / widest:.1f},{_y(value):.1f}"
        for shift, value in zip(shifts, values, strict=True)
    )
    return f'<polyline points="{points}" {_stroke(line)}/>\n'


def _stroke(line: _Line) -> str:
    dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
    return f'fill="none" stroke="{line.colour}" stroke-width="2.4"{dashes}'


def _legend(top: int) -> str:
    entries = []
    for index, line in enumerate(_LINES):
        x, y = _LEFT + index % 2 * (_WIDTH + _GAP), top + index // 2 * 24
        entries.append(
            f'<path d="M{x} {y}H{x + 44}" {_stroke(line)}/>'
            f'<text x="{x + 54}" y="{y + 4}">{line.name}</text>\n'
        )
    return "".join(entries)


def _y(percent: float) -> float:
    return _TOP + _HEIGHT * (1 - percent / 100)
