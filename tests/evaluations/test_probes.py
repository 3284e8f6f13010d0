import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.logistic import fit_logistic
from relicheck.evaluations.probes import best_on, choose_and_fit, hold_out, standardisation


def clusters(images, spread, seed=0, classes=4, dim=6):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    return (centres[labels] + spread * rng.normal(size=(images, dim))).astype(np.float32), labels


def choose(features, labels, classes=4, **rest):
    settings = {
        "held_out_fraction": 0.2,
        "standardise": True,
        "max_iterations": 200,
        "seed": 0,
        **rest,
    }
    return choose_and_fit(features, labels, classes, (1e-4, 1e-2, 1.0), **settings)


def test_shuffled_labels_give_chance():
    features, labels = clusters(400, 1.0)
    shuffled = np.random.default_rng(5).permutation(labels)
    test, truth = clusters(400, 1.0, seed=1)
    right = (choose(features, shuffled).predict(test) == truth).mean()
    # Four classes; but the answers of one probe share its fortune, hence a wide band.
    assert 0.1 < right < 0.4


def test_ties_go_to_the_stronger_penalty():
    features, labels = clusters(400, 0.1)  # every penalty gets every held-out image right
    assert choose(features, labels).penalty == 1.0


def test_the_penalty_is_the_best_on_the_held_out_images():
    features, labels = clusters(120, 2.5)
    kept, held = hold_out(labels, 0.2, np.random.default_rng(0))
    scale = standardisation(features[kept])
    right = {}
    for penalty in (1.0, 1e-2, 1e-4):
        probe = fit_logistic(scale(features[kept]), labels[kept], 4, penalty)
        right[penalty] = np.mean(probe.predict(scale(features[held])) == labels[held])
    chosen = choose(features, labels)
    assert right[chosen.penalty] == max(right.values())
    assert chosen.held_out_top1 == pytest.approx(100 * max(right.values()))


def test_everything_stays_in_single_precision():
    features, labels = clusters(100, 1.0)
    chosen = choose(features, labels)
    assert chosen.probe.weight.dtype == np.float32
    assert chosen.standardise(features).dtype == np.float32


def test_a_constant_feature_is_left_alone():
    features = np.column_stack([np.arange(10.0), np.full(10, 7.0)]).astype(np.float32)
    scaled = standardisation(features)(features)
    assert scaled[:, 1].tolist() == [0.0] * 10
    assert scaled[:, 0].std() == pytest.approx(1.0, abs=1e-6)


def test_held_out_images_are_a_share_of_every_class_and_never_fitted_to():
    labels = np.repeat([0, 1, 2], [50, 20, 10])
    kept, held = hold_out(labels, 0.1, np.random.default_rng(0))
    assert np.bincount(labels[held]).tolist() == [5, 2, 1]
    assert sorted([*kept, *held]) == list(range(80))


def test_a_class_of_one_image_keeps_it():
    kept, held = hold_out(np.array([0, 0, 1]), 0.5, np.random.default_rng(0))
    assert 2 in kept
    assert len(held) == 1


def test_one_image_of_each_class_leaves_nothing_to_hold_out():
    with pytest.raises(BadData, match="one of each class"):
        hold_out(np.array([0, 1, 2]), 0.5, np.random.default_rng(0))


def test_a_validation_split_chooses_and_every_penalty_s_share_is_kept():
    features, labels = clusters(120, 2.5)
    check, truth = clusters(90, 2.5, seed=1)
    penalties = (1.0, 1e-2, 1e-4)
    best = best_on(features, labels, check, truth, 4, penalties)
    alone = {p: fit_logistic(features, labels, 4, p).predict(check) for p in penalties}
    right = {p: 100 * np.mean(found == truth) for p, found in alone.items()}
    assert best.all_top1 == pytest.approx(right)
    assert best.top1 == max(right.values())
    assert best.penalty == max(p for p in penalties if right[p] == best.top1)
    assert (best.probe.predict(check) == alone[best.penalty]).all()
