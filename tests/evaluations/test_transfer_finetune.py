import copy
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from relicheck import evaluate
from relicheck.checkpoints.errors import BadCheckpoint, BadData, UsageError
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations import sweep as sweeping
from relicheck.evaluations.augment import CropAndFlip, view
from relicheck.evaluations.evaluators.transfer_finetune import (
    TransferFinetuneProtocol,
    scored_preprocessing,
)
from relicheck.evaluations.features import state_hash
from relicheck.evaluations.preprocess import normalise
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.streamed_training import (
    Diverged,
    Training,
    _shown_ahead,
    batches_of,
    logits_of,
    summed_loss,
    train,
)
from relicheck.evaluations.sweep import best_of, sweep

SIXTEEN = Preprocessing(image_size=16)
# The smallest sweep that still chooses: two learning rates, with and without weight decay.
SMALL = {
    "transfer_finetune.steps": 12,
    "transfer_finetune.batch_size": 8,
    "transfer_finetune.learning_rates": 2,
    "transfer_finetune.smallest_learning_rate": 1e-6,
    "transfer_finetune.weight_decays": 1,
}


@pytest.fixture
def two_kinds():
    """Sixteen dark and sixteen light images."""
    rng = np.random.default_rng(0)
    labels = np.arange(32) % 2
    pixels = rng.integers(0, 100, size=(32, 16, 16, 3)) + 120 * labels[:, None, None, None]
    return from_arrays(
        pixels.astype(np.uint8), name="kinds", split="train", labels=labels,
        class_names=("dark", "light"),
    )  # fmt: skip


def trained(network, source, seed=0, truth=None, **changed):
    settings = Training(**{"steps": 40, "batch_size": 8, "learning_rate": 0.1, **changed})
    return train(
        network, source, np.arange(len(source)), source.labels if truth is None else truth, 2,
        SIXTEEN, CropAndFlip(), settings, seed,
    )  # fmt: skip


def test_the_grid_is_seven_rates_by_seven_decays_and_none():
    grid = TransferFinetuneProtocol().grid()
    rates = sorted({point["learning_rate"] for point in grid})
    assert len(grid) == 56
    assert (rates[0], rates[-1]) == (pytest.approx(1e-4), pytest.approx(0.1))
    assert np.diff(np.log10(rates)) == pytest.approx([0.5] * 6)
    # Each decay is divided by the learning rate: 1e-6 / 1e-4 and 1e-3 / 0.1.
    assert [p["weight_decay"] for p in grid[:2]] == [0, pytest.approx(1e-2)]
    assert grid[-1]["weight_decay"] == pytest.approx(1e-2)


def test_statistics_decay_follows_the_steps_of_an_epoch_and_no_lower_than_090():
    protocol = TransferFinetuneProtocol()
    point = protocol.grid()[0]
    # 45,000 / 256 steps: 1 - 10 / 175.78; and a set of four steps an epoch.
    assert protocol.training(point, 45_000).statistics_decay == pytest.approx(1 - 2560 / 45_000)
    assert protocol.training(point, 1024).statistics_decay == 0.9


def test_test_images_are_resized_to_256_and_cut_to_224():
    shown = scored_preprocessing(Preprocessing(image_size=224, interpolation="bilinear"), 256 / 224)
    assert (shown.resize, shown.image_size, shown.interpolation) == (256, 224, "bicubic")


def test_every_epoch_shows_every_image_once():
    steps = list(batches_of(10, 4, 5, seed=0))
    seen = Counter(
        (int(i), int(e)) for images, epochs in steps for i, e in zip(images, epochs, strict=True)
    )
    assert seen == {(image, epoch): 1 for image in range(10) for epoch in range(2)}
    assert steps[2][1].tolist() == [0, 0, 1, 1]  # the batch that ends one and begins the next


@pytest.mark.parametrize("workers", [1, 4])
def test_views_shown_ahead_are_those_of_each_image_alone(two_kinds, workers):
    which, crops = np.array([3, 9, 20, 21, 30]), CropAndFlip()
    shown = _shown_ahead(two_kinds, which, batches_of(5, 2, 5, seed=1), SIXTEEN, crops, 7, workers)
    for (mine, squares), (chosen, epochs) in zip(shown, batches_of(5, 2, 5, seed=1), strict=True):
        assert mine.tolist() == which[chosen].tolist()
        for image, epoch, square in zip(mine, epochs, squares, strict=True):
            alone = view(two_kinds[image], 16, crops, seed=7, epoch=int(epoch), index=int(image))
            assert (square == alone).all()


