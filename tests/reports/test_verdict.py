"""Every branch of the verdict, with the arithmetic written out."""

from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadRecord
from relicheck.evaluations.record import Record
from relicheck.reports.claims import Claim
from relicheck.reports.spread import pool
from relicheck.reports.verdict import Verdict, judge

HASH = "ab" * 32


def claim(**changes) -> Claim:
    plain = Claim(
        id="paper/method/set/top1",
        paper="Paper",
        table="Table 1",
        method="Supervised",
        architecture="ResNet-50 1x",
        pretrain_data="ImageNet-1k",
        task="linear",
        dataset="A set",
        protocol="as printed",
        metric="top1",
        value="76.1",
        unit="%",
        source="somewhere",
        confidence="seen",
        kind="re_evaluation",
        data="a_set",
        condition="",
        evaluators=("classifier",),
        protocols=(),
        unmeasurable="",
        margin=0.15,
        margin_reason="0.15",
    )
    return replace(plain, **changes)


def record(value: float, **changes) -> Record:
    plain = Record(
        metric="top1",
        value=value,
        unit="%",
        images=10_000,
        standard_error=0.4,
        condition="",
        subject="network",
        subject_kind="checkpoint",
        weights_sha256=HASH,
        source_sha256=HASH,
        method="supervised",
        architecture="ResNet-50 1x",
        dataset="a_set",
        split="test",
        data_fingerprint="sha256:00",
        data_images=10_000,
        source="images",
        evaluator="classifier",
        protocol="own_classifier/1",
        protocol_sha256=HASH,
        protocol_fields={},
        seed=0,
        code_sha256=HASH,
    )
    return replace(plain, **changes)


def seeds(*values: float, **changes) -> list[Record]:
    return [record(value, seed=seed, **changes) for seed, value in enumerate(values)]


def probe(**changes) -> Claim:
    return claim(kind="probe", margin=0.5, **changes)


# Same weights on the same images: rounding only.


def test_a_re_evaluation_inside_the_margin_is_reproduced():
    # Printed 76.1: up to 0.05 of rounding. D = 0.10, interval 0.05 to 0.15, margin 0.15.
    judgement = judge(claim(), [record(76.2)])
    assert judgement.verdict is Verdict.REPRODUCED
    assert judgement.interval == pytest.approx((0.05, 0.15))
    assert judgement.standard_error == 0


def test_a_re_evaluation_across_the_margin_is_inconclusive():
    # D = 0.12, interval 0.07 to 0.17: crosses 0.15.
    judgement = judge(claim(), [record(76.22)])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "rounded" in judgement.reason


def test_a_re_evaluation_below_the_margin_is_not_reproduced():
    # D = -0.21, interval -0.26 to -0.16.
    assert judge(claim(), [record(75.89)]).verdict is Verdict.NOT_REPRODUCED


def test_a_re_evaluation_above_the_margin_exceeds():
    # D = 0.21, interval 0.16 to 0.26: a discrepancy too.
    judgement = judge(claim(), [record(76.31)])
    assert judgement.verdict is Verdict.EXCEEDS
    assert judgement.verdict.discrepancy


def test_decimals_as_printed_decide():
    # 76.10 was rounded by at most 0.005: D = 0.12, interval 0.115 to 0.125 is inside 0.15.
    assert judge(claim(value="76.10"), [record(76.22)]).verdict is Verdict.REPRODUCED


# The same outputs, counted again.


def test_the_same_outputs_may_differ_by_two_images():
    # 2 of 10,000 images are 0.02; 63.33 was rounded by at most 0.005: 0.025 in all.
    counted = claim(kind="recomputation", margin=0.02, value="63.33")
    assert judge(counted, [record(63.35)]).verdict is Verdict.REPRODUCED
    assert judge(counted, [record(63.36)]).verdict is Verdict.EXCEEDS
    assert judge(counted, [record(63.30)]).verdict is Verdict.NOT_REPRODUCED


def test_a_coarsely_printed_count_is_reproduced_within_its_rounding():
    # 76.13 prints as 76.1.
    counted = claim(kind="recomputation", margin=0.004)
    assert judge(counted, [record(76.13)]).verdict is Verdict.REPRODUCED
    assert judge(counted, [record(76.16)]).verdict is Verdict.EXCEEDS


