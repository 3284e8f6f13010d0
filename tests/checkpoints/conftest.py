"""Small networks and files for the checkpoint tests."""

from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec


def randomise_statistics(network, seed=0):
    """Give BatchNorm running statistics that a mix-up of mean and variance would betray."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) / 10)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return network


@pytest.fixture
def tiny_spec():
    return ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar")


@pytest.fixture
def tiny_manifest(tiny_spec):
    return Manifest(
        spec=tiny_spec,
        preprocessing=Preprocessing(image_size=16),
        method="random",
        source="a test",
        licence="Apache-2.0",
        classes=3,
    )


@pytest.fixture
def tiny_tensors(tiny_spec) -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    return randomise_statistics(ResNet(tiny_spec, classes=3)).canonical_tensors()


@pytest.fixture
def tiny_file(tmp_path: Path, tiny_tensors, tiny_manifest) -> Path:
    path = tmp_path / "tiny.safetensors"
    write_checkpoint(path, tiny_tensors, tiny_manifest)
    return path
