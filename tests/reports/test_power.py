"""How likely so many seeds decide, the best of several, and k of n: against independent oracles."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, nct

from relicheck.reports.characteristics import PROBE, characteristics
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.inflation import expected_inflation, expected_maximum, inflation_note
from relicheck.reports.power import power, power_lines, power_statement, seeds_for
from relicheck.reports.proportion import reproduced, wilson
from relicheck.reports.selection import find_claim
from relicheck.reports.verdict import Judgement, Verdict, judge


def simulated(margin, deviation, seeds, degrees, rounding, claim_deviation, shift=0.0):
    """Two one-sided t tests written out, on a million draws."""
    from scipy.stats import t

    generator = np.random.default_rng(11)
    draws = 1_000_000
    error = deviation / seeds**0.5
    difference = shift + generator.normal(0, np.hypot(error, claim_deviation), draws)
    seen = error * np.sqrt(generator.chisquare(degrees, draws) / degrees)
    half = t.ppf(0.95, degrees) * seen + rounding
    return float(np.mean((np.abs(difference) + half <= margin) & (margin >= 2.5 * seen)))


@pytest.mark.parametrize(
    ("margin", "deviation", "seeds", "degrees", "rounding", "claim_deviation", "shift"),
    [
        (0.5, 0.1, 3, 2, 0.05, 0.1, 0.0),
        (0.5, 0.1, 2, 1, 0.05, 0.1, 0.0),
        (0.5, 0.2, 3, 2, 0.0, 0.0, 0.0),
        (0.5, 0.2, 3, 12, 0.05, 0.2, 0.0),
        (0.7, 0.25, 5, 4, 0.05, 0.25, 0.2),
        (1.0, 0.3, 10, 9, 0.005, 0.0, -0.9),
        (1.0, 1.2, 5, 4, 0.05, 0.0, 0.0),
    ],
)
def test_power_is_what_simulation_gives(
    margin, deviation, seeds, degrees, rounding, claim_deviation, shift
):
    exact = power(
        margin,
        deviation,
        seeds,
        degrees=degrees,
        rounding=rounding,
        claim_deviation=claim_deviation,
        shift=shift,
    )
    found = simulated(margin, deviation, seeds, degrees, rounding, claim_deviation, shift)
    # Four standard errors of a million draws.
    assert exact == pytest.approx(found, abs=4 * 0.5 / 1000)


def test_far_from_zero_only_one_side_counts_and_power_is_a_noncentral_t():
    # With a margin of 100 errors the interval never leaves on the other side and the gate never
    # closes: P(D + t s <= m) = P(T' <= -t) for a noncentral T' with (shift - m) / error.
    error = 0.1 / 3**0.5
    exact = power(10.0, 0.1, 3, degrees=2, shift=9.8)
    assert exact == pytest.approx(nct.cdf(-2.919986, 2, (9.8 - 10.0) / error), abs=1e-6)


def test_three_seeds_at_a_deviation_of_a_tenth_decide_half_a_point():
    # 0.98 for a claim printed exactly, 0.96 for one printed to a tenth.
    exact = power(0.5, 0.1, 3, degrees=2, claim_deviation=0.1)
    printed = power(0.5, 0.1, 3, degrees=2, claim_deviation=0.1, rounding=0.05)
    assert (round(exact, 2), round(printed, 2)) == (0.98, 0.96)


def test_the_study_reproduces_as_often_as_the_power_says():
    found = characteristics(replace(PROBE, images=None), 50_000, seed=8)
    said = power(0.5, 0.1, 3, degrees=2, claim_deviation=0.1, rounding=0.05)
    # The rounding error itself adds 0.029 to the spread of D, which the power leaves out.
    assert found.reproduced / 100 == pytest.approx(said, abs=0.005)


def test_an_assumed_deviation_needs_no_integral():
    # 0.45 - 1.6449 * 0.1 = 0.2855 either way, D has 0.1 * sqrt(2): 2.019 deviations: 0.9565.
    chance = power(0.5, 0.1, 1, degrees=None, claim_deviation=0.1, rounding=0.05)
    assert chance == pytest.approx(0.9565, abs=1e-4)


def test_a_margin_below_two_and_a_half_errors_has_no_power():
    assert power(0.24, 0.1, 1, degrees=None) == 0
    assert power(0.04, 0.1, 3, degrees=2, rounding=0.05) == 0


def test_nothing_that_varies_is_decided_by_where_it_lies():
    assert power(0.15, 0.0, 1, degrees=None, rounding=0.05) == 1
    assert power(0.15, 0.0, 1, degrees=None, rounding=0.05, shift=0.2) == 0


def test_a_claim_says_what_one_three_and_five_seeds_would_settle(claim):
    lines = power_lines(claim(value="77.1"))
    assert [line.split()[0] for line in lines] == ["1", "3", "5"]
    assert "3 seeds decide a margin of 0.5 with probability 0.96" in lines[1]
    assert power_lines(claim(kind="re_evaluation")) == []


def test_a_mean_over_seeds_is_an_easier_claim_than_one_run(claim):
    once = power_statement(claim(value="77.1"), 0.2, 5, 4)
    mean = power_statement(claim(value="77.1", claimed_seeds=5), 0.2, 5, 4)
    assert float(mean.split("probability ")[1][:4]) > float(once.split("probability ")[1][:4])


def test_the_fewest_seeds_are_said_that_decide(claim):
    # From the table above: 0.56 with two, 0.96 with three.
    assert seeds_for(claim(value="77.1"), 0.1) == 3
    assert seeds_for(claim(value="77.1"), 5.0) is None


def test_an_inconclusive_verdict_says_how_likely_its_seeds_would_have_decided(claim, scored):
    records = [
        replace(
            scored("byol").record, value=v, images=50_000, data_images=50_000, seed=s, dataset="a"
        )
        for s, v in enumerate((75.9, 76.3))
    ]
    judgement = judge(claim(value="76.1", data="a"), records)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "seeds would settle it" in judgement.reason
    assert "2 seeds decide a margin of 0.5 with probability 0.1" in judgement.reason


# The best of several.


def test_the_expected_maximum_is_what_the_tables_print():
    # Harter (1961), Table 1; 1 / sqrt(pi) for two.
    known = {1: 0.0, 2: np.pi**-0.5, 3: 0.84628, 5: 1.16296, 10: 1.53875, 100: 2.50759}
    for draws, value in known.items():
        assert expected_maximum(draws) == pytest.approx(value, abs=1e-5)


def test_the_best_of_ten_runs_is_inflated_by_one_and_a_half_deviations(claim):
    best = claim(kind="fine_tune", best_of=10, best_of_what="settings")
    assert expected_inflation(best) == pytest.approx(0.25 * 1.53875, abs=1e-5)
    assert "too high by up to 0.38 points" in inflation_note(best)
    error = claim(metric="mCE", kind="fine_tune", best_of=10, best_of_what="settings")
    assert "too low" in inflation_note(error)


def test_a_verdict_that_falls_short_of_the_best_of_ten_says_how_much_of_it_is_chance(claim, scored):
    record = replace(
        scored("byol", keep=False).record,
        value=70.0,
        images=50_000,
        data_images=50_000,
        dataset="a",
    )
    chosen = {"kind": "fine_tune", "margin": 0.7, "value": "72.5", "data": "a"}
    short = judge(claim(**chosen, best_of=10, best_of_what="settings"), [record])
    plain = judge(claim(**chosen), [record])
    assert short.verdict is plain.verdict is Verdict.NOT_REPRODUCED
    assert "The best of 10 (settings): too high by up to 0.38 points" in short.reason
    assert "The best of" not in plain.reason


def test_a_number_that_nobody_chose_is_not_inflated(claim):
    assert expected_inflation(claim()) == 0
    assert inflation_note(claim()) == ""


def test_mulan_chose_by_the_test_images_and_its_rows_say_so():
    claims = load_claims()
    tuned = find_claim(claims, "mulan-paper/mulan/imagenet-1pct/semisup-top1/rn50")
    neighbours = find_claim(claims, "relicv2/imagenet/knn-top1/rn50")
    assert (tuned.best_of, neighbours.best_of) == (10, 2)
    assert expected_inflation(neighbours) is None  # k-NN varies with no seed
    assert "that deviation is not known" in inflation_note(neighbours)


def test_a_mean_over_seeds_is_read_from_the_sources_words():
    claims = load_claims()
    assert find_claim(claims, "byol-ablation/baseline/top1/rn50").claimed_seeds == 3
    assert find_claim(claims, "relicv2/imagenet/linear-top1/rn50").claimed_seeds == 1


# k of n.


@pytest.mark.parametrize(("k", "n"), [(118, 136), (0, 5), (5, 5), (1, 2), (1, 1), (500, 1_299)])
def test_the_wilson_interval_is_scipys(k, n):
    known = binomtest(k, n).proportion_ci(0.95, "wilson")
    assert wilson(k, n) == pytest.approx((known.low, known.high), abs=1e-12)


def judged(claim, verdict, number=1):
    return [Judgement(claim=claim(), verdict=verdict, reason="") for _ in range(number)]


def test_the_summary_counts_what_was_measured_completely(claim):
    found = reproduced(
        judged(claim, Verdict.REPRODUCED, 118)
        + judged(claim, Verdict.NOT_REPRODUCED, 10)
        + judged(claim, Verdict.EXCEEDS, 2)
        + judged(claim, Verdict.INCONCLUSIVE, 6)
        # None of these could have been reproduced.
        + judged(claim, Verdict.NOT_MEASURED, 900)
        + judged(claim, Verdict.INVALID, 3)
        + judged(claim, Verdict.CONSISTENT, 4)
    )
    assert found.sentence == "118 of 136 reproduced, 95 % Wilson interval 80.0 to 91.5 %"


def test_nothing_measured_is_no_share(claim):
    assert reproduced(judged(claim, Verdict.NOT_MEASURED)).judged == 0
    assert wilson(0, 0) == (0.0, 1.0)
