"""A corrupt image stops a measurement; skipping it is for exploration and never for a verdict."""

import inspect

import numpy as np
import pytest
from PIL import Image

from relicheck import evaluate
from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.record import read_record
from relicheck.reports.cli import run
from relicheck.reports.commands.verify import COMMAND as VERIFY
from relicheck.reports.verdict import Verdict, judge
from relicheck.reports.verify import verify


@pytest.fixture
def folder(tmp_path):
    """Two classes that pixels tell apart; one test image and one training image are broken."""
    root = tmp_path / "animals"
    for split, count in (("train", 6), ("test", 4)):
        for name, colour in (("cat", (200, 60, 60)), ("dog", (60, 60, 200))):
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                noise = np.random.default_rng(index).integers(-20, 20, size=(16, 16, 3))
                pixels = (np.array(colour) + noise).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    (root / "test" / "dog" / "2.png").write_text("<html>404</html>")
    (root / "train" / "cat" / "1.png").write_bytes(b"")
    return root


def measure(folder, tmp_path, **options):
    return evaluate(
        "raw_pixels", folder, ["knn"], records=tmp_path / "records", overrides={"knn.k": 1},
        **options,
    )  # fmt: skip


def test_a_corrupt_image_is_named_and_stops_the_measurement(folder, tmp_path):
    with pytest.raises(BadData, match=r"cat/1\.png: the file is empty"):
        measure(folder, tmp_path)
    assert not list((tmp_path / "records").glob("*.json"))


def test_a_record_says_how_many_images_were_skipped_and_which(folder, tmp_path):
    [record] = measure(folder, tmp_path, skip_corrupt=True)
    assert (record.images, record.data_images, record.skipped_images) == (7, 8, 2)
    assert not record.complete
    assert "1 corrupt images of test skipped: dog/2.png" in record.notes
    assert "1 corrupt images of train skipped: cat/1.png" in record.notes
    assert read_record(tmp_path / "records" / f"{record.id}.json") == record


def test_a_record_with_skipped_images_is_invalid_whatever_its_number(folder, tmp_path, claim):
    [record] = measure(folder, tmp_path, skip_corrupt=True)
    about = claim(
        id="x/animals/knn", method="raw_pixels", architecture="none", dataset="animals",
        data="animals", evaluators=("knn",), value="100.0",
    )  # fmt: skip
    assert record.value == 100.0
    judgement = judge(about, [record])
    assert judgement.verdict == Verdict.INVALID
    assert "2 corrupt images were skipped" in judgement.reason
    assert judgement.measured is None


def test_where_nothing_is_corrupt_skipping_changes_nothing(folder, tmp_path):
    (folder / "test" / "dog" / "2.png").unlink()
    (folder / "train" / "cat" / "1.png").unlink()
    [plain] = measure(folder, tmp_path)
    [skipping] = measure(folder, tmp_path, skip_corrupt=True)
    assert plain == skipping
    assert skipping.skipped_images == 0


def test_the_command_says_it(folder, tmp_path, capsys):
    arguments = ["evaluate", "raw_pixels", "--data", str(folder), "--evaluators", "knn",
                 "--records", str(tmp_path / "r"), "--set", "knn.k=1", "--json"]  # fmt: skip
    assert run(arguments) == 2
    assert "1.png: the file is empty" in capsys.readouterr().err
    assert run([*arguments, "--skip-corrupt"]) == 0
    assert '"skipped_images": 2' in capsys.readouterr().out


def test_verify_cannot_skip():
    assert "skip_corrupt" not in inspect.signature(verify).parameters
    assert not [p for p in VERIFY.params if "skip" in p.name]
    assert run(["verify", "--skip-corrupt"]) == 2


def test_a_corrupt_image_makes_a_claim_invalid_and_is_named(tmp_path, claim):
    import torch

    from relicheck.checkpoints.common import write_checkpoint
    from relicheck.checkpoints.manifest import Manifest
    from relicheck.checkpoints.resnet import ResNet
    from relicheck.checkpoints.spec import Preprocessing, ResNetSpec

    torch.manual_seed(0)
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar")
    network = ResNet(spec, None).eval()
    manifest = Manifest(
        spec=spec, preprocessing=Preprocessing(image_size=16), method="random", source="a test",
        licence="Apache-2.0",
    )  # fmt: skip
    write_checkpoint(tmp_path / "tiny.safetensors", network.canonical_tensors(), manifest)
    for domain in ("photo", "art_painting", "cartoon", "sketch"):
        for name, colour in (("dog", (200, 60, 60)), ("house", (60, 60, 200))):
            folder = tmp_path / "pacs" / domain / name
            folder.mkdir(parents=True)
            Image.new("RGB", (16, 16), colour).save(folder / "1.png")
    (tmp_path / "pacs" / "sketch" / "dog" / "1.png").write_bytes(b"no image")
    about = claim(
        id="x/pacs/knn", method="random", architecture=spec.name, dataset="PACS", data="pacs",
        evaluators=("knn",), kind="re_evaluation",
    )  # fmt: skip
    [judgement] = verify(
        [about], ids=(about.id,), checkpoints={about.id: tmp_path / "tiny.safetensors"},
        data_root=tmp_path, records=tmp_path / "records",
    )  # fmt: skip
    assert judgement.verdict == Verdict.INVALID
    assert "sketch/dog/1.png: cannot be read as an image" in judgement.reason
    assert judgement.measured is None
