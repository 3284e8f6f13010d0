import json
from dataclasses import replace

import numpy as np
import pytest

from relicheck import evaluate
from relicheck.checkpoints.errors import BadData, UnknownName, UsageError
from relicheck.evaluations.evaluators.knn import EVALUATOR as KNN
from relicheck.evaluations.record import read_correct, read_record

QUICK = {
    "linear.penalties": (1e-2, 1.0),
    "semi_supervised.epochs": 2,
    "robustness.penalties": (1e-2, 1.0),
    "robustness.severities": (1, 5),
}


def quick(*names):
    return {key: value for key, value in QUICK.items() if key.split(".")[0] in names}


def test_a_checkpoint_is_measured_and_every_record_can_be_defended(
    checkpoint, image_folder, tmp_path
):
    records = evaluate(
        checkpoint, image_folder, ["linear", "knn"], records=tmp_path / "r",
        overrides={"knn.k": 3, **quick("linear")},
    )  # fmt: skip
    linear, knn = records
    assert (linear.subject, linear.method, linear.architecture) == (
        "tiny", "random", "ResNet-18 0.125x",
    )  # fmt: skip
    assert (linear.images, linear.data_images, linear.complete) == (9, 9, True)
    assert linear.weights_sha256 == knn.weights_sha256
    assert len(linear.source_sha256) == len(linear.code_sha256) == 64
    assert linear.protocol == "linear_lbfgs/1"
    assert knn.protocol_fields["k"] == 3
    assert knn.protocol_fields["preprocessing"]["image_size"] == 16
    assert {"python", "torch", "numpy", "scikit-learn", "device", "dirty"} <= set(
        linear.environment
    )


def test_per_image_correctness_gives_the_number_again(checkpoint, image_folder, tmp_path):
    [record] = evaluate(
        checkpoint, image_folder, ["knn"], records=tmp_path / "r", overrides={"knn.k": 3}
    )
    path = tmp_path / "r" / f"{record.id}.json"
    assert 100 * read_correct(path).mean() == pytest.approx(record.value)
    # sqrt(p (1 - p) / n), in percent
    p = record.value / 100
    assert record.standard_error == pytest.approx(100 * np.sqrt(p * (1 - p) / 9))
    assert read_record(path) == record


def test_coloured_classes_are_told_apart_by_pixels(image_folder, tmp_path):
    [record] = evaluate(
        "raw_pixels", image_folder, ["knn"], records=tmp_path / "r", overrides={"knn.k": 3}
    )
    assert record.value == 100
    assert (record.subject_kind, record.weights_sha256) == ("baseline", None)


def test_a_finished_measurement_is_found_again_and_not_repeated(
    checkpoint, image_folder, tmp_path, monkeypatch
):
    def arguments():
        return {"records": tmp_path / "r", "overrides": {"knn.k": 3}}

    first = evaluate(checkpoint, image_folder, ["knn"], **arguments())
    monkeypatch.setattr(
        "relicheck.evaluations.evaluator.evaluators.load",
        lambda name: replace(KNN, run=None),  # running it would fail
    )
    assert evaluate(checkpoint, image_folder, ["knn"], **arguments()) == first


def test_an_interruption_keeps_what_was_finished(checkpoint, image_folder, tmp_path, monkeypatch):
    from relicheck.evaluations import evaluator as contracts

    def interrupted(subject, protocol, seed):
        raise KeyboardInterrupt
        yield

    broken = {"knn": KNN, "linear": replace(contracts.evaluators.load("linear"), run=interrupted)}
    monkeypatch.setattr(contracts.evaluators, "load", broken.__getitem__)
    with pytest.raises(KeyboardInterrupt):
        evaluate(
            checkpoint, image_folder, ["knn", "linear"], records=tmp_path / "r",
            overrides={"knn.k": 3},
        )  # fmt: skip
    [kept] = (tmp_path / "r").glob("*.json")
    assert read_record(kept).evaluator == "knn"
    assert not list((tmp_path / "r").glob(".*"))


def test_the_same_seed_gives_the_same_number_and_another_seed_another_record(
    checkpoint, image_folder, tmp_path
):
    def measure(folder, seeds):
        settings = {"semi_supervised.label_fraction": 0.5, **quick("semi_supervised")}
        return evaluate(
            checkpoint, image_folder, ["semi_supervised"], records=tmp_path / folder,
            seeds=seeds, overrides=settings,
        )  # fmt: skip

    first, other = measure("a", (0, 1))
    [again] = measure("b", (0,))
    assert (again.id, again.value, again.correct_sha256) == (
        first.id, first.value, first.correct_sha256,
    )  # fmt: skip
    assert other.id != first.id


def test_seeds_are_not_repeated_where_nothing_is_drawn(checkpoint, image_folder, tmp_path):
    records = evaluate(
        checkpoint, image_folder, ["knn"], records=tmp_path / "r", seeds=(0, 1, 2),
        overrides={"knn.k": 3},
    )  # fmt: skip
    assert len(records) == 1


def test_a_limit_makes_a_part_that_says_so(checkpoint, image_folder, tmp_path):
    def measure(limit):
        [record] = evaluate(
            checkpoint, image_folder, ["knn"], records=tmp_path / "r", limit=limit,
            overrides={"knn.k": 3},
        )  # fmt: skip
        return record

    part, whole = measure(6), measure(None)
    assert (part.images, part.data_images, part.complete) == (6, 9, False)
    assert part.id != whole.id