def test_an_image_that_cannot_be_read_ends_training_with_its_message(network, two_kinds):
    def broken(index):
        if index == 5:
            raise BadData("image 5", "cannot be read")
        return two_kinds[index]

    with pytest.raises(BadData, match="image 5"):
        trained(network, replace(two_kinds, read=broken))


def test_training_learns_and_leaves_the_original_untouched(network, two_kinds):
    before = state_hash(network)
    tuned = trained(network, two_kinds)
    logits = logits_of(tuned, two_kinds, np.arange(32), SIXTEEN)
    assert (logits.argmax(axis=1) == two_kinds.labels).all()
    assert state_hash(network) == before


def test_the_same_seed_trains_the_same_network(network, two_kinds):
    hashes = [state_hash(trained(network, two_kinds, seed, steps=4)) for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_training_equals_nesterov_momentum_and_cosine_decay_written_out(network, two_kinds):
    whole = CropAndFlip(area=(1, 1), aspect=(1, 1), flip=0)  # every view is its image
    settings = Training(steps=3, batch_size=32, learning_rate=0.2, weight_decay=0.01)
    labels, everything = two_kinds.labels, np.arange(32)
    tuned = train(network, two_kinds, everything, labels, 2, SIXTEEN, whole, settings, seed=0)

    slow = copy.deepcopy(network).train()
    slow.fc = torch.nn.Linear(slow.spec.feature_dim, 2)
    torch.nn.init.zeros_(slow.fc.weight)
    torch.nn.init.zeros_(slow.fc.bias)
    images = np.stack([two_kinds[i] for i in range(32)])
    velocity = {name: 0.0 for name, _ in slow.named_parameters()}
    for step, (order, _) in enumerate(batches_of(32, 32, 3, seed=0)):
        rate = 0.2 * 0.5 * (1 + np.cos(np.pi * step / 3))
        slow.zero_grad()
        logits = slow(normalise(images[order], SIXTEEN))
        torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[order])).backward()
        with torch.no_grad():
            for name, value in slow.named_parameters():
                normalising = "bn" in name or "downsample.1" in name
                gradient = value.grad + (0 if normalising else 0.01) * value
                velocity[name] = 0.9 * velocity[name] + gradient
                value -= rate * (gradient + 0.9 * velocity[name])
    for (name, one), other in zip(tuned.named_parameters(), slow.parameters(), strict=True):
        assert torch.allclose(one, other, atol=2e-4), name


def test_weight_decay_leaves_batch_norm_alone(network, two_kinds):
    # At a learning rate that moves nothing by its gradient, decay shrinks what it acts on.
    decayed = trained(network, two_kinds, steps=1, learning_rate=1e-6, weight_decay=1e5)
    before, after = network.state_dict(), decayed.state_dict()
    shrunk = {
        name: float((after[name] / before[name]).median())
        for name in ("conv1.weight", "bn1.weight")
    }
    # 1 - 1.9 * 1e-6 * 1e5: the first Nesterov step is 1 + momentum times the gradient.
    assert shrunk["conv1.weight"] == pytest.approx(1 - 1.9 * 0.1, abs=1e-3)
    assert shrunk["bn1.weight"] == pytest.approx(1, abs=1e-4)


def test_gradients_of_parts_add_up_to_the_batchs(with_classes, two_kinds):
    network = with_classes()
    # Where BatchNorm sees equal statistics: all images alike.
    same = from_arrays(
        np.full((8, 16, 16, 3), 90, np.uint8), name="same", split="train",
        labels=np.arange(8) % 2, class_names=("a", "b"),
    )  # fmt: skip
    whole = trained(network, same, steps=3)
    parts = trained(network, same, steps=3, images_at_once=4)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_multi_label_loss_is_each_classes_own_and_leaves_difficult_ones_out():
    logits = torch.tensor([[0.0, 2.0], [1.0, -3.0]])
    targets = torch.tensor([[1, -1], [0, 1]])
    # log 2 for the first; the difficult one is out; log(1 + e) and log(1 + e^3).
    expected = np.log(2) + np.log(1 + np.e) + np.log(1 + np.exp(3))
    assert float(summed_loss(logits, targets)) == pytest.approx(expected, rel=1e-6)


