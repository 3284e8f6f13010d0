import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.features import extract, state_hash
from relicheck.evaluations.preprocess import crops, normalise
from relicheck.evaluations.view import View

SIXTEEN = Preprocessing(image_size=16)
SIXTEEN_VIEW = View(preprocessing=SIXTEEN)


def test_features_are_those_of_the_network_in_the_source_s_order(network, noise, monkeypatch):
    with torch.no_grad():
        expected = network.features(normalise(crops(noise, range(12), SIXTEEN), SIXTEEN)).numpy()
    monkeypatch.setattr("relicheck.evaluations.features.batch_images", lambda _: 5)
    np.testing.assert_allclose(extract(network, noise, [SIXTEEN_VIEW])[0], expected, atol=1e-5)


def test_a_network_left_in_training_mode_is_still_evaluated_frozen(network, noise):
    before = state_hash(network)
    frozen = extract(network, noise, [SIXTEEN_VIEW])[0]
    network.train()
    np.testing.assert_array_equal(extract(network, noise, [SIXTEEN_VIEW])[0], frozen)
    assert state_hash(network) == before


class Drifting(torch.nn.Module):
    """A network whose statistics move whatever its mode."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def features(self, images):
        self.seen += 1
        return images.mean(dim=(2, 3))


def test_a_network_that_changes_while_it_is_read_is_refused(noise):
    with pytest.raises(BadCheckpoint, match="changed during a frozen evaluation"):
        extract(Drifting(), noise, [SIXTEEN_VIEW])


def test_features_that_are_not_finite_name_the_image(network, noise):
    with torch.no_grad():
        network.bn1.weight[0] = float("nan")
    with pytest.raises(BadCheckpoint, match="image 0 of noise are not finite"):
        extract(network, noise, [SIXTEEN_VIEW])[0]
