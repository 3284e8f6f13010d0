"""SimSiam: facebookresearch/simsiam: simsiam/builder.py, main_simsiam.py rebuilt from torch."""

import torch
from torch import nn


def _linear_bn(size):
    return nn.Linear(size, size, bias=False), nn.BatchNorm1d(size), nn.ReLU(inplace=True)


def test_the_encoder_is_read_and_its_projector_and_the_predictor_dropped(
    tmp_path, resnet, distributed, optimizer_state, modules, assert_same_stages, detected
):
    encoder = resnet(50, classes=8)
    last = nn.BatchNorm1d(8, affine=False)
    encoder.fc = nn.Sequential(*_linear_bn(256), *_linear_bn(256), encoder.fc, last).eval()
    predictor = nn.Sequential(
        nn.Linear(8, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 8)
    )
    model = modules(encoder=encoder, predictor=predictor)
    content = {
        "epoch": 100,
        "arch": "resnet50",
        "state_dict": distributed(model),
        "optimizer": optimizer_state(model),
    }
    path = tmp_path / "checkpoint_0099.pth.tar"
    torch.save(content, path)

    ours = assert_same_stages(path, encoder)

    assert detected(path) == "simsiam"
    assert (ours.manifest.method, ours.manifest.classes) == ("simsiam", None)
    # Three linear layers (the last with a bias), two whole BatchNorms, statistics of a third.
    assert "state_dict.module.encoder.fc (14 tensors)" in ours.manifest.training["dropped"]
    assert "state_dict.module.predictor (7 tensors)" in ours.manifest.training["dropped"]