# Seeds.


def test_three_seeds_use_the_t_interval():
    # Mean 76.1, deviation 0.1, t(2) = 2.92: 2.92 * 0.1 / sqrt(3) = 0.1686; with 0.05: 0.2186.
    judgement = judge(probe(), seeds(76.0, 76.1, 76.2))
    assert judgement.verdict is Verdict.REPRODUCED
    assert judgement.interval == pytest.approx((-0.2186, 0.2186), abs=1e-4)
    assert judgement.standard_error == pytest.approx(0.05774, abs=1e-5)


def test_two_wide_seeds_are_inconclusive_and_say_how_many_would_settle_it():
    # Deviation 0.2828, t(1) = 6.3138: half 1.2628 + 0.05 exceeds 0.5. With n seeds at the
    # same deviation: n = 3: 0.477 + 0.05 > 0.5; n = 4: 2.3534 * 0.1414 + 0.05 = 0.383 < 0.5,
    # and the margin is above 2.5 * 0.1414 = 0.354.
    judgement = judge(probe(), seeds(75.9, 76.3))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "4 seeds would settle it" in judgement.reason


def test_one_seed_assumes_a_stated_deviation():
    # 1.6449 * 0.1 + 0.05 = 0.2145: D = 0.25 ends at 0.4645, D = 0.3 at 0.5145.
    one = judge(probe(), [record(76.35)])
    assert one.verdict is Verdict.REPRODUCED
    assert "deviation over seeds of 0.1 is assumed" in one.reason
    assert judge(probe(), [record(76.4)]).verdict is Verdict.INCONCLUSIVE


def test_a_margin_below_two_and_a_half_standard_errors_reproduces_nothing():
    # 40 seeds around the claim, deviation 1.5191: SE 0.2402, half 1.685 * 0.2402 + 0.05 = 0.455
    # lies inside 0.5, but 2.5 SE = 0.6005 does not.
    spread = [74.6, 77.6] * 20
    judgement = judge(probe(), seeds(*spread))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "2.5 standard errors" in judgement.reason


def test_a_clear_discrepancy_needs_no_precision():
    # D = -20 with a half-width of 1.3.
    assert judge(probe(), seeds(55.9, 56.3)).verdict is Verdict.NOT_REPRODUCED


def test_a_mean_too_near_the_margin_is_said_to_stay_open():
    judgement = judge(probe(value="76.10"), seeds(76.59, 76.60, 76.61))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "would not settle it" in judgement.reason


# Lower is better.


def test_a_lower_error_exceeds_and_a_higher_one_is_not_reproduced():
    error = claim(metric="top1-error", value="23.9")
    # 100 - 76.4 = 23.6: D = -0.3, better. 100 - 75.8 = 24.2: D = +0.3, worse.
    assert judge(error, [record(76.4)]).verdict is Verdict.EXCEEDS
    worse = judge(error, [record(75.8)])
    assert worse.verdict is Verdict.NOT_REPRODUCED
    assert worse.measured == pytest.approx(24.2)


def test_a_corruption_error_above_the_claim_is_not_reproduced():
    mce = claim(metric="mCE", value="76.7", margin=1.0)
    judgement = judge(mce, [record(78.2, metric="mce")])
    assert judgement.verdict is Verdict.NOT_REPRODUCED


# Gates.


def test_a_recalled_claim_is_never_judged():
    judgement = judge(claim(confidence="recalled"), [record(76.1)])
    assert judgement.verdict is Verdict.NOT_MEASURED
    assert judgement.measured is None


def test_without_a_record_nothing_was_measured():
    judgement = judge(claim(unmeasurable="no evaluator measures depth yet"), [])
    assert judgement.verdict is Verdict.NOT_MEASURED
    assert "depth" in judgement.reason


def test_weights_without_a_hash_are_invalid():
    judgement = judge(claim(), [record(76.1, weights_sha256=None)])
    assert judgement.verdict is Verdict.INVALID
    assert judgement.measured is None


def test_predictions_without_the_hash_of_their_file_are_invalid():
    unknown = record(76.1, subject_kind="predictions", weights_sha256=None, source_sha256=None)
    assert judge(claim(), [unknown]).verdict is Verdict.INVALID


