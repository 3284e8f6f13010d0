"""Kinds of ResNet by their names and shapes; torchvision's plain ones are none of them."""

import pytest

from relicheck.checkpoints.parameters import parameter_shapes
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.checkpoints.variants import known_variant


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152, 200])
@pytest.mark.parametrize("width", [1 / 8, 1, 2, 4])
@pytest.mark.parametrize("stem", ["imagenet", "cifar"])
def test_a_plain_network_shows_no_variant(depth, width, stem):
    spec = ResNetSpec(depth=depth, width_multiplier=width, stem=stem)

    assert known_variant(parameter_shapes(spec, classes=1000)) is None


@pytest.mark.parametrize("shortcut", ["parameter_free", "projection", "every_stage"])
def test_a_three_stage_network_shows_no_variant(shortcut):
    spec = ResNetSpec(depth=20, stem="cifar", shortcut=shortcut)

    assert known_variant(parameter_shapes(spec, classes=10)) is None


@pytest.mark.parametrize(
    ("name", "shape", "variant"),
    [
        # adobe/antialiased-cnns: the filter is a buffer of its own.
        ("layer2.0.conv2.1.filt", (128, 1, 3, 3), "BlurPool"),
        ("layer1.0.se.fc1.weight", (16, 256, 1, 1), "squeeze-and-excitation"),
        ("layer1.0.se.conv.weight", (1, 1, 5), "ECA"),
        ("layer1.0.bn1.IN.weight", (32,), "IBN"),
        ("layer2.0.downsample.2.weight", (512,), "ResNet-D"),
        # openai/CLIP: a second and third convolution before the first stage.
        ("conv2.weight", (32, 32, 3, 3), "a stem of several layers"),
        ("layer1.0.alpha", (), "learned gains"),
        ("layer1.0.conv4.weight", (64, 64, 1, 1), "more than three convolutions"),
    ],
)
def test_one_more_tensor_tells_the_kind(name, shape, variant):
    shapes = {**parameter_shapes(ResNetSpec(depth=50)), name: shape}

    assert variant in known_variant(shapes)


@pytest.mark.parametrize(
    ("changed", "variant"),
    [
        ({"conv1.weight": (64, 6, 7, 7)}, "an input of 6 channels"),
        ({"layer1.0.conv2.weight": (64, 2, 3, 3)}, r"ResNeXt, 32 groups"),
        (
            {"layer1.0.conv1.weight": (128, 64, 1, 1), "layer1.0.conv2.weight": (128, 128, 3, 3)},
            "Wide ResNet",
        ),
    ],
)
def test_shapes_tell_the_kind(changed, variant):
    assert variant in known_variant({**parameter_shapes(ResNetSpec(depth=50)), **changed})


def test_parameters_without_statistics_are_no_batch_normalisation():
    shapes = parameter_shapes(ResNetSpec(depth=50))
    affine = {name: shape for name, shape in shapes.items() if "running" not in name}

    assert "no running statistics" in known_variant(affine)
