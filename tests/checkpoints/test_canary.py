"""The canary tells trained weights from untrained ones, and says so in the manifest."""

import numpy as np
import pytest
import torch

from relicheck.checkpoints import untrained
from relicheck.checkpoints.canary import IMAGES, photographs, spread_of, untrained_spread
from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec


def test_equal_features_have_rank_one_and_no_spread():
    found = spread_of(torch.ones(8, 5))

    assert found.rank == pytest.approx(1, abs=1e-3)
    assert found.spread == 0


def test_orthogonal_features_of_one_length_have_full_rank():
    # Eight equal singular values: entropy log 8. Their mean has 1/8 of the squared length, so
    # the spread is sqrt(7/8).
    found = spread_of(torch.eye(8))

    assert found.rank == pytest.approx(8, abs=1e-2)
    assert found.spread == pytest.approx(0.9354, abs=1e-3)


def test_the_photographs_are_distinct_and_normalised_as_the_network_wants_them():
    plain = photographs(Preprocessing(image_size=32, mean=(0, 0, 0), std=(1, 1, 1)))
    normalised = photographs(Preprocessing(image_size=32))

    assert plain.shape == (IMAGES, 3, 32, 32)
    assert 0 <= plain.min() < plain.max() <= 1
    assert len({image.numpy().tobytes() for image in plain}) == IMAGES
    red = (plain[:, 0] - 0.485) / 0.229
    np.testing.assert_allclose(normalised[:, 0], red, rtol=1e-5)


def test_the_untrained_network_is_the_same_each_time_and_leaves_the_generator_alone():
    spec, images = ResNetSpec(depth=18, stem="cifar"), torch.randn(4, 3, 16, 16)
    torch.manual_seed(5)
    before = torch.get_rng_state()

    assert untrained_spread(spec, images) == untrained_spread(spec, images)
    assert torch.equal(torch.get_rng_state(), before)


def _kept(heavy):
    return {
        key: wanted
        for key, wanted in untrained.published().items()
        if ((wanted[0].depth > 50 or wanted[0].width_multiplier > 1) and key[0] != "56") is heavy
    }


def test_what_untrained_networks_see_is_kept_for_every_architecture_of_the_zoo():
    assert untrained.table().keys() == untrained.published().keys()


@pytest.mark.parametrize("key", _kept(heavy=False))
def test_what_is_kept_is_what_the_untrained_network_sees(key):
    spec, preprocessing = untrained.published()[key]

    found, kept = untrained_spread(spec, photographs(preprocessing)), untrained.table()[key]

    # Other processors round otherwise; the canary's margin is 10 %.
    assert found.rank == pytest.approx(kept.rank, rel=2e-3)
    assert found.spread == pytest.approx(kept.spread, rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("key", _kept(heavy=True))
def test_what_is_kept_is_what_the_larger_untrained_networks_see(key):
    test_what_is_kept_is_what_the_untrained_network_sees(key)


def test_an_architecture_that_is_not_kept_is_drawn_and_tried():
    spec, preprocessing = ResNetSpec(depth=18, width_multiplier=1 / 8), Preprocessing(image_size=40)
    images = photographs(preprocessing)

    assert untrained.key_of(spec, preprocessing) not in untrained.table()
    assert untrained.reference(spec, preprocessing, images) == untrained_spread(spec, images)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("depth", [18, 50])
def test_a_random_network_is_said_to_look_untrained(tmp_path, torchvision, seed, depth):
    torch.manual_seed(seed)
    network = getattr(torchvision.models, f"resnet{depth}")()  # He's initialisation
    torch.save(network.state_dict(), tmp_path / "random.pth")

    manifest = convert(tmp_path / "random.pth", tmp_path / "out.safetensors")

    assert "these weights look untrained" in manifest.warnings[0]


@pytest.mark.parametrize("name", ["resnet20-12fca82f", "resnet32-d509ac18", "resnet56-4bfd9763"])
def test_published_weights_look_trained(tmp_path, real_data, name):
    path = real_data / "weights" / f"{name}.th"

    manifest = convert(path, tmp_path / "out.safetensors")

    assert manifest.warnings == ()
    assert manifest.training["canary"]["rank"] > 1.5 * manifest.training["canary"]["untrained_rank"]


def test_weights_that_give_no_finite_features_are_refused(tmp_path):
    network = ResNet(ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar"))
    with torch.no_grad():
        network.bn1.running_var.fill_(-1)  # its root is not a number
    torch.save(network.state_dict(), tmp_path / "bad.pth")

    with pytest.raises(Exception, match="are not finite"):
        convert(tmp_path / "bad.pth", tmp_path / "out.safetensors")

    assert not (tmp_path / "out.safetensors").exists()
