import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from relicheck import evaluate
from relicheck.checkpoints.errors import BadCheckpoint, TrainingFailed, UsageError
from relicheck.evaluations import linear_training, unfinished_heads
from relicheck.evaluations.evaluator import evaluators
from relicheck.evaluations.evaluators.linear_sgd import LinearSgdProtocol
from relicheck.evaluations.evaluators.linear_sgd_byol import LinearSgdByolProtocol
from relicheck.evaluations.evaluators.linear_sgd_cached import LinearSgdCachedProtocol
from relicheck.evaluations.evaluators.linear_sgd_swav import LinearSgdSwavProtocol
from relicheck.evaluations.features import state_hash
from relicheck.evaluations.linear_training import measure, train
from relicheck.evaluations.subject import Subject, open_model

NAMED = ("linear_sgd", "linear_sgd_byol", "linear_sgd_simclr", "linear_sgd_swav")


def small(protocol=LinearSgdProtocol, **fields):
    return protocol(**{"epochs": 3, "batch_size": 7, **fields})


@pytest.fixture
def subject(network, image_folder):
    return Subject(model=open_model(network), data=image_folder)


class Features:
    """A subject that has features and no images: what cached training needs."""

    def __init__(self, train, labels, test, truth, classes, cache=None):
        self._features = {"train": (train, labels), "test": (test, truth)}
        names = tuple(map(str, range(classes)))
        self._images = {
            role: type("Known", (), {"labels": known[1], "class_names": names, "name": "made",
                                     "split": role, "fingerprint": role})()
            for role, known in self._features.items()
        }  # fmt: skip
        self.model = type("Known", (), {"name": "made"})()
        self.cache, self.metric, self.weights_sha256 = cache, "top1", "0"

    def images(self, role):
        return self._images[role]

    def features(self, role):
        return self._features[role]


def clusters(images, spread, seed=0, classes=4, dim=6):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    return (centres[labels] + spread * rng.normal(size=(images, dim))).astype(np.float32), labels


def made(spread=1.0, labels=None, **fields):
    train, own = clusters(400, spread)
    return Features(train, own if labels is None else labels, *clusters(400, spread, 1), 4)


def cached(**fields):
    return small(LinearSgdCachedProtocol, **{"epochs": 20, "batch_size": 64, **fields})


def test_relicv2_s_released_values_are_the_defaults():
    protocol = evaluators.load("linear_sgd").protocol
    [point] = protocol.points(1024)
    assert (protocol.epochs, protocol.batch_size, protocol.momentum) == (100, 1024, 0.9)
    assert protocol.nesterov
    assert point.weight_decay == 0
    assert point.learning_rate == pytest.approx(1.2)  # 0.3 * 1024 / 256


def test_the_named_protocols_differ_in_what_their_sources_say():
    found = {name: evaluators.load(name).protocol for name in NAMED}
    assert len({protocol.digest for protocol in found.values()}) == 4
    assert [found[name].epochs for name in NAMED] == [100, 80, 90, 100]
    assert found["linear_sgd_simclr"].points(4096)[0].learning_rate == pytest.approx(1.6)
    assert found["linear_sgd_swav"].points(256)[0].learning_rate == 0.3  # not scaled
    assert found["linear_sgd_swav"].select_on_test
    assert len(found["linear_sgd_byol"].points(1024)) == 5


