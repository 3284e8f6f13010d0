"""Dilation makes the last map denser and changes no weight."""

import pytest
import torch

from relicheck.checkpoints.errors import UsageError
from relicheck.checkpoints.resnet import untrained
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.evaluations.segmentation.dilation import dilated, native_stride

SMALL = {"width_multiplier": 1 / 8}


def strides_and_dilations(network):
    """(stride, dilation) of the 3x3 convolutions of the last stage, in their order."""
    last = getattr(network, f"layer{len(network.spec.blocks)}")
    return [
        (m.stride[0], m.dilation[0])
        for m in last.modules()
        if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)
    ]


@pytest.mark.parametrize(("depth", "convolutions"), [(18, 4), (50, 3)])
def test_conv5_gets_dilation_2_and_stride_1_in_every_3x3_convolution(depth, convolutions):
    network = untrained(ResNetSpec(depth=depth, **SMALL))

    dense = dilated(network, 16)

    assert strides_and_dilations(dense) == [(1, 2)] * convolutions
    assert strides_and_dilations(network)[0] == (2, 1)  # the original is left as it is


def test_at_stride_8_conv4_has_dilation_2_and_conv5_4():
    dense = dilated(untrained(ResNetSpec(depth=18, **SMALL)), 8)

    assert strides_and_dilations(dense) == [(1, 4)] * 4
    assert dense.layer3[0].conv1.dilation == (2, 2)


@pytest.mark.parametrize("padding", ["same", "symmetric", "flax"])
@pytest.mark.parametrize(("stem", "native"), [("imagenet", 32), ("cifar", 8)])
def test_the_map_has_the_stride_asked_for_and_earlier_stages_are_unchanged(padding, stem, native):
    network = untrained(ResNetSpec(depth=18, stem=stem, padding=padding, **SMALL))
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))

    assert native_stride(network) == native
    plain, dense = network.stages(images), dilated(network, native // 2).stages(images)

    assert [tuple(m.shape[2:]) for m in (plain[-1], dense[-1])] == [
        (64 // native, 96 // native), (128 // native, 192 // native)
    ]  # fmt: skip
    for before, after in zip(plain[:-1], dense[:-1], strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("depth", [18, 50])
def test_exact_dilation_keeps_every_second_pixel(depth):
    # A trous: a strided convolution computes every second output of the unstrided one.
    network = untrained(ResNetSpec(depth=depth, **SMALL))
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    plain, dense = network.stages(images)[-1], dilated(network, 16, exact=True).stages(images)[-1]

    torch.testing.assert_close(dense[:, :, ::2, ::2], plain, rtol=1e-5, atol=1e-5)


def test_torchvision_dilates_exactly_alike(torchvision):
    network = untrained(ResNetSpec(depth=50))
    oracle = torchvision.models.resnet50(replace_stride_with_dilation=[False, False, True]).eval()
    oracle.load_state_dict(network.state_dict(), strict=False)
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    features = dilated(network, 16, exact=True).features(images)
    oracle.fc = torch.nn.Identity()

    torch.testing.assert_close(features, oracle(images), rtol=1e-4, atol=1e-5)


def test_a_parameter_free_shortcut_takes_every_pixel():
    network = untrained(ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free"))

    dense = dilated(network, 2)

    assert dense.stages(torch.zeros(1, 3, 32, 32))[-1].shape == (1, 64, 16, 16)


def test_a_dense_network_is_only_copied():
    network = untrained(ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free"))

    copied = dilated(network, 16)

    assert copied is not network
    assert strides_and_dilations(copied) == strides_and_dilations(network)


@pytest.mark.parametrize("stride", [2, 12, 0])
def test_a_stride_that_no_resnet_has_is_refused(stride):
    with pytest.raises(UsageError, match=f"output_stride: {stride}. Wanted: a power of two"):
        dilated(untrained(ResNetSpec(depth=18, **SMALL)), stride)