def test_robustness_is_the_mean_of_its_conditions_and_is_labelled_generated(
    checkpoint, image_folder, tmp_path
):
    records = evaluate(
        checkpoint, image_folder, ["robustness"], records=tmp_path / "r",
        overrides=quick("robustness"),
    )  # fmt: skip
    *cells, mean = records
    assert len(cells) == 15 * 2
    assert mean.metric == "mean_corruption_top1"
    assert mean.condition == "generated"
    assert mean.value == pytest.approx(np.mean([cell.value for cell in cells]))
    assert "mce" not in json.dumps([r.metric for r in records]).lower()


def test_an_override_is_another_protocol(checkpoint, image_folder, tmp_path):
    def measure(**overrides):
        [record] = evaluate(
            checkpoint, image_folder, ["knn"], records=tmp_path / "r",
            overrides={"knn.k": 3, **overrides},
        )  # fmt: skip
        return record

    plain, changed = measure(), measure(**{"knn_cosine.temperature": "0.5"})
    assert changed.protocol_fields["temperature"] == 0.5
    assert changed.protocol_sha256 != plain.protocol_sha256


def test_without_names_probes_are_trained_or_a_fitting_classifier_is_used(
    image_folder, tmp_path, with_classes
):
    records = evaluate(with_classes(3), image_folder, records=tmp_path / "r")
    assert {record.evaluator for record in records} == {"classifier"}


@pytest.mark.parametrize(
    ("names", "overrides", "error", "message"),
    [
        (["lineer"], {}, UnknownName, "Did you mean 'linear'"),
        (["knn"], {"knn.kk": 1}, UnknownName, "Did you mean 'k'"),
        (["knn"], {"linear.penalties": 1}, UnknownName, "chosen evaluator or protocol 'linear'"),
        (["knn"], {"knn.k": "many"}, UsageError, "a value of type int"),
        (["knn"], {"knn.k": "2.5"}, UsageError, "a value of type int"),
        (["linear"], {"linear.standardise": "maybe"}, UsageError, "a value of type bool"),
        (["classifier"], {}, UsageError, "the checkpoint has no classifier"),
        (["classifier_mapped"], {}, UsageError, "not mapped to ImageNet's"),
    ],
)
def test_wrong_requests_are_one_message(
    names, overrides, error, message, checkpoint, image_folder, tmp_path
):
    with pytest.raises(error, match=message):
        evaluate(checkpoint, image_folder, names, records=tmp_path / "r", overrides=overrides)
    assert not (tmp_path / "r").exists()


def test_a_broken_image_is_named_and_leaves_no_record(checkpoint, image_folder, tmp_path):
    (image_folder / "test" / "dog" / "001.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadData, match=r"dog/001\.png: cannot be read as an image"):
        evaluate(checkpoint, image_folder, ["knn"], records=tmp_path / "r", cache=tmp_path / "c")
    assert not (tmp_path / "r").exists()
    assert not list((tmp_path / "c").glob("*test*"))


def test_images_of_unequal_size_are_refused_by_the_pixel_baseline(image_folder, tmp_path):
    from PIL import Image

    Image.new("RGB", (20, 16)).save(image_folder / "test" / "dog" / "001.png")
    with pytest.raises(BadData, match="images of 2 sizes"):
        evaluate("raw_pixels", image_folder, ["knn"], records=tmp_path / "r")


def test_cached_features_alone_are_enough_and_the_record_says_so(
    checkpoint, image_folder, tmp_path
):
    def measure(folder):
        [record] = evaluate(
            checkpoint, image_folder, ["knn"], records=tmp_path / folder, cache=tmp_path / "c",
            overrides={"knn.k": 3},
        )  # fmt: skip
        return record

    first = measure("a")
    image_folder.rename(tmp_path / "elsewhere")
    alone = measure("b")
    assert (first.source, alone.source) == ("images", "features")
    assert (alone.id, alone.value) == (first.id, first.value)


def test_another_precision_is_another_protocol_and_the_record_says_so(
    checkpoint, image_folder, tmp_path
):
    def measure(precision):
        [record] = evaluate(
            checkpoint, image_folder, ["knn"], records=tmp_path / "r", cache=tmp_path / "c",
            overrides={"knn.k": 3}, precision=precision,
        )  # fmt: skip
        return record

    plain, lower = measure("float32"), measure("bfloat16")
    assert plain.protocol_sha256 == replace(KNN.protocol, k=3).digest
    assert plain.protocol_fields["precision"] == "float32"
    assert lower.protocol_fields["precision"] == "bfloat16"
    assert lower.protocol_sha256 != plain.protocol_sha256
    assert lower.id != plain.id


def test_a_precision_that_does_not_exist_is_refused_before_the_work(image_folder, tmp_path):
    with pytest.raises(UsageError, match=r"precision: 'fp8'.*float32 or tf32"):
        evaluate("raw_pixels", image_folder, ["knn"], records=tmp_path / "r", precision="fp8")


def test_evaluators_that_read_the_same_images_share_a_fingerprint(
    checkpoint, image_folder, tmp_path
):
    # `robustness` trains its classifier by way of another subject than `linear`.
    records = evaluate(
        checkpoint,
        image_folder,
        ["linear", "knn", "robustness"],
        records=tmp_path / "r",
        overrides={
            "knn.k": 3,
            "robustness.corruptions": "contrast",
            "robustness.severities": "1",
        },
    )
    assert {record.evaluator for record in records} == {"linear", "knn", "robustness"}
    assert len({record.data_fingerprint for record in records}) == 1