def test_the_schedule_is_a_cosine_over_steps_or_over_epochs():
    by_step = small(epochs=2)
    assert [round(by_step.share(step, 2), 3) for step in range(4)] == [1.0, 0.854, 0.5, 0.146]
    by_epoch = small(epochs=2, schedule="cosine_by_epoch")
    assert [by_epoch.share(step, 2) for step in range(4)] == [1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("name", NAMED)
def test_a_named_protocol_measures_and_leaves_the_network_as_it_was(
    name, network, image_folder, tmp_path
):
    before = state_hash(network)
    found = evaluate(
        network, image_folder, [name], records=tmp_path / "r", overrides={f"{name}.epochs": 2}
    )
    assert state_hash(network) == before
    assert found[0].condition == ""
    assert found[0].images == 9
    assert "training images" in found[0].notes[0]


def test_statistics_that_move_while_heads_are_trained_are_noticed(subject):
    features = subject.backbone.features

    def drifting(images):
        subject.backbone.bn1.running_mean += 1
        return features(images)

    subject.backbone.features = drifting
    with pytest.raises(BadCheckpoint, match="changed during a frozen evaluation"):
        train(subject, small(), 0)


def test_the_same_seed_gives_the_same_heads_and_another_one_others(subject):
    first, second, other = (train(subject, small(), seed).heads.weight for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_number_is_the_same_on_one_or_two_processes(checkpoint, image_folder, tmp_path):
    command = "import sys, torch; torch.set_num_threads(1); from relicheck import evaluate; "
    command += "from pathlib import Path; r, = evaluate(sys.argv[1], sys.argv[2], "
    command += "['linear_sgd'], records=Path(sys.argv[3]), overrides={'linear_sgd.epochs': 2}); "
    command += "print(r.value, r.correct_sha256)"
    # Two processes at once, each with records of its own, and this one.
    running = [
        subprocess.Popen(
            [sys.executable, "-c", command, checkpoint, image_folder, tmp_path / str(place)],
            stdout=subprocess.PIPE, text=True,
        )
        for place in range(2)
    ]  # fmt: skip
    answers = [process.communicate(timeout=120)[0].strip() for process in running]
    [here] = evaluate(
        str(checkpoint), image_folder, ["linear_sgd"], records=tmp_path / "r",
        overrides={"linear_sgd.epochs": 2},
    )  # fmt: skip
    assert answers == [f"{here.value} {here.correct_sha256}"] * 2


def test_one_point_is_trained_on_every_image_and_nothing_is_chosen(subject):
    trained = train(subject, small(), 0)
    assert len(trained.fitted) == 24
    assert len(trained.held) == 0


def test_several_points_are_chosen_by_images_that_are_not_trained_on():
    subject, protocol = made(2.5), cached(base_learning_rates=(3.0, 0.3, 0.001))
    trained = train(subject, protocol, 0)
    assert sorted([*trained.fitted, *trained.held]) == list(range(400))
    assert len(trained.held) == 40
    features, labels = subject.features("train")
    right = trained.heads.right(features[trained.held], labels[trained.held]).sum(axis=1)
    [measured] = measure(subject, protocol, 0)
    best = protocol.describe(int(right.argmax()))
    assert measured.notes[0].startswith(f"{best}, {right.max()} of 40 held-out images right")
    test, truth = subject.features("test")
    answers = trained.heads.right(test, truth)[int(right.argmax())]
    assert measured.value == pytest.approx(100 * answers.mean())


def test_a_large_set_holds_out_the_paper_s_number_and_a_small_one_a_fraction():
    labels = np.arange(30_000) % 10
    protocol = LinearSgdByolProtocol()
    assert abs(len(linear_training._divide(np.repeat(labels, 5), protocol)[1]) - 10_009) <= 10
    assert len(linear_training._divide(labels, protocol)[1]) == 3_000


def test_the_choice_on_the_test_images_is_measured_apart_and_says_so():
    subject = made(2.5)
    protocol = cached(base_learning_rates=(3.0, 0.3, 0.001), select_on_test=True)
    plain, chosen = measure(subject, protocol, 0)
    assert (plain.condition, chosen.condition) == ("", "selected_on_test")
    assert "on the test images themselves" in chosen.notes[0]
    assert chosen.value >= plain.value


def test_sgd_on_cached_features_comes_close_to_the_minimum():
    from relicheck.evaluations.logistic import fit_logistic

    subject = made(1.5)
    [measured] = measure(subject, cached(epochs=60), 0)
    features, labels = subject.features("train")
    test, truth = subject.features("test")
    best = 100 * np.mean(fit_logistic(features, labels, 4, 1e-4).predict(test) == truth)
    assert abs(measured.value - best) < 2


def test_features_that_name_the_class_give_one_hundred_per_cent():
    labels = np.arange(400) % 4
    perfect = np.eye(4, dtype=np.float32)[labels]
    [measured] = measure(Features(perfect, labels, perfect, labels, 4), cached(), 0)
    assert measured.value == 100


def test_shuffled_labels_give_chance():
    shuffled = np.random.default_rng(5).permutation(np.arange(400) % 4)
    [measured] = measure(made(1.0, labels=shuffled), cached(), 0)
    # Four classes; but the answers of one head share its fortune, hence a wide band.
    assert 10 < measured.value < 40


def test_a_point_that_diverges_is_left_out_with_a_note():
    subject = made(1.0)
    [measured] = measure(subject, cached(base_learning_rates=(1e38, 0.3)), 0)
    assert measured.value > 70
    assert measured.notes[1].startswith("base learning rate 1e+38")
    assert "diverged in epoch 1, left out" in measured.notes[1]


def test_a_grid_that_diverges_altogether_is_one_message():
    with pytest.raises(TrainingFailed, match="every head diverged by epoch 1"):
        train(made(1.0), cached(base_learning_rates=(1e38,), weight_decays=(1.0,)), 0)


def test_features_mapped_from_a_file_in_half_precision_give_the_same_heads(tmp_path):
    train_features, labels = clusters(400, 1.0)
    half = train_features.astype(np.float16)
    half.tofile(tmp_path / "train")
    mapped = np.memmap(tmp_path / "train", np.float16, "r", shape=half.shape)
    test, truth = clusters(400, 1.0, 1)
    known = [
        train(Features(features, labels, test, truth, 4), cached(), 0).heads.weight
        for features in (mapped, half.astype(np.float32))
    ]
    assert torch.equal(*known)


def test_a_killed_run_goes_on_from_its_last_epoch_to_the_same_heads(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished_heads, "SAVE_SECONDS", 0.0)
    protocol = cached(base_learning_rates=(1e38, 0.3), select_on_test=True)
    whole = train(made(1.0), protocol, 0)
    subject = made(1.0)
    subject.cache = tmp_path
    looks = linear_training._look_at_test

    def killed(*arguments):
        if arguments[-1] == 5:
            raise KeyboardInterrupt
        looks(*arguments)

    monkeypatch.setattr(linear_training, "_look_at_test", killed)
    with pytest.raises(KeyboardInterrupt):
        train(subject, protocol, 0)
    assert len(list((tmp_path / "unfinished").iterdir())) == 1
    seen = []
    monkeypatch.setattr(
        linear_training, "_look_at_test", lambda *a: (seen.append(a[-1]), looks(*a))
    )
    resumed = train(subject, protocol, 0)
    assert seen == list(range(5, 20))
    assert torch.equal(resumed.heads.weight, whole.heads.weight)
    assert resumed.diverged == whole.diverged == {1: 1}
    assert resumed.best_on_test_said == whole.best_on_test_said
    assert (resumed.best_on_test == whole.best_on_test).all()
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_half_a_saved_state_begins_anew(tmp_path, monkeypatch):
    subject = made(1.0)
    subject.cache = tmp_path
    saved = unfinished_heads.UnfinishedHeads(subject, cached(), 0)
    saved._path.parent.mkdir()
    saved._path.write_bytes(b"half")
    whole = train(made(1.0), cached(), 0)
    assert torch.equal(train(subject, cached(), 0).heads.weight, whole.heads.weight)


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"base_learning_rates": ()}, {"momentum": 1.0}, {"schedule": "step"},
     {"held_out": 0}, {"weight_decays": (-1.0,)}],
)  # fmt: skip
def test_fields_that_cannot_be_are_one_message(wrong, subject):
    with pytest.raises(UsageError, match="an epoch, a batch and a learning rate"):
        train(subject, small(**wrong), 0)


def test_raw_pixels_are_not_augmented_but_may_be_measured_as_they_are(image_folder):
    pixels = Subject(model=open_model("raw_pixels"), data=image_folder)
    with pytest.raises(UsageError, match="linear_sgd_cached"):
        train(pixels, small(), 0)
    assert train(pixels, cached(epochs=2), 0).heads.alive.all()


def test_features_that_are_not_finite_are_refused(subject):
    with torch.no_grad():
        subject.backbone.bn1.weight[0] = float("nan")
    with pytest.raises(BadCheckpoint, match="not finite"):
        train(subject, small(), 0)


def test_every_field_is_in_the_record_s_protocol():
    fields = {field.name for field in dataclasses.fields(LinearSgdSwavProtocol)}
    assert fields == set(json.loads(json.dumps(LinearSgdSwavProtocol().fields())))
