import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import BadCheckpoint, MissingData
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.feature_cache import Extract, read_features, write_features
from relicheck.evaluations.features import extract, state_hash
from relicheck.evaluations.preprocess import crops, normalise
from relicheck.evaluations.subject import Subject, open_model
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


def subject(network, data, cache):
    return Subject(model=open_model(network), data=data, cache=cache)


def test_cached_features_are_reused(network, image_folder, tmp_path, monkeypatch):
    first, _ = subject(network, image_folder, tmp_path / "c").features("test")
    monkeypatch.setattr("relicheck.evaluations.subject.extract", None)  # calling it would fail
    again = subject(network, image_folder, tmp_path / "c")
    np.testing.assert_array_equal(again.features("test")[0], first)
    assert again.used_cache()


def test_other_weights_images_or_preprocessing_are_not_found_in_the_cache(
    network, image_folder, tmp_path
):
    cache = tmp_path / "c"
    subject(network, image_folder, cache).features("test")
    (image_folder / "test" / "cat" / "000.png").unlink()
    subject(network, image_folder, cache).features("test")
    with torch.no_grad():
        network.conv1.weight += 1
    subject(network, image_folder, cache).features("test")
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("damage", ["truncate", "flip", "text"])
def test_a_damaged_cache_file_is_made_again_with_a_message(
    network, image_folder, tmp_path, caplog, damage
):
    cache = tmp_path / "c"
    first, _ = subject(network, image_folder, cache).features("test")
    [path] = cache.iterdir()
    content = bytearray(path.read_bytes())
    content[-5] ^= 0x40
    damaged = {"truncate": content[:-20], "flip": content, "text": b"oops"}
    path.write_bytes(bytes(damaged[damage]))
    np.testing.assert_array_equal(subject(network, image_folder, cache).features("test")[0], first)
    assert "cached features cannot be used" in caplog.text
    assert read_features(path) is not None


def test_a_written_cache_file_reads_back(tmp_path):
    made = Extract(
        features=np.arange(6, dtype=np.float32).reshape(3, 2),
        labels=np.array([0, 1, 1]),
        facts={"dataset": "x"},
    )
    write_features(tmp_path / "x.safetensors", made)
    found = read_features(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(found.features, made.features)
    assert found.labels.tolist() == [0, 1, 1]
    assert found.facts == {"dataset": "x"}


def test_cached_features_stand_in_for_absent_images(network, image_folder, tmp_path):
    first, labels = subject(network, image_folder, tmp_path / "c").features("test")
    image_folder.rename(tmp_path / "elsewhere")
    alone = subject(network, image_folder, tmp_path / "c")
    np.testing.assert_array_equal(alone.features("test")[0], first)
    np.testing.assert_array_equal(alone.features("test")[1], labels)
    with pytest.raises(MissingData, match="only cached features are here"):
        alone.images("test")[0]


def test_features_of_another_network_do_not_stand_in(network, image_folder, tmp_path):
    subject(network, image_folder, tmp_path / "c").features("test")
    image_folder.rename(tmp_path / "elsewhere")
    with torch.no_grad():
        network.conv1.weight += 1
    with pytest.raises(MissingData, match="there is no such folder"):
        subject(network, image_folder, tmp_path / "c").features("test")
