"""Model cards: what the hub's own reader gets out of them is what was measured."""

from dataclasses import replace

import pytest

from relicheck.reports.model_index import card_file, model_card, model_cards
from relicheck.reports.verdict import Judgement, Verdict


@pytest.fixture
def judgement(claim, scored):
    def build(value="91.73", metric="top1", verdict=Verdict.REPRODUCED, **fields):
        record = scored("resnet20", "classifier", subject="resnet20", split="test").record
        about = claim(
            id=f"akamaster/{metric}/{value}",
            dataset="CIFAR-10",
            data="cifar10",
            metric=metric,
            value=value,
        )
        measured = 8.27 if metric == "top1-error" else 91.7300000000001
        judged = Judgement(
            claim=about,
            verdict=verdict,
            reason="counted.",
            measured=measured,
            interval=(-0.05, 0.05),
            protocols=("own_classifier/1",),
            records=(record,),
        )
        return replace(judged, **fields)

    return build


def read(text):
    """What huggingface_hub makes of a card."""
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(text, ignore_metadata_errors=False)
    return card.data


def test_the_hub_reads_the_measurements_from_a_card(judgement):
    data = read(model_card("resnet20", [judgement(), judgement("8.27", "top1-error")]))

    assert data.model_name == "resnet20"
    found = [(r.dataset_name, r.dataset_type, r.dataset_split, r.metric_type, r.metric_value)
             for r in data.eval_results]  # fmt: skip
    assert found == [
        ("CIFAR-10", "cifar10", "test", "accuracy", 91.73),
        ("CIFAR-10", "cifar10", "test", "error_rate", 8.27),
    ]
    assert {r.task_type for r in data.eval_results} == {"image-classification"}
    assert {r.metric_config for r in data.eval_results} == {"own_classifier/1"}


def test_a_card_survives_the_hubs_own_writing(judgement):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(model_card("resnet20", [judgement()]))

    again = hub.ModelCard(str(card))

    assert [r.metric_value for r in again.data.eval_results] == [91.73]


def test_a_number_stands_once_with_every_claim_that_it_was_held_against(judgement):
    both = [judgement("91.73"), judgement("91.780", verdict=Verdict.NOT_REPRODUCED)]
    (result,) = read(model_card("resnet20", both)).eval_results

    assert result.metric_args == {
        "claims": [
            {"id": "akamaster/top1/91.73", "claimed": "91.73", "verdict": "reproduced"},
            {"id": "akamaster/top1/91.780", "claimed": "91.780", "verdict": "not reproduced"},
        ]
    }


def test_there_is_one_card_per_checkpoint_and_none_for_what_was_not_measured(judgement, claim):
    first = judgement()
    other = replace(first.records[0], subject="resnet56", weights_sha256="5" * 64)
    unmeasured = Judgement(claim=claim(), verdict=Verdict.NOT_MEASURED, reason="no images")

    cards = model_cards([first, replace(first, records=(other,)), unmeasured])

    assert list(cards) == ["resnet20", "resnet56"]


def test_two_files_of_one_name_have_two_cards(judgement):
    first = judgement()
    other = replace(first.records[0], weights_sha256="5" * 64)

    cards = model_cards([first, replace(first, records=(other,))])

    assert sorted(cards)[0] == "resnet20-55555555"
    assert len(cards) == 2


def test_what_yaml_would_misread_is_quoted(judgement, claim):
    odd = judgement(measured=0.00001)
    odd = replace(odd, claim=replace(odd.claim, dataset='no: "yes" # off'))
    (result,) = read(model_card("1e5", [odd])).eval_results

    assert (result.dataset_name, result.metric_value) == ('no: "yes" # off', 0.00001)


def test_a_cards_file_name_is_one_on_every_system():
    assert card_file("a/b c:d") == "a-b-c-d.md"
