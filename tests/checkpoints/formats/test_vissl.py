"""VISSL: facebookresearch/vissl: vissl/hooks/log_hooks.py, models/trunks/resnext.py rebuilt."""

import pytest
import torch
from torch import nn


class _Trunk(nn.Module):
    """resnext.py keeps the parts of a torchvision ResNet in a ModuleDict."""

    def __init__(self, network):
        super().__init__()
        names = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
        parts = {name: getattr(network, name) for name in (*names, "avgpool")}
        parts["conv1_relu"] = parts.pop("relu")
        order = ("conv1", "bn1", "conv1_relu", *names[3:], "avgpool")
        self._feature_blocks = nn.ModuleDict({name: parts[name] for name in order})

    def forward(self, images):
        for block in self._feature_blocks.values():
            images = block(images)
        return images


@pytest.fixture
def save(tmp_path, resnet, modules, optimizer_state):
    def run(width=1 / 8, depth=50, extracted=False):
        trunks = [_Trunk(resnet(depth, width, seed=seed)) for seed in range(3)]
        heads = nn.ModuleList([modules(clf=nn.Sequential(nn.Linear(16, 8)))])
        states = [trunk.state_dict() for trunk in trunks]
        if extracted:
            states[0] = modules(base_model=trunks[0]).state_dict()
        model = {"model": {"trunk": states[0], "heads": heads.state_dict()}, "meta": {}}
        average = {"model": {"trunk": states[1], "heads": heads.state_dict()}, "meta": {}}
        content = {
            "phase_idx": 99,
            "iteration": 500400,
            "loss": modules(moco_encoder=modules(trunk=trunks[2])).state_dict(),
            "iteration_num": 500399,
            "train_phase_idx": 99,
            "classy_state_dict": {
                "train": True,
                "base_model": model,
                "ema_model": average,
                "optimizer": {"optim": optimizer_state(trunks[0])},
                "hooks": {"SaveHook": {}},
            },
        }
        path = tmp_path / "model_final_checkpoint_phase99.torch"
        torch.save(content, path)
        return path, trunks

    return run


@pytest.mark.parametrize(("width", "depth"), [(1 / 8, 50), (1 / 4, 18)])
def test_the_trunk_is_read(save, assert_same_stages, detected, width, depth):
    path, trunks = save(width, depth)

    ours = assert_same_stages(path, trunks[0], trunks[0]._feature_blocks)

    assert detected(path) == "vissl"
    assert (ours.spec.depth, ours.spec.width_multiplier) == (depth, width)
    assert ours.manifest.classes is None


@pytest.mark.parametrize(("network", "index"), [("ema", 1), ("momentum", 2)])
def test_the_average_and_the_momentum_copy_are_read_when_asked_for(
    save, assert_same_stages, network, index
):
    path, trunks = save()

    assert_same_stages(path, trunks[index], trunks[index]._feature_blocks, network=network)


def test_a_trunk_that_features_were_extracted_from_lies_one_level_deeper(save, assert_same_stages):
    path, trunks = save(extracted=True)

    assert_same_stages(path, trunks[0], trunks[0]._feature_blocks)
