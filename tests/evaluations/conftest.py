"""Small networks and image folders for the evaluation tests."""

import numpy as np
import pytest
import torch
from PIL import Image

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.sources import from_arrays


def make_network(classes=None, seed=0, image_size=16, **preprocessing):
    """A ResNet-18 at width 1/8 with random weights and its manifest."""
    torch.manual_seed(seed)
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar")
    network = ResNet(spec, classes).eval()
    network.manifest = Manifest(
        spec=spec,
        preprocessing=Preprocessing(image_size=image_size, **preprocessing),
        method="random",
        source="a test",
        licence="Apache-2.0",
        classes=classes,
    )
    return network


@pytest.fixture
def network():
    return make_network()


@pytest.fixture(scope="session")
def with_classes():
    """A maker of networks with a classifier: classes -> network."""
    return make_network


@pytest.fixture
def checkpoint(tmp_path, network):
    path = tmp_path / "tiny.safetensors"
    write_checkpoint(path, network.canonical_tensors(), network.manifest)
    return path


def write_images(folder, count=3, side=16, suffix=".png", seed=0):
    """Write `count` images of noise around a colour of their own folder."""
    colour = np.random.default_rng([*folder.name.encode()]).integers(40, 216, size=3)
    rng = np.random.default_rng([seed, *folder.name.encode()])
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        noise = rng.integers(-30, 30, size=(side, side, 3))
        pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03d}{suffix}")


@pytest.fixture
def image_folder(tmp_path):
    """Three classes, eight training and three test images each."""
    root = tmp_path / "animals"
    for name in ("cat", "dog", "emu"):
        write_images(root / "train" / name, 8)
        write_images(root / "test" / name, 3, seed=1)
    return root


@pytest.fixture
def noise():
    """Twelve images of noise, 16 x 16, in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, size=(12, 16, 16, 3), dtype=np.uint8)
    return from_arrays(
        pixels, name="noise", split="test", labels=np.arange(12) % 3, class_names=("a", "b", "c")
    )


@pytest.fixture(scope="session")
def masked_folder(tmp_path_factory):
    """Pictures of one square on dark ground: 12 to train on, 5 to score, 48 x 64 px and less.

    The square's colour is its class; the two uppermost rows of every mask are not scored.
    """
    root = tmp_path_factory.mktemp("masks") / "squares"
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 5)):
        for index in range(count):
            height, width = 48 - index % 2, 64 - index % 3
            mask = np.zeros((height, width), dtype=np.uint8)
            top, left = rng.integers(0, 24, size=2)
            mask[top : top + 22, left : left + 30] = 1 + index % 2
            image = rng.integers(0, 40, size=(height, width, 3))
            image += np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0]])[mask]
            mask[:2] = 255
            for kind, pixels in (("images", image), ("masks", mask)):
                (root / split / kind).mkdir(parents=True, exist_ok=True)
                picture = Image.fromarray(pixels.astype(np.uint8))
                picture.save(root / split / kind / f"{index:03d}.png")
    (root / "classes.txt").write_text("ground\nred\ngreen\n")
    return root
