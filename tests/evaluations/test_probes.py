import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.probes import (
    choose_and_fit,
    fit_logistic,
    hold_out,
    standardisation,
)


def clusters(images, spread, seed=0, classes=4, dim=6):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    return (centres[labels] + spread * rng.normal(size=(images, dim))).astype(np.float32), labels


@pytest.mark.parametrize("penalty", [1e-3, 1e-1])
def test_the_probe_agrees_with_scikit_learn(penalty):
    features, labels = clusters(200, 1.0)
    # scikit-learn minimises C * sum of losses + |w|^2 / 2, hence C = 1 / (N * penalty).
    reference = LogisticRegression(C=1 / (200 * penalty), tol=1e-6, max_iter=10_000)
    reference.fit(features.astype(np.float64), labels)
    probe = fit_logistic(features, labels, 4, penalty)
    assert probe.converged
    np.testing.assert_allclose(probe.weight, reference.coef_, atol=2e-3)
    assert (probe.predict(features) == reference.predict(features)).all()


def test_features_that_name_the_class_give_one_hundred_per_cent():
    labels = np.arange(60) % 3
    features = np.eye(3, dtype=np.float32)[labels]
    assert (fit_logistic(features, labels, 3, 1e-4).predict(features) == labels).all()


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
