from dataclasses import replace

import numpy as np
import pytest

from relicheck import evaluate
from relicheck.checkpoints.errors import UsageError
from relicheck.evaluations.evaluators.representation import (
    EVALUATOR,
    RepresentationProtocol,
    spread,
)
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.subject import Subject, open_model


def measured(records):
    return {(r.metric, r.condition): r for r in records}


def test_rank_uniformity_and_alignment_come_from_one_checkpoint(checkpoint, image_folder, tmp_path):
    found = measured(evaluate(checkpoint, image_folder, ["representation"], records=tmp_path / "r"))
    assert set(found) == {("effective_rank", ""), ("uniformity", ""), ("alignment", "")}
    # Nine images: at most rank 9, and a random network's features are nearly one direction.
    assert 1 <= found["effective_rank", ""].value <= 9
    assert -8 < found["uniformity", ""].value < 0
    assert 0 < found["alignment", ""].value < 4


def test_the_same_request_gives_the_same_alignment(checkpoint, image_folder, tmp_path):
    values = [
        measured(evaluate(checkpoint, image_folder, ["representation"], records=tmp_path / n))[
            "alignment", ""
        ].value
        for n in ("one", "two")
    ]
    assert values[0] == values[1]


def test_without_images_alignment_is_left_out(checkpoint, image_folder, tmp_path):
    cache = tmp_path / "c"
    first = evaluate(
        checkpoint, image_folder, ["representation"], records=tmp_path / "one", cache=cache
    )
    for file in (image_folder / "test").rglob("*.png"):
        file.unlink()
    for folder in [*(image_folder / "test").glob("*"), image_folder / "test"]:
        folder.rmdir()
    second = evaluate(
        checkpoint, image_folder, ["representation"], records=tmp_path / "two", cache=cache
    )
    assert [r.value for r in second] == [r.value for r in first[:2]]


def test_raw_pixels_have_no_views_to_align(image_folder, tmp_path):
    found = measured(
        evaluate("raw_pixels", image_folder, ["representation"], records=tmp_path / "r")
    )
    assert set(found) == {("effective_rank", ""), ("uniformity", "")}


def test_perfectly_separable_images_are_right_in_every_class(image_folder, tmp_path):
    found = measured(evaluate("raw_pixels", image_folder, ["calibration"], records=tmp_path / "r"))
    assert found["mean_per_class", ""].value == 100
    assert found["worst_class_top1", ""].value == 100
    assert [c for m, c in found if m == "class_top1"] == ["class=cat", "class=dog", "class=emu"]
    assert found["class_top1", "class=dog"].images == 3
    # All right, so every bin is underconfident and the error is what confidence lacks of 100 %.
    error = found["expected_calibration_error", ""]
    assert f"mean confidence {100 - error.value:.2f} %" in error.notes[0]


def test_calibration_shares_the_probe_of_linear(image_folder, tmp_path):
    both = evaluate("raw_pixels", image_folder, ["linear", "calibration"], records=tmp_path / "r")
    top1 = next(r for r in both if r.metric == "top1")
    error = next(r for r in both if r.metric == "expected_calibration_error")
    assert f"right {top1.value:.2f} %" in error.notes[0]


def test_the_worst_classes_come_first_and_no_more_than_asked(image_folder, tmp_path):
    records = evaluate(
        "raw_pixels", image_folder, ["calibration"], records=tmp_path / "r",
        overrides={"calibration.classes": 1},
    )  # fmt: skip
    assert len([r for r in records if r.metric == "class_top1"]) == 1


def test_images_are_spread_evenly():
    assert spread(10, 4).tolist() == [0, 2, 5, 7]
    assert spread(3, 10).tolist() == [0, 1, 2]


def test_impossible_settings_are_refused(image_folder, tmp_path):
    for setting, message in (
        ({"representation.rank_images": 1}, "at least 2 images"),
        ({"calibration.bins": 0}, "at least 1 bin"),
    ):
        name = next(iter(setting)).partition(".")[0]
        with pytest.raises(UsageError, match=message):
            evaluate("raw_pixels", image_folder, [name], records=tmp_path / "r", overrides=setting)


def test_counts_by_class_are_those_of_a_loop():
    from relicheck.evaluations.metrics import per_class

    rng = np.random.default_rng(0)
    labels, correct = rng.integers(0, 5, 100), rng.random(100) < 0.4
    right, images = per_class(correct, labels, 6)
    for k in range(6):
        assert images[k] == sum(label == k for label in labels)
        assert right[k] == sum(c and label == k for c, label in zip(correct, labels, strict=True))


def test_a_frame_is_cut_before_the_random_views_of_alignment(checkpoint, noise):
    framed = np.full((12, 20, 20, 3), 255, np.uint8)
    framed[:, 2:-2, 2:-2] = np.stack([noise[index] for index in range(12)])
    rest = {"split": "test", "labels": noise.labels, "class_names": noise.class_names}

    def alignment_of(pixels, border_px):
        subject = Subject(model=open_model(checkpoint), data="framed")
        subject._images["test"] = from_arrays(pixels, name="framed", **rest)
        view = subject.default_view

        subject.default_view = lambda role: replace(view(role), border_px=border_px)
        measurements = EVALUATOR.run(subject, RepresentationProtocol(), 0)
        return next(m.value for m in measurements if m.metric == "alignment")

    assert alignment_of(framed, 2) == alignment_of(framed[:, 2:-2, 2:-2], 0)
