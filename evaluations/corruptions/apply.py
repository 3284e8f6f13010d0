"""Corrupting an image by name and severity."""

import zlib
from collections.abc import Callable

import numpy as np

from ...checkpoints.errors import UnknownName, UsageError
from . import blur, digital, noise, weather
from .pixels import to_bytes
from .spatter import spatter

SEVERITIES = (1, 2, 3, 4, 5)

# [height, width, 3] floats in [0, 1], severity 1 to 5, generator -> the same.
Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        noise.gaussian_noise,
        noise.shot_noise,
        noise.impulse_noise,
        blur.defocus_blur,
        blur.glass_blur,
        blur.motion_blur,
        blur.zoom_blur,
        weather.snow,
        weather.frost,
        weather.fog,
        weather.brightness,
        digital.contrast,
        digital.elastic_transform,
        digital.pixelate,
        digital.jpeg_compression,
        noise.speckle_noise,
        blur.gaussian_blur,
        spatter,
        digital.saturate,
    )
}
# The fifteen that are scored, in the paper's order, and the four for choosing settings.
TEST_CORRUPTIONS = tuple(CORRUPTIONS)[:15]
EXTRA_CORRUPTIONS = tuple(CORRUPTIONS)[15:]


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
    return to_bytes(CORRUPTIONS[name](image / 255, severity, rng))
