"""The frozen variant: features at pixels, the head, and the whole evaluator."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from relicheck.checkpoints.errors import BadData, UsageError
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.evaluators.segmentation_linear import SegmentationLinearProtocol
from relicheck.evaluations.segmentation.dense import DenseFeatures, resized
from relicheck.evaluations.segmentation.kept import read_confusions
from relicheck.evaluations.segmentation.linear_head import (
    LinearHead,
    Recipe,
    _folded,
    train_head,
)
from relicheck.evaluations.segmentation.predicted import shown_images
from relicheck.evaluations.segmentation.scores import mean_iou
from relicheck.evaluations.segmentation.shown import read_shown

from .conftest import save_mask

QUICK = {
    "segmentation_linear.steps": 200,
    "segmentation_linear.warmup_steps": 20,
    "segmentation_linear.batch_size": 4,
    "segmentation_linear.pixels_per_image": 64,
    "segmentation_linear.learning_rate": 0.02,
}


def recipe(**changes):
    values = {
        "steps": 300, "batch_size": 4, "pixels_per_image": 64, "learning_rate": 0.02,
        "weight_decay": 0.0, "warmup_steps": 10,
    }  # fmt: skip
    return Recipe(**{**values, **changes})


def features_of(maps):
    return DenseFeatures(
        rows=np.concatenate([m.reshape(-1, m.shape[2]) for m in maps]),
        shapes=np.array([m.shape[:2] for m in maps]),
    )


def random_maps(shapes=((3, 4), (5, 2), (1, 1)), dim=6):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((*shape, dim)).astype(np.float32) for shape in shapes]


def upsampled(array, size):
    """[h, w, D] to [H, W, D] by torch."""
    tensor = torch.from_numpy(array).permute(2, 0, 1)[None]
    large = functional.interpolate(tensor, size, mode="bilinear", align_corners=False)
    return large[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("size", [(12, 16), (13, 7), (3, 4), (2, 3)])
def test_features_at_pixels_are_those_of_the_upsampled_map(size):
    maps = random_maps()
    features = features_of(maps)

    for image, one in enumerate(maps):
        found = features.at(image, np.arange(size[0] * size[1]), size)

        assert found.dtype == np.float32
        np.testing.assert_allclose(found.reshape(*size, -1), upsampled(one, size), atol=1e-5)


def test_logits_of_interpolated_features_are_interpolated_logits():
    one = random_maps()[0]
    rng = np.random.default_rng(1)
    weight = rng.standard_normal((4, 6)).astype(np.float32)
    bias = rng.standard_normal(4).astype(np.float32)

    predicted = LinearHead(weight=weight, bias=bias).predict(one, (24, 32))

    wanted = (upsampled(one, (24, 32)) @ weight.T + bias).argmax(axis=2)
    assert predicted.dtype == np.uint8
    assert np.mean(predicted == wanted) > 0.999


def test_the_folded_head_is_batch_norm_and_then_the_classifier():
    torch.manual_seed(0)
    norm, linear = torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 3)
    for _ in range(5):
        norm(torch.randn(40, 6) * 3 + 1)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    inputs = torch.randn(20, 6)

    head = _folded(norm, linear)

    wanted = linear(norm.eval()(inputs)).detach().numpy()
    np.testing.assert_allclose(inputs.numpy() @ head.weight.T + head.bias, wanted, atol=1e-5)


def separable(images=6, side=8, seed=0):
    """Maps whose features tell three classes apart but for noise, and their masks."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((3, 6))
    masks = [rng.integers(0, 3, size=(side, side)).astype(np.uint8) for _ in range(images)]
    maps = [
        (centres[m] + 0.8 * rng.standard_normal((side, side, 6))).astype(np.float32) for m in masks
    ]
    return maps, masks


def test_it_learns_what_a_logistic_regression_on_all_pixels_learns():
    maps, masks = separable()
    unseen, truth = separable(images=20, seed=1)

    head = train_head(features_of(maps), masks.__getitem__, 3, recipe(steps=1500), seed=0)

    oracle = LogisticRegression(C=1e6, max_iter=1000)
    oracle.fit(np.concatenate([m.reshape(-1, 6) for m in maps]), np.concatenate(masks).ravel())
    wanted = np.mean(
        [np.mean(oracle.predict(m.reshape(-1, 6)) == t.ravel()) for m, t in zip(unseen, truth,
                                                                              strict=True)]
    )  # fmt: skip
    found = np.mean(
        [np.mean(head.predict(m, (8, 8)) == t) for m, t in zip(unseen, truth, strict=True)]
    )
    assert 0.6 < wanted < 0.98
    assert found == pytest.approx(wanted, abs=0.01)


def test_the_same_seed_gives_the_same_head_and_another_seed_another():
    maps, masks = separable()

    heads = [
        train_head(features_of(maps), masks.__getitem__, 3, recipe(steps=20), seed).weight
        for seed in (0, 0, 1)
    ]

    assert np.array_equal(heads[0], heads[1])
    assert not np.array_equal(heads[0], heads[2])


def test_pixels_without_a_class_are_not_trained_on():
    maps, masks = separable()
    ignored = [np.where(np.arange(8)[:, None] < 3, 255, m).astype(np.uint8) for m in masks]
    other = [m.copy() for m in maps]
    for one in other:
        one[:3] = 1e4  # were it seen, BatchNorm alone would ruin the head

    first, second = (
        train_head(features_of(m), ignored.__getitem__, 3, recipe(steps=30), 0).weight
        for m in (maps, other)
    )

    assert np.array_equal(first, second)


def test_a_batch_without_any_class_is_passed_over():
    maps, _ = separable()
    nothing = np.full((8, 8), 255, dtype=np.uint8)

    head = train_head(features_of(maps), lambda _: nothing, 3, recipe(steps=5), 0)

    assert np.isfinite(head.weight).all()


