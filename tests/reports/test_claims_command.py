"""`relicheck claims`: listing, filtering, explaining, contradictions and linting."""

import json
import sys
from dataclasses import replace

import pytest

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.evaluations.record import write_record
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.claim_status import statuses
from relicheck.reports.cli import run
from relicheck.reports.selection import find_claim

OBJECTNET = "relicv2/objectnet/top1/rn50"

OWN = """
[defaults]
paper = "Our lab"
source = "release notes"
confidence = "seen"
unit = "%"
pretrain_data = "ImageNet-1k"
table = "Models"
task = "linear"
dataset = "ImageNet"
protocol = "linear classifier on frozen backbone"
metric = "top1"
architecture = "ResNet-50 1x"

[[group]]
columns = ["id", "method", "value"]
rows = [["ours/v1/top1", "Ours", "71.0"], ["ours/v2/top1", "Ours, longer", "72.0"]]
"""


def printed(capsys, *arguments):
    code = run(["claims", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def as_json(capsys, *arguments):
    code, out, _ = printed(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


# Listing.


def test_claims_are_listed_by_paper_dataset_method_and_status(capsys):
    code, out, err = printed(
        capsys, "--paper", "relicv2", "--dataset", "objectnet", "--status", "measurable"
    )
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:]] == [
        OBJECTNET,
        "relic/objectnet/top1/rn50",
        "simclr/objectnet/top1/rn50",
        "byol/objectnet/top1/rn50",
    ]
    assert "4 of 1,299 claims" in err


def test_a_status_is_what_a_claim_waits_for():
    claims = load_claims()
    assert statuses(find_claim(claims, OBJECTNET)) == ("measurable", "disputed")
    assert statuses(find_claim(claims, "relicv2-paper/byol/imagenet-r/top1/rn50")) == ("recalled",)
    assert statuses(find_claim(claims, "relicv2/imagenet/linear-top1/best")) == ("unmeasurable",)


def test_recalled_claims_are_listed_by_their_status(capsys):
    assert len(as_json(capsys, "--status", "recalled")) == 53


@pytest.fixture
def measured(tmp_path, scored):
    """Return a folder with a record that settles no claim but one: 100 of 200 images of CIFAR."""
    claim = find_claim(load_claims(), "relicv2/imagenet/linear-top1/rn50")
    item = scored("relicv2", answers="01" * 5, keep=False)
    record = replace(
        item.record,
        value=77.1,
        images=50_000,
        data_images=50_000,
        dataset="imagenet",
        split="val",
        architecture="ResNet-50 1x",
        evaluator="linear_sgd",
        protocol="linear_sgd/1",
        correct_sha256=None,
    )
    write_record(tmp_path, record)
    return tmp_path, claim


def test_with_records_the_status_is_the_verdict(capsys, measured):
    folder, claim = measured
    code, out, err = printed(capsys, "--records", str(folder), "--status", "reproduced")
    rows = [line.split()[0] for line in out.splitlines()[2:]]
    assert code == 0
    assert claim.id in rows
    assert all(line.endswith("reproduced") for line in out.splitlines()[2:])
    assert "reproduced, 95 % Wilson interval" in err


def test_a_verdict_without_records_is_wrong_use(capsys):
    code, _, err = printed(capsys, "--status", "reproduced")
    assert code == 2
    assert "no records are named" in err


# One claim.


def test_a_claim_is_explained_with_protocols_cost_margin_power_and_contradictions(capsys):
    code, out, _ = printed(capsys, "show", "byol/objectnet/top1/rn50")
    text = " ".join(out.split())
    assert code == 0
    for said in (
        "top1 23.0 %",
        "objectnet.best_of_1000.border2.resize224/1",
        "about 18 GPU minutes a seed",
        "disk: 348 GB for objectnet, imagenet",
        "assumed: one data-centre GPU at 10 TFLOP/s",
        "0.5: a probe is trained anew on the same features",
        "no margin below 0.25 is accepted",
        "1 seed 0.96, 3 seeds 0.96, 5 seeds above 0.99",
        "100 - 77.0 = 23.0, and 23.0 is claimed",
        "25.53 / 14.6 = 1.75",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("identifier", "checkpoints"),
    [
        (OBJECTNET, ["relicv2_resnet50_1x"]),
        ("byol/objectnet/top1/rn50", ["byol_resnet50_1x"]),
        ("akamaster/resnet20/cifar10/top1-error", ["akamaster_resnet20"]),
        ("mulan-paper/mulan/imagenet/linear-top1/rn50", []),  # nobody published it
        ("testbed/resnet50/imagenetv2-mf-as-released/top1", []),  # predictions
    ],
)
def test_a_claim_names_the_published_checkpoints_that_settle_it(capsys, identifier, checkpoints):
    facts = as_json(capsys, "show", identifier)
    assert facts["checkpoints"] == checkpoints
    _, out, _ = printed(capsys, "show", identifier)
    assert all(f"relicheck fetch {name}" in out for name in checkpoints)


def test_the_best_of_several_is_said_of_a_claim(capsys):
    _, out, _ = printed(capsys, "show", "mulan-paper/mulan/imagenet-1pct/semisup-top1/rn50")
    assert "too high by up to 0.38 points on average" in " ".join(out.split())


def test_without_scipy_a_claim_is_explained_but_for_its_power(capsys, monkeypatch):
    for name in ("scipy", "scipy.special"):
        monkeypatch.setitem(sys.modules, name, None)
    code, out, _ = printed(capsys, "show", OBJECTNET)
    assert code == 0
    assert "top1 25.9 %" in out
    assert "the library 'scipy' is not installed" in " ".join(out.split())


def test_everything_explained_is_there_for_programs(capsys):
    facts = as_json(capsys, "show", OBJECTNET)
    assert facts["value"] == "25.9"
    assert facts["cost"]["ways"][0]["gpu_hours"] == pytest.approx(0.3, abs=0.01)
    assert [c["id"] for c in facts["contradictions"]] == ["objectnet_countings"]
    assert len(facts["power"]) == 3


@pytest.mark.parametrize(
    ("short", "full"),
    [
        (OBJECTNET, OBJECTNET),
        ("relicv2/objectnet", OBJECTNET),
        ("RELICv2/objectnet/rn50", OBJECTNET),
        ("relicv2/imagenet-1pct/top1/rn50", "relicv2/imagenet-1pct/semisup-top1/rn50"),
        ("relicv2/knn-top1", "relicv2/imagenet/knn-top1/rn50"),
    ],
)
def test_an_id_may_be_shortened_while_it_means_one_claim(short, full):
    assert find_claim(load_claims(), short).id == full


def test_a_shortened_id_of_several_claims_gives_them():
    with pytest.raises(UsageError, match=r"may mean 2 claims.*linear-top1/rn50, .*knn-top1/rn50"):
        find_claim(load_claims(), "relicv2/imagenet/top1/rn50")


def test_an_id_of_nobody_gives_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'relicv2/objectnet/top1/rn50'"):
        find_claim(load_claims(), "relicv2/objectnet/top1/rn51")


# Contradictions.


def test_contradictions_are_listed_with_their_arithmetic(capsys):
    code, out, _ = printed(capsys, "contradictions")
    assert code == 0
    assert "100 - 76.2 = 23.8, and 23.8 is claimed" in out
    assert "76.5 - 71.61 = +4.89" in out
    assert "BYOL's local validation set" in out


def test_contradictions_are_there_for_programs(capsys):
    found = as_json(capsys, "contradictions")
    first = found[0]
    assert first["id"] == "objectnet_equals_imagenet_r"
    assert first["arithmetic"][0] == "100 - 77.0 = 23.0, and 23.0 is claimed"
    assert "byol/objectnet/top1/rn50" in first["claims"]


# Linting.


def test_the_registry_lints_without_a_finding(capsys):
    code, out, _ = printed(capsys, "lint")
    assert (code, out) == (0, "1,299 claims read, 0 errors, 0 warnings\n")


@pytest.fixture
def own(tmp_path):
    """Write a user's own file of claims, changed: own("72.0", "172.0")."""

    def write(*changes, text=OWN):
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "our_claims.toml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


def test_a_good_file_lints_without_a_finding(capsys, own):
    code, out, _ = printed(capsys, "lint", own())
    assert (code, out) == (0, "2 claims read, 0 errors, 0 warnings\n")


def test_every_error_is_listed_and_not_the_first_alone(capsys, own):
    code, out, _ = printed(capsys, "lint", own('"71.0"', '"171.0"', '"72.0"', '"nan"'))
    assert code == 2
    assert "our_claims.toml, row ours/v1/top1, value: 171.0 %" in out
    assert "our_claims.toml, row ours/v2/top1, value: nan" in out
    assert "0 claims read, 2 errors, 0 warnings" in out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('protocol = "linear classifier on frozen backbone"', "", "protocol: missing"),
        ('"ours/v2/top1"', '"ours/v1/top1"', "the id is taken"),
        ("[[group]]", "[[group]]\nmargin = 0.1\nmargin_reason = 'hope'", "at least 0.25"),
        ("[[group]]", "[[group]]\nbest_of = 3", "best_of_what: missing"),
        ("[[group]]", "[[group]]\nbest_of = 0", "a whole number of at least 1"),
        ("[[group]]", "[[grupp]]", "an unknown key 'grupp'"),
    ],
)
def test_what_is_refused_is_an_error(capsys, own, old, new, said):
    code, out, _ = printed(capsys, "lint", own(old, new))
    assert code == 2
    assert said in out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ours/v1/top1"', f'"{OBJECTNET}"', "its id is one of our registry's"),
        ("[[group]]", '[[group]]\nevaluators = ["lineer"]', "no evaluator 'lineer'"),
        (
            "[[group]]",
            '[[group]]\nevaluators = ["linear"]\nprotocols = ["linear_lbfgs/9"]',
            "protocol linear_lbfgs/9 is none of its evaluators' (linear_lbfgs/1)",
        ),
        ('dataset = "ImageNet"', 'dataset = "ImageNette"', "no data set 'imagenette'"),
        ('"71.0"', '"0.710"', "was a fraction meant as a percent?"),
        ('"Ours, longer"', '"Ours"', "ours/v1/top1 says 71.0 and ours/v2/top1 72.0 of the same"),
    ],
)
def test_what_is_allowed_and_hardly_meant_is_a_warning(capsys, own, old, new, said):
    code, out, _ = printed(capsys, "lint", own(old, new))
    assert code == 0
    assert said in out
    assert "0 errors" in out


def test_text_that_is_not_toml_is_one_error_without_a_traceback(capsys, own):
    code, _, err = printed(capsys, "lint", own(text="[[group"))
    assert code == 2
    assert "our_claims.toml: not valid TOML" in err


def test_a_file_that_is_not_there_is_said_to_be_missing(capsys, tmp_path):
    code, _, err = printed(capsys, "lint", str(tmp_path / "nothing.toml"))
    assert code == 2
    assert "there is no such file or folder" in err


def test_findings_are_there_for_programs(capsys, own):
    code, out, _ = printed(capsys, "lint", own('"71.0"', '"171.0"'), "--json")
    found = json.loads(out)
    assert code == 2
    assert found["claims"] == ["ours/v2/top1"]
    assert found["findings"][0]["level"] == "error"
