"""What a corruption costs: images per second, and its time over that of decoding a JPEG.

    python benchmarks/corruptions.py

At 224 px, ImageNet-C's size, and at 32 px, CIFAR's; severities in turn. The JPEG is of the
same size, quality 90, decoded as a data set's reader does it. Both sides run in turn in
this process, so that the ratio holds on a busy machine.
"""

import io
import statistics
import time

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from relicheck.evaluations.corruptions import CORRUPTIONS, SEVERITIES, corrupt_image
from relicheck.evaluations.images import decode

SIDES, ROUNDS = (224, 32), {224: 3, 32: 40}


def picture(side):
    """Coloured noise with detail of several sizes, as photographs have."""
    rng = np.random.default_rng(0)
    layers = [gaussian_filter(rng.normal(size=(side, side, 3)), (s, s, 0)) for s in (1, 4, 16)]
    total = sum(layer / layer.std() for layer in layers)
    return np.clip(128 + 35 * total, 0, 255).astype(np.uint8)


def seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def cost(image, content, name, rounds):
    """Seconds for one image, the mean over severities, and that over decoding `content`."""
    pairs = []
    for turn in range(rounds + 1):
        spent = seconds(
            lambda turn=turn: [
                corrupt_image(image, f"{name}/{level}", str(turn)) for level in SEVERITIES
            ]
        )
        pairs.append((spent / len(SEVERITIES), seconds(lambda: decode(content, "jpeg"))))
    kept = pairs[1:]  # the first turn imports and fills caches
    return statistics.median(s for s, _ in kept), statistics.median(s / d for s, d in kept)


def main():
    for side in SIDES:
        image, stream = picture(side), io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=90)
        total = 0.0
        print(f"{side} px, one thread        images/s   over decoding")
        for name in CORRUPTIONS:
            spent, ratio = cost(image, stream.getvalue(), name, ROUNDS[side])
            total += spent
            print(f"  {name:22s} {1 / spent:10.0f} {ratio:12.1f}")
        minutes = total * len(SEVERITIES) * 10_000 / 60
        print(f"  all 19 x 5 of 10,000 images: {minutes:.1f} minutes on one core")


if __name__ == "__main__":
    main()
