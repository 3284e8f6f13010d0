"""Torch networks by torchvision's own blocks, at any width, and what projects save of them."""

import numpy as np
import pytest
import torch
from torch import nn

from relicheck.checkpoints import formats
from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.source import read_source

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}


def telling(network, seed=0):
    """The network in evaluation mode, with values that any mix-up of tensors would betray."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.dim() == 0:
                tensor.fill_(seed + 7)  # num_batches_tracked
            elif "running_var" in name or ("weight" in name and tensor.dim() == 1):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.dim() == 1:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) / 10)
            else:
                scale = np.sqrt(2 / max(tensor[0].numel(), 1))
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)
    return network.eval()


@pytest.fixture
def resnet(torchvision):
    """Call for a ResNet of torchvision's blocks whose every channel count is multiplied.

    torchvision has no width multiplier; facebookresearch/vissl: vissl/models/trunks/resnext.py
    replaces its layers likewise.
    """
    models = torchvision.models.resnet

    def build(depth=18, width=1 / 8, classes=5, seed=0, stem="imagenet"):
        block = models.Bottleneck if depth >= 50 else models.BasicBlock
        with torch.device("meta"):  # its own layers are all replaced
            network = models.ResNet(block, list(BLOCKS[depth]))
        base = network.inplanes = int(64 * width)
        kernel, stride = (7, 2) if stem == "imagenet" else (3, 1)
        network.conv1 = nn.Conv2d(3, base, kernel, stride, kernel // 2, bias=False)
        network.bn1 = nn.BatchNorm2d(base)
        for stage, blocks in enumerate(BLOCKS[depth]):
            planes, step = base * 2**stage, 1 + (stage > 0)
            setattr(network, f"layer{stage + 1}", network._make_layer(block, planes, blocks, step))
        network.fc = nn.Linear(base * 8 * block.expansion, classes)
        if stem == "cifar":
            network.maxpool = nn.Identity()
        return telling(network, seed)

    return build


def maps_of(network, images, parts):
    """The maps after the stem and every stage, seen while the network itself runs."""
    stages = [f"layer{stage}" for stage in range(1, 5) if hasattr(parts, f"layer{stage}")]
    # A network without a max-pool ends its stem by BatchNorm and a ReLU that is no module.
    names = ["maxpool" if hasattr(parts, "maxpool") else "bn1", *stages]
    if isinstance(parts, nn.Sequential):
        names = ["3", "4", "5", "6", "7"]
    seen = {}

    def keeper(name):
        return lambda _module, _given, out: seen.__setitem__(name, out.clone())

    hooks = [getattr(parts, name).register_forward_hook(keeper(name)) for name in names]
    with torch.inference_mode():
        network(images)
    for hook in hooks:
        hook.remove()
    return [seen[name].relu() for name in names]


@pytest.fixture
def assert_same_stages():
    """Call with (file, original): every stage agrees to 1e-4 on an even and on an odd side.

    `parts` is the module that holds conv1, layer1 and so on, where that is not the original.
    """

    def check(path, original, parts=None, *, network=None, format_name=None, sides=(64, 65)):
        ours = read_source(path, format_name, None, network).network()
        for side in sides:
            rng = np.random.default_rng(side)
            images = torch.from_numpy(rng.normal(size=(2, 3, side, side)).astype("f4"))
            with torch.inference_mode():
                found = ours.stages(images)
            wanted = maps_of(original, images, original if parts is None else parts)
            assert [one.shape for one in found] == [other.shape for other in wanted]
            for one, other in zip(found, wanted, strict=True):
                assert (one - other).abs().max() <= 1e-4 * other.abs().max()
        return ours

    return check


@pytest.fixture
def detected():
    """Call with a file: the one format that recognises it, after every format was asked."""

    def ask(path):
        opened = open_checkpoint(path)
        claims = [name for name in formats.names() if formats.load(name).matches(opened)]
        assert len(claims) == 1, claims
        return claims[0]

    return ask


@pytest.fixture
def distributed():
    """Call with a network: its state dict under `module.`, as DataParallel gives it."""
    return lambda network: nn.DataParallel(network).state_dict()


@pytest.fixture
def optimizer_state():
    """Call with a network: the state of an SGD whose momentum has the parameters' shapes."""

    def state(network):
        # A rate of 0 leaves the parameters as they are.
        optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9)
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        optimizer.zero_grad()
        return optimizer.state_dict()

    return state


class _Padded(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.padding = nn.ConstantPad2d(1, 0.0)
        for name, module in network.named_children():
            if name != "fc":
                setattr(self, name, module)
        self.conv1.padding = (2, 2)

    def forward(self, images):
        maps = self.maxpool(self.relu(self.bn1(self.conv1(self.padding(images)))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return torch.flatten(self.avgpool(maps), 1)


@pytest.fixture
def padded():
    """Call with a ResNet: the same as SwAV and VICReg write it, padding by 1 and again by 2.

    facebookresearch/swav: src/resnet50.py; facebookresearch/vicreg: resnet.py. It has no `fc`.
    """
    return _Padded


def modules(**children):
    """A module of these children: what a state dict needs of a project's class."""
    parent = nn.Module()
    for name, child in children.items():
        setattr(parent, name, child)
    return parent


@pytest.fixture(name="modules")
def _modules():
    return modules


@pytest.fixture(name="telling")
def _telling():
    return telling
