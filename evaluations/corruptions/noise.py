"""Noise: gaussian, shot and impulse of ImageNet-C, and its extra, speckle.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator.
Every function takes an image [height, width, 3] of floats in [0, 1], a severity from 1 to 5
and a generator, and returns the same shape; values beyond [0, 1] are clipped by the caller.
"""

import numpy as np

from .constants import Constants

_GAUSSIAN = Constants((0.08, 0.12, 0.18, 0.26, 0.38), (0.04, 0.06, 0.08, 0.09, 0.10))
_PHOTONS = Constants((60, 25, 12, 5, 3), (500, 250, 100, 75, 50))
_IMPULSES = Constants((0.03, 0.06, 0.09, 0.17, 0.27), (0.01, 0.02, 0.03, 0.05, 0.07))
_SPECKLE = Constants((0.15, 0.20, 0.35, 0.45, 0.60), (0.06, 0.10, 0.12, 0.16, 0.20))


def gaussian_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image plus noise of a fixed deviation."""
    deviation = _GAUSSIAN.of(image, severity)
    return np.asarray(image + rng.normal(scale=deviation, size=image.shape))


def shot_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return Poisson counts of few photons, scaled back."""
    photons = _PHOTONS.of(image, severity)
    return np.asarray(rng.poisson(image * photons) / photons)


def impulse_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image with a share of its values set to 0 or 1, channel by channel."""
    draw = rng.random(image.shape, dtype=np.float32)
    share = _IMPULSES.of(image, severity)
    # One draw serves both: below the share it is an impulse, and its lower half is salt.
    return np.where(draw < share, (draw < share / 2).astype(image.dtype), image)


def speckle_noise(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image plus noise whose deviation is a share of each value."""
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(image + image * (_SPECKLE.of(image, severity) * noise))
