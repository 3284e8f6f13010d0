import json
from dataclasses import replace

import numpy as np
import pytest

from relicheck import evaluate
from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.record import read_record, record_text
from relicheck.reports.cli import run


def write_network(path, seed=0, padding="symmetric"):
    import torch

    torch.manual_seed(seed)
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar", padding=padding)
    network = ResNet(spec, None).eval()
    manifest = Manifest(
        spec=spec, preprocessing=Preprocessing(image_size=8), method="random",
        source="a test", licence="Apache-2.0",
    )  # fmt: skip
    write_checkpoint(path, network.canonical_tensors(), manifest)
    return path


@pytest.fixture
def measured(bare_machine):
    """A record of a small network on digits, and its file."""
    weights = write_network(bare_machine / "tiny.safetensors")
    [record] = evaluate(
        weights, "digits", ["knn"], records=bare_machine / "r", overrides={"knn.k": 7}, limit=50
    )
    return record, bare_machine / "r" / f"{record.id}.json"


def again(path, *more, capsys):
    code = run(["rerun", str(path), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_record_says_all_that_it_needs(measured):
    record, _ = measured
    assert record.request["checkpoint"].endswith("tiny.safetensors")
    assert record.request["protocol_fields"]["k"] == 7
    assert (record.request["data"], record.request["limit"]) == ("digits", 50)
    assert record.manifest["spec"]["padding"] == "symmetric"
    assert record.view["preprocessing"]["image_size"] == 8
    assert {"cpu", "threads", "libjpeg", "commit", "dirty"} <= set(record.environment)


def test_a_record_gives_the_same_number_again(measured, capsys):
    record, path = measured
    code, found = again(path, capsys=capsys)
    assert (code, found["repeated"], found["answers_changed"]) == (0, True, 0)
    assert found["then"] == found["now"] == record.value
    assert found["differences"] == []
    assert len(list(path.parent.glob("*.json"))) == 1  # measured elsewhere


def test_another_package_is_named_and_the_number_holds(measured, capsys):
    record, path = measured
    path.with_name("journal.jsonl").unlink()
    older = replace(record, environment={**record.environment, "torch": "1.0"}, code_sha256="c0de")
    moved = path.with_name(f"{older.id}.json")
    moved.write_text(record_text(older))
    path.with_suffix(".npz").rename(moved.with_suffix(".npz"))
    code, found = again(moved, capsys=capsys)
    assert (code, found["same_number"]) == (0, True)
    assert {item["what"]: item["then"] for item in found["differences"]} == {
        "code": "c0de",
        "torch": "1.0",
    }


def test_other_weights_under_the_same_path_are_named_and_nothing_is_measured(measured, capsys):
    _, path = measured
    write_network(path.parent.parent / "tiny.safetensors", seed=1)
    code, found = again(path, capsys=capsys)
    assert (code, found["now"]) == (1, None)
    assert [item["what"] for item in found["differences"]] == ["weights"]


def test_the_same_weights_in_a_network_of_other_padding_are_another_network(measured, capsys):
    _, path = measured
    write_network(path.parent.parent / "tiny.safetensors", padding="same")
    code, found = again(path, capsys=capsys)
    assert code == 1
    assert [item["what"] for item in found["differences"]] == ["network"]


def test_another_number_of_the_same_inputs_is_told_with_its_images(measured, capsys):
    record, path = measured
    # As if it had been measured elsewhere: one image more was right there.
    with np.load(path.with_suffix(".npz")) as archive:
        right = np.unpackbits(archive["correct"])[:50].astype(bool)
    right[np.flatnonzero(~right)[0]] = True
    import hashlib

    from relicheck.evaluations.per_image import write_arrays

    forged = replace(
        record, value=record.value + 2, correct_sha256=hashlib.sha256(right.tobytes()).hexdigest()
    )
    path.with_name("journal.jsonl").unlink()
    path.write_text(record_text(forged))
    write_arrays(path.with_suffix(".npz"), {"correct": right})
    code, found = again(path, capsys=capsys)
    assert (code, found["repeated"], found["answers_changed"]) == (1, False, 1)
    assert run(["rerun", str(path)]) == 1
    said = capsys.readouterr().out
    assert "1 images are answered otherwise." in said
    assert "Another number: -2 %" in said


def test_a_record_of_predictions_is_counted_again(bare_machine, capsys):
    labels = np.arange(20) % 4
    np.savez("mine.npz", labels=labels, predictions=np.where(labels == 3, 0, labels))
    assert run(["evaluate", "--predictions", "mine.npz", "--data", "mine", "--records", "r"]) == 0
    [path] = bare_machine.glob("r/*.json")
    capsys.readouterr()
    code, found = again(path, capsys=capsys)
    assert (code, found["now"]) == (0, 75)
    # The file is another one now: its hash is what was named, whatever the number.
    np.savez("mine.npz", labels=labels, predictions=np.where(labels == 2, 0, labels))
    code, found = again(path, capsys=capsys)
    assert (code, found["same_number"]) == (1, True)
    assert [item["what"] for item in found["differences"]] == ["file"]


def test_what_is_missing_or_edited_is_refused_with_a_message(measured, capsys):
    record, path = measured
    (path.parent.parent / "tiny.safetensors").unlink()
    for arguments, message in (
        ([str(path)], "the record's checkpoint is not there"),
        ([str(path), "--checkpoint", "nowhere.safetensors"], "nowhere.safetensors"),
        (["0123456789abcdef"], "there is no such record"),
        (["no.json"], "there is no such record"),
    ):
        assert run(["rerun", *arguments]) == 2
        assert message in capsys.readouterr().err
    path.write_text(path.read_text().replace(f'"value": {record.value}', '"value": 1.0'))
    assert run(["rerun", str(path)]) == 2
    assert "it was edited" in capsys.readouterr().err


def test_a_network_in_memory_has_to_be_named_and_is_then_known_by_its_weights(measured, capsys):
    from relicheck import load_checkpoint

    _, path = measured
    network = load_checkpoint(path.parent.parent / "tiny.safetensors")
    [record] = evaluate(network, "digits", ["knn"], records=path.parent, limit=50)
    other = path.with_name(f"{record.id}.json")
    assert read_record(other).request["checkpoint"] is None
    assert run(["rerun", str(other)]) == 2
    assert "--checkpoint FILE" in capsys.readouterr().err
    assert run(["rerun", str(other), "--checkpoint", "tiny.safetensors"]) == 0
