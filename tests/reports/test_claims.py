"""The registry: complete, faithful to its sources, and checked on load."""

import csv
import time
from pathlib import Path

import pytest

from relicheck.checkpoints.errors import BadClaim, MissingData, UnknownName
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.selection import find_claim, select_claims

CSV = Path(__file__).resolve().parents[3] / "shared" / "paper" / "claims.csv"

VALID = """
[defaults]
paper = "Paper"
source = "arXiv:0000.00000"
confidence = "seen"
unit = "%"
pretrain_data = "ImageNet-1k"

[[group]]
table = "Table 1"
task = "linear"
dataset = "ImageNet"
protocol = "linear classifier on frozen backbone"
metric = "top1"
architecture = "ResNet-50 1x"
columns = ["id", "method", "value"]
rows = [
  ["a/one", "BYOL", "74.3"],
  ["a/two", "SimCLR", "69.0"],
]
"""


def load(folder: Path, text: str = VALID):
    (folder / "paper.toml").write_text(text, encoding="utf-8")
    return load_claims(folder)


def test_a_valid_file_gives_its_rows_in_order(tmp_path):
    claims = load(tmp_path)
    assert [claim.id for claim in claims] == ["a/one", "a/two"]
    assert claims[0].file == "paper.toml"


def test_values_keep_their_decimals(tmp_path):
    two = load(tmp_path)[1]
    # 69.0 was rounded by at most half of a tenth; 69 would have been by half of one.
    assert (two.value, two.number, two.rounding) == ("69.0", 69.0, 0.05)


def test_an_override_adds_what_only_one_row_says(tmp_path):
    claims = load(tmp_path, VALID + '[override."a/two"]\nmargin = 0.9\nmargin_reason = "a test"\n')
    assert [claim.margin for claim in claims] == [0.5, 0.9]


@pytest.mark.parametrize(
    ("old", "new", "row", "field", "found"),
    [
        ('metric = "top1"', 'metric = "topone"', "a/one", "metric", "topone"),
        ('"a/two"', '"a/one"', "a/one", "id", "taken"),
        ('"69.0"', '"169.0"', "a/two", "value", "169.0"),
        ('"69.0"', '"-1"', "a/two", "value", "-1"),
        ('"69.0"', '"nan"', "a/two", "value", "nan"),
        ('"69.0"', '"about 69"', "a/two", "value", "about 69"),
        ('"69.0"', "69.0", "a/two", "value", "as printed"),
        ('source = "arXiv:0000.00000"', "", "a/one", "source", "missing"),
        ('source = "arXiv:0000.00000"', 'source = " "', "a/one", "source", "missing"),
        ('unit = "%"', 'unit = "fraction"', "a/one", "unit", "fraction"),
        ('confidence = "seen"', 'confidence = "sure"', "a/one", "confidence", "sure"),
        ('confidence = "seen"', 'confidence = "seen"\nkind = "guess"', "a/one", "kind", "guess"),
        ('task = "linear"', 'task = "linear"\ntakes = "x"', "a/one", "takes", "unknown field"),
        ('task = "linear"', 'task = "linear"\nmargin = "1"', "a/one", "margin", "number above 0"),
        ('task = "linear"', "task = 3", "a/one", "task", "3"),
        ('task = "linear"', 'task = "linear"\nmargin = 1.0', "a/one", "margin_reason", "missing"),
        (
            'task = "linear"',
            'task = "linear"\nevaluators = "linear"',
            "a/one",
            "evaluators",
            "a list",
        ),
        (
            'task = "linear"',
            'task = "linear"\nmargin = 0.2\nmargin_reason = "hope"',
            "a/one",
            "margin",
            "at least 0.25",  # 2.5 deviations of 0.1 over seeds of a probe
        ),
        (
            'task = "linear"',
            'task = "linear"\nexpected_verdict = "exceeds"',
            "a/one",
            "expected_reason",
            "missing",
        ),
        (
            'task = "linear"',
            'task = "linear"\nexpected_verdict = "wrong"',
            "a/one",
            "expected_verdict",
            "wrong",
        ),
        (
            'task = "linear"',
            'task = "linear"\nsubject = "weights:x"',
            "a/one",
            "subject",
            "published:NAME",
        ),
    ],
)
def test_a_bad_row_is_refused_with_file_row_and_field(tmp_path, old, new, row, field, found):
    assert old in VALID
    with pytest.raises(BadClaim) as caught:
        load(tmp_path, VALID.replace(old, new, 1))
    message = str(caught.value)
    assert f"paper.toml, row {row}, {field}" in message
    assert found in message


