"""ObjectNet from a checkpoint to a verdict, on one framed image for each of the 313 folders."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.parameters import parameter_shapes
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.splits import objectnet_classes
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.selection import find_claim
from relicheck.reports.verdict import Verdict
from relicheck.reports.verify import verify


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for index, known in enumerate(objectnet_classes()):
        rng = np.random.default_rng(index)
        pixels = rng.integers(0, 256, size=(24, 30, 3), dtype=np.uint8)
        pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:] = 4 * ((255, 0, 0),)
        folder = root / "objectnet" / "images" / known.folder
        folder.mkdir(parents=True)
        Image.fromarray(pixels).save(folder / "image.png")
    return root


def write(folder, classes):
    """A ResNet-18 at width 1/8 with random weights, said to be ReLICv2's."""
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar")
    rng = np.random.default_rng(0)
    tensors = {
        name: np.full(shape, float(name.endswith(("weight", "var"))), np.float32)
        if len(shape) == 1
        else (rng.standard_normal(shape) / 10).astype(np.float32)
        for name, shape in parameter_shapes(spec, classes).items()
    }
    manifest = Manifest(
        spec=spec,
        preprocessing=Preprocessing(image_size=16, resize=18),
        method="ReLICv2",
        source="a test",
        licence="Apache-2.0",
        classes=classes,
    )
    write_checkpoint(folder / "relicv2.safetensors", tensors, manifest)
    return folder / "relicv2.safetensors"


def judged(tmp_path, root, classes):
    claim = find_claim(load_claims(), "relicv2/objectnet/top1/rn50")
    return verify(
        [replace(claim, architecture="ResNet-18 0.125x")],
        checkpoints={"": write(tmp_path, classes)},
        data_root=root,
        records=tmp_path / "records",
    )[0]


def test_a_claim_that_names_no_protocol_is_judged_under_each_that_it_can_mean(tmp_path, root):
    judgement = judged(tmp_path, root, classes=1000)

    assert sorted(judgement.protocols) == [
        "objectnet.best_of_1000.border2.resize224/1",
        "objectnet.best_of_1000.border2.resize256/1",
        "objectnet.best_of_125.border2.resize224/1",
        "objectnet.best_of_125.border2.resize256/1",
    ]
    # Random weights, and 113 of the 18,574 images: nothing that could reproduce a claim.
    assert judgement.verdict in (Verdict.INCONCLUSIVE, Verdict.PROTOCOL_DEPENDENT)
    assert {record.images for record in judgement.records} == {113}


def test_without_a_classifier_imagenets_images_are_what_is_missing(tmp_path, root):
    judgement = judged(tmp_path, root, classes=None)

    assert judgement.verdict is Verdict.NOT_MEASURED
    assert "imagenet" in judgement.reason
    assert "https://image-net.org" in judgement.reason
