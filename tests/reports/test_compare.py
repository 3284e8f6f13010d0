"""Side by side on the same images: worked out by hand on four of them."""

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadRecord, UsageError
from relicheck.reports.compare import Missing, compare, comparisons
from relicheck.reports.comparison_tables import (
    comparison_csv,
    comparison_markdown,
    comparison_text,
    sentences,
    summary,
)
from relicheck.reports.paired import mean_estimate, paired_difference


def cell(comparison, method, column, differences=False):
    row = next(row for row in comparison.rows if row.method == method)
    place = [c.evaluator for c in comparison.columns].index(column)
    return (row.differences if differences else row.cells)[place]


def test_paired_error_is_agrestis_formula_of_the_discordant_images():
    ours = np.array([1, 1, 1, 0], float)
    theirs = np.array([0, 0, 1, 1], float)

    difference = paired_difference(ours, theirs)

    # b = 2 images right only here, c = 1 right only there, n = 4:
    # (b - c) / n = 0.25; sqrt((b + c) - (b - c)^2 / n) / n = sqrt(3 - 1/4) / 4 = 0.414578
    assert difference.value == pytest.approx(25)
    assert difference.standard_error == pytest.approx(41.4578, abs=1e-4)


def test_single_error_is_the_binomial_one():
    estimate = mean_estimate(np.array([1, 1, 1, 0], float))

    # sqrt(0.75 * 0.25 / 4) = 0.216506; times 1.959964: 0.424344
    assert estimate.standard_error == pytest.approx(21.6506, abs=1e-4)
    assert estimate.half_width == pytest.approx(42.4344, abs=1e-4)


def test_images_that_both_answer_alike_do_not_widen_the_interval():
    same = np.array([1, 0, 1, 0], float)

    assert paired_difference(same, same).half_width == 0


def test_a_difference_of_nothing_does_not_beat():
    same = np.array([1, 0, 1, 0], float)

    assert not paired_difference(same, same).above_zero


def test_differences_need_the_same_number_of_images():
    with pytest.raises(BadRecord, match="3 images against 4"):
        paired_difference(np.ones(3), np.ones(4))


def test_the_table_holds_value_and_paired_difference(scored):
    comparison = compare(
        [scored("byol", answers="1110" * 25), scored("random", answers="0011" * 25)]
    )

    assert cell(comparison, "byol", "linear").value == 75
    difference = cell(comparison, "byol", "linear", differences=True)
    # as above with every image 25 times: 41.4578 / sqrt(25)
    assert (difference.value, difference.images) == (25, 100)
    assert difference.standard_error == pytest.approx(41.4578 / 5, abs=1e-4)


def test_several_seeds_are_averaged_image_by_image(scored):
    comparison = compare(
        [
            scored("byol", answers="1100", seed=0),
            scored("byol", answers="1101", seed=1),
            scored("random", answers="0000"),
        ]
    )

    found = cell(comparison, "byol", "linear")
    # scores 1, 1, 0, 1/2: mean 5/8, variance 9/16 - 25/64 = 0.171875, error sqrt(0.171875 / 4).
    # Eight independent answers would give sqrt(15/64 / 8) = 0.171163: too little.
    assert (found.value, found.repeats) == (62.5, 2)
    assert found.standard_error == pytest.approx(20.7289, abs=1e-4)


def test_seeds_that_agree_on_every_image_know_no_more_than_one(scored):
    once = compare([scored("byol", answers="1100")])
    twice = compare([scored("byol", answers="1100", seed=s) for s in (0, 1)])

    errors = [cell(c, "byol", "linear").standard_error for c in (once, twice)]
    assert errors[0] == pytest.approx(errors[1])


def test_corruptions_are_averaged_per_image_and_the_clean_record_is_left_out(scored):
    records = [
        scored("byol", "robustness", "1100", condition="noise/1"),
        scored("byol", "robustness", "1000", condition="noise/2"),
        scored("byol", "robustness", "1111", condition=""),
        scored("byol", "robustness", metric="mean_corruption_top1", condition="generated"),
    ]

    found = cell(compare(records), "byol", "robustness")

    # images 1, 1/2, 0, 0: mean 3/8
    assert (found.value, found.repeats) == (37.5, 2)


def test_a_row_measured_under_fewer_corruptions_has_no_number(scored):
    comparison = compare(
        [
            scored("byol", "robustness", condition="noise/1"),
            scored("byol", "robustness", condition="noise/2"),
            scored("random", "robustness", condition="noise/1"),
        ]
    )

    assert cell(comparison, "random", "robustness") == Missing(
        reason="measured under 1 of 2 corruptions"
    )
    assert isinstance(cell(comparison, "byol", "robustness", differences=True), Missing)


def test_what_nobody_measured_is_missing_with_a_reason_and_never_zero(scored):
    comparison = compare([scored("byol")])

    assert cell(comparison, "byol", "knn") == Missing(reason="not measured")
    assert "byol, k-NN top-1: not measured" in comparison_text(comparison)


def test_without_a_baseline_no_method_beats_it(scored):
    comparison = compare([scored("byol", answers="1" * 100)])

    assert not comparison.beats(comparison.rows[0])
    assert "no 'random' backbone of ResNet-18 0.25x was measured" in comparison_text(comparison)


def test_a_network_is_not_held_against_the_baseline_of_another_architecture(scored):
    comparison = compare([scored("byol"), scored("random", architecture="ResNet-50 1x")])

    assert "ResNet-18 0.25x" in cell(comparison, "byol", "linear", differences=True).reason