def test_a_row_with_too_few_cells_is_named_by_its_number(tmp_path):
    with pytest.raises(BadClaim, match=r"paper\.toml, row 2"):
        load(tmp_path, VALID.replace('["a/two", "SimCLR", "69.0"]', '["a/two", "SimCLR"]'))


def test_text_that_is_not_toml_names_its_file(tmp_path):
    with pytest.raises(BadClaim, match=r"paper\.toml: not valid TOML"):
        load(tmp_path, VALID + "rows = [\n")


def test_an_override_of_no_row_is_refused(tmp_path):
    with pytest.raises(BadClaim, match=r"a/three.*no row has this id"):
        load(tmp_path, VALID + '[override."a/three"]\nmargin = 1.0\n')


def test_an_id_of_another_file_is_taken(tmp_path):
    (tmp_path / "earlier.toml").write_text(VALID, encoding="utf-8")
    with pytest.raises(BadClaim, match=r"paper\.toml, row a/one, id: .*earlier\.toml"):
        load(tmp_path)


def test_an_empty_folder_is_missing_data(tmp_path):
    with pytest.raises(MissingData):
        load_claims(tmp_path)


def test_the_registry_loads_quickly():
    from relicheck.reports import claim_registry

    claim_registry._load.cache_clear()
    begin = time.perf_counter()
    load_claims()
    assert time.perf_counter() - begin < 1.0  # 0.1 s alone; the machine may be busy


def test_every_row_of_the_collected_claims_is_registered_field_by_field():
    if not CSV.is_file():
        pytest.skip(f"{CSV} is not there")
    registered = {claim.id: claim for claim in load_claims()}
    with CSV.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 1183
    for row in rows:
        claim = registered[row["id"]]
        assert {field: getattr(claim, field) for field in row} == row


def test_recalled_claims_are_marked():
    recalled = [claim for claim in load_claims() if claim.recalled]
    assert len(recalled) == 53
    assert all(claim.source == "recalled, not re-read" for claim in recalled)


def test_every_claim_says_how_it_would_be_settled():
    for claim in load_claims():
        assert claim.margin > 0
        assert claim.margin_reason
        assert bool(claim.evaluators) != bool(claim.unmeasurable)


@pytest.mark.parametrize("spelling", ["ObjectNet", "objectnet", "OBJECT-NET", "object net"])
def test_data_sets_may_be_spelled_as_people_do(spelling):
    chosen = select_claims(load_claims(), dataset=spelling)
    assert [claim.value for claim in chosen[:4]] == ["25.9", "23.8", "14.6", "23.0"]
    assert {claim.data for claim in chosen} == {"objectnet"}


def test_a_beginning_selects_all_that_it_begins():
    chosen = select_claims(load_claims(), dataset="imagenetv2")
    assert {claim.data for claim in chosen} == {
        "imagenetv2_matched_frequency",
        "imagenetv2_threshold07",
        "imagenetv2_top_images",
    }


def test_a_whole_name_does_not_select_longer_ones():
    assert {claim.method for claim in select_claims(load_claims(), method="relic")} == {"ReLIC"}


def test_a_misspelled_claim_names_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'relicv2/objectnet/top1/rn50'"):
        find_claim(load_claims(), "relicv2/objectnt/top1/rn50")


def test_margins_follow_the_rules():
    claims = load_claims()

    def margin(identifier: str) -> float:
        return find_claim(claims, identifier).margin

    assert margin("relicv2/imagenet/linear-top1/rn50") == 0.5  # a probe
    assert margin("relicv2/imagenet-1pct/semisup-top1/rn50") == 1.0  # 1 % of the labels
    assert margin("relicv2/imagenet-10pct/semisup-top1/rn50") == 0.7
    assert margin("relicv2/cityscapes/miou/rn50") == 1.0
    assert margin("testbed/swav-linear/imagenet-sketch/top1/rn50") == 0.15  # a re-evaluation
    assert margin("byol-ablation/baseline/top1/rn50") == 1.0  # trained anew
    # 2 of 10,000 images, the same outputs.
    assert margin("testbed/resnet50/imagenetv2-mf-as-released/top1") == pytest.approx(0.02)


