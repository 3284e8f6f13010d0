"""`relicheck inspect` says what a file is without converting it."""

import json
import pickle

import numpy as np
import pytest
import torch

from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.inspection import inspect
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.reports.cli import run


@pytest.fixture
def moco(tmp_path):
    """A MoCo-like file: a query encoder with a projection head, a key encoder, an epoch."""
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8)
    both = {}
    for encoder in ("q", "k"):
        state = ResNet(spec).state_dict()
        both |= {f"module.encoder_{encoder}.{name}": tensor for name, tensor in state.items()}
    path = tmp_path / "moco.pth.tar"
    torch.save({"epoch": 199, "state_dict": both}, path)
    return path


def test_the_kind_network_facts_and_dtypes_are_told(moco):
    found = inspect(moco)

    assert found.container == "torch_zip"
    assert found.facts == {"epoch": 199}
    assert found.manifest.spec == ResNetSpec(depth=18, width_multiplier=1 / 8)
    # Twice: 20 convolutions and batch norms' four values, and counters of int64.
    assert found.dtypes == {"float32": 2 * (20 + 4 * 20), "int64": 2 * 20}
    assert len(found.converted) == 20 + 4 * 20
    assert found.problem is None


def test_what_is_told_is_what_conversion_does(moco, tmp_path):
    found = inspect(moco)

    manifest = convert(moco, tmp_path / "out.safetensors")

    assert found.manifest.spec == manifest.spec
    assert found.sha256 == manifest.source_sha256
    assert list(found.dropped) == manifest.training["dropped"]


def test_a_file_that_is_no_resnet_is_shown_with_the_reason(tmp_path, capsys):
    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps({"layer": np.zeros((3, 4), np.float32)}))

    assert run(["inspect", str(path)]) == 2

    printed = capsys.readouterr().out
    assert "none known" in printed
    assert "1 (0.0 MB; 1 float32)" in printed
    assert "relicheck convert would refuse it" in printed


def test_the_command_prints_json_for_programs(moco, capsys):
    assert run(["inspect", str(moco), "--json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["manifest"]["spec"]["depth"] == 18
    assert len(printed["converted"]) == 100


def test_every_tensor_is_listed_on_request(moco, capsys):
    assert run(["inspect", str(moco), "--tensors"]) == 0

    assert "layer4.1.bn2.running_var" in capsys.readouterr().out


def test_inspecting_writes_nothing(moco, tmp_path):
    before = sorted(tmp_path.iterdir())

    run(["inspect", str(moco)])

    assert sorted(tmp_path.iterdir()) == before