def test_the_rate_warms_up_and_falls_to_nothing():
    plan = recipe(steps=100, warmup_steps=10, learning_rate=1.0)

    assert plan.rate(0) == pytest.approx(0.1)
    assert plan.rate(9) == pytest.approx(0.91)
    assert plan.rate(99) == pytest.approx(0.01)


def test_images_are_resized_by_their_shorter_side():
    image = np.zeros((40, 60, 3), dtype=np.uint8)

    assert resized(image, 20, None).shape == (20, 30, 3)
    assert resized(image, 0, None).shape == (40, 60, 3)


def test_the_shown_images_are_the_middles_of_equal_parts():
    assert shown_images(12, 3) == [2, 6, 10]
    assert shown_images(2) == [0, 1]


def measured(subject, data, folder, **rest):
    found = evaluate(subject, data, ["segmentation_linear"], records=folder / "records",
                     overrides=QUICK, **rest)  # fmt: skip
    return {(record.metric, record.condition): record for record in found}


def test_a_folder_of_images_and_masks_is_measured_to_records(
    mask_folder, tiny_checkpoint, tmp_path
):
    found = measured(tiny_checkpoint, mask_folder, tmp_path, cache=tmp_path / "cache")

    record = found["miou", ""]
    beside = tmp_path / "records" / f"{record.id}.json"
    confusions = read_confusions(beside)
    assert 100 * mean_iou(confusions.sum(axis=0)) == pytest.approx(record.value)
    assert record.images == len(confusions) == 5
    assert record.value > 60  # three colours; chance is below 20
    assert record.protocol == "segmentation_linear/1"
    assert sorted(read_shown(beside)) == shown_images(5)
    assert read_shown(beside)[0].shape == (24, 32)
    assert record.standard_error > 0


def test_raw_pixels_are_a_baseline_that_tells_colours_apart(mask_folder, tmp_path):
    found = measured("raw_pixels", mask_folder, tmp_path)

    assert found["miou", ""].value > 90


def test_the_majority_class_is_measured_by_hand_too(mask_folder, tmp_path):
    found = measured("raw_pixels", mask_folder, tmp_path)
    record = found["miou", "majority_class"]

    pooled = read_confusions(tmp_path / "records" / f"{record.id}.json").sum(axis=0)
    (guess,) = np.flatnonzero(pooled.sum(axis=0))
    # One class everywhere: its IoU is its share, and the others' is 0.
    assert record.value == pytest.approx(100 * pooled[guess, guess] / pooled.sum() / 3)
    assert record.notes[-1] == f"{('red', 'green', 'blue')[guess]} everywhere"


def test_cached_features_give_the_same_number_and_damaged_ones_are_made_again(
    mask_folder, tiny_checkpoint, tmp_path
):
    cache = tmp_path / "cache"
    first = measured(tiny_checkpoint, mask_folder, tmp_path / "1", cache=cache)
    files = sorted((cache / "dense").glob("*.f32"))
    made = [file.stat().st_mtime_ns for file in files]
    again = measured(tiny_checkpoint, mask_folder, tmp_path / "2", cache=cache)
    assert [file.stat().st_mtime_ns for file in files] == made

    content = bytearray(files[0].read_bytes())
    content[5] ^= 0xFF
    files[0].write_bytes(content)
    third = measured(tiny_checkpoint, mask_folder, tmp_path / "3", cache=cache)
    without = measured(tiny_checkpoint, mask_folder, tmp_path / "4")

    assert len(files) == 2
    values = {side["miou", ""].value for side in (first, again, third, without)}
    assert len(values) == 1


def test_a_part_of_the_images_says_so(mask_folder, tmp_path):
    record = measured("raw_pixels", mask_folder, tmp_path, limit=2)["miou", ""]

    assert (record.images, record.data_images, record.complete) == (2, 5, False)


def test_an_evaluator_of_images_is_refused_where_every_pixel_has_a_class(mask_folder, tmp_path):
    with pytest.raises(UsageError, match="every pixel has a class, and this evaluator scores imag"):
        evaluate("raw_pixels", mask_folder, ["knn"], records=tmp_path)


def test_an_evaluator_of_pixels_is_refused_where_there_are_no_masks(tmp_path):
    with pytest.raises(UsageError, match="its images have no masks"):
        evaluate("raw_pixels", "digits", ["segmentation_linear"], records=tmp_path)


def test_without_a_name_a_folder_of_masks_is_measured_by_the_frozen_variant(mask_folder, tmp_path):
    found = evaluate("raw_pixels", mask_folder, records=tmp_path, overrides=QUICK)

    assert {record.evaluator for record in found} == {"segmentation_linear"}


def test_training_masks_of_one_class_are_refused(mask_folder, tmp_path):
    for file in (mask_folder / "train" / "masks").iterdir():
        save_mask(file, np.full((24, 32), 1))

    with pytest.raises(BadData, match="pixels of 1 classes"):
        measured("raw_pixels", mask_folder, tmp_path)


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"learning_rate": 0.0}, {"warmup_steps": 50_000}, {"shorter_side": -1}]
)
def test_a_protocol_that_cannot_be_is_refused(change, mask_folder, tmp_path):
    overrides = {f"segmentation_linear.{k}": v for k, v in change.items()}
    with pytest.raises(UsageError, match="segmentation_linear"):
        evaluate("raw_pixels", mask_folder, ["segmentation_linear"], records=tmp_path,
                 overrides=overrides)  # fmt: skip


def test_the_published_recipe_is_the_default():
    protocol = SegmentationLinearProtocol()

    assert (protocol.steps, protocol.learning_rate, protocol.output_stride) == (40_000, 1e-3, 16)
