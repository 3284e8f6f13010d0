"""Verification from end to end: what is missing is said, what is there is really measured."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from relicheck.checkpoints.errors import BadData, BadRecord, UnknownName, UsageError
from relicheck.evaluations.journal import JOURNAL
from relicheck.evaluations.record import read_record, record_text
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.cli import run
from relicheck.reports.measuring import Measuring
from relicheck.reports.records import check_kept
from relicheck.reports.verdict import Judgement, Verdict
from relicheck.reports.verified import exit_code, reasons_text, table_text
from relicheck.reports.verify import verify

# On a bare machine.


def test_objectnet_on_a_bare_machine_lists_the_four_rows_of_the_page_first(bare_machine):
    judgements = verify(dataset="ObjectNet", records=bare_machine / "records")
    first = [(j.claim.method, j.claim.value) for j in judgements[:4]]
    assert first == [("ReLICv2", "25.9"), ("ReLIC", "23.8"), ("SimCLR", "14.6"), ("BYOL", "23.0")]
    assert {j.verdict for j in judgements} == {Verdict.NOT_MEASURED}
    assert all(j.measured is None for j in judgements)


def test_what_is_missing_says_where_to_get_it_and_where_it_was_looked_for(bare_machine):
    judgement = verify(ids="relicv2/objectnet/top1/rn50", records=bare_machine)[0]
    said = judgement.reason
    assert "google-deepmind/relicv2" in said
    assert "https://objectnet.dev" in said
    assert str(bare_machine / "nothing" / "objectnet") in said


def test_a_recalled_claim_is_listed_and_not_judged(bare_machine):
    judgement = verify(ids="relicv2-paper/supervised/objectnet/top1/rn50", records=bare_machine)[0]
    assert judgement.verdict is Verdict.NOT_MEASURED
    assert "recalled" in judgement.reason


def test_the_whole_registry_on_a_bare_machine_measures_nothing_and_writes_nothing(bare_machine):
    judgements = verify(records=bare_machine / "records")
    assert {j.verdict for j in judgements} == {Verdict.NOT_MEASURED}
    assert all(j.reason for j in judgements)
    assert list(bare_machine.iterdir()) == []


def test_published_weights_and_predictions_that_are_absent_name_their_folders(bare_machine):
    weights, answers = verify(
        ids=["akamaster/resnet20/cifar10/top1-error", "data-folder/resnet50/imagenet/top1"],
        records=bare_machine,
    )
    assert "resnet20-12fca82f.th is not in" in weights.reason
    assert str(bare_machine / "nothing" / "predictions") in answers.reason


def test_a_data_set_nobody_claims_anything_about_names_the_nearest(bare_machine):
    with pytest.raises(UnknownName, match="objectnet"):
        verify(dataset="objctnet")


# The command.


def test_the_command_prints_the_table_and_exits_0_when_nothing_is_there(bare_machine, capsys):
    assert run(["verify", "--dataset", "objectnet"]) == 0
    printed = capsys.readouterr().out
    assert "25.9" in printed
    assert "not measured" in printed
    # Every missing thing once, however many claims wait for it.
    assert printed.count("https://objectnet.dev") == 1


def test_the_command_prints_json_for_programs(bare_machine, capsys):
    assert run(["verify", "--claim", "byol/objectnet/top1/rn50", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["claimed"] == "23.0"
    assert facts["measured"] is None
    assert facts["verdict"] == "not_measured"


def test_an_unknown_claim_is_wrong_use(bare_machine, capsys):
    assert run(["verify", "--claim", "byol/objectnet/top1/rn51"]) == 2
    assert "byol/objectnet/top1/rn50" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_wrong_use(bare_machine, capsys):
    assert run(["verify", "--dataset", "objectnet", "--checkpoint", "nowhere.th"]) == 2
    assert "nowhere.th" in capsys.readouterr().err


def test_the_claims_command_lists_and_explains(capsys):
    assert run(["claims", "--dataset", "objectnet", "--confidence", "recalled"]) == 0
    assert "26.6 (recalled)" in capsys.readouterr().out
    assert run(["claims", "show", "relicv2/objectnet/top1/rn50"]) == 0
    assert "paperswithcode2.com/paper/271870" in capsys.readouterr().out


def test_the_claims_command_suggests_the_nearest_id(capsys):
    assert run(["claims", "show", "relicv2/objectnt/top1/rn50"]) == 2
    assert "Did you mean 'relicv2/objectnet/top1/rn50'" in capsys.readouterr().err


def test_help_shows_an_example():
    from relicheck.reports.commands.verify import COMMAND

    assert "relicheck verify --dataset objectnet" in CliRunner().invoke(COMMAND, ["--help"]).output


# Exit codes and printing.


def judgement(verdict: Verdict) -> Judgement:
    return Judgement(claim=verify(ids=ANY)[0].claim, verdict=verdict, reason="because")


ANY = "byol/objectnet/top1/rn50"


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.REPRODUCED, 0),
        (Verdict.NOT_MEASURED, 0),
        (Verdict.CONSISTENT, 0),
        (Verdict.INCONCLUSIVE, 0),
        (Verdict.PROTOCOL_DEPENDENT, 0),
        (Verdict.NOT_REPRODUCED, 1),
        (Verdict.EXCEEDS, 1),
        (Verdict.INVALID, 2),
    ],
)
def test_a_discrepancy_either_way_exits_1_and_an_unusable_measurement_2(
    bare_machine, verdict, code
):
    assert exit_code([judgement(Verdict.REPRODUCED), judgement(verdict)]) == code


def test_reasons_are_given_for_all_but_the_reproduced(bare_machine):
    assert reasons_text([judgement(Verdict.REPRODUCED)]) == ""
    assert "because" in reasons_text([judgement(Verdict.INVALID)])


def test_an_empty_selection_prints_a_heading():
    assert "Verdict" in table_text([])


# A user's own files.


def answers(folder, right: int, images: int, name: str = "mine"):
    """A file of predictions of which the first `right` are right."""
    labels = np.arange(images) % 10
    predictions = np.where(np.arange(images) < right, labels, (labels + 1) % 10)
    np.savez(folder / f"{name}.npz", labels=labels, predictions=predictions)
    return folder / f"{name}.npz"


def test_a_file_of_predictions_is_held_against_a_claim(bare_machine):
    # The claim: 91.780 on CIFAR-10's 10,000 test images; 9,178 right.
    file = answers(bare_machine, 9_178, 10_000)
    one = verify(
        ids="akamaster/resnet20/cifar10/best-prec1",
        predictions=file,
        records=bare_machine / "records",
    )[0]
    assert one.verdict is Verdict.REPRODUCED
    assert one.measured == pytest.approx(91.78)
    assert (bare_machine / "records" / f"{one.records[0].id}.json").is_file()


def test_predictions_on_part_of_the_images_never_reproduce(bare_machine):
    file = answers(bare_machine, 918, 1_000)
    one = verify(
        ids="akamaster/resnet20/cifar10/best-prec1",
        predictions=file,
        records=bare_machine / "records",
    )[0]
    assert one.verdict is Verdict.CONSISTENT


def test_predictions_for_claims_on_several_data_sets_are_wrong_use(bare_machine):
    file = answers(bare_machine, 9, 10)
    with pytest.raises(UsageError, match="the one data set"):
        verify(dataset=["cifar10", "objectnet"], predictions=file)


def test_a_truncated_file_of_predictions_is_one_clear_message(bare_machine):
    file = answers(bare_machine, 9_178, 10_000)
    file.write_bytes(file.read_bytes()[:1_000])
    one = verify(
        ids="akamaster/resnet20/cifar10/best-prec1",
        predictions=file,
        records=bare_machine / "records",
    )[0]
    assert one.verdict is Verdict.INVALID
    assert str(file) in one.reason


@pytest.fixture
def checkpoint(bare_machine):
    """A small real network in the common format: ResNet-18, width 1/8, ten classes."""
    from relicheck.checkpoints.common import write_checkpoint
    from relicheck.checkpoints.manifest import Manifest
    from relicheck.checkpoints.parameters import parameter_shapes
    from relicheck.checkpoints.spec import Preprocessing, ResNetSpec

    def write(method: str, depth: int = 18, width: float = 0.125, classes: int | None = 10):
        spec = ResNetSpec(depth=depth, width_multiplier=width, stem="cifar")
        generator = np.random.default_rng(0)
        # Normalisation layers pass on what they get; only convolutions and the head are drawn.
        tensors = {
            name: np.full(shape, float(name.endswith(("weight", "var"))), np.float32)
            if len(shape) == 1
            else (generator.standard_normal(shape) / 10).astype(np.float32)
            for name, shape in parameter_shapes(spec, classes).items()
        }
        manifest = Manifest(
            spec=spec,
            preprocessing=Preprocessing(image_size=16),
            method=method,
            source="this test",
            licence="none",
            classes=classes,
        )
        path = bare_machine / f"{method}.safetensors"
        write_checkpoint(path, tensors, manifest)
        return path

    return write


def test_a_checkpoint_of_another_architecture_is_refused_with_both(checkpoint):
    path = checkpoint("byol")
    with pytest.raises(UsageError, match=r"byol, ResNet-18 0\.125x.*BYOL, ResNet-50 1x"):
        verify(ids=ANY, checkpoints={"": path})


def test_a_checkpoint_of_another_method_is_refused(checkpoint):
    path = checkpoint("simclr", depth=50, width=1)
    with pytest.raises(UsageError, match="it is simclr"):
        verify(ids=ANY, checkpoints={"": path})
    with pytest.raises(UsageError, match="it is simclr"):
        verify(ids=ANY, checkpoints={"byol": path})


def test_a_checkpoint_of_the_claims_network_leaves_only_the_data_missing(checkpoint):
    path = checkpoint("byol", depth=50, width=1)
    one = verify(ids=ANY, checkpoints={"": path})[0]
    assert one.verdict is Verdict.NOT_MEASURED
    assert "weights" not in one.reason
    assert "objectnet.dev" in one.reason


def test_a_supervised_file_is_not_held_against_every_supervised_claim(checkpoint):
    path = checkpoint("supervised", depth=50, width=1)
    measuring = Measuring(checkpoints={"": path})
    claims = [j.claim for j in verify(method="Supervised (torchvision)", dataset="objectnet")]
    with pytest.raises(UsageError):
        measuring.check_usable(claims)


def test_published_weights_that_were_changed_are_refused(checkpoint):
    path = checkpoint("supervised")
    with pytest.raises(UsageError):
        verify(ids="akamaster/resnet20/cifar10/top1-error", checkpoints={"": path})


def test_what_fails_once_is_not_tried_again_for_the_next_claim(bare_machine, monkeypatch):
    tried = []

    def evaluate(self, subject, data, evaluator):
        tried.append(subject)
        raise BadData(subject, "an image is truncated")

    monkeypatch.setattr(Measuring, "_evaluate", evaluate)
    monkeypatch.setattr(Measuring, "missing", lambda self, claim: ())
    judgements = verify(
        ids=["akamaster/resnet20/cifar10/top1-error", "akamaster/resnet20/cifar10/best-prec1"]
    )
    assert [j.verdict for j in judgements] == [Verdict.INVALID] * 2
    assert len(tried) == 1


# Records.


def measured(folder, right: int = 9_178):
    file = answers(folder, right, 10_000)
    return verify(
        ids="akamaster/resnet20/cifar10/best-prec1", predictions=file, records=folder / "records"
    )[0]


def edit(path, **changes):
    raw = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**raw, **changes}), encoding="utf-8")


def forge(path, **changes):
    """As `edit`, by somebody who makes the hash of the content fit."""
    path.write_text(record_text(replace(read_record(path), **changes)), encoding="utf-8")


def test_an_edited_number_is_found_by_the_hash_of_the_content(bare_machine):
    honest = measured(bare_machine, right=9_100).records[0]
    path = bare_machine / "records" / f"{honest.id}.json"
    edit(path, value=91.78)
    with pytest.raises(BadRecord, match="it was edited"):
        read_record(path)


def test_a_forged_number_is_found_by_the_journal_and_without_it_by_the_answers(bare_machine):
    honest = measured(bare_machine, right=9_100).records[0]
    path = bare_machine / "records" / f"{honest.id}.json"
    forge(path, value=91.78)
    with pytest.raises(BadRecord, match=r"not the record that .* journal says was written"):
        check_kept(path.parent, read_record(path))
    (path.parent / JOURNAL).unlink()
    with pytest.raises(BadRecord, match=r"says 91\.78 %, its answers per image give 91 %"):
        check_kept(path.parent, read_record(path))


def test_a_record_without_its_answers_is_refused(bare_machine):
    record = measured(bare_machine).records[0]
    (bare_machine / "records" / f"{record.id}.npz").unlink()
    with pytest.raises(BadRecord, match="are gone"):
        check_kept(bare_machine / "records", record)


def test_exchanged_answers_are_found_by_their_hash(bare_machine):
    record = measured(bare_machine).records[0]
    path = bare_machine / "records" / f"{record.id}.npz"
    np.savez(path, correct=np.packbits(np.zeros(10_000, bool)), images=10_000)
    with pytest.raises(BadRecord, match="were changed"):
        check_kept(path.parent, record)


def test_an_edited_record_makes_its_claim_invalid_and_says_what_to_do(bare_machine):
    honest = measured(bare_machine, right=9_100).records[0]
    edit(bare_machine / "records" / f"{honest.id}.json", value=91.78)
    again = measured(bare_machine, right=9_100)
    assert again.verdict is Verdict.INVALID
    assert again.measured is None


# A checkpoint and images, from end to end.


@pytest.fixture
def digits_claim():
    """A claim on scikit-learn's digits, which any machine has."""
    from relicheck.reports.selection import find_claim

    plain = find_claim(load_claims(), "byol/objectnet/top1/rn50")
    return replace(
        plain,
        id="test/digits/knn",
        architecture="ResNet-18 0.125x",
        data="digits",
        dataset="digits",
        evaluators=("knn",),
        protocols=(),
        kind="re_evaluation",
        margin=0.15,
        value="0.00",
    )


