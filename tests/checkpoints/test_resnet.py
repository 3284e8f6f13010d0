"""The one ResNet computes what the original libraries compute."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from relicheck.checkpoints.resnet import ResNet, same_padding
from relicheck.checkpoints.spec import ResNetSpec


@pytest.mark.parametrize("side", [64, 65])
@pytest.mark.parametrize("depth", [18, 50])
def test_symmetric_padding_gives_torchvisions_logits(torchvision, depth, side):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, f"resnet{depth}")().eval()
    state = {n: t.numpy() for n, t in theirs.state_dict().items() if "num_batches" not in n}
    ours = ResNet(ResNetSpec(depth=depth), classes=1000).fill(state).eval()
    images = torch.randn(2, 3, side, side)

    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        # TensorFlow, tf.nn.convolution, "SAME": total = (ceil(n/s) - 1) s + k - n.
        (224, 7, 2, (2, 3)),  # (112 - 1) * 2 + 7 - 224 = 5, the odd pixel after
        (225, 7, 2, (3, 3)),  # (113 - 1) * 2 + 7 - 225 = 6
        (112, 3, 2, (0, 1)),
        (16, 1, 2, (0, 0)),  # (8 - 1) * 2 + 1 - 16 = -1: nothing to pad
        (32, 3, 1, (1, 1)),
    ],
)
def test_same_padding_is_tensorflows(size, kernel, stride, padding):
    assert same_padding(size, kernel, stride) == padding


def test_the_two_paddings_are_different_functions_on_even_sides():
    torch.manual_seed(0)
    spec = {"depth": 18, "width_multiplier": 1 / 8}
    symmetric = ResNet(ResNetSpec(**spec, padding="symmetric")).eval()
    same = ResNet(ResNetSpec(**spec, padding="same")).fill(symmetric.canonical_tensors()).eval()
    images = torch.randn(1, 3, 64, 64)

    with torch.inference_mode():
        difference = (symmetric.features(images) - same.features(images)).abs().max()

    assert difference > 1e-3


def test_the_max_pool_of_same_padding_never_sees_its_padding():
    # With zeros instead of minus infinity, the edge of a negative image would become 0.
    network = ResNet(ResNetSpec(depth=18, width_multiplier=1 / 8, padding="same"))

    pooled = network.maxpool(torch.full((1, 1, 4, 4), -1.0))

    assert torch.equal(pooled, torch.full((1, 1, 2, 2), -1.0))


def test_a_parameter_free_shortcut_takes_every_second_pixel_and_pads_channels():
    network = ResNet(ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free"))
    images = torch.randn(1, 16, 4, 4)

    shortcut = network.layer2[0].downsample(images)

    # 16 -> 32 channels: eight zeros before, eight after.
    wanted = functional.pad(images[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8))
    assert torch.equal(shortcut, wanted)


def test_features_are_the_spatial_mean_of_the_last_stage(tiny_spec):
    network = ResNet(tiny_spec).eval()
    images = torch.randn(2, 3, 16, 16)

    with torch.inference_mode():
        last = network.stages(images)[-1].numpy()
        features = network.features(images).numpy()

    np.testing.assert_allclose(features, last.mean(axis=(2, 3)), rtol=1e-6)
