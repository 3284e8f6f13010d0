"""Figures: the same bytes each time, no date, labelled axes, names as they are."""

import pytest

from relicheck.reports.compare import compare
from relicheck.reports.figures import (
    accuracy_figure,
    filled_columns,
    png_bytes,
    svg_bytes,
)
from relicheck.reports.severity import severity_curves


@pytest.fixture
def comparison(scored):
    return compare(
        [
            scored(method, evaluator, answers)
            for method, answers in (("byol", "1110" * 9), ("random", "0100" * 9))
            for evaluator in ("linear", "knn")
        ]
    )


def test_only_columns_with_a_number_are_drawn(comparison):
    assert filled_columns(comparison) == [0, 1]
    assert len([a for a in accuracy_figure(comparison).axes if a.get_visible()]) == 2


def test_every_axis_has_a_label_with_its_unit(comparison):
    for axes in accuracy_figure(comparison).axes:
        assert axes.get_xlabel() == "top-1 accuracy (%)"


def test_every_method_is_named_on_the_axis(comparison):
    labels = [t.get_text() for t in accuracy_figure(comparison, [0]).axes[0].get_yticklabels()]

    assert labels == ["byol", "random"]


@pytest.mark.parametrize("as_bytes", [svg_bytes, png_bytes])
def test_the_same_comparison_gives_the_same_bytes(comparison, as_bytes):
    assert as_bytes(accuracy_figure(comparison)) == as_bytes(accuracy_figure(comparison))


def test_a_file_holds_no_date(comparison):
    assert b"<dc:date>" not in svg_bytes(accuracy_figure(comparison))
    assert b"Software" not in png_bytes(accuracy_figure(comparison))


def test_the_readers_own_settings_do_not_change_the_figure(comparison):
    import matplotlib

    plain = svg_bytes(accuracy_figure(comparison))
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"}):
        assert svg_bytes(accuracy_figure(comparison)) == plain


def test_severity_is_the_mean_over_the_corruptions_of_a_severity(scored):
    curves = severity_curves(
        [
            scored("byol", "robustness", "1111", condition="noise/1"),
            scored("byol", "robustness", "1100", condition="blur/1"),
            scored("byol", "robustness", "1000", condition="noise/2"),
            scored("byol", "robustness", "0000", condition="blur/2"),
        ]
    )

    # (4 + 2) / 8 and (1 + 0) / 8
    assert [(s, e.value) for s, e in curves[0].estimates] == [(1, 75.0), (2, 12.5)]


def test_a_severity_with_a_corruption_missing_is_not_drawn(scored):
    curves = severity_curves(
        [
            scored("byol", "robustness", condition="noise/1"),
            scored("byol", "robustness", condition="blur/1"),
            scored("random", "robustness", condition="noise/1"),
        ]
    )

    assert {c.method: len(c.estimates) for c in curves} == {"byol": 1, "random": 0}
