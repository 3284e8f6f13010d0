"""A network of any spec with telling values everywhere, exported to any target."""

import os
from types import SimpleNamespace

import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.export import export_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing

# Before transformers is imported: a test never asks a hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def telling_network(spec, classes):
    """A network in which a mix-up of any two tensors of one shape would show."""
    generator = torch.Generator().manual_seed(0)
    network = ResNet(spec, classes).eval()
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var") or ("bn" in name and name.endswith("weight")):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        elif tensor.dim() == 1:
            tensor.copy_(torch.randn(tensor.shape, generator=generator) / 10)
    return network


@pytest.fixture
def export(tmp_path):
    """Call with (target, spec): the network, its common file, and what was exported."""

    def run(target, spec, classes=None, preprocessing=None):
        torch.manual_seed(0)
        network = telling_network(spec, classes)
        manifest = Manifest(
            spec=spec,
            preprocessing=preprocessing or Preprocessing(image_size=224, resize=256),
            method="byol",
            source="a test",
            licence="Apache-2.0",
            classes=classes,
        )
        source, output = tmp_path / "common.safetensors", tmp_path / f"exported_{target}"
        write_checkpoint(source, network.canonical_tensors(), manifest)
        result = export_checkpoint(source, target, output)
        return SimpleNamespace(
            network=network, manifest=manifest, source=source, output=output, result=result
        )

    return run


@pytest.fixture(params=[(64, 64), (65, 33)], ids=["even", "odd"])
def images(request):
    """Two images of even or of odd sides, [2, 3, height, width]."""
    return torch.randn((2, 3, *request.param), generator=torch.Generator().manual_seed(1))
