import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from relicheck.checkpoints.errors import UsageError
from relicheck.evaluations import logistic
from relicheck.evaluations.logistic import fit_logistic, logistic_path, on_the_mean

PAPERS = tuple(np.logspace(-6, 5, 45))


def clusters(images, spread, seed=0, classes=4, dim=6):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    return (centres[labels] + spread * rng.normal(size=(images, dim))).astype(np.float32), labels


def oracle(features, labels, penalty):
    # scikit-learn minimises C * sum of losses + |w|^2 / 2, hence C = 1 / (N * penalty).
    C = 1 / (len(labels) * penalty)
    return LogisticRegression(C=C, tol=1e-8, max_iter=10_000).fit(features.astype(float), labels)


@pytest.fixture(params=["double", "single"])
def precision(request, monkeypatch):
    """The two ways a problem is solved, on the same small ones."""
    monkeypatch.setattr(logistic, "_DOUBLE_VALUES", 1 << 22 if request.param == "double" else 0)
    return request.param


@pytest.mark.parametrize("penalty", [1e-3, 1e-1])
def test_the_probe_agrees_with_scikit_learn(penalty):
    features, labels = clusters(200, 1.0)
    reference = oracle(features, labels, penalty)
    probe = fit_logistic(features, labels, 4, penalty)
    assert probe.converged
    np.testing.assert_allclose(probe.weight, reference.coef_, atol=2e-3)
    assert (probe.predict(features) == reference.predict(features)).all()


def first_order(features, labels, penalty, check, classes=4):
    # Under a strong penalty the probabilities stay at the frequencies (here equal), so the
    # weights are the negative gradient at zero over the penalty.
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    weight = (np.eye(classes)[labels] - 1 / classes).T @ centred / len(labels) / penalty
    return ((check.astype(float) - features.mean(axis=0, dtype=float)) @ weight.T).argmax(axis=1)


def test_all_45_values_of_the_papers_answer_as_scikit_learn_fitted_to_each(precision):
    features, labels = clusters(300, 2.5)
    check, _ = clusters(500, 2.5, seed=1)
    seen = 0
    for penalty, probe in logistic_path(features, labels, 4, PAPERS):
        if penalty > 1e3:
            # There the losses agree to scikit-learn's last digit long before the answers do.
            other = first_order(features, labels, penalty, check)
        else:
            other = oracle(features, labels, penalty).predict(check.astype(float))
        # An image whose two best classes are as good as equal may fall to either.
        assert np.count_nonzero(probe.predict(check) != other) <= 2, penalty
        seen += 1
    assert seen == 45


def test_fewer_images_than_features_have_the_same_solution(precision):
    features, labels = clusters(40, 1.0, dim=90)
    check, _ = clusters(500, 1.0, seed=1, dim=90)
    for penalty, probe in logistic_path(features, labels, 4, (1.0, 1e-2, 1e-4)):
        reference = oracle(features, labels, penalty)
        np.testing.assert_allclose(probe.weight, reference.coef_, atol=3e-3)
        assert np.mean(probe.predict(check) == reference.predict(check.astype(float))) > 0.995


def test_raw_features_of_unequal_size_and_far_from_zero_converge_too(precision):
    features, labels = clusters(300, 1.5)
    features = (features * 10.0 ** np.arange(-2, 4) + 50).astype(np.float32)
    probe = fit_logistic(features, labels, 4, 1e-2)
    assert probe.converged
    reference = oracle(features - features.mean(axis=0), labels, 1e-2)
    answers = reference.predict((features - features.mean(axis=0)).astype(float))
    assert np.mean(probe.predict(features) == answers) > 0.99


def test_the_path_goes_from_strong_to_weak_whatever_the_order_given():
    features, labels = clusters(80, 1.0)
    found = [penalty for penalty, _ in logistic_path(features, labels, 4, (1e-2, 1.0, 1e-1))]
    assert found == [1.0, 1e-1, 1e-2]


def test_a_value_of_the_path_is_that_of_a_fit_alone():
    features, labels = clusters(200, 1.5)
    for penalty, probe in logistic_path(features, labels, 4, (1e2, 1e-1, 1e-3, 1e-5)):
        alone = fit_logistic(features, labels, 4, penalty)
        np.testing.assert_allclose(probe.logits(features), alone.logits(features), atol=2e-2)


def test_a_penalty_on_the_sum_is_one_on_the_mean_times_the_images():
    assert on_the_mean(5.0, 200, "sum") == 5.0 / 200
    features, labels = clusters(200, 1.0)
    on_sum = fit_logistic(features, labels, 4, 2.0, penalty_on="sum")
    on_mean = fit_logistic(features, labels, 4, 0.01)
    np.testing.assert_allclose(on_sum.weight, on_mean.weight, atol=1e-3)


def test_the_strongest_penalties_answer_the_most_frequent_class():
    features, labels = clusters(200, 1.0)
    features, labels = features[labels < 3], labels[labels < 3]
    labels = np.where(np.arange(len(labels)) % 5 == 0, 2, labels)
    [(_, probe)] = logistic_path(features, labels, 4, (1e5,))
    assert set(probe.predict(features)) == {np.bincount(labels).argmax()}


def test_features_that_name_the_class_give_one_hundred_per_cent(precision):
    labels = np.arange(60) % 3
    features = np.eye(3, dtype=np.float32)[labels]
    for _, probe in logistic_path(features, labels, 3, PAPERS):
        assert (probe.predict(features) == labels).all()


def test_constant_features_leave_the_frequencies():
    labels = np.array([0, 1, 1, 2])
    probe = fit_logistic(np.ones((4, 3), np.float32), labels, 3, 1e-3)
    assert probe.predict(np.ones((1, 3), np.float32)).tolist() == [1]


def test_a_class_without_images_is_never_answered():
    features, labels = clusters(200, 1.0, classes=3)
    for _, probe in logistic_path(features, labels, 5, PAPERS):
        assert set(probe.predict(features)) <= {0, 1, 2}


def test_probes_are_single_precision(precision):
    features, labels = clusters(100, 1.0)
    probe = fit_logistic(features, labels, 4, 1e-2)
    assert (probe.weight.dtype, probe.bias.dtype) == (np.float32, np.float32)
    assert probe.logits(features).dtype == np.float32


def test_a_fit_that_is_stopped_says_so():
    features, labels = clusters(200, 2.5)
    assert not fit_logistic(features, labels, 4, 1e-4, max_iterations=1).converged


@pytest.mark.parametrize("penalties", [(), (0.0,), (1.0, -1.0), (float("nan"),)])
def test_penalties_that_cannot_be_are_one_message(penalties):
    features, labels = clusters(20, 1.0)
    with pytest.raises(UsageError, match="each above 0"):
        list(logistic_path(features, labels, 4, penalties))


def test_labels_outside_the_classes_are_one_message():
    features, labels = clusters(20, 1.0)
    with pytest.raises(UsageError, match="0 to 2"):
        fit_logistic(features, labels, 3, 1.0)


def test_a_penalty_on_something_else_is_one_message():
    with pytest.raises(UsageError, match="mean or sum"):
        on_the_mean(1.0, 10, "median")
