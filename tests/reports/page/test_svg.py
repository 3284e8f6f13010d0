"""Figures: axes with round ticks, escaped names, marks of different shapes, equal bytes."""

import pytest

from relicheck.reports.page.svg import (
    SHAPES,
    Scale,
    element,
    figure,
    limits,
    logit,
    mark,
    number,
    tick_text,
    unlogit,
)


def test_a_scale_puts_its_ends_where_the_drawing_ends():
    scale = Scale(low=10, high=20, start=100, end=0)

    assert (scale(10), scale(20), scale(15)) == (100, 0, 50)


def test_a_logit_scale_gives_equal_room_to_equal_factors_of_the_odds():
    scale = Scale(low=20, high=80, start=0, end=100, transform=logit)

    # Odds of 1/4, 1 and 4.
    assert scale(50) == pytest.approx(50)
    assert scale(20) == pytest.approx(0)


def test_logits_and_percents_are_inverse():
    assert unlogit(logit(76.13)) == pytest.approx(76.13)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (-0.25, 0.58, [-0.2, 0, 0.2, 0.4]),
        (74.9, 78.1, [75, 76, 77, 78]),
    ],
)
def test_ticks_are_round_and_within_the_axis(low, high, ticks):
    assert Scale(low=low, high=high, start=0, end=1).ticks() == ticks


def test_a_single_value_still_has_an_axis():
    low, high = limits([5.0], least=0.5)

    assert (low, high) == (4.5, 5.5)


def test_numbers_are_rounded_to_a_tenth_without_a_negative_zero():
    assert [number(v) for v in (1.0, 1.24, -0.04, 12.96)] == ["1", "1.2", "0", "13"]


def test_a_tick_has_a_true_minus():
    assert [tick_text(v) for v in (-0.2, 0.0, 20.0)] == ["\N{MINUS SIGN}0.2", "0", "20"]


def test_every_shape_is_another_path():
    assert len({mark(shape, 5, 5) for shape in SHAPES}) == len(SHAPES)


def test_a_name_with_markup_is_text():
    svg = figure(10, "<b>", '"&', element("path", d='"><script>'), "f")

    assert "<b>" not in svg
    assert "<script>" not in svg
    assert "&lt;b&gt;" in svg
