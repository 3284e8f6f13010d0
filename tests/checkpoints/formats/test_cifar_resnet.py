"""CIFAR ResNets: akamaster's published files, and kuangliu's blocks rebuilt from torch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.source import read_source


class _Block(nn.Module):
    """kuangliu/pytorch-cifar: models/resnet.py, BasicBlock and Bottleneck."""

    def __init__(self, source, planes, stride, bottleneck):
        super().__init__()
        outer = 4 * planes if bottleneck else planes
        plan = (
            [(source, planes, 1, 1), (planes, planes, 3, stride), (planes, outer, 1, 1)]
            if bottleneck
            else [(source, planes, 3, stride), (planes, planes, 3, 1)]
        )
        self.steps = len(plan)
        for index, (inner, wide, kernel, step) in enumerate(plan, start=1):
            convolution = nn.Conv2d(inner, wide, kernel, step, kernel // 2, bias=False)
            setattr(self, f"conv{index}", convolution)
            setattr(self, f"bn{index}", nn.BatchNorm2d(wide))
        self.shortcut = nn.Sequential()
        if stride != 1 or source != outer:
            self.shortcut = nn.Sequential(
                nn.Conv2d(source, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)
            )

    def forward(self, images):
        maps = images
        for index in range(1, self.steps + 1):
            maps = getattr(self, f"bn{index}")(getattr(self, f"conv{index}")(maps))
            maps = functional.relu(maps) if index < self.steps else maps
        return functional.relu(maps + self.shortcut(images))


class _ResNet(nn.Module):
    def __init__(self, blocks, bottleneck=False, base=8, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, base, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        source = base
        for stage, count in enumerate(blocks):
            row = []
            for block in range(count):
                stride = 2 if stage and not block else 1
                row.append(_Block(source, base * 2**stage, stride, bottleneck))
                source = base * 2**stage * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*row))
        self.linear = nn.Linear(source, classes)

    def forward(self, images):
        maps = functional.relu(self.bn1(self.conv1(images)))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        # At 32 pixels the maps have 4: this is the global average.
        return self.linear(torch.flatten(functional.avg_pool2d(maps, maps.shape[-1]), 1))


@pytest.mark.parametrize(
    ("depth", "blocks"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3)), (50, (3, 4, 6, 3))]
)
def test_a_3x3_stem_and_shortcuts_by_another_name_are_read(
    tmp_path, telling, distributed, assert_same_stages, detected, depth, blocks
):
    network = telling(_ResNet(blocks, bottleneck=depth == 50))
    path = tmp_path / "ckpt.pth"
    torch.save({"net": distributed(network), "acc": 95.47, "epoch": 187}, path)
    images = torch.randn(2, 3, 32, 32)

    ours = assert_same_stages(path, network, sides=(32, 33))

    assert detected(path) == "cifar_resnet"
    assert (ours.spec.depth, ours.spec.stem) == (depth, "cifar")
    assert ours.manifest.training["stored"] == {"acc": 95.47, "epoch": 187}
    with torch.inference_mode():
        wanted = network(images)
        assert (ours(images) - wanted).abs().max() <= 1e-4 * wanted.abs().max()


def test_supcons_encoder_is_read_from_beside_its_head(
    tmp_path, telling, modules, assert_same_stages, detected
):
    # HobbitLong/SupContrast: main_supcon.py wraps the encoder alone; util.py saves `model`.
    encoder = telling(_ResNet((3, 4, 6, 3), bottleneck=True))
    del encoder.linear
    encoder.linear = nn.Identity()
    head = nn.Sequential(nn.Linear(256, 256), nn.ReLU(inplace=True), nn.Linear(256, 8))
    model = modules(encoder=nn.DataParallel(encoder), head=head)
    torch.save({"opt": None, "model": model.state_dict(), "epoch": 1000}, tmp_path / "last.pth")

    ours = assert_same_stages(tmp_path / "last.pth", encoder, sides=(32, 33))

    assert detected(tmp_path / "last.pth") == "cifar_resnet"
    assert ours.manifest.classes is None


def test_a_pre_activation_network_is_refused_by_name(tmp_path, telling):
    # kuangliu/pytorch-cifar: models/preact_resnet.py: BatchNorm comes first, over what a block
    # is given, and shortcuts have none.
    network = telling(_ResNet((2, 2, 2, 2)))
    state = {n: t for n, t in network.state_dict().items() if not n.startswith("bn1")}
    state = {n: t for n, t in state.items() if ".shortcut.1" not in n}
    for name, tensor in list(state.items()):
        if ".0.bn1." in name and tensor.dim():
            state[name] = torch.ones(state[name.rpartition("bn1")[0] + "conv1.weight"].shape[1])
    torch.save({"net": state}, tmp_path / "preact.pth")

    with pytest.raises(BadCheckpoint, match=r"pre-activation \(ResNet v2\)"):
        read_source(tmp_path / "preact.pth")


@pytest.mark.parametrize(("name", "depth"), [("resnet20-12fca82f", 20), ("resnet56-4bfd9763", 56)])
def test_published_files_of_cuda_machines_are_read(real_data, detected, name, depth):
    path = real_data / "weights" / f"{name}.th"

    source = read_source(path)

    assert detected(path) == "cifar_resnet"
    assert source.spec.depth == depth
    assert all(np.isfinite(tensor).all() for tensor in source.read().values())
