"""mmsegmentation's own metric agrees on the same masks, absent classes included."""

import numpy as np
import pytest

from relicheck.checkpoints.errors import MissingDependency
from relicheck.evaluations.segmentation.scores import (
    class_iou,
    confusion,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
)


@pytest.fixture
def metric():
    from relicheck.evaluations.segmentation.bridge import open_bridge

    try:
        open_bridge()
    except MissingDependency as error:
        pytest.skip(str(error))
    from mmseg.evaluation import IoUMetric

    return IoUMetric


@pytest.mark.parametrize("absent", [False, True])
def test_miou_pixel_and_class_accuracy_are_mmsegmentation_s(metric, absent):
    import torch

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3 if absent else 5, size=(6, 20, 30)).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 3, truth.shape))
    truth[rng.random(truth.shape) < 0.1] = 255
    areas = [
        metric.intersect_and_union(torch.from_numpy(g), torch.from_numpy(t).long(), 5, 255)
        for g, t in zip(guess.astype(np.int64), truth, strict=True)
    ]
    totals = [sum(parts) for parts in zip(*areas, strict=True)]

    wanted = metric.total_area_to_metrics(*totals, metrics=["mIoU"])

    pooled = sum(confusion(t, g.astype(np.uint8), 5) for t, g in zip(truth, guess, strict=True))
    np.testing.assert_allclose(class_iou(pooled), wanted["IoU"], rtol=1e-5)
    assert np.isnan(class_iou(pooled)).any() == absent
    assert mean_iou(pooled) == pytest.approx(np.nanmean(wanted["IoU"]), rel=1e-5)
    assert pixel_accuracy(pooled) == pytest.approx(float(wanted["aAcc"]), rel=1e-5)
    assert mean_accuracy(pooled) == pytest.approx(np.nanmean(wanted["Acc"]), rel=1e-5)
