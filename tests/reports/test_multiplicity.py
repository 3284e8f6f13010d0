"""Many claims of one table: pooled spread, and p values adjusted for their number."""

from dataclasses import replace

import pytest
from statsmodels.stats.multitest import multipletests

from relicheck.reports.multiplicity import judge_together, over_tables
from relicheck.reports.verdict import Verdict, judge


@pytest.fixture
def measured(claim, scored):
    """Build one claim and its records: measured("a", 76.1, 75.3, 75.5)."""

    def build(name, claimed, *values, table="Table 1", **fields):
        about = claim(
            id=f"paper/{name}/top1",
            value=f"{claimed:.1f}",
            data="a_set",
            table=table,
            **{"kind": "probe", "margin": 0.5, **fields},
        )
        records = [
            replace(
                scored(name, keep=False).record,
                value=value,
                images=10_000,
                data_images=10_000,
                dataset="a_set",
                seed=seed,
            )
            for seed, value in enumerate(values)
        ]
        return about, records

    return build


# D = -0.8: 0.25 beyond the margin and the rounding. s = 0.1, SE = 0.0577: T = 4.33, and
# P(t(2) > 4.33) = 0.0247.
LOW = (75.2, 75.3, 75.4)
GOOD = (76.0, 76.1, 76.2)


def test_the_p_value_is_that_of_a_one_sided_t_test_beyond_the_margin(measured):
    judgement = judge(*measured("a", 76.1, *LOW))
    assert judgement.verdict is Verdict.NOT_REPRODUCED
    assert judgement.p_value == pytest.approx(0.0247, abs=1e-4)


def test_a_lone_discrepancy_among_many_claims_of_a_table_is_inconclusive(measured):
    """By itself p = 0.025; the smallest of five p values is multiplied by five: 0.12."""
    family = [judge(*measured("a", 76.1, *LOW))] + [
        judge(*measured(name, 76.1, *GOOD)) for name in "bcde"
    ]
    found = over_tables(family)
    assert found[0].verdict is Verdict.INCONCLUSIVE
    assert found[0].p_adjusted == pytest.approx(5 * 0.02470, abs=1e-3)
    assert found[0].family == 5
    assert "By itself it would be not reproduced (p = 0.025)" in found[0].reason
    assert [j.verdict for j in found[1:]] == [Verdict.REPRODUCED] * 4


def test_the_adjustment_is_holms(measured):
    family = [
        judge(*measured(name, 76.1, *(v + shift for v in GOOD)))
        for name, shift in (("a", -2.0), ("b", 0.0), ("c", -0.75), ("d", -0.9), ("e", 1.0))
    ]
    found = over_tables(family)
    expected = multipletests([j.p_value for j in family], method="holm")[1]
    assert [j.p_adjusted for j in found] == pytest.approx(list(expected))


def test_tables_are_families_of_their_own(measured):
    found = over_tables(
        [judge(*measured("a", 76.1, *LOW))]
        + [judge(*measured(name, 76.1, *GOOD, table="Table 2")) for name in "bcde"]
    )
    assert found[0].verdict is Verdict.NOT_REPRODUCED
    assert (found[0].family, found[0].p_adjusted) == (1, found[0].p_value)


def test_a_number_without_sampling_error_is_no_test_and_stays(measured):
    exact = judge(*measured("a", 76.1, 75.0, kind="re_evaluation", margin=0.15))
    found = over_tables([exact] + [judge(*measured(n, 76.1, *GOOD)) for n in "bcde"])
    assert found[0] == exact
    assert exact.p_value is None
    assert found[1].family == 4


def test_claims_judged_together_pool_their_seeds(measured):
    """Alone two seeds 0.2 apart say nothing (t(1) = 6.3); four networks of them do."""
    family = [measured(name, 76.1, 76.0, 76.2) for name in "abcd"]
    assert judge(*family[0]).verdict is Verdict.INCONCLUSIVE
    found = judge_together(family)
    assert {j.verdict for j in found} == {Verdict.REPRODUCED}
    # s^2 = 4 * 0.02 / 4: the same deviation, known with 4 degrees of freedom.
    assert found[0].spread is not None
    assert (found[0].spread.degrees, found[0].spread.networks) == (4, 4)
    assert found[0].spread.deviation == pytest.approx(0.2 / 2**0.5)


def test_a_pretraining_run_is_not_pooled_with_a_probe(measured):
    # Networks trained anew scatter by a point, probes on one network by a tenth.
    about, records = measured("b", 76.1, 75.0, 77.0, kind="re_pretraining", margin=1.0)
    anew = [replace(r, weights_sha256=f"{r.seed}") for r in records]
    probe, _ = judge_together([measured("a", 76.1, *GOOD), (about, anew)])
    assert probe.spread is not None
    assert probe.spread.deviation == pytest.approx(0.1)
    assert probe.verdict is Verdict.REPRODUCED


def test_a_record_that_must_not_be_compared_informs_no_other(measured):
    about, records = measured("b", 76.1, 70.0, 80.0)
    unknown = [replace(r, weights_sha256=None) for r in records]
    good, bad = judge_together([measured("a", 76.1, *GOOD), (about, unknown)])
    assert bad.verdict is Verdict.INVALID
    assert good.spread is not None
    assert good.spread.deviation == pytest.approx(0.1)
