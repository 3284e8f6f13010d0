"""How often the verdict's rule errs: the bounds that DESIGN.md promises, held by simulation."""

import hashlib
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relicheck.reports.characteristics import (
    PROBE,
    SCENARIOS,
    SMALL_SET,
    Scenario,
    characteristics,
    draw,
    outcomes,
    table_errors,
)
from relicheck.reports.characteristics_figure import characteristics_figure
from relicheck.reports.decision import Outcome
from relicheck.reports.generated import TABLES
from relicheck.reports.spread import pool
from relicheck.reports.verdict import Verdict, judge

DRAWS = 20_000
WITHIN = [scenario for scenario in SCENARIOS if scenario.within]


def name(scenario: Scenario) -> str:
    return f"{scenario.name}, {scenario.seeds} seeds, {scenario.spread_from}"


@pytest.mark.parametrize("scenario", WITHIN, ids=name)
def test_a_claim_that_fails_at_the_margin_is_seldom_called_reproduced(scenario):
    found = characteristics(scenario, DRAWS, seed=1)
    # Three standard errors of 20,000 draws at 5 %: 0.46.
    assert found.false_reproduced <= 5 + 0.46


@pytest.mark.parametrize("scenario", WITHIN, ids=name)
def test_an_honest_re_run_is_hardly_ever_called_a_discrepancy(scenario):
    found = characteristics(scenario, DRAWS, seed=2)
    # Three standard errors at 1 %: 0.21.
    assert found.false_discrepancy <= 1 + 0.21


def test_without_rounding_the_bound_at_the_margin_is_reached():
    # The test is no emptier than it says: printed to four decimals the error is 5 %, not less.
    exact = replace(PROBE, decimals=4, images=None, others=5)
    assert characteristics(exact, DRAWS, seed=3).false_reproduced == pytest.approx(5, abs=0.5)


def test_the_five_percent_rule_reproduces_what_is_a_margin_off():
    found = characteristics(PROBE, DRAWS, seed=4)
    assert found.false_reproduced_relative == 100
    assert found.false_discrepancy_relative == 0


def test_the_binomial_rule_is_too_wide_on_few_images_and_blind_to_seeds_on_many():
    few = characteristics(SMALL_SET, DRAWS, seed=5)
    retrained = next(s for s in SCENARIOS if s.kind == "re_pretraining" and s.seeds == 1)
    # 95 % of 1,880 images at 75 %: 1.96 points each way; the margin is 1.
    assert few.false_reproduced_binomial == pytest.approx(100, abs=0.1)
    # An honest re-run differs by 0.3 * sqrt(2) = 0.42, the interval is 1.96 * 0.195 = 0.38.
    assert characteristics(retrained, DRAWS, seed=5).false_discrepancy_binomial > 30


def test_a_rule_fed_with_too_small_a_deviation_breaks_the_bound():
    # What the bound rests on: the study has to be able to show a failure.
    wrong = next(s for s in SCENARIOS if not s.within and s.seeds == 1)
    assert characteristics(wrong, DRAWS, seed=6).false_reproduced > 10


CALLED = {
    Verdict.REPRODUCED: {Outcome.INSIDE},
    Verdict.NOT_REPRODUCED: {Outcome.BELOW},
    Verdict.EXCEEDS: {Outcome.ABOVE},
    Verdict.INCONCLUSIVE: {Outcome.OPEN},
}


@pytest.mark.parametrize(
    "scenario",
    [
        replace(PROBE, seeds=1),
        PROBE,
        replace(PROBE, others=2),
        replace(PROBE, seeds=1, others=2),
        replace(PROBE, deviation=0.2),
        SCENARIOS[0],
    ],
    ids=name,
)
def test_the_simulated_verifications_are_what_judge_says_of_records(scenario, claim, scored):
    """The same draws, written as records and judged, come out as the arrays did."""
    drawn = draw(scenario, "margin", 150, np.random.default_rng(7), shift=0.8 * scenario.margin)
    expected = outcomes(scenario, drawn)
    seen = set()
    for index, printed in enumerate(drawn.printed):
        about = claim(
            value=f"{printed:.1f}", margin=scenario.margin, kind=scenario.kind, data="a_set"
        )
        ours = records(scored, "byol", drawn.values[index])
        others = [
            records(scored, f"other{number}", values)
            for number, values in enumerate(three_seeds(scenario, drawn.other_squares[index]))
        ]
        judgement = judge(about, ours, pool([ours, *others]))
        assert int(expected[index]) in CALLED[judgement.verdict], judgement.reason
        seen.add(judgement.verdict)
    assert len(seen) > 1  # not one answer to everything


def three_seeds(scenario: Scenario, squares: float) -> list[list[float]]:
    """Three seeds of each other network, whose squares about their means sum to `squares`."""
    if not scenario.others:
        return []
    # x - a, x, x + a have 2 a^2.
    step = (squares / scenario.others / 2) ** 0.5
    return [[50.0 - step, 50.0, 50.0 + step]] * scenario.others


def records(scored, method, values):
    plain = scored(method, answers="1100", keep=False).record
    return [
        replace(
            plain,
            # Not a metric that is counted in whole images: the other networks' seeds are made up.
            metric="top1",
            value=round(value * 500) / 500,
            images=50_000,
            data_images=50_000,
            dataset="a_set",
            seed=seed,
            weights_sha256=hashlib.sha256(method.encode()).hexdigest(),
        )
        for seed, value in enumerate(map(float, values))
    ]


def test_a_table_of_claims_that_hold_seldom_shows_a_discrepancy():
    found = table_errors(PROBE, 24, "margin", tables=1_000)
    assert found.alone > 20
    # Three standard errors of 1,000 tables at 5 %: 2.1.
    assert found.with_holm <= 5 + 2.1


def test_the_committed_study_is_the_one_made_now():
    folder = Path(__file__).resolve().parents[2] / "reports" / "tables"
    if not folder.is_dir():
        pytest.skip(f"no committed tables at {folder}: not run from a checkout")
    made = TABLES["operating_characteristics"].make()
    assert sorted(path.rpartition(".")[2] for path in made) == ["csv", "md", "svg"]
    for name, text in made.items():
        assert (folder / name).read_bytes().decode() == text, name


def test_the_figure_is_well_formed_and_says_in_words_what_it_shows():
    tree = ElementTree.fromstring(characteristics_figure())
    texts = [element.text or "" for element in tree.iter()]
    assert any("true difference from the claim" in text for text in texts)
    assert any("5 % rule stays at 100 % throughout" in text for text in texts)
