import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.calibration import expected_calibration_error, probabilities


def by_definition(confidence, correct, bins):
    """Guo et al., Sec. 2, with a loop over bins and a loop over images."""
    error = 0.0
    for m in range(1, bins + 1):
        inside = [
            (p, c)
            for p, c in zip(confidence, correct, strict=True)
            if (m - 1) / bins < p <= m / bins or (m == 1 and p == 0)
        ]
        if inside:
            accuracy = sum(c for _, c in inside) / len(inside)
            stated = sum(p for p, _ in inside) / len(inside)
            error += len(inside) / len(confidence) * abs(accuracy - stated)
    return error


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_it_equals_the_definition_written_slowly(bins):
    rng = np.random.default_rng(bins)
    confidence, correct = rng.random(500), rng.random(500) < 0.6
    expected = by_definition(confidence, correct, bins)
    assert expected_calibration_error(confidence, correct, bins) == pytest.approx(expected)


def test_certain_and_right_is_calibrated_and_certain_and_wrong_is_not():
    ones = np.ones(4)
    assert expected_calibration_error(ones, np.ones(4, bool)) == 0
    assert expected_calibration_error(ones, np.zeros(4, bool)) == 1


def test_a_worked_example():
    # Two bins. (0, 0.5]: confidences 0.4 and 0.5, one right: |1/2 - 0.45| = 0.05.
    # (0.5, 1]: confidence 0.8, right: |1 - 0.8| = 0.2. Mean: (2 * 0.05 + 0.2) / 3.
    found = expected_calibration_error(np.array([0.4, 0.5, 0.8]), np.array([1, 0, 1], bool), 2)
    assert found == pytest.approx(0.1)


def test_the_upper_edge_belongs_to_its_bin():
    # 0.5 in (0, 0.5] with 0.25: |1/2 - 0.375|. Were it above, it'd be |1 - 0.5| and |0 - 0.25|.
    found = expected_calibration_error(np.array([0.25, 0.5]), np.array([False, True]), 2)
    assert found == pytest.approx(0.125)


def test_probabilities_sum_to_one_and_do_not_overflow():
    found = probabilities(np.array([[1000.0, 0.0], [0.0, 0.0]], np.float32))
    assert found.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_what_is_no_probability_is_refused():
    with pytest.raises(BadData, match=r"outside \[0, 1\]"):
        expected_calibration_error(np.array([1.5]), np.array([True]))
    with pytest.raises(BadData, match="one each"):
        expected_calibration_error(np.array([]), np.array([], bool))
