import numpy as np
import pytest
import torch

from relicheck import evaluate
from relicheck.checkpoints.errors import BadCheckpoint, UsageError
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.evaluators.semi_supervised import SemiSupervisedProtocol, labelled
from relicheck.evaluations.features import state_hash
from relicheck.evaluations.finetune import Recipe, augment, fine_tune, predict

SIXTEEN = Preprocessing(image_size=16)


def recipe(**changed):
    plain = {
        "epochs": 10,
        "batch_size": 8,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "shift_fraction": 0.0,
        "flip": False,
    }
    return Recipe(**{**plain, **changed})


@pytest.fixture
def two_kinds():
    """Sixteen dark and sixteen light images."""
    rng = np.random.default_rng(0)
    labels = np.arange(32) % 2
    squares = rng.integers(0, 100, size=(32, 16, 16, 3)) + 120 * labels[:, None, None, None]
    return squares.astype(np.uint8), labels


def test_labels_are_drawn_evenly_from_the_classes():
    labels = np.repeat([0, 1, 2], [100, 50, 5])
    chosen = labelled(labels, 0.1, seed=0)
    # A tenth of each, but never fewer than two.
    assert np.bincount(labels[chosen]).tolist() == [10, 5, 2]


def test_another_seed_draws_other_labels():
    labels = np.zeros(100, int)
    assert labelled(labels, 0.1, 0).tolist() == labelled(labels, 0.1, 0).tolist()
    assert labelled(labels, 0.1, 0).tolist() != labelled(labels, 0.1, 1).tolist()


def test_shares_and_epochs_follow_the_number_of_classes():
    protocol = SemiSupervisedProtocol()
    assert (protocol.fraction(10), protocol.fraction(1000)) == (0.1, 0.01)
    assert (protocol.recipe(0.1, 0.1).epochs, protocol.recipe(0.1, 0.01).epochs) == (30, 60)


def test_the_learning_rate_scales_with_the_batch():
    # 0.05 * 32 / 256
    assert SemiSupervisedProtocol().recipe(0.05, 0.1).learning_rate == 0.00625


def test_fine_tuning_learns_and_leaves_the_original_untouched(network, two_kinds):
    squares, labels = two_kinds
    before = state_hash(network)
    tuned = fine_tune(network, squares, labels, 2, SIXTEEN, recipe(), seed=0)
    assert (predict(tuned, squares, SIXTEEN) == labels).all()
    assert state_hash(network) == before
    assert network.fc is None


def test_fine_tuning_moves_the_whole_network(network, two_kinds):
    squares, labels = two_kinds
    tuned = fine_tune(network, squares, labels, 2, SIXTEEN, recipe(), seed=0)
    for name, old in network.named_parameters():
        assert not torch.equal(old, dict(tuned.named_parameters())[name]), name


def test_the_same_seed_trains_the_same_network(network, two_kinds):
    squares, labels = two_kinds

    def tuned(seed):
        return state_hash(fine_tune(network, squares, labels, 2, SIXTEEN, recipe(epochs=2), seed))

    assert tuned(0) == tuned(0)
    assert tuned(0) != tuned(1)


def test_a_diverging_loss_is_one_message(network, two_kinds):
    squares, labels = two_kinds
    with pytest.raises(BadCheckpoint, match="learning rate 1e\\+30"):
        fine_tune(network, squares, labels, 2, SIXTEEN, recipe(learning_rate=1e30), seed=0)


def test_a_shift_moves_every_image_by_at_most_its_reach():
    images = np.zeros((50, 16, 16, 3), np.uint8)
    images[:, 8, 8] = 255
    views = augment(images, recipe(shift_fraction=0.125), np.random.default_rng(0))
    rows, columns = np.argwhere(views[..., 0] == 255)[:, 1:].T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 10, 6, 10)


def test_flips_mirror_about_half_of_the_images():
    images = np.zeros((200, 4, 4, 3), np.uint8)
    images[:, :, 0] = 255
    views = augment(images, recipe(flip=True), np.random.default_rng(0))
    assert 70 < (views[:, 0, 3, 0] == 255).sum() < 130


def test_several_learning_rates_are_chosen_among_on_labelled_images_alone(
    checkpoint, image_folder, tmp_path
):
    settings = {
        "semi_supervised.label_fraction": 0.5,
        "semi_supervised.epochs": 5,
        "semi_supervised.base_learning_rates": "0.0001,0.8",
    }
    [record] = evaluate(
        checkpoint, image_folder, ["semi_supervised"], records=tmp_path / "r", overrides=settings
    )
    # Half of eight images in three classes; a fifth of four, at least one, of each is held out.
    assert "12 labelled images; learning rate 0.8 per 256 images (held-out" in record.notes[0]
    assert "of 3 right" in record.notes[0]


def test_raw_pixels_train_a_probe_on_the_same_labels(image_folder, tmp_path):
    [record] = evaluate(
        "raw_pixels", image_folder, ["semi_supervised"], records=tmp_path / "r",
        overrides={"semi_supervised.label_fraction": 0.5},
    )  # fmt: skip
    assert record.value == 100
    assert "12 labelled images; logistic regression on pixels" in record.notes[0]


def test_an_impossible_share_is_refused(checkpoint, image_folder, tmp_path):
    with pytest.raises(UsageError, match=r"a share in \(0, 1\]"):
        evaluate(
            checkpoint, image_folder, ["semi_supervised"], records=tmp_path / "r",
            overrides={"semi_supervised.label_fraction": 1.5},
        )  # fmt: skip
