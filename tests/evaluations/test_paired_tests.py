from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from relicheck.checkpoints.errors import BadRecord
from relicheck.evaluations.paired_tests import (
    Agreement,
    agreement,
    holm,
    mcnemar,
    paired_bootstrap,
)


def counts(first_only, second_only, both=0, neither=0):
    return Agreement(both=both, first_only=first_only, second_only=second_only, neither=neither)


def test_the_four_counts_of_a_worked_example():
    first, second = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)
    assert agreement(first, second) == counts(1, 1, both=2, neither=1)


@pytest.mark.parametrize(("b", "c"), [(0, 1), (3, 9), (9, 3), (6, 6), (120, 171), (0, 40)])
def test_the_exact_test_is_scipys_two_sided_binomial_test(b, c):
    assert mcnemar(counts(b, c)).exact == pytest.approx(binomtest(b, b + c, 0.5).pvalue)


def test_a_worked_example_of_both_p_values():
    # 1 against 7: P(X <= 1) = (1 + 8) / 256, twice; less P(X = 1) = 8 / 256 for mid-p.
    found = mcnemar(counts(1, 7))
    assert found.exact == pytest.approx(18 / 256)
    assert found.mid == pytest.approx(10 / 256)


def test_equal_counts_and_no_difference_at_all_give_1():
    assert mcnemar(counts(5, 5)).exact == mcnemar(counts(5, 5)).mid == 1
    assert mcnemar(counts(0, 0, both=9)).exact == 1


def test_the_exact_test_rejects_a_true_hypothesis_at_most_as_often_as_it_says():
    # Over every outcome of 30 differing images, each with its probability under 1/2.
    chance = [comb(30, b) / 2**30 for b in range(31)]
    rejected = {
        kind: sum(
            p for b, p in enumerate(chance) if getattr(mcnemar(counts(b, 30 - b)), kind) <= 0.05
        )
        for kind in ("exact", "mid")
    }
    assert rejected["exact"] <= 0.05
    assert rejected["exact"] <= rejected["mid"] <= 0.06


def test_the_bootstrap_interval_equals_one_that_copies_images():
    rng = np.random.default_rng(0)
    first, second = rng.random(400) < 0.6, rng.random(400) < 0.7
    found = paired_bootstrap(agreement(first, second))
    slow = []
    for _ in range(4000):
        drawn = rng.integers(0, 400, 400)
        slow.append(100 * (second[drawn].mean() - first[drawn].mean()))
    assert found == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.5)


def test_the_bootstrap_interval_agrees_with_the_normal_one_for_many_images():
    from relicheck.reports.paired import paired_difference

    rng = np.random.default_rng(1)
    first, second = rng.random(5000) < 0.9, rng.random(5000) < 0.92
    normal = paired_difference(second.astype(float), first.astype(float)).interval
    assert paired_bootstrap(agreement(first, second)) == pytest.approx(normal, abs=0.1)


def test_the_same_seed_gives_the_same_interval():
    table = counts(12, 40, both=300, neither=50)
    assert paired_bootstrap(table, seed=3) == paired_bootstrap(table, seed=3)
    assert paired_bootstrap(table, seed=3) != paired_bootstrap(table, seed=4)


def test_holm_on_a_worked_example():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, none below the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([]) == []


def test_other_numbers_of_images_are_refused():
    with pytest.raises(BadRecord, match="answers for 3 and 4 images"):
        agreement(np.ones(3, bool), np.ones(4, bool))