def test_raw_pixels_are_held_against_the_only_baseline(scored):
    comparison = compare([scored("raw_pixels", answers="1111"), scored("random", answers="1100")])

    assert cell(comparison, "raw_pixels", "linear", differences=True).value == 50


def test_without_answers_per_image_there_is_a_value_but_no_difference(scored):
    comparison = compare([scored("byol", keep=False), scored("random")])

    assert cell(comparison, "byol", "linear").value == 50
    assert "not kept" in cell(comparison, "byol", "linear", differences=True).reason


def test_beating_takes_linear_and_low_label_accuracy_both(scored):
    strong, weak = "1" * 90 + "0" * 10, "1" * 40 + "0" * 60
    records = [
        scored("byol", "linear", strong),
        scored("byol", "semi_supervised", weak, protocol_fields={"label_fraction": 0.1}),
        scored("relic", "linear", strong),
        scored("relic", "semi_supervised", strong, protocol_fields={"label_fraction": 0.1}),
        scored("random", "linear", weak),
        scored("random", "semi_supervised", weak, protocol_fields={"label_fraction": 0.1}),
    ]

    comparison = compare(records)

    assert [comparison.beats(row) for row in comparison.rows] == [False, True, False]
    assert not comparison.every_method_beats_the_baseline
    # 50 of 100 images right only here: 50 +- 1.96 * sqrt((50 - 25) / 100^2) = 50 +- 9.8
    assert sentences(comparison)[1] == (
        "relic beats the random backbone by more than the interval: yes "
        "(Linear top-1 +50.0 ± 9.8; Fine-tuned on 10 % labels top-1 +50.0 ± 9.8)"
    )
    assert "interval: no (Linear top-1 +50.0 ± 9.8; Fine" in sentences(comparison)[0]
    assert summary(comparison).endswith("not so: byol.")


def test_a_lead_within_its_interval_does_not_beat(scored):
    # 5 of 100 images right only here, 2 only there: 3 +- 1.96 * sqrt(7 - 0.09) = 3 +- 5.2
    ours = "1" * 5 + "0" * 2 + "1" * 93
    theirs = "0" * 5 + "1" * 2 + "1" * 93

    comparison = compare([scored("byol", answers=ours), scored("random", answers=theirs)])

    found = cell(comparison, "byol", "linear", differences=True)
    assert found.value == pytest.approx(3)
    assert found.half_width == pytest.approx(5.15, abs=0.01)
    assert not found.above_zero


def test_methods_come_in_the_papers_order_and_references_last(scored):
    names = ["random", "zebra", "supervised", "raw_pixels", "relicv2", "byol", "simclr", "relic"]

    comparison = compare([scored(name) for name in names])

    assert [row.method for row in comparison.rows] == [
        "simclr", "byol", "relic", "relicv2", "supervised", "zebra", "random", "raw_pixels",
    ]  # fmt: skip


def test_a_network_trained_again_replaces_its_earlier_record(scored):
    old = scored("byol", answers="0000", weights_sha256="old")
    new = scored("byol", answers="1111", weights_sha256="new")

    assert cell(compare([old, new]), "byol", "linear").value == 100


def test_two_protocols_of_one_evaluator_are_two_columns_named_by_what_differs(scored):
    comparison = compare(
        [scored("byol", "knn", protocol_fields={"k": k, "vote": "weighted"}) for k in (20, 5)]
    )

    titles = [c.title for c in comparison.columns if c.evaluator == "knn"]
    assert titles == ["k-NN top-1, k 20", "k-NN top-1, k 5"]


def test_the_low_label_column_says_how_many_labels(scored):
    unset = scored(
        "byol",
        "semi_supervised",
        protocol_fields={"label_fraction": 0.0},
        notes=("110 labelled images; learning rate 0.05 (fixed)",),
    )

    assert "Fine-tuned on 110 labels top-1" in comparison_text(compare([unset]))


def test_other_images_make_another_comparison(scored):
    records = [scored("byol"), scored("byol", data_fingerprint="sha256:other")]

    assert len(comparisons(records)) == 2
    with pytest.raises(UsageError, match="2 sets of images"):
        compare(records)


def test_records_of_other_evaluators_alone_are_no_comparison(scored):
    assert comparisons([scored("supervised", "classifier")]) == []
    with pytest.raises(UsageError, match="0 sets of images"):
        compare([scored("supervised", "classifier")])


def test_the_order_of_the_records_does_not_matter_to_the_bytes(scored):
    records = [scored(m, e) for m in ("byol", "random", "relic") for e in ("linear", "knn")]

    forward, backward = compare(records), compare(records[::-1])

    for layout in (comparison_text, comparison_markdown, lambda c: comparison_csv([c])):
        assert layout(forward) == layout(backward)
        assert "\r" not in layout(forward)


def test_csv_has_the_reason_where_it_has_no_number(scored):
    lines = comparison_csv([compare([scored("byol", answers="1110")])]).splitlines()

    assert lines[1].startswith("digits,test,byol,ResNet-18 0.25x,Linear top-1,linear,")
    assert ",4,1,75.0000,42.4345,," in lines[1]
    assert ",,,,,,not measured," in lines[2]


def test_a_hostile_name_stays_text_in_markdown(scored):
    text = comparison_markdown(compare([scored("<script>|x|[a](b)")]))

    assert "<script>" not in text
    assert r"&lt;script>\|x\|\[a\](b)" in text
