import numpy as np
import pytest

from relicheck.pretrain.schedules import target_decay, warmup_cosine


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.0),
        (5, 0.4),  # half of the warm-up
        (10, 0.8),  # its end: the peak
        (60, 0.4),  # half of the cosine's 100 steps
        (85, 0.8 * 0.5 * (1 - np.sqrt(0.5))),  # three quarters: cos(3 pi / 4)
        (110, 0.0),
    ],
)
def test_the_rate_rises_linearly_and_falls_along_half_a_cosine(step, expected):
    rate = warmup_cosine(step, total=110, warmup=10, peak=0.8)

    assert rate == pytest.approx(expected, abs=1e-6)


def test_a_run_without_warmup_starts_at_the_peak():
    assert warmup_cosine(0, total=10, warmup=0, peak=0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.996), (50, 0.998), (100, 1.0)])
def test_the_target_decay_rises_from_its_base_to_one(step, expected):
    assert target_decay(step, total=100, base=0.996) == pytest.approx(expected, abs=1e-6)