def test_a_checkpoint_is_measured_on_images_and_judged(checkpoint, digits_claim, tmp_path):
    path = checkpoint("byol")
    first = verify([digits_claim], checkpoints={"": path}, records=tmp_path / "records")[0]
    # Noise for weights still separates digits better than chance; nobody reaches 0.
    assert first.verdict is Verdict.EXCEEDS
    assert first.records[0].images == 700
    assert (tmp_path / "records" / f"{first.records[0].id}.json").is_file()
    # Claimed as it was measured, the same checkpoint reproduces it, from the same records.
    honest = replace(digits_claim, value=f"{first.measured:.2f}")
    again = verify([honest], checkpoints={"": path}, records=tmp_path / "records")[0]
    assert again.verdict is Verdict.REPRODUCED
    assert again.records == first.records


def test_a_checkpoint_without_a_classifier_is_not_measured_and_says_so(
    checkpoint, digits_claim, tmp_path
):
    path = checkpoint("byol", classes=None)
    claim = replace(digits_claim, evaluators=("classifier",))
    one = verify([claim], checkpoints={"": path}, records=tmp_path)[0]
    assert one.verdict is Verdict.NOT_MEASURED
    assert "no classifier" in one.reason


# The real material.


def test_published_predictions_of_resnet50_are_measured_for_real(real_data, tmp_path):
    judgements = verify(
        ids=[
            "data-folder/resnet50/imagenet/top1",
            "testbed/resnet50/imagenetv2-mf-as-released/top1",
            "testbed/supervised-torchvision/imagenetv2-mf/top1/rn50",
            "timm/resnet50.tv_in1k/imagenet-real/top1",
            "timm/resnet50.tv_in1k/imagenet-real/top5",
        ],
        records=tmp_path,
    )
    found = {j.claim.id: (round(j.measured, 3), str(j.verdict)) for j in judgements}
    assert found == {
        "data-folder/resnet50/imagenet/top1": (76.130, "reproduced"),
        "testbed/resnet50/imagenetv2-mf-as-released/top1": (63.33, "reproduced"),
        # The table's other column: measured on images that were packed again.
        "testbed/supervised-torchvision/imagenetv2-mf/top1/rn50": (63.33, "exceeds"),
        "timm/resnet50.tv_in1k/imagenet-real/top1": (82.958, "reproduced"),
        "timm/resnet50.tv_in1k/imagenet-real/top5": (95.469, "reproduced"),
    }


def test_the_same_predictions_are_counted_once_for_all_their_claims(real_data, tmp_path):
    verify(dataset="CIFAR-10.1 v6", records=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 3  # three models, however many claims


@pytest.mark.slow
def test_the_readme_of_the_cifar_resnets_holds_and_the_stored_accuracy_does_not(
    real_data, tmp_path
):
    judgements = verify(paper="akamaster", records=tmp_path)
    assert [round(j.measured, 2) for j in judgements] == [8.27, 7.37, 6.61, 91.73, 92.63, 93.39]
    verdicts = [str(j.verdict) for j in judgements]
    assert verdicts == ["reproduced"] * 3 + ["not_reproduced"] * 3


@pytest.mark.parametrize(("classes", "evaluator"), [(10, "classifier"), (None, "linear")])
def test_a_linear_claim_reads_the_classifier_in_the_file_or_trains_one(
    checkpoint, digits_claim, tmp_path, classes, evaluator
):
    claim = replace(digits_claim, evaluators=("classifier", "linear"), kind="probe")

    judged = verify(
        [claim], checkpoints={"": checkpoint("byol", classes=classes)}, records=tmp_path / "records"
    )[0]

    assert {record.evaluator for record in judged.records} == {evaluator}
