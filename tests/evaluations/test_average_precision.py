import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.average_precision import (
    average_precision_11_point,
    mean_average_precision,
)


def by_definition(scores, targets):
    """The devkit's definition, one rank and one recall point at a time."""
    ranking = sorted(range(len(scores)), key=lambda i: -scores[i])  # sorted() is stable
    positives = sum(t == 1 for t in targets)
    curve, right, wrong = [], 0, 0
    for i in ranking:
        right += targets[i] == 1
        wrong += targets[i] == 0
        if right + wrong:
            curve.append((right, right / (right + wrong)))
    total = 0.0
    for tenth in range(11):
        reached = [precision for found, precision in curve if 10 * found >= tenth * positives]
        total += max(reached, default=0.0)
    return total / 11


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([-1, 0, 1])), min_size=1, max_size=40))
def test_it_equals_the_definition_written_slowly_ties_and_difficult_images_included(rows):
    scores, targets = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    if (targets == 1).any():
        expected = by_definition(scores.tolist(), targets.tolist())
        assert average_precision_11_point(scores, targets) == pytest.approx(expected, abs=1e-12)


def test_perfect_scores_give_1():
    assert average_precision_11_point(np.array([3.0, 2, 1, 0]), np.array([1, 1, 0, 0])) == 1


def test_a_worked_example():
    # Ranks: right, wrong, right. Recall 1/2 at precision 1, recall 1 at precision 2/3.
    # Points 0 to 0.5 (six) take 1, points 0.6 to 1 (five) take 2/3.
    found = average_precision_11_point(np.array([3.0, 2, 1]), np.array([1, 0, 1]))
    assert found == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)


def test_difficult_images_are_as_if_they_were_not_there():
    scores, targets = np.array([9.0, 3, 8, 2, 1]), np.array([-1, 1, -1, 0, 1])
    there = targets != -1
    expected = average_precision_11_point(scores[there], targets[there])
    assert average_precision_11_point(scores, targets) == expected


def test_a_recall_of_exactly_three_tenths_reaches_its_point():
    # Three of ten positives first, then ninety negatives, then the other seven.
    targets = np.array([1] * 3 + [0] * 90 + [1] * 7)
    scores = -np.arange(100.0)
    # Points 0, 0.1, 0.2, 0.3 take 1; the other seven take 10/100.
    assert average_precision_11_point(scores, targets) == pytest.approx((4 + 7 * 0.1) / 11)


def test_interpolated_precision_differs_from_scikit_learns_area():
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    targets = np.where(rng.random(300) < 0.2, 1, 0)
    scores = 2 * targets + rng.normal(0, 2, 300)
    area = average_precision_score(targets == 1, scores)
    eleven = average_precision_11_point(scores, targets)
    # The same curve, interpolated upwards at eleven points: close, and never the same number.
    assert 0 < eleven - area < 0.1


def test_shuffled_scores_give_about_the_share_of_positives():
    rng = np.random.default_rng(1)
    targets = np.where(rng.random((4000, 5)) < 0.1, 1, 0)
    measured = mean_average_precision(rng.random((4000, 5)), targets, resamples=50)
    # Above the share of 10 %: recall 0 takes the best precision of any rank, a lucky start's.
    assert 10 < measured.value < 10 + 5 * measured.standard_error
    assert 0 < measured.standard_error < 2


def test_the_mean_is_over_classes_and_in_percent():
    scores = np.array([[3.0, 1], [2, 2], [1, 3]])
    targets = np.array([[1, 1], [0, 0], [1, 0]])
    first, second = (average_precision_11_point(scores[:, k], targets[:, k]) for k in (0, 1))
    measured = mean_average_precision(scores, targets, resamples=0)
    assert measured.value == pytest.approx(100 * (first + second) / 2)
    assert (measured.metric, measured.images, measured.standard_error) == ("map_11_point", 3, None)


def test_the_same_seed_gives_the_same_standard_error():
    rng = np.random.default_rng(2)
    targets, scores = np.where(rng.random((80, 3)) < 0.3, 1, 0), rng.random((80, 3))
    errors = [
        mean_average_precision(scores, targets, seed=s, resamples=20).standard_error
        for s in (0, 0, 1)
    ]
    assert errors[0] == errors[1] != errors[2]


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        ([1.0, 2], [0, -1], "no image shows the class"),
        ([1.0, np.nan], [1, 0], "a score is not finite"),
        ([1.0, 2], [1, 2], r"1, 0 or -1 \(difficult\)"),
        ([1.0], [1, 0], "one each"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, targets, message):
    with pytest.raises(BadData, match=message):
        average_precision_11_point(np.array(scores), np.array(targets))
