"""Small folders of images and masks."""

import numpy as np
import pytest
import torch
from PIL import Image

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec

COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])


def save_mask(path, values, mode="L"):
    """Write [H, W] integers as a PNG: of mode L, or of mode P with a palette of other numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values, dtype=np.uint8))
    if mode == "P":
        image.putpalette([(7 * i + 40) % 256 for i in range(768)])
    image.save(path)


def save_image(path, height=6, width=8, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, size=(height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def mask_folder(tmp_path):
    """Three classes in rectangles of their colours with noise; 8 training, 5 test images."""
    root = tmp_path / "patches"
    for split, count in (("train", 8), ("test", 5)):
        for index in range(count):
            rng = np.random.default_rng([len(split), index])
            truth = rng.integers(0, 3, size=(3, 4)).repeat(8, axis=0).repeat(8, axis=1)
            noise = rng.normal(0, 25, size=(*truth.shape, 3))
            pixels = np.clip(COLOURS[truth] + noise, 0, 255).astype(np.uint8)
            folder = root / split
            (folder / "images").mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / "images" / f"{index:02d}.png")
            truth[:2] = 255
            save_mask(folder / "masks" / f"{index:02d}.png", truth)
    (root / "classes.txt").write_text("red\ngreen\nblue\n")
    return root


@pytest.fixture
def tiny_checkpoint(tmp_path):
    """A ResNet-18 at width 1/8 with the stem for small images, with random weights."""
    torch.manual_seed(0)
    spec = ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar")
    manifest = Manifest(
        spec=spec,
        preprocessing=Preprocessing(image_size=16),
        method="random",
        source="a test",
        licence="Apache-2.0",
    )
    path = tmp_path / "tiny.safetensors"
    write_checkpoint(path, ResNet(spec).canonical_tensors(), manifest)
    return path
