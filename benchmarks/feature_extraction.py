"""How much of feature extraction is the network: extraction over the bare forward pass.

    python benchmarks/feature_extraction.py

Both run in turn in this process, on the same network and the same images in memory; the
median of the paired ratios is what counts, 1.0 would be a free rim.
"""

import statistics
import time

import numpy as np
import torch

from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.evaluations.features import extract
from relicheck.evaluations.preprocess import batch_images

IMAGES, SIDE, REPEATS = 2048, 32, 7


class InMemory:
    """Random images of one side, as a data set's reader gives them."""

    name, split, expected = "benchmark", "test", None

    def __init__(self):
        rng = np.random.default_rng(0)
        self._images = rng.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
        self.labels = np.zeros(IMAGES, np.int64)
        self.identities = [str(index) for index in range(IMAGES)]

    def __len__(self):
        return IMAGES

    def __getitem__(self, index):
        return self._images[index]


def seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main():
    torch.set_num_threads(1)
    spec = ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free")
    network = ResNet(spec).eval().to(memory_format=torch.channels_last)
    source, preprocessing = InMemory(), Preprocessing(image_size=SIDE)
    # The batch that extraction takes: a larger one leaves the processor's cache.
    batch = batch_images(preprocessing)
    inputs = torch.randn(batch, 3, SIDE, SIDE).to(memory_format=torch.channels_last)

    def forward():
        with torch.inference_mode():
            for _ in range(IMAGES // batch):
                network.features(inputs)

    def extraction():
        extract(network, source, preprocessing)

    pairs = [(seconds(extraction), seconds(forward)) for _ in range(REPEATS + 1)][1:]
    ratios = [whole / bare for whole, bare in pairs]
    print(f"{spec.name}, {IMAGES} images of {SIDE} px, one thread, {REPEATS} pairs")
    print(f"extraction     {IMAGES / statistics.median(w for w, _ in pairs):8.0f} images/s")
    print(f"bare forward   {IMAGES / statistics.median(b for _, b in pairs):8.0f} images/s")
    print(f"ratio          {statistics.median(ratios):8.3f} ({min(ratios):.3f}-{max(ratios):.3f})")


if __name__ == "__main__":
    main()
