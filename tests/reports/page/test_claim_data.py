"""What the page's script reads: complete, shared texts once, safe inside a <script>."""

import json

import pytest

from relicheck.reports.bare import bare_judgement
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.page.claim_data import claim_data, ordered, repeat_command
from relicheck.reports.verdict import Judgement, Verdict


def decoded(text):
    data = json.loads(text)
    texts = set(data["texts"])
    return [
        {
            name: data["pool"][value] if name in texts else value
            for name, value in zip(data["fields"], row, strict=True)
        }
        for row in data["claims"]
    ]


@pytest.fixture
def judgement(claim, scored):
    return Judgement(
        claim=claim(),
        verdict=Verdict.EXCEEDS,
        reason="r",
        measured=25.123456789,
        interval=(1.9, 2.3),
        difference=2.1,
        records=(scored("byol", seed=3).record,),
    )


def test_every_field_of_a_judgement_arrives(judgement):
    [found] = decoded(claim_data([judgement]))

    assert found["id"] == "byol/objectnet/top1/rn50"
    assert found["value"] == "23.0"  # as printed
    assert (found["number"], found["low"], found["high"]) == (25.123457, 1.9, 2.3)
    assert found["records"] == [0]


def test_a_text_stands_once_however_many_claims_share_it(claim):
    text = claim_data([bare_judgement(claim(id=str(n))) for n in range(50)])

    assert text.count("benchmark list") == 1


def test_no_text_can_end_the_script_element(claim):
    text = claim_data([bare_judgement(claim(method="</script><script>alert(1)"))])

    assert "<" not in text
    assert decoded(text)[0]["method"] == "</script><script>alert(1)"


def test_the_whole_registry_takes_less_than_a_megabyte():
    text = claim_data([bare_judgement(claim) for claim in load_claims()])

    assert len(decoded(text)) == len(load_claims())
    assert len(text.encode()) < 1_000_000


def test_discrepancies_stand_first_and_what_was_not_measured_last(claim):
    made = [Judgement(claim=claim(id=v), verdict=v, reason="r") for v in Verdict]

    verdicts = [j.verdict for j in ordered(made)]

    assert verdicts[:2] == [Verdict.NOT_REPRODUCED, Verdict.EXCEEDS]
    assert verdicts[-1] == Verdict.NOT_MEASURED


def test_the_command_names_the_checkpoint_and_the_seeds(judgement):
    assert repeat_command(judgement) == (
        "relicheck verify --claim byol/objectnet/top1/rn50 --checkpoint byol.safetensors --seed 3"
    )


def test_the_command_of_a_published_subject_needs_no_file(claim):
    judgement = bare_judgement(claim(subject="published:byol_resnet50_1x"))

    assert repeat_command(judgement) == "relicheck verify --claim byol/objectnet/top1/rn50"
