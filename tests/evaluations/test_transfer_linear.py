from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from relicheck import evaluate
from relicheck.checkpoints.errors import BadData, MissingData, UsageError
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.average_precision import mean_average_precision
from relicheck.evaluations.dataset import datasets, open_split
from relicheck.evaluations.evaluators.transfer_linear import (
    EVALUATOR,
    TransferLinearProtocol,
    run,
    transfer_view,
)
from relicheck.evaluations.one_vs_rest import fit_one_vs_rest
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.subject import Subject, open_model
from relicheck.evaluations.validation import draw
from relicheck.evaluations.view import View, show


class Given(Subject):
    """A subject whose features are given: only the protocol is under test."""

    metric = "top1"

    def features(self, role, view=None):
        return self.given[role], self._images[role].labels


def given(features, labels, test_features, test_labels, classes, metric="top1", targets=None):
    subject = Given(model=open_model("raw_pixels"), data="nowhere")
    subject.given = {"train": features, "test": test_features}
    for role, truth in (("train", labels), ("test", test_labels)):
        subject._images[role] = from_arrays(
            np.zeros((len(truth), 1, 1, 3), np.uint8),
            name="given",
            split=role,
            labels=truth,
            class_names=tuple(map(str, range(classes))),
        )
        if targets is not None:
            object.__setattr__(subject._images[role], "targets", targets[role])
    subject.metric = metric
    return subject


@pytest.fixture
def blobs():
    """Four overlapping classes in eight dimensions, 400 training and 300 test images."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (4, 8))
    labels, test_labels = np.arange(400) % 4, np.arange(300) % 4
    train = (centres[labels] + rng.normal(0, 1, (400, 8))).astype(np.float32)
    test = (centres[test_labels] + rng.normal(0, 1, (300, 8))).astype(np.float32)
    return train, labels, test, test_labels, 4


def test_the_grid_is_45_values_from_1e_minus_6_to_1e5_a_quarter_of_a_decade_apart():
    grid = TransferLinearProtocol().grid()
    assert (len(grid), grid[0], grid[-1]) == (45, pytest.approx(1e-6), pytest.approx(1e5))
    assert np.diff(np.log10(grid)) == pytest.approx([0.25] * 44)


def test_the_whole_protocol_equals_scikit_learns_step_by_step(blobs):
    from sklearn.linear_model import LogisticRegression

    train, labels, test, test_labels, _ = blobs
    [measured] = run(given(*blobs), TransferLinearProtocol(), 0)

    held = draw(labels, 40, seed=0)  # a tenth
    kept = np.setdiff1d(np.arange(400), held)

    def fit(which, penalty):
        model = LogisticRegression(C=1 / penalty, tol=1e-6, max_iter=5000)
        return model.fit(train[which], labels[which])

    grid = sorted(np.logspace(-6, 5, 45), reverse=True)
    best = max(grid, key=lambda p: fit(kept, p).score(train[held], labels[held]))
    expected = fit(np.arange(400), best).predict(test) == test_labels
    assert f"penalty {best:.3g} of 45" in measured.notes[0]
    assert measured.value == pytest.approx(100 * expected.mean())


def test_perfect_features_give_100(blobs):
    _, labels, _, test_labels, _ = blobs
    one_hot = np.eye(4, dtype=np.float32)
    [measured] = run(
        given(one_hot[labels], labels, one_hot[test_labels], test_labels, 4),
        TransferLinearProtocol(),
        0,
    )
    assert measured.value == 100


def test_shuffled_labels_give_chance_within_its_interval(blobs):
    train, labels, test, test_labels, _ = blobs
    shuffled = np.random.default_rng(3).permutation(labels)
    [measured] = run(given(train, shuffled, test, test_labels, 4), TransferLinearProtocol(), 0)
    # 25 % on 300 images: three binomial standard errors of 2.5 points.
    assert abs(measured.value - 25) < 7.5


def test_the_same_request_gives_the_same_number(blobs):
    first, second = (
        [m.value for m in run(given(*blobs), TransferLinearProtocol(), 0)] for _ in range(2)
    )
    assert first == second
    assert not EVALUATOR.stochastic


def test_the_penalty_of_the_mean_is_that_of_the_sum_over_the_images(blobs):
    summed = TransferLinearProtocol(penalties=1, smallest_penalty=40, largest_penalty=40)
    # 40 / 400: the final fit sees 400 images.
    mean = replace(summed, smallest_penalty=0.1, largest_penalty=0.1, penalty_on="mean")
    assert next(run(given(*blobs), summed, 0)).correct.tolist() == \
        next(run(given(*blobs), mean, 0)).correct.tolist()  # fmt: skip


def test_an_unbalanced_set_reports_and_chooses_its_own_metric(blobs):
    train, labels, test, test_labels, _ = blobs
    few = (labels != 3) | (np.arange(400) < 60)
    subject = given(train[few], labels[few], test, test_labels, 4, metric="mean_per_class")
    measured = list(run(subject, TransferLinearProtocol(), 0))
    assert [m.metric for m in measured] == ["top1", "mean_per_class"]
    assert "mean_per_class" in measured[1].notes[0]


@pytest.fixture
def many_labels():
    """Three classes that an image may show together, some of them difficult."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(500, 6)).astype(np.float32)
    weights = rng.normal(size=(6, 3))
    targets = (features @ weights + rng.normal(0, 1, (500, 3)) > 0.5).astype(np.int8)
    targets[rng.random((500, 3)) < 0.1] = -1
    return features, targets