def test_a_diverging_loss_is_one_message(network, two_kinds):
    with pytest.raises(Diverged, match="learning rate 1e\\+30"):
        trained(network, two_kinds, learning_rate=1e30)


def test_a_sweep_keeps_finished_points_and_goes_on(tmp_path):
    points, calls = [{"x": float(x)} for x in range(4)], []

    def measure(point):
        calls.append(point["x"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return point["x"]

    with pytest.raises(KeyboardInterrupt):
        sweep(points, measure, tmp_path, {"weights": "a"})
    assert sweep(points, measure, tmp_path, {"weights": "a"}) == [0, 1, 2, 3]
    # The interrupted point again, the finished ones not.
    assert calls == [0, 1, 2, 2, 3]
    assert sweep(points[:1], measure, tmp_path, {"weights": "b"}) == [0]
    assert calls[-1] == 0


def test_points_that_diverge_are_left_out_and_all_of_them_are_an_error(tmp_path):
    def measure(point):
        if point["x"] > 1:
            raise Diverged("fine-tuning", "the loss is inf")
        return -point["x"]

    points = [{"x": 2.0}, {"x": 1.0}, {"x": 0.5}, {"x": 0.5}]
    scores = sweep(points, measure, tmp_path, {})
    assert scores == [None, -1.0, -0.5, -0.5]
    assert best_of(points, scores) == (points[2], -0.5)
    with pytest.raises(BadCheckpoint, match="for all 1 settings"):
        sweep(points[:1], measure, tmp_path, {})


def test_a_checkpoint_is_tuned_chosen_and_scored(checkpoint, image_folder, tmp_path):
    [record] = evaluate(
        checkpoint, image_folder, ["transfer_finetune"], records=tmp_path / "r",
        cache=tmp_path / "c", overrides=SMALL,
    )  # fmt: skip
    assert record.protocol == "transfer_finetune/1"
    assert "(best of 4 settings: top1" in record.notes[0]
    assert "trained on all 24" in record.notes[0]
    assert len(list((tmp_path / "c" / "sweeps").glob("*.json"))) == 4


def test_a_single_setting_is_trained_once_and_nothing_is_chosen(checkpoint, image_folder, tmp_path):
    one = {**SMALL, "transfer_finetune.learning_rates": 1, "transfer_finetune.weight_decays": 0}
    [record] = evaluate(
        checkpoint, image_folder, ["transfer_finetune"], records=tmp_path / "r",
        cache=tmp_path / "c", overrides=one,
    )  # fmt: skip
    assert "learning rate 1e-06, weight decay 0 (fixed)" in record.notes[0]
    assert not (tmp_path / "c" / "sweeps").exists()


def test_an_interrupted_command_measures_no_point_twice(
    checkpoint, image_folder, tmp_path, monkeypatch
):
    def measure():
        return evaluate(
            checkpoint, image_folder, ["transfer_finetune"], records=tmp_path / "r",
            cache=tmp_path / "c", overrides=SMALL,
        )  # fmt: skip

    kept, written = sweeping.write_text, []

    def interrupted(path, text):
        kept(path, text)
        written.append(json.loads(text))
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweeping, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure()
    measure()
    points = {(w["learning_rate"], w["weight_decay"]) for w in written}
    assert len(points) == len(written) == 4


def test_raw_pixels_and_impossible_settings_are_refused(checkpoint, image_folder, tmp_path):
    with pytest.raises(UsageError, match="nothing to tune"):
        evaluate("raw_pixels", image_folder, ["transfer_finetune"], records=tmp_path)
    with pytest.raises(UsageError, match="a step of 2 images"):
        evaluate(
            checkpoint, image_folder, ["transfer_finetune"], records=tmp_path,
            overrides={"transfer_finetune.batch_size": 1},
        )  # fmt: skip
