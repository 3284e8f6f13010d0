"""Generated corruptions: some of the ImageNet-C types, made here from their definitions.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator
(github.com/hendrycks/robustness, create_c/make_imagenet_c.py). These are not the images
of ImageNet-C: the random draws differ, blur radii are scaled from 224 pixels to the
image's shorter side, and an image is corrupted as it lies on disk, before it is resized.
Numbers on them are labelled `generated` and never called mCE.
"""

import io
import zlib
from collections.abc import Callable

import numpy as np

from ..checkpoints.errors import UnknownName, UsageError

SEVERITIES = (1, 2, 3, 4, 5)

# [height, width, 3] float64 in [0, 1], severity 1 to 5, generator -> the same.
Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def gaussian_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image plus noise of a fixed deviation."""
    deviation = (0.08, 0.12, 0.18, 0.26, 0.38)[severity - 1]
    return np.asarray(image + rng.normal(scale=deviation, size=image.shape))


def shot_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return Poisson counts of few photons, scaled back."""
    photons = (60, 25, 12, 5, 3)[severity - 1]
    return np.asarray(rng.poisson(image * photons) / photons)


def defocus_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image blurred by a disk.

    The original smooths a hard-edged disk of whole pixels; here each weight is the
    area of the pixel inside the disk, which also serves radii below one pixel.
    """
    from scipy.ndimage import convolve

    radius = (3, 4, 6, 8, 10)[severity - 1] * min(image.shape[:2]) / 224
    return np.asarray(convolve(image, disk(radius)[:, :, None], mode="mirror"))


def disk(radius_px: float) -> np.ndarray:
    """Return a square kernel that sums to 1: each pixel's area inside a disk, by 15 x 15 points."""
    reach = int(np.ceil(radius_px - 0.5)) if radius_px > 0.5 else 0
    fine = (np.arange((2 * reach + 1) * 15) + 0.5) / 15 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2) <= max(radius_px, 0.1) ** 2
    side = 2 * reach + 1
    area = inside.reshape(side, 15, side, 15).sum(axis=(1, 3)).astype(np.float64)
    return np.asarray(area / area.sum())


def brightness(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image with its HSV value raised.

    Hue and saturation stay, so every channel scales as the largest one does.
    """
    value = image.max(axis=2, keepdims=True)
    raised = np.clip(value + 0.1 * severity, 0, 1)
    return np.asarray(np.where(value > 0, image * raised / np.where(value > 0, value, 1), raised))


def contrast(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image drawn towards its mean colour."""
    kept = (0.4, 0.3, 0.2, 0.1, 0.05)[severity - 1]
    mean = image.mean(axis=(0, 1), keepdims=True)
    return np.asarray((image - mean) * kept + mean)


def pixelate(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image shrunk and enlarged again with box filters."""
    from PIL import Image

    share = (0.6, 0.5, 0.4, 0.3, 0.25)[severity - 1]
    height, width = image.shape[:2]
    small = (max(int(width * share), 1), max(int(height * share), 1))
    shrunk = Image.fromarray(_to_bytes(image)).resize(small, Image.Resampling.BOX)
    return np.asarray(shrunk.resize((width, height), Image.Resampling.BOX)) / 255


def jpeg_compression(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image after JPEG at a low quality."""
    from PIL import Image

    stream = io.BytesIO()
    quality = (25, 18, 15, 10, 7)[severity - 1]
    Image.fromarray(_to_bytes(image)).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as compressed:
        return np.asarray(compressed.convert("RGB")) / 255


CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        gaussian_noise,
        shot_noise,
        defocus_blur,
        brightness,
        contrast,
        pixelate,
        jpeg_compression,
    )
}


def parse(corruption: str) -> tuple[str, int]:
    """Return name and severity of `name/severity`.

    Raises:
        UnknownName: no corruption of that name.
        UsageError: no such severity.
    """
    name, _, severity = corruption.partition("/")
    if name not in CORRUPTIONS:
        raise UnknownName("corruption", name, CORRUPTIONS)
    if severity not in {str(known) for known in SEVERITIES}:
        raise UsageError(corruption, f"severity {severity!r}", "1 to 5, as in gaussian_noise/3")
    return name, int(severity)


def corrupt_image(image: np.ndarray, corruption: str, identity: str = "") -> np.ndarray:
    """Return `image` [height, width, 3] uint8 corrupted, as uint8.

    The draw depends on the corruption and the image's identity alone, so that every
    model sees the same images, alone or as part of a split.
    """
    name, severity = parse(corruption)
    rng = np.random.default_rng([zlib.crc32(corruption.encode()), zlib.crc32(identity.encode())])
    return _to_bytes(CORRUPTIONS[name](image / 255, severity, rng))


def _to_bytes(image: np.ndarray) -> np.ndarray:
    # Truncated and not rounded, as the original generator does.
    return np.asarray(np.clip(image, 0, 1) * 255).astype(np.uint8)
