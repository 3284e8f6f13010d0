"""What is refused before it can become a verdict, one test each: with a message, never a number.

The list of the project's issue: a claim without a protocol, two claims of one id, a record from
another checkpoint, an edited record, percent against fraction, NaN, and part of the data.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadClaim, BadRecord
from relicheck.evaluations.record import Record, write_record
from relicheck.reports.claim_registry import load_claims, read_claims
from relicheck.reports.matching import judge_records
from relicheck.reports.multiplicity import judge_together
from relicheck.reports.records import speaks_of
from relicheck.reports.scored import read_one
from relicheck.reports.verdict import Verdict, judge

FILE = """
[defaults]
paper = "Paper"
source = "arXiv:0000.00000"
confidence = "seen"
unit = "%"
pretrain_data = "ImageNet-1k"
table = "Table 1"
task = "linear"
dataset = "ImageNet"
protocol = "linear classifier on frozen backbone"
metric = "top1"
architecture = "ResNet-50 1x"

[[group]]
columns = ["id", "method", "value"]
rows = [["a/one", "BYOL", "74.3"], ["a/two", "SimCLR", "69.0"]]
"""


@pytest.fixture
def probe(claim):
    """Build a claim of 75 % on four digits' worth of images: probe(value="74.0")."""
    return lambda **fields: claim(**{"value": "75.0", "data": "digits", **fields})


@pytest.fixture
def measured(scored):
    """Build a record: 3 of 4 images right."""
    return lambda **fields: scored("byol", answers="1110", **fields).record


def refused(folder, text, message):
    file = folder / "claims.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadClaim, match=message):
        read_claims(file)


# Claims.


def test_a_claim_without_a_protocol_is_refused(tmp_path):
    text = FILE.replace('protocol = "linear classifier on frozen backbone"\n', "")
    refused(tmp_path, text, r"claims\.toml, row a/one, protocol: missing\. Wanted: what the source")


def test_a_claim_with_an_empty_protocol_is_refused(tmp_path):
    text = FILE.replace("linear classifier on frozen backbone", " ")
    refused(tmp_path, text, r"row a/one, protocol: missing")


def test_two_claims_of_one_id_are_refused(tmp_path):
    text = FILE.replace("a/two", "a/one")
    refused(tmp_path, text, r"row a/one, id: the id is taken, by a row of claims\.toml")


def test_a_claim_of_nan_is_refused(tmp_path):
    for word in ("nan", "NaN", "inf", "-inf"):
        refused(tmp_path, FILE.replace("74.3", word), rf"row a/one, value: {word}")


def test_a_claim_without_a_value_is_refused(tmp_path):
    refused(tmp_path, FILE.replace('"74.3"', '""'), "row a/one, value: missing")


def test_a_margin_that_no_measurement_could_meet_is_refused_up_front(tmp_path):
    text = FILE.replace("[[group]]", "[[group]]\nmargin = 0.2\nmargin_reason = 'hope'")
    # 2.5 standard errors of one seed at the deviation of a probe, 0.1.
    refused(tmp_path, text, r"row a/one, margin: 0\.2\. Wanted: at least 0\.25 for a probe")


# Records of something else.


def test_records_of_two_checkpoints_are_never_averaged(probe, measured):
    other = measured(seed=1, weights_sha256="ab" * 32)
    with pytest.raises(BadRecord, match="records of 2 different weights_sha256"):
        judge(probe(), [measured(), other])


def test_a_record_of_another_checkpoint_is_not_held_against_a_published_one(measured):
    published = next(c for c in load_claims() if c.subject.startswith("published:"))
    record = replace(
        measured(),
        dataset=published.data,
        evaluator=published.evaluators[0],
        method=published.method,
        architecture=published.architecture,
        condition=published.condition,
        source_sha256="ab" * 32,
    )
    assert speaks_of(record, published)
    assert judge_records([record], [published]) == []


def test_a_record_of_another_network_is_not_held_against_the_claim(probe, measured):
    # The network of width 4 has other numbers than the one that is claimed.
    wide = measured(architecture="ResNet-50 4x")
    assert judge_records([wide], [probe()]) == []


def test_weights_without_a_hash_are_never_a_verdict(probe, measured):
    judgement = judge(probe(), [measured(weights_sha256=None)])
    assert judgement.verdict is Verdict.INVALID
    assert judgement.measured is None
    assert "the hash of the weights is unknown" in judgement.reason


def test_one_seed_measured_twice_is_not_two_seeds(probe, measured):
    with pytest.raises(BadRecord, match="2 records of 1 seeds"):
        judge(probe(), [measured(), measured(code_sha256="ab" * 32)])


# Edited records.