def test_an_inadmissible_protocol_is_invalid():
    judgement = judge(claim(protocols=("five_crops/1",)), [record(76.1)])
    assert judgement.verdict is Verdict.INVALID
    assert "five_crops/1" in judgement.reason


def test_features_in_another_precision_than_float32_are_invalid():
    lower = record(76.1, protocol_fields={"precision": "bfloat16"})
    judgement = judge(claim(), [lower])
    assert judgement.verdict is Verdict.INVALID
    assert "computed in bfloat16" in judgement.reason


def test_a_smaller_set_under_the_same_name_is_invalid():
    # The official CIFAR-10 test set has 10,000 images; a copy of 9,000 calls itself complete.
    few = record(90.0, dataset="cifar10", images=9_000, data_images=9_000)
    assert judge(claim(data="cifar10", value="90.0"), [few]).verdict is Verdict.INVALID


# Part of the images.


def test_part_of_the_images_is_consistent_and_never_reproduced():
    # 763 of 1,000 right, of 10,000: SE 1.34 * sqrt(9000 / 9999) = 1.275; D = 0.2.
    part = record(76.3, images=1_000)
    judgement = judge(claim(), [part])
    assert judgement.verdict is Verdict.CONSISTENT
    share = 764 / 1_002
    error = 100 * np.sqrt(share * (1 - share) / 1_000) * np.sqrt(9_000 / 9_999)
    assert judgement.standard_error == pytest.approx(error)


def test_part_of_the_images_far_off_is_inconclusive_and_not_a_discrepancy():
    judgement = judge(claim(), [record(60.0, images=1_000)])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "1000 of 10000" in judgement.reason


def test_almost_all_images_are_still_a_part():
    almost = record(100 * 7_609 / 9_999, images=9_999)
    assert judge(claim(), [almost]).verdict is Verdict.CONSISTENT


def test_a_split_of_unknown_size_cannot_be_complete():
    assert judge(claim(), [record(76.1, data_images=None)]).verdict is Verdict.CONSISTENT


# Protocols.


def test_protocols_that_disagree_make_the_claim_protocol_dependent():
    masked = record(76.1)
    mapped = record(70.0, protocol="mapped/1", protocol_sha256="cd" * 32)
    judgement = judge(claim(), [masked, mapped])
    assert judgement.verdict is Verdict.PROTOCOL_DEPENDENT
    assert judgement.measured is None
    assert "70.00" in judgement.reason
    assert "76.10" in judgement.reason


def test_protocols_that_agree_give_their_verdict():
    other = record(76.15, protocol="mapped/1", protocol_sha256="cd" * 32)
    judgement = judge(claim(), [record(76.1), other])
    assert judgement.verdict is Verdict.REPRODUCED
    assert judgement.protocols == ("mapped/1", "own_classifier/1")


# Records that are refused.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": float("nan")}, "finite"),
        ({"value": float("inf")}, "finite"),
        ({"unit": "fraction", "value": 0.761}, "fraction"),
        ({"value": 0.76}, "a fraction was not turned into a percent"),
        ({"value": 76.12345}, "a whole number of images"),
        ({"value": 176.1}, "176.1"),
        ({"images": 10_001, "value": 0.0}, "no more than all"),
        ({"metric": "top5"}, "top5"),
        ({"dataset": "another_set"}, "another_set"),
        ({"condition": "fog/3"}, "fog/3"),
        ({"evaluator": "knn"}, "knn"),
    ],
)
def test_a_record_about_something_else_or_impossible_is_refused(changes, message):
    with pytest.raises(BadRecord, match=message):
        judge(claim(), [record(**{"value": 76.1, **changes})])


def test_records_of_two_checkpoints_are_never_averaged():
    with pytest.raises(BadRecord, match="different weights_sha256"):
        judge(probe(), [record(76.1), record(76.2, seed=1, weights_sha256="cd" * 32)])


def test_records_of_two_copies_of_the_data_are_never_averaged():
    with pytest.raises(BadRecord, match="data_fingerprint"):
        judge(probe(), [record(76.1), record(76.2, seed=1, data_fingerprint="sha256:11")])


