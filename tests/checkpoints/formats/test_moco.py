"""MoCo v1 and v2: facebookresearch/moco: moco/builder.py, main_moco.py rebuilt from torch."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, UsageError
from relicheck.checkpoints.source import read_source, read_upstream


@pytest.fixture
def moco(resnet, distributed, optimizer_state, modules, telling):
    def build(path, mlp=False, depth=18):
        model = modules(
            encoder_q=resnet(depth, classes=8), encoder_k=resnet(depth, classes=8, seed=1)
        )
        for encoder in (model.encoder_q, model.encoder_k) if mlp else ():
            width = encoder.fc.in_features
            encoder.fc = nn.Sequential(nn.Linear(width, width), nn.ReLU(), encoder.fc)
        model.register_buffer("queue", torch.randn(8, 16))
        model.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))
        content = {
            "epoch": 200,
            "arch": "resnet50",
            "state_dict": distributed(model),
            "optimizer": optimizer_state(model.encoder_q),
        }
        torch.save(content, path)
        return model

    return build


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize(("mlp", "method"), [(False, "moco_v1"), (True, "moco_v2")])
def test_the_query_encoder_is_read_and_the_projector_dropped(
    tmp_path, moco, assert_same_stages, detected, mlp, method, depth
):
    path = tmp_path / "checkpoint_0199.pth.tar"
    model = moco(path, mlp, depth)

    ours = assert_same_stages(path, model.encoder_q)

    assert detected(path) == "moco"
    assert (ours.manifest.method, ours.manifest.classes) == (method, None)
    assert ours.manifest.training["network"] == "query"
    assert ours.manifest.training["stored"] == {"epoch": 200, "arch": "resnet50"}


def test_the_momentum_encoder_is_read_when_it_is_asked_for(tmp_path, moco, assert_same_stages):
    model = moco(tmp_path / "m.pth.tar")

    assert_same_stages(tmp_path / "m.pth.tar", model.encoder_k, network="momentum")


def test_everything_that_is_left_aside_is_listed(tmp_path, moco):
    moco(tmp_path / "m.pth.tar")

    _, upstream = read_upstream(open_checkpoint(tmp_path / "m.pth.tar"))

    # 20 convolutions with BatchNorm of four, the head, without the counters: 20 * 5 + 2.
    assert upstream.dropped == (
        "optimizer (62 tensors)",
        "state_dict.module.encoder_k (102 tensors)",
        "state_dict.module.encoder_q.fc.bias",
        "state_dict.module.encoder_q.fc.weight",
        "state_dict.module.queue",
        "state_dict.module.queue_ptr",
    )


def test_an_unknown_network_is_wrong_use_and_names_the_known_ones(tmp_path, moco):
    moco(tmp_path / "m.pth.tar")

    with pytest.raises(UsageError, match="query or momentum"):
        read_source(tmp_path / "m.pth.tar", None, None, "teacher")


def test_a_momentum_copy_is_not_taken_where_the_query_encoder_is_missing(tmp_path, resnet, modules):
    model = modules(encoder_k=resnet())
    torch.save({"state_dict": model.state_dict()}, tmp_path / "k.pth")

    with pytest.raises(BadCheckpoint, match="holds no query network"):
        read_source(tmp_path / "k.pth", "moco")


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_table_saved_without_its_keys_and_wrapper_is_still_mocos(tmp_path, moco, detected, kind):
    model, path = moco(tmp_path / "m.pth.tar"), tmp_path / "table"
    if kind == "safetensors":
        save_file(model.state_dict(), path)
    else:
        torch.save(model.state_dict(), path, _use_new_zipfile_serialization=kind == "zip")

    tensors = read_source(path).read()

    assert detected(path) == "moco"
    assert np.array_equal(tensors["conv1.weight"], model.encoder_q.conv1.weight.detach().numpy())
