"""What a spec allows, and what follows from it."""

import pytest

from relicheck.checkpoints.errors import ManifestMismatch
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec


def test_resnet_50_has_the_published_shape():
    spec = ResNetSpec(depth=50)

    assert spec.blocks == (3, 4, 6, 3)
    assert spec.stage_channels == (64, 128, 256, 512)
    assert spec.feature_dim == 2048


def test_the_cifar_family_has_three_stages_of_n_blocks():
    # He et al., Sec. 4.2: 6n + 2 layers; 56 = 6 * 9 + 2, channels 16, 32, 64.
    spec = ResNetSpec(depth=56, stem="cifar", shortcut="parameter_free")

    assert spec.blocks == (9, 9, 9)
    assert spec.feature_dim == 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("depth", 51),
        ("stem", "vgg"),
        ("padding", "valid"),
        ("shortcut", "none"),
        ("width_multiplier", 0),
        ("width_multiplier", 1 / 128),  # half a channel in the stem
        ("bn_epsilon", 0),
    ],
)
def test_values_that_describe_no_network_are_refused(field, value):
    with pytest.raises(ManifestMismatch, match="Wanted"):
        ResNetSpec(**{"depth": 18, field: value})


def test_a_bottleneck_has_no_parameter_free_shortcut():
    with pytest.raises(ManifestMismatch, match="parameter-free shortcuts at depth 50"):
        ResNetSpec(depth=50, shortcut="parameter_free")


def test_a_crop_larger_than_the_resized_image_is_refused():
    with pytest.raises(ManifestMismatch, match="image_size 224, resize 200"):
        Preprocessing(image_size=224, resize=200)