def kept(folder, record: Record):
    path = write_record(folder, record, np.array([True, True, True, False]))
    return path, json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 3}, "its inputs give"),
        ({"weights_sha256": "ab" * 32}, "its inputs give"),
        ({"protocol": "another/1"}, "its inputs give"),
        ({"value": 100.0}, "says 100 %, its answers per image give 75 %|it was edited"),
        ({"valeu": 75.0}, "fields do not fit"),
    ],
)
def test_an_edited_record_is_refused(tmp_path, measured, changes, message):
    path, body = kept(tmp_path, measured())
    path.write_text(json.dumps({**body, **changes}), encoding="utf-8")
    with pytest.raises(BadRecord, match=message):
        read_one(path)


def test_edited_answers_are_refused(tmp_path, measured):
    path, _ = kept(tmp_path, measured())
    with path.with_suffix(".npz").open("wb") as stream:
        np.savez_compressed(stream, correct=np.packbits(np.ones(4, bool)), images=4)
    with pytest.raises(BadRecord, match="the answers per image beside it were changed"):
        read_one(path)


# Numbers in another unit, or none.


def test_a_fraction_measured_against_a_percent_is_refused(probe, measured):
    with pytest.raises(BadRecord, match=r"0\.75 %, where 75 % would be near 75\.0"):
        judge(probe(), [measured(value=0.75)])
    with pytest.raises(BadRecord, match=r"top1 in 'fraction'\. Wanted: '%'"):
        judge(probe(), [measured(value=0.75, unit="fraction")])


def test_a_fraction_claimed_against_a_percent_is_refused(probe, measured):
    with pytest.raises(BadClaim, match=r"claimed 0\.750 %, measured 75\.00 %.*a fraction"):
        judge(probe(value="0.750"), [measured()])


def test_a_claim_of_a_third_of_a_percent_is_a_percent(probe, measured):
    # BYOL without its stop-gradient: 0.3 %. One image of 400 is 0.25 %.
    collapsed = measured(value=0.25, images=400, data_images=400, correct_sha256=None)
    judgement = judge(probe(value="0.3"), [collapsed])
    assert judgement.verdict is Verdict.REPRODUCED


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(probe, measured, value):
    with pytest.raises(BadRecord, match="Wanted: a finite number"):
        judge(probe(), [measured(value=value)])


def test_a_share_that_no_count_of_images_gives_is_refused(probe, measured):
    with pytest.raises(BadRecord, match="a whole number of images"):
        judge(probe(), [measured(value=75.3)])


# Part of the data.


def test_a_number_from_part_of_the_images_is_never_a_verdict(probe, measured):
    judgement = judge(probe(), [measured(data_images=8)])
    assert judgement.verdict is Verdict.CONSISTENT
    assert "only 4 of 8 images: cannot confirm" in judgement.reason


def test_a_part_is_never_averaged_with_the_whole(probe, measured):
    part = measured(data_images=8)
    whole = measured(value=62.5, images=8, data_images=8, seed=1)
    with pytest.raises(BadRecord, match="records of 4 and 8 images"):
        judge(probe(), [part, whole])


def test_a_part_informs_no_other_claims_spread(probe, measured, scored):
    parts = [measured(data_images=8, seed=seed) for seed in (0, 1)]
    other = replace(
        scored("simclr", answers="1110").record, protocol_sha256=parts[0].protocol_sha256
    )
    one = probe(id="other", method="SimCLR")
    judged = judge_together([(probe(), parts), (one, [other])])
    assert judged[1].spread is not None
    assert judged[1].spread.degrees is None  # assumed: nobody's seeds were pooled


def test_images_that_were_skipped_are_never_a_verdict(probe, measured):
    judgement = judge(probe(), [measured(skipped_images=1)])
    assert judgement.verdict is Verdict.INVALID
    assert "corrupt images were skipped (1)" in judgement.reason


def test_part_of_a_metric_that_is_no_share_uses_its_own_standard_error(probe, measured):
    """mCE may exceed 100 %: a binomial error of it does not exist."""
    part = measured(
        metric="mce", value=120.0, images=100, data_images=400, standard_error=2.0,
        correct_sha256=None,
    )  # fmt: skip
    judgement = judge(probe(metric="mCE", value="119.0", margin=1.0), [part])
    assert judgement.verdict is Verdict.CONSISTENT
    # sqrt(2^2 * 300 / 399 + 0.1^2): the seeds' assumed deviation of a probe comes on top.
    assert judgement.standard_error == pytest.approx((4 * 300 / 399 + 0.01) ** 0.5)


def test_part_of_a_metric_without_a_standard_error_decides_nothing(probe, measured):
    part = measured(
        metric="mce", value=120.0, images=100, data_images=400, standard_error=None,
        correct_sha256=None,
    )  # fmt: skip
    judgement = judge(probe(metric="mCE", value="119.0", margin=1.0), [part])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "no standard error of mce was kept" in judgement.reason