def test_every_subject_is_a_known_checkpoint_or_a_published_set():
    from relicheck.checkpoints.zoo import published_names
    from relicheck.evaluations.published_predictions import PUBLISHED_SETS

    keys = {(known.file, known.key) for known in PUBLISHED_SETS.values()}
    for claim in load_claims():
        kind, _, rest = claim.subject.partition(":")
        if kind == "published":
            assert rest in published_names()
        if kind == "predictions":
            file, _, name = rest.split(":")
            assert (file, name) in keys


def test_every_evaluator_named_exists():
    from relicheck.evaluations.evaluator import evaluators

    known = {*evaluators.names(), "predictions"}
    assert {name for claim in load_claims() for name in claim.evaluators} <= known


@pytest.mark.parametrize(
    ("identifier", "why"),
    [
        ("testbed/supervised-torchvision/objectnet/top1/alexnet", "AlexNet is not a ResNet"),
        ("relicv2/imagenet/linear-top1/best", "does not name the network"),
        ("relicv2/imagenet/linear-top1-gain-over-sota/rn50", "a difference of two claims"),
        ("simclrv2/imagenet/finetune-1pct-top1/rn50", "a layer of its projection head"),
    ],
)
def test_a_claim_that_cannot_be_measured_says_why(identifier, why):
    claim = find_claim(load_claims(), identifier)
    assert claim.evaluators == ()
    assert why in claim.unmeasurable


def test_objectnet_claims_admit_both_countings_where_the_page_names_none():
    claims = load_claims()
    page = find_claim(claims, "relicv2/objectnet/top1/rn50")
    testbed = find_claim(claims, "testbed/swav-linear/objectnet/top1/rn50")
    assert page.evaluators == testbed.evaluators == ("objectnet",)
    # Two countings, two sizes, and a classifier that came along or was trained here.
    assert len(page.protocols) == 8
    assert testbed.protocols == (
        "objectnet.best_of_125.border2.resize224/1",
        "objectnet.best_of_125.border2.resize256/1",
    )


def test_the_readings_that_claims_admit_are_those_that_the_evaluator_yields():
    from relicheck.evaluations.evaluators.objectnet import ObjectNetProtocol, ObjectNetReading

    whole = ObjectNetProtocol()
    yielded = {
        ObjectNetReading(
            counting=counting, border_px=border, resize_px=resize, counted_images=1, head_from=head
        ).id
        for counting in whole.countings
        for border in whole.borders_px
        for resize in whole.resizes_px
        for head in ("checkpoint", "linear")
    }
    assert {
        p for c in load_claims() if c.evaluators == ("objectnet",) for p in c.protocols
    } <= yielded


def test_every_protocol_that_a_claim_admits_is_one_of_its_evaluators():
    from relicheck.evaluations.evaluator import evaluators

    for claim in load_claims():
        if claim.protocols and claim.evaluators != ("objectnet",):
            ids = {evaluators.load(name).protocol.id for name in claim.evaluators}
            assert set(claim.protocols) <= ids, claim.id


@pytest.mark.parametrize(
    ("identifier", "evaluators"),
    [
        ("relicv2/imagenet/linear-top1/rn50", ("classifier", "linear_sgd")),
        ("relicv2/imagenet-1pct/semisup-top1/rn50", ("byol_1percent", "simclr_1percent")),
    ],
)
def test_claims_go_to_the_evaluators_of_their_papers_recipes(identifier, evaluators):
    assert find_claim(load_claims(), identifier).evaluators == evaluators


def test_a_k_chosen_on_the_test_images_is_held_against_the_record_that_says_so():
    claim = next(c for c in load_claims() if "best of k=10 and k=20" in c.protocol)
    assert claim.evaluators == ("knn_grid",)
    assert claim.condition == "selected_on_test"


@pytest.mark.parametrize(
    ("architecture", "network"),
    [
        ("ResNet-50 1x (expected; the page does not state it)", "ResNet-50 1x"),
        ("not stated on the page (ResNet-50 expected)", "ResNet-50 1x"),
        # A target network trains the one that is published: the same architecture.
        ("ResNet-50 1x with target network", "ResNet-50 1x"),
        ("ResNet-50 1x +SK", "ResNet-50 1x +SK"),
    ],
)
def test_a_remark_is_no_part_of_a_networks_name(architecture, network):
    from relicheck.reports.claim_rules import network_name

    assert network_name(architecture) == network


def test_byol_in_relics_table_can_be_measured():
    claim = find_claim(load_claims(), "relic-paper/byol/imagenet/linear-top1/rn50")
    assert claim.architecture == "ResNet-50 1x with target network"
    assert claim.evaluators == ("classifier", "linear_sgd")
