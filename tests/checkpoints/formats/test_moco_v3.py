"""MoCo v3: facebookresearch/moco-v3: moco/builder.py, main_moco.py rebuilt from torch."""

import pytest
import torch
from torch import nn


def _mlp(inner, outer, last_bn=True):
    layers = [
        nn.Linear(inner, 16, bias=False),
        nn.BatchNorm1d(16),
        nn.ReLU(inplace=True),
        nn.Linear(16, outer, bias=False),
    ]
    return nn.Sequential(*layers, *([nn.BatchNorm1d(outer, affine=False)] if last_bn else []))


@pytest.fixture
def saved(tmp_path, resnet, distributed, optimizer_state, modules):
    model = modules(base_encoder=resnet(50), momentum_encoder=resnet(50, seed=1))
    for encoder in (model.base_encoder, model.momentum_encoder):
        encoder.fc = _mlp(256, 8).eval()
    model.predictor = _mlp(8, 8, last_bn=False)
    content = {
        "epoch": 1000,
        "arch": "resnet50",
        "state_dict": distributed(model),
        "optimizer": optimizer_state(model.base_encoder),
        "scaler": {"scale": 65536.0, "_growth_tracker": 3},
    }
    torch.save(content, tmp_path / "r-50-1000ep.pth.tar")
    return tmp_path / "r-50-1000ep.pth.tar", model


def test_the_base_encoder_is_read_and_its_mlp_dropped(saved, assert_same_stages, detected):
    path, model = saved

    ours = assert_same_stages(path, model.base_encoder)

    assert detected(path) == "moco_v3"
    assert (ours.manifest.method, ours.manifest.classes) == ("moco_v3", None)
    # Two linear layers, and two BatchNorms of which the last has statistics only.
    assert "state_dict.module.base_encoder.fc (8 tensors)" in ours.manifest.training["dropped"]


def test_the_momentum_encoder_is_read_when_it_is_asked_for(saved, assert_same_stages):
    path, model = saved

    assert_same_stages(path, model.momentum_encoder, network="momentum")
