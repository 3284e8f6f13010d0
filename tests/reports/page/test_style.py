"""The palette: every text colour on every surface has the contrast of WCAG 2.2's level AA."""

import re
from itertools import product

import pytest

from relicheck.reports.page.render import FOLDER, SCRIPTS, STYLES

SURFACES = ("paper", "card", "band")
TEXTS = ("ink", "soft", "link", "good", "bad", "over", "open", "none", *(f"s{n}" for n in range(6)))


def palette():
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w]+): light-dark\((#\w+), (#\w+)\)", css)
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_21_of_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_is_legible_on_every_surface(scheme):
    colours = palette()

    pairs = {
        f"{text} on {surface}": contrast(colours[text][scheme], colours[surface][scheme])
        for text, surface in product(TEXTS, SURFACES)
    }

    assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}


def test_every_colour_that_is_used_is_defined():
    styles = "".join((FOLDER / name).read_text(encoding="utf-8") for name in STYLES)

    assert set(re.findall(r"var\(--(\w+)", styles)) <= set(palette())


def test_nothing_asks_for_another_file():
    parts = [(FOLDER / name).read_text(encoding="utf-8") for name in (*STYLES, *SCRIPTS)]

    for text in parts:
        assert not re.search(r"@import|url\(|fetch\(|XMLHttp|innerHTML|https?://(?!www\.w3\.org)",
                             text)  # fmt: skip
