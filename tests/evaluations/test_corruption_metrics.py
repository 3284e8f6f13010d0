import csv
import gzip
import json

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.corruption_metrics import (
    ALEXNET_CLEAN_ERROR,
    bootstrap_standard_error,
    corruption_error,
    mean_corruption_accuracy,
    mean_corruption_error,
    mean_relative_corruption_error,
    per_image_corruption_error,
    relative_corruption_error,
)
from relicheck.evaluations.corruptions import EXTRA_CORRUPTIONS, TEST_CORRUPTIONS
from relicheck.evaluations.splits import alexnet_errors


def published_errors(real_data, model):
    """The clean error and the errors on disk of imagenet-testbed's table, as fractions."""
    with gzip.open(real_data / "metadata" / "testbed_robustness_top1s.csv.gz", "rt") as file:
        [row] = [row for row in csv.DictReader(file) if next(iter(row.values())) == model]
    errors = {
        name: [1 - float(row[f"imagenet-c.{name}.{s}_on-disk"]) / 100 for s in range(1, 6)]
        for name in TEST_CORRUPTIONS
    }
    return 1 - float(row["val"]) / 100, errors


def test_our_table_of_alexnet_is_the_published_one(real_data):
    published = json.loads((real_data / "metadata/imagenet_c_alexnet_errors.json").read_text())
    ours = alexnet_errors()
    assert {name: ours[name] for name in TEST_CORRUPTIONS} == published
    assert tuple(ours) == TEST_CORRUPTIONS + EXTRA_CORRUPTIONS


def test_alexnet_s_clean_error_is_the_testbed_s(real_data):
    clean, _ = published_errors(real_data, "alexnet")
    assert clean == pytest.approx(ALEXNET_CLEAN_ERROR, abs=5e-5)


def test_alexnet_itself_has_100_percent_of_everything():
    errors = {name: [error] * 5 for name, error in alexnet_errors().items()}
    assert mean_corruption_error(errors, TEST_CORRUPTIONS) == pytest.approx(100)
    found = mean_relative_corruption_error(errors, ALEXNET_CLEAN_ERROR, TEST_CORRUPTIONS)
    assert found == pytest.approx(100)


def test_a_corruption_error_is_a_ratio_of_sums_and_no_mean_of_ratios():
    # (0.2 + 0.4 + 0.6 + 0.8 + 1.0) / (5 * 0.5) = 3.0 / 2.5
    assert corruption_error([0.2, 0.4, 0.6, 0.8, 1.0], 0.5) == pytest.approx(120)


def test_a_relative_corruption_error_subtracts_both_clean_errors():
    # (3.0 - 5 * 0.1) / (5 * (0.7 - 0.45)) = 2.5 / 1.25
    found = relative_corruption_error([0.2, 0.4, 0.6, 0.8, 1.0], 0.1, 0.7, 0.45)
    assert found == pytest.approx(200)


def test_a_network_hurt_less_by_corruption_than_its_clean_error_is_below_zero():
    assert relative_corruption_error([0.1] * 5, 0.2, 0.7) < 0


@pytest.mark.parametrize(
    ("model", "mce"),
    [("resnet50", 78.2), ("resnet101", 72.4), ("resnet152", 70.1), ("alexnet", 102.3)],
)
def test_published_accuracies_on_disk_give_the_known_mce(model, mce, real_data):
    _, errors = published_errors(real_data, model)
    assert mean_corruption_error(errors, TEST_CORRUPTIONS) == pytest.approx(mce, abs=0.05)


def test_published_accuracies_of_resnet50_average_to_38_1_over_75_cells(real_data):
    clean, errors = published_errors(real_data, "resnet50")
    assert mean_corruption_accuracy(errors, TEST_CORRUPTIONS) == pytest.approx(38.1, abs=0.05)
    # Sixty per cell minus the clean error, over AlexNet's: about 105, by the same table.
    cells = [
        (np.mean(errors[name]) - clean) / (alexnet_errors()[name] - ALEXNET_CLEAN_ERROR)
        for name in TEST_CORRUPTIONS
    ]
    found = mean_relative_corruption_error(errors, clean, TEST_CORRUPTIONS)
    assert found == pytest.approx(100 * np.mean(cells))
    assert 100 < found < 112


def test_a_missing_corruption_is_named_and_gives_no_number():
    errors = {name: [0.5] * 5 for name in TEST_CORRUPTIONS if name != "frost"}
    for metric in (mean_corruption_error, mean_corruption_accuracy):
        with pytest.raises(BadData, match=r"no errors of frost.*a mean over fewer"):
            metric(errors, TEST_CORRUPTIONS)


def test_a_missing_severity_is_named_and_gives_no_number():
    errors = {name: [0.5] * 5 for name in TEST_CORRUPTIONS} | {"fog": [0.5] * 4}
    with pytest.raises(BadData, match=r"fog: 4 severities"):
        mean_corruption_error(errors, TEST_CORRUPTIONS)


def test_percents_are_refused_where_fractions_are_meant():
    with pytest.raises(BadData, match="fractions from 0 to 1"):
        corruption_error([40, 50, 60, 70, 80], 0.8)


def answers(images=400, seed=0):
    """Cells of the same images: some images are wrong in nearly all cells."""
    rng = np.random.default_rng(seed)
    ease = rng.beta(0.5, 0.5, size=images)
    return rng.random((15, 5, images)) < ease, rng.random(images) < ease


def test_the_mean_over_images_is_the_metric():
    correct, clean = answers()
    errors = {
        name: (1 - correct[k].mean(axis=1)).tolist() for k, name in enumerate(TEST_CORRUPTIONS)
    }
    plain = per_image_corruption_error(correct, TEST_CORRUPTIONS).mean()
    relative = per_image_corruption_error(correct, TEST_CORRUPTIONS, clean).mean()
    assert plain == pytest.approx(mean_corruption_error(errors, TEST_CORRUPTIONS))
    assert relative == pytest.approx(
        mean_relative_corruption_error(errors, 1 - clean.mean(), TEST_CORRUPTIONS)
    )


def test_the_bootstrap_draws_images_with_all_their_cells():
    correct, _ = answers()
    values = per_image_corruption_error(correct, TEST_CORRUPTIONS)
    found = bootstrap_standard_error(values, seed=1)
    # Of a mean: the deviation over images by the root of their number.
    assert found == pytest.approx(values.std(ddof=1) / 20, rel=0.08)
    assert found == bootstrap_standard_error(values, seed=1)
    # Seventy-five independent cells would have given an eighth of it.
    assert found > 4 * 100 * 0.5 / np.sqrt(75 * 400) / 0.79