def test_each_class_of_a_multi_label_set_is_scikit_learns_binary_regression(many_labels):
    from sklearn.linear_model import LogisticRegression

    features, targets = many_labels
    probe = fit_one_vs_rest(features, targets, 2.0 / 500)
    for k in range(3):
        counted = targets[:, k] >= 0
        model = LogisticRegression(C=0.5, tol=1e-8, max_iter=5000)
        model.fit(features[counted], targets[counted, k])
        assert probe.weight[k] == pytest.approx(model.coef_[0], abs=2e-3)
        assert probe.bias[k] == pytest.approx(model.intercept_[0], abs=2e-3)


def test_a_multi_label_set_is_scored_by_11_point_map(many_labels):
    features, targets = many_labels
    sides = {"train": targets[:350], "test": targets[350:]}
    labels = np.zeros(350, int), np.zeros(150, int)
    subject = given(features[:350], labels[0], features[350:], labels[1], 3, "map_11_point", sides)
    [measured] = run(subject, TransferLinearProtocol(penalties=9), 0)
    chance = mean_average_precision(
        np.random.default_rng(0).random((150, 3)), targets[350:], resamples=0
    )
    assert measured.metric == "map_11_point"
    assert measured.value > chance.value + 15
    assert measured.standard_error > 0


def test_a_multi_label_metric_without_targets_is_refused(blobs):
    with pytest.raises(BadData, match="one label for each image"):
        list(run(given(*blobs, metric="map_11_point"), TransferLinearProtocol(), 0))


@pytest.fixture
def small_voc(tmp_path):
    """VOC's layout with 60 images a split, each showing one class or two by its colour."""
    from relicheck.evaluations.datasets.voc2007 import CLASSES

    rng = np.random.default_rng(0)
    inner = tmp_path / "VOCdevkit" / "VOC2007"
    (inner / "JPEGImages").mkdir(parents=True)
    (inner / "ImageSets" / "Main").mkdir(parents=True)
    for number, split in enumerate(("train", "val", "test")):
        names = [f"{number}{index:05d}" for index in range(60)]
        for index, name in enumerate(names):
            pixels = np.full((20, 24, 3), 12 * (index % 20), np.uint8)
            Image.fromarray(pixels + rng.integers(0, 3, pixels.shape, np.uint8)).save(
                inner / "JPEGImages" / f"{name}.jpg"
            )
        lists = inner / "ImageSets" / "Main"
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for k, class_name in enumerate(CLASSES):
            marks = [1 if i % 20 in (k, (k + 1) % 20) else 0 if i == 7 else -1 for i in range(60)]
            rows = (f"{name} {mark:2d}\n" for name, mark in zip(names, marks, strict=True))
            (lists / f"{class_name}_{split}.txt").write_text("".join(rows))
    return tmp_path


def test_voc_is_measured_from_its_folder_by_map(checkpoint, small_voc, tmp_path):
    records = evaluate(
        checkpoint, "voc2007", ["transfer_linear"], records=tmp_path / "r", data_root=small_voc,
        overrides={"transfer_linear.penalties": 5},
    )  # fmt: skip
    [record] = records
    assert (record.metric, record.images) == ("map_11_point", 60)
    # Ten per cent of the images show a class.
    assert record.value > 20
    assert "12 images drawn from every class of trainval" in record.notes[0]
    assert any("BYOL's Table 10 has 5011 training images, here are 120" in n for n in record.notes)


def test_images_are_shown_at_the_networks_side_whatever_the_checkpoint_says(
    with_classes, image_folder
):
    network = with_classes(image_size=16, resize=20, interpolation="bilinear")
    subject = Subject(model=open_model(network), data=image_folder)
    shown = transfer_view(subject, 0, "bicubic").preprocessing
    assert (shown.resize, shown.image_size, shown.interpolation) == (16, 16, "bicubic")
    assert transfer_view(subject, 24, "bicubic").preprocessing.resize == 24


def test_images_of_the_networks_side_are_not_resized_and_share_their_features(with_classes):
    network = with_classes(image_size=32)
    subject = Subject(model=open_model(network), data="cifar10")

    assert transfer_view(subject, 0, "bilinear") == subject.default_view("test")
    assert transfer_view(subject, 40, "bilinear").preprocessing.resize == 40


@pytest.mark.parametrize("name", [n for n in datasets.names() if datasets.load(n).square_px])
def test_images_that_are_said_to_be_squares_of_one_size_are(name, real_data):
    known = datasets.load(name)
    try:
        source = open_split(name, known.scored, real_data)
    except MissingData as error:
        pytest.skip(str(error))

    plain = Preprocessing(image_size=known.square_px)
    views = [View(preprocessing=p) for p in (plain, replace(plain, resize=known.square_px))]
    for index in (0, len(source) // 2, len(source) - 1):
        assert source[index].shape == (known.square_px, known.square_px, 3)
        left, resized = show(source, index, views)
        np.testing.assert_array_equal(left, resized)


def test_a_checkpoint_is_measured_from_its_file(checkpoint, image_folder, tmp_path):
    [record] = evaluate(
        checkpoint, image_folder, ["transfer_linear"], records=tmp_path / "r", cache=tmp_path / "c"
    )
    assert record.protocol == "transfer_linear_lbfgs/1"
    assert record.images == 9
    assert "2 images drawn from every class of train by seed 0" in record.notes[0]
    assert "animals is not in BYOL's Table 10" in record.notes


def test_an_impossible_grid_is_refused(checkpoint, image_folder, tmp_path):
    with pytest.raises(UsageError, match="at least one, above 0"):
        evaluate(
            checkpoint, image_folder, ["transfer_linear"], records=tmp_path / "r",
            overrides={"transfer_linear.smallest_penalty": 0},
        )  # fmt: skip