def test_one_seed_measured_twice_is_not_two_seeds():
    with pytest.raises(BadRecord, match="2 records of 1 seeds"):
        judge(probe(), [record(76.1), record(76.2, code_sha256="cd" * 32)])


# Spread pooled over networks.


def test_pooled_seeds_of_other_networks_narrow_the_interval():
    # Three networks, two seeds each, every pair 0.2 apart: SS = 3 * 0.02, so s = 0.1414 with 3
    # degrees of freedom: half 2.3534 * 0.1 + 0.05 = 0.285; alone t(1) = 6.3138: 0.681.
    ours = seeds(76.0, 76.2)
    others = [
        seeds(50.0, 50.2, subject="b", weights_sha256="b"),
        seeds(60.0, 60.2, subject="c", weights_sha256="c"),
    ]
    alone = judge(probe(), ours)
    pooled = judge(probe(), ours, pool([ours, *others]))
    assert alone.verdict is Verdict.INCONCLUSIVE
    assert pooled.verdict is Verdict.REPRODUCED
    assert pooled.interval == pytest.approx((-0.2853, 0.2853), abs=1e-4)
    assert "pooled over 3 networks" in pooled.reason


def test_another_networks_seeds_replace_the_assumed_deviation_of_one_seed():
    other = seeds(50.0, 50.0, 50.6, 50.6, 50.3, subject="b", weights_sha256="b")
    one = judge(probe(), [record(76.1)], pool([other]))
    # SS = 4 * 0.09 = 0.36 over 4 degrees: 0.3, where 0.1 would have been assumed.
    assert one.spread is not None
    assert one.spread.deviation == pytest.approx(0.3)
    assert one.verdict is Verdict.INCONCLUSIVE
    assert judge(probe(), [record(76.1)]).verdict is Verdict.REPRODUCED


def test_only_one_protocol_on_one_split_is_pooled():
    pooled = pool([seeds(76.0, 76.2), seeds(50.0, 58.0, protocol_sha256="cd" * 32)])
    assert sorted(spread.deviation for spread in pooled.values()) == pytest.approx(
        [0.1414, 5.6569], abs=1e-4
    )


def test_a_group_that_two_claims_share_is_pooled_once():
    group = seeds(76.0, 76.2)
    [spread] = pool([group, group]).values()
    assert (spread.degrees, spread.networks) == (1, 1)


def test_part_of_the_images_is_not_pooled():
    assert pool([seeds(76.0, 77.0, images=1_000)]) == {}


def reading(value: float, protocol: str, counted: int = 18_574) -> Record:
    return record(
        value,
        images=counted,
        dataset="objectnet",
        split="overlap",
        data_images=counted,
        evaluator="objectnet",
        protocol=protocol,
        protocol_sha256=f"{hash(protocol):x}",
        protocol_fields={"counted_images": counted},
    )


def test_each_reading_of_objectnet_is_judged_under_its_own_protocol():
    whole, part = 50_273, 18_574
    right = 4_811  # of 18,574: 25.90 %; of 50,273: 9.57 %
    judgement = judge(
        claim(data="objectnet", evaluators=("objectnet",), value="25.9"),
        [
            reading(100 * right / part, "objectnet.best_of_1000.border2.resize224/1"),
            reading(100 * 6_700 / part, "objectnet.best_of_125.border2.resize224/1"),
            reading(100 * right / whole, "objectnet.best_of_1000_over_all.border2.resize224/1",
                    counted=whole),
        ],
    )  # fmt: skip
    assert judgement.verdict is Verdict.PROTOCOL_DEPENDENT
    for said in (
        "objectnet.best_of_1000.border2.resize224/1: 25.90, reproduced",
        "objectnet.best_of_125.border2.resize224/1: 36.07, exceeds",
        "objectnet.best_of_1000_over_all.border2.resize224/1: 9.57, not reproduced",
    ):
        assert said in judgement.reason


def test_a_reading_of_a_number_of_images_that_it_does_not_name_is_invalid():
    wrong = replace(
        reading(25.0, "objectnet.best_of_125.border2.resize224/1"),
        images=18_000,
        data_images=18_000,
    )
    judgement = judge(claim(data="objectnet", evaluators=("objectnet",)), [wrong])
    assert judgement.verdict is Verdict.INVALID
