"""ONNX files that relicheck exported are read back; those of others are refused."""

import numpy as np
import onnx
import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, ManifestMismatch
from relicheck.checkpoints.export import export_checkpoint
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.manifest import HEADER_KEY, Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec

SPEC = ResNetSpec(depth=50, width_multiplier=1 / 8, padding="same")


@pytest.fixture
def exported(tmp_path):
    """A network, and the ONNX file that it became."""
    torch.manual_seed(0)
    network = ResNet(SPEC, 3).eval()
    manifest = Manifest(
        spec=SPEC,
        preprocessing=Preprocessing(image_size=33),
        method="byol",
        source="a test",
        licence="CC-BY-NC-4.0",
        classes=3,
    )
    write_checkpoint(tmp_path / "a.safetensors", network.canonical_tensors(), manifest)
    export_checkpoint(tmp_path / "a.safetensors", "onnx", tmp_path / "a.onnx")
    return network, tmp_path / "a.onnx"


def test_an_exported_file_loads_as_the_network_it_was(exported):
    network, path = exported
    images = torch.randn((2, 3, 33, 32), generator=torch.Generator().manual_seed(0))

    again = load_checkpoint(path)

    assert (again.spec, again.manifest.classes) == (SPEC, 3)
    assert again.manifest.method == "byol"
    assert again.manifest.preprocessing == Preprocessing(image_size=33)
    assert again.manifest.training["stored"] == {"source": "a test", "licence": "CC-BY-NC-4.0"}
    with torch.inference_mode():
        assert torch.equal(again(images), network(images))


def test_without_the_manifest_nothing_says_how_it_pads(exported):
    _, path = exported
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)

    with pytest.raises(BadCheckpoint, match=f"without {HEADER_KEY}"):
        load_checkpoint(path)


def test_a_manifest_of_another_network_is_refused(exported):
    _, path = exported
    model = onnx.load(path)
    text = model.metadata_props[0].value
    model.metadata_props[0].value = text.replace('"depth": 50', '"depth": 101')
    onnx.save(model, path)

    with pytest.raises(ManifestMismatch, match=r"depth=50.*depth=101"):
        load_checkpoint(path)


def test_what_torch_itself_exports_is_no_known_format(tmp_path):
    # torch's exporter folds BatchNorm into the convolutions.
    weight = onnx.numpy_helper.from_array(np.zeros((8, 3, 7, 7), np.float32), "onnx::Conv_193")
    graph = onnx.helper.make_graph([], "main_graph", [], [], [weight])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "a.onnx")

    with pytest.raises(BadCheckpoint, match="not those of a ResNet in a known format"):
        load_checkpoint(tmp_path / "a.onnx")
