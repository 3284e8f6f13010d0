"""Moves of pixels that several corruptions share: enlarging, smearing, heights of a plasma."""

from functools import lru_cache

import numpy as np


def enlarge(image: np.ndarray, factor: float) -> np.ndarray:
    """Return the middle of `image` enlarged by `factor`, at the image's own size.

    As `clipped_zoom` of the original generator: a crop of size / factor, rounded up,
    interpolated linearly so that its corners stay corners, trimmed in the middle. Unlike
    it both sides are cropped, so that images need not be square.

    Args:
        image: [height, width, ...] float32.
        factor: 1 or more.
    """
    for axis in (0, 1):
        image = _stretch(image, factor, axis)
    return image


def _stretch(image: np.ndarray, factor: float, axis: int) -> np.ndarray:
    low, high, weight = _taps(image.shape[axis], factor)
    weight = weight.reshape([-1 if a == axis else 1 for a in range(image.ndim)])
    below = image.take(low, axis=axis)
    above = image.take(high, axis=axis)
    above -= below
    above *= weight
    above += below
    return above


# A data set's images mostly share their size; the factors are at most 26.
@lru_cache(maxsize=512)
def _taps(side: int, factor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each of `side` pixels the two that it lies between, and the second's weight."""
    crop = int(np.ceil(side / factor))
    wide = round(crop * factor)
    step = (crop - 1) / (wide - 1) if wide > 1 else 0.0
    at = (np.arange(side) + (wide - side) // 2) * step
    low = np.clip(np.floor(at).astype(np.intp), 0, max(crop - 2, 0))
    high = np.minimum(low + 1, crop - 1)
    first = (side - crop) // 2
    return low + first, high + first, (at - low).astype(np.float32)


def smear(image: np.ndarray, radius: float, sigma: float, angle_degrees: float) -> np.ndarray:
    """Return `image` blurred to one side along a line, as ImageMagick's MotionBlurImage.

    Weights are a half Gaussian over 2 * radius + 1 steps; each step is rounded to a whole
    pixel, and pixels beyond the border repeat it.

    Args:
        image: [height, width, ...] float32.
        radius: in pixels; rounded up.
        sigma: of the Gaussian, in pixels.
        angle_degrees: of the line, from the horizontal.
    """
    steps = np.arange(2 * int(np.ceil(radius)) + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    angle = np.deg2rad(angle_degrees)
    # Halves go down, as in ImageMagick.
    across = np.ceil(steps * np.cos(angle) - 0.5).astype(int)
    down = np.ceil(steps * np.sin(angle) - 0.5).astype(int)
    height, width = image.shape[:2]
    left, top = max(-across.min(), 0), max(-down.min(), 0)
    around = [(top, max(down.max(), 0)), (left, max(across.max(), 0))]
    padded = np.pad(image, around + [(0, 0)] * (image.ndim - 2), mode="edge")
    blurred = np.zeros_like(image)
    for weight, x, y in zip(weights.astype(np.float32), across + left, down + top, strict=True):
        blurred += weight * padded[y : y + height, x : x + width]
    return blurred


def plasma(side: int, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Return heights [n, n] float32 in [0, 1] by the diamond-square algorithm, n >= side.

    n is a power of two; the plane wraps around. At every halving of the step the square
    of the roughness, which begins at 100, falls by the square of `decay`, as in the
    original generator (which multiplies the roughness with itself).
    """
    grid = np.zeros((1, 1), np.float32)
    roughness = 100.0

    def bumped(total: np.ndarray) -> np.ndarray:
        bump = 2 * rng.random(total.shape, dtype=np.float32) - 1
        return np.asarray(total / 4 + np.float32(roughness**2) * bump)

    while len(grid) < side:
        pairs = grid + np.roll(grid, -1, axis=1)
        centres = bumped(pairs + np.roll(pairs, -1, axis=0))
        finer = np.empty((2 * len(grid), 2 * len(grid)), np.float32)
        finer[::2, ::2], finer[1::2, 1::2] = grid, centres
        finer[::2, 1::2] = bumped(pairs + centres + np.roll(centres, 1, axis=0))
        upright = grid + np.roll(grid, -1, axis=0)
        finer[1::2, ::2] = bumped(upright + centres + np.roll(centres, 1, axis=1))
        grid = finer
        roughness /= decay
    grid -= grid.min()
    return np.asarray(grid / max(float(grid.max()), 1e-12))
