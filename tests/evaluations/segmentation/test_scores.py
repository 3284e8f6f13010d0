"""Scores from confusion matrices, against loops and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, jaccard_score

from relicheck.evaluations.segmentation.scores import (
    bootstrap,
    class_intervals,
    class_iou,
    confusion,
    mean_accuracy,
    mean_iou,
    paired_difference,
    pixel_accuracy,
)


def random_masks(images=6, classes=5, side=(9, 7), seed=0, ignored=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, size=(images, *side)).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.5, truth, rng.integers(0, classes, truth.shape))
    truth[rng.random(truth.shape) < ignored] = 255
    return truth, guess.astype(np.uint8)


def matrices(truth, guess, classes):
    return np.stack([confusion(t, g, classes) for t, g in zip(truth, guess, strict=True)])


def slow_confusion(truth, guess, classes):
    found = [[0] * classes for _ in range(classes)]
    for row in range(truth.shape[0]):
        for column in range(truth.shape[1]):
            if truth[row, column] != 255:
                found[int(truth[row, column])][int(guess[row, column])] += 1
    return found


def slow_mean_iou(matrix):
    ious = []
    for c in range(len(matrix)):
        both = matrix[c][c]
        union = sum(matrix[c]) + sum(row[c] for row in matrix) - both
        if union:
            ious.append(both / union)
    return sum(ious) / len(ious)


def test_rows_are_the_truth_and_columns_the_prediction():
    truth = np.array([[0, 0, 1, 255]], dtype=np.uint8)
    guess = np.array([[0, 1, 1, 0]], dtype=np.uint8)

    assert confusion(truth, guess, 2).tolist() == [[1, 1], [0, 1]]
    assert confusion(truth, guess, 2).dtype == np.int64


def test_by_hand():
    # class 0: 1 of 2 united; class 1: 1 of 2. Pixels: 2 of 3. Classes: 1/2 and 1/1.
    matrix = np.array([[1, 1], [0, 1]])

    assert class_iou(matrix).tolist() == [0.5, 0.5]
    assert mean_iou(matrix) == 0.5
    assert pixel_accuracy(matrix) == pytest.approx(2 / 3)
    assert mean_accuracy(matrix) == 0.75


@settings(max_examples=30, deadline=None)
@given(classes=st.integers(2, 30), seed=st.integers(0, 999))
def test_a_loop_over_pixels_counts_alike(classes, seed):
    truth, guess = random_masks(1, classes, seed=seed)

    found = confusion(truth[0], guess[0], classes)

    assert found.tolist() == slow_confusion(truth[0], guess[0], classes)
    assert mean_iou(found) == pytest.approx(slow_mean_iou(found.tolist()))


def test_scikit_learn_agrees_when_no_class_is_absent():
    truth, guess = random_masks(seed=1)
    scored = truth != 255

    pooled = matrices(truth, guess, 5).sum(axis=0)

    assert np.array_equal(pooled, confusion_matrix(truth[scored], guess[scored]))
    wanted = jaccard_score(truth[scored], guess[scored], average=None)
    np.testing.assert_allclose(class_iou(pooled), wanted, rtol=1e-12)
    wanted = jaccard_score(truth[scored], guess[scored], average="macro")
    assert mean_iou(pooled) == pytest.approx(wanted)


def test_a_prediction_where_nothing_is_scored_changes_nothing():
    truth, guess = random_masks(seed=2)
    other = np.where(truth == 255, (guess + 1) % 5, guess).astype(np.uint8)

    assert np.array_equal(matrices(truth, guess, 5), matrices(truth, other, 5))


def test_a_class_absent_from_truth_and_prediction_is_not_averaged_in():
    matrix = np.array([[3, 0, 0], [0, 5, 0], [0, 0, 0]])

    assert np.isnan(class_iou(matrix)[2])
    assert mean_iou(matrix) == 1.0


def test_a_class_that_is_predicted_and_never_true_counts_as_zero():
    matrix = np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]])

    assert mean_iou(matrix) == pytest.approx((3 / 4 + 1 + 0) / 3)


def test_the_mean_over_images_of_their_miou_is_another_number():
    truth, guess = random_masks(seed=3)
    each = matrices(truth, guess, 5)

    assert abs(mean_iou(each).mean() - mean_iou(each.sum(axis=0))) > 1e-3


def test_a_uint8_does_not_overflow_on_many_classes():
    truth, guess = np.full((2, 2), 149, np.uint8), np.full((2, 2), 148, np.uint8)

    assert confusion(truth, guess, 150)[149, 148] == 4


def test_without_a_scored_pixel_there_is_no_score():
    nothing = np.zeros((3, 3), dtype=np.int64)

    assert np.isnan(mean_iou(nothing))
    assert np.isnan(pixel_accuracy(nothing))


def test_the_bootstrap_is_that_of_a_loop_over_draws():
    each = matrices(*random_masks(seed=4), 5)

    miou, accuracy = bootstrap(each, seed=7, draws=400)

    rng = np.random.default_rng(7)
    samples = []
    for _ in range(2):
        for times in rng.multinomial(6, [1 / 6] * 6, size=200):
            pooled = sum(n * matrix for n, matrix in zip(times, each, strict=True))
            samples.append((slow_mean_iou(pooled.tolist()), np.trace(pooled) / pooled.sum()))
    wanted = np.array(samples)
    assert miou.standard_error == pytest.approx(wanted[:, 0].std(ddof=1))
    assert (miou.low, miou.high) == pytest.approx(tuple(np.quantile(wanted[:, 0], [0.025, 0.975])))
    assert accuracy.standard_error == pytest.approx(wanted[:, 1].std(ddof=1))


def test_the_bootstrap_of_pixel_accuracy_is_the_ratio_estimator_s_error():
    # Images of equal size: accuracy is a plain mean over images, whose error a formula gives.
    each = matrices(*random_masks(images=200, seed=5, ignored=0.0), 5)
    shares = pixel_accuracy(each)

    _, accuracy = bootstrap(each, draws=4_000)

    assert accuracy.standard_error == pytest.approx(shares.std(ddof=1) / np.sqrt(200), rel=0.05)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    each = matrices(*random_masks(seed=6), 5)

    assert bootstrap(each, seed=1) == bootstrap(each, seed=1)
    assert bootstrap(each, seed=1) != bootstrap(each, seed=2)


def test_the_interval_covers_the_population_s_miou_about_as_often_as_it_says():
    # 120 samples of 40 images from a population of 4,000 matrices.
    rng = np.random.default_rng(8)
    shares = rng.beta(4, 2, size=4_000)
    population = np.zeros((4_000, 2, 2), dtype=np.int64)
    population[:, 0, 0] = rng.binomial(100, shares)
    population[:, 0, 1] = 100 - population[:, 0, 0]
    population[:, 1, 1] = rng.binomial(100, shares)
    population[:, 1, 0] = 100 - population[:, 1, 1]
    true = mean_iou(population.sum(axis=0))

    covered = 0
    for _ in range(120):
        spread, _ = bootstrap(population[rng.choice(4_000, 40)], draws=300)
        covered += spread.low <= true <= spread.high

    # 95 % minus what 40 images cost, within the error of 120 trials.
    assert 0.86 <= covered / 120 <= 1.0


def test_a_model_differs_from_itself_by_nothing():
    each = matrices(*random_masks(seed=9), 5)

    assert paired_difference(each, each).standard_error == 0.0


def test_a_paired_difference_is_narrower_than_two_intervals():
    truth, guess = random_masks(images=40, seed=10)
    first = matrices(truth, guess, 5)
    better = np.where((np.arange(7) == 0) & (truth != 255), truth, guess).astype(np.uint8)

    second = matrices(truth, better, 5)
    spread = paired_difference(first, second)

    assert spread.low > 0
    alone = [bootstrap(side)[0].standard_error for side in (first, second)]
    assert spread.standard_error < np.hypot(*alone)


def test_a_class_s_interval_holds_its_iou_and_an_absent_class_has_none():
    each = matrices(*random_masks(images=60, seed=11), 5)
    each = np.pad(each, ((0, 0), (0, 1), (0, 1)))

    intervals = class_intervals(each, draws=400)

    iou = class_iou(each.sum(axis=0))
    assert np.isnan(intervals[5]).all()
    assert ((intervals[:5, 0] < iou[:5]) & (iou[:5] < intervals[:5, 1])).all()


def test_a_class_s_interval_is_that_of_a_loop_over_draws():
    each = matrices(*random_masks(seed=12), 5)

    intervals = class_intervals(each, seed=3, draws=200)

    rng = np.random.default_rng(3)
    samples = []
    for times in rng.multinomial(6, [1 / 6] * 6, size=200):
        pooled = sum(n * matrix for n, matrix in zip(times, each, strict=True))
        samples.append(pooled[2, 2] / (pooled[2].sum() + pooled[:, 2].sum() - pooled[2, 2]))
    assert intervals[2] == pytest.approx(tuple(np.quantile(samples, [0.025, 0.975])))
