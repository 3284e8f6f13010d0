"""Weather: snow, frost, fog and brightness of ImageNet-C.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator.
Functions take and return as those of `noise`.
"""

from typing import NamedTuple

import numpy as np

from .constants import Constants, is_cifar, length_scale
from .frost_sheets import frost_sheet
from .geometry import enlarge, plasma, smear


class _Snow(NamedTuple):
    mean: float  # of the noise that flakes are cut from
    deviation: float
    zoom: float  # how far the noise is enlarged, at 224 or 32 pixels
    threshold: float  # below it there is no flake
    radius: float  # of the fall, in pixels
    sigma: float
    kept: float  # share of the image that is not whitened


_SNOW = Constants(
    (
        _Snow(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        _Snow(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        _Snow(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        _Snow(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        _Snow(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ),
    (
        _Snow(0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        _Snow(0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        _Snow(0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        _Snow(0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        _Snow(0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
)
# Shares of the image and of the frost.
_FROST = Constants(
    ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
    ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
)
# The generator shrinks its photographs of frost to a fifth for CIFAR.
_CIFAR_FROST_SCALE = 0.2
# Thickness, and decay of the roughness.
_FOG = Constants(
    ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
)
_BRIGHTER = Constants((0.1, 0.2, 0.3, 0.4, 0.5), (0.05, 0.1, 0.15, 0.2, 0.3))
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def snow(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image whitened, with flakes that fall steeply, and once more upside down."""
    c, scale = _SNOW.of(image, severity), length_scale(image)
    image = image.astype(np.float32)
    flakes = c.mean + c.deviation * rng.standard_normal(image.shape[:2], dtype=np.float32)
    # Flakes of less than a pixel cannot be drawn: small images get those of one.
    flakes = enlarge(flakes, max(c.zoom * scale, 1.0))
    flakes[flakes < c.threshold] = 0
    flakes = np.floor(np.clip(flakes, 0, 1) * 255) / np.float32(255)
    angle = rng.uniform(-135, -45)
    falling = smear(flakes, c.radius * scale, c.sigma * scale, angle)[:, :, None]
    grey = (image @ _GREY)[:, :, None]
    white = np.maximum(image, grey * np.float32(1.5) + np.float32(0.5))
    kept = np.float32(c.kept)
    return np.asarray(kept * image + (1 - kept) * white + falling + falling[::-1, ::-1])


def frost(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image under a sheet of frost.

    The original lays one of five photographs over the image. Photographs are not shipped
    here: the sheets are textures with their colour, contrast and spectrum, see
    `frost_sheets`. Of the nineteen corruptions this one resembles its original least.
    """
    from PIL import Image

    kept, strength = _FROST.of(image, severity)
    sheet = frost_sheet(int(rng.integers(5)))
    scale = _CIFAR_FROST_SCALE if is_cifar(image) else length_scale(image)
    height, width = image.shape[:2]
    rows, columns = max(round(height / scale), 1), max(round(width / scale), 1)
    top, left = rng.integers(len(sheet), size=2)
    # The sheets wrap around, so that a piece of any size can be cut.
    at = np.ix_((top + np.arange(rows)) % len(sheet), (left + np.arange(columns)) % len(sheet))
    piece = Image.fromarray(sheet[at])
    if (rows, columns) != (height, width):
        piece = piece.resize((width, height), Image.Resampling.BOX)
    share = np.float32(strength / 255)
    return np.asarray(np.float32(kept) * image.astype(np.float32) + share * np.asarray(piece))


def fog(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image behind a plasma of fog, as bright at most as it was."""
    thickness, decay = _FOG.of(image, severity)
    height, width = image.shape[:2]
    haze = plasma(max(height, width), decay, rng)[:height, :width, None]
    brightest = np.float32(image.max())
    dimmed = brightest / (brightest + np.float32(thickness))
    return np.asarray((image.astype(np.float32) + np.float32(thickness) * haze) * dimmed)


def brightness(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image with its HSV value raised.

    Hue and saturation stay, so every channel scales as the largest one does.
    """
    value = image.max(axis=2, keepdims=True)
    raised = np.clip(value + _BRIGHTER.of(image, severity), 0, 1)
    return np.asarray(np.where(value > 0, image * raised / np.where(value > 0, value, 1), raised))
