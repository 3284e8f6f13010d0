"""DINO: facebookresearch/dino: main_dino.py, utils.py, vision_transformer.py rebuilt from torch."""

from argparse import Namespace

import numpy as np
import pytest
import torch
from torch import nn

from relicheck.checkpoints.source import read_source


def _head(modules):
    mlp = nn.Sequential(nn.Linear(256, 16), nn.GELU(), nn.Linear(16, 8))
    last = nn.Module()  # what torch.nn.utils.weight_norm leaves of a linear layer
    last.weight_g, last.weight_v = (nn.Parameter(torch.ones(32, n)) for n in (1, 8))
    return modules(mlp=mlp, last_layer=last)


@pytest.fixture
def saved(tmp_path, resnet, distributed, optimizer_state, modules):
    both = {}
    for seed, name in enumerate(("student", "teacher")):
        backbone = resnet(50, seed=seed)
        backbone.fc = backbone.head = nn.Identity()
        both[name] = modules(backbone=backbone, head=_head(modules))
    content = {
        **{name: distributed(network) for name, network in both.items()},
        "optimizer": optimizer_state(both["student"]),
        "epoch": 800,
        "args": Namespace(arch="resnet50", out_dim=60000),
        "dino_loss": {"center": torch.zeros(1, 32)},
        "fp16_scaler": {"scale": 65536.0},
    }
    path = tmp_path / "dino_resnet50_pretrain_full_checkpoint.pth"
    torch.save(content, path)
    return path, both


def test_the_teacher_is_read_though_the_student_comes_first(saved, assert_same_stages, detected):
    path, both = saved

    ours = assert_same_stages(path, both["teacher"].backbone)

    assert detected(path) == "dino"
    assert ours.manifest.method == "dino"
    assert ours.manifest.preprocessing.interpolation == "bicubic"
    assert ours.manifest.training["network"] == "teacher"
    assert "student (109 tensors)" not in ours.manifest.training["dropped"]
    assert any(line.startswith("student (") for line in ours.manifest.training["dropped"])


def test_the_student_is_read_when_it_is_asked_for(saved, assert_same_stages):
    path, both = saved

    assert_same_stages(path, both["student"].backbone, network="student")


def test_a_backbone_alone_is_torchvisions_unless_the_user_says_whose_it_is(
    tmp_path, saved, assert_same_stages, detected
):
    backbone = saved[1]["teacher"].backbone
    path = tmp_path / "dino_resnet50_pretrain.pth"
    torch.save(backbone.state_dict(), path)

    ours = assert_same_stages(path, backbone, format_name="dino")

    assert detected(path) == "torchvision"
    assert ours.manifest.method == "dino"
    assert np.array_equal(
        read_source(path).read()["conv1.weight"], backbone.conv1.weight.detach().numpy()
    )
