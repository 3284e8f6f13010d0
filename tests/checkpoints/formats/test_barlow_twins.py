"""Barlow Twins: facebookresearch/barlowtwins: main.py rebuilt from torch."""

import pytest
import torch
from torch import nn


@pytest.fixture
def saved(tmp_path, resnet, distributed, optimizer_state, modules):
    backbone = resnet(50)
    backbone.fc = nn.Identity()
    projector = nn.Sequential(
        nn.Linear(256, 16, bias=False),
        nn.BatchNorm1d(16),
        nn.ReLU(inplace=True),
        nn.Linear(16, 16, bias=False),
    )
    model = modules(backbone=backbone, projector=projector, bn=nn.BatchNorm1d(16, affine=False))
    content = {"epoch": 1000, "model": distributed(model), "optimizer": optimizer_state(model)}
    torch.save(content, tmp_path / "checkpoint.pth")
    torch.save(backbone.state_dict(), tmp_path / "resnet50.pth")
    return tmp_path, backbone


def test_the_full_checkpoint_is_told_by_its_projector_and_last_normalisation(
    saved, assert_same_stages, detected
):
    folder, backbone = saved

    ours = assert_same_stages(folder / "checkpoint.pth", backbone)

    assert detected(folder / "checkpoint.pth") == "barlow_twins"
    assert (ours.manifest.method, ours.manifest.classes) == ("barlow_twins", None)


def test_the_backbone_alone_bears_no_mark(saved, assert_same_stages, detected):
    folder, backbone = saved

    ours = assert_same_stages(folder / "resnet50.pth", backbone, format_name="barlow_twins")

    assert detected(folder / "resnet50.pth") == "torchvision"
    assert ours.manifest.method == "barlow_twins"
