import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.representation import alignment, effective_rank, uniformity


def rankme_by_definition(features, epsilon=1e-7):
    """Garrido et al., Sec. 3, from a singular value decomposition."""
    singular = np.linalg.svd(features.astype(np.float64), compute_uv=False)
    share = singular / singular.sum() + epsilon
    return np.exp(-np.sum(share * np.log(share)))


def test_orthogonal_features_have_full_rank():
    assert effective_rank(np.eye(8, dtype=np.float32)) == pytest.approx(8, rel=1e-4)


def test_equal_features_have_rank_1():
    assert effective_rank(np.ones((20, 6), np.float32)) == pytest.approx(1, abs=1e-4)


def test_two_directions_of_strength_3_and_1_have_the_rank_of_their_entropy():
    # Shares 3/4 and 1/4: exp(-(3/4 ln 3/4 + 1/4 ln 1/4)) = 1.7548.
    assert effective_rank(np.diag([3.0, 1.0])) == pytest.approx(1.7548, abs=1e-3)


@pytest.mark.parametrize("shape", [(300, 40), (30, 100), (5000, 16)])
def test_the_rank_equals_that_of_a_singular_value_decomposition(shape):
    rng = np.random.default_rng(0)
    # Deviations over six orders: a spectrum as steep as that of trained features.
    spread = np.logspace(0, -6, shape[1])
    features = (rng.normal(size=shape) * spread).astype(np.float32)
    assert effective_rank(features) == pytest.approx(rankme_by_definition(features), rel=1e-4)


def uniformity_by_definition(features, t=2.0):
    unit = [f / np.linalg.norm(f) for f in features.astype(np.float64)]
    pairs = [(i, j) for i in range(len(unit)) for j in range(i + 1, len(unit))]
    return np.log(np.mean([np.exp(-t * np.sum((unit[i] - unit[j]) ** 2)) for i, j in pairs]))


def test_uniformity_equals_its_definition_over_every_pair():
    features = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    assert uniformity(features) == pytest.approx(uniformity_by_definition(features), rel=1e-9)


def test_blocks_of_pairs_add_up(monkeypatch):
    features = np.random.default_rng(0).normal(size=(40, 5))
    whole = uniformity(features)
    monkeypatch.setattr("relicheck.evaluations.representation._ROWS", 7)
    assert uniformity(features) == pytest.approx(whole, rel=1e-12)


def test_two_opposite_features_are_as_uniform_as_two_can_be():
    # One pair at squared distance 4: log exp(-2 * 4).
    assert uniformity(np.array([[5.0, 0], [-0.1, 0]])) == pytest.approx(-8)


def test_alignment_is_zero_for_equal_directions_whatever_their_length():
    one = np.random.default_rng(0).normal(size=(9, 4))
    assert alignment(one, 3 * one) == pytest.approx(0, abs=1e-12)


def test_alignment_of_a_right_angle_is_2():
    # |(1, 0) - (0, 1)|^2 = 2; with alpha 1 its root.
    one, two = np.array([[2.0, 0]]), np.array([[0, 7.0]])
    assert alignment(one, two) == pytest.approx(2)
    assert alignment(one, two, alpha=1) == pytest.approx(np.sqrt(2))


def test_what_has_no_direction_is_refused():
    with pytest.raises(BadData, match="all 0"):
        uniformity(np.zeros((3, 2)))
    with pytest.raises(BadData, match="all of them are 0"):
        effective_rank(np.zeros((3, 2)))
    with pytest.raises(BadData, match="N at least 2"):
        uniformity(np.ones((1, 2)))
    with pytest.raises(BadData, match="equal shapes"):
        alignment(np.ones((1, 2)), np.ones((2, 2)))
