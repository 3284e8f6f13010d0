"""Blur: defocus, glass, motion and zoom of ImageNet-C, and its extra, Gaussian.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator.
Functions take and return as those of `noise`.
"""

import numpy as np

from .constants import CIFAR_PX, IMAGENET_PX, Constants, length_scale
from .geometry import enlarge, smear

# Radius of the disk and deviation of the Gaussian that softens its rim, in pixels.
_DISKS = Constants(
    ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
)
# Deviation of the two blurs, reach of a jump, in pixels; and how many passes.
_GLASS = Constants(
    ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
)
# Radius and deviation of the half Gaussian, in pixels.
_MOTION = Constants(
    ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
)
# Enlargements from 1 to below a limit, and their step.
_ZOOMS = Constants(
    ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
)
_SIGMAS = Constants((1, 2, 3, 4, 6), (0.4, 0.6, 0.7, 0.8, 1))

_DIRECT_SIDE = 9  # larger kernels are faster by FFT


def defocus_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image blurred by a disk.

    At the two published sizes the disk is the original's: whole pixels, its rim softened
    by a small Gaussian. Elsewhere radii are not whole, and each weight is the area of the
    pixel inside the disk.
    """
    from scipy.ndimage import convolve
    from scipy.signal import fftconvolve

    radius, softness = _DISKS.of(image, severity)
    if image.shape[:2] in ((CIFAR_PX, CIFAR_PX), (IMAGENET_PX, IMAGENET_PX)):
        kernel = soft_disk(radius, softness)
    else:
        kernel = disk(radius * length_scale(image))
    if len(kernel) <= _DIRECT_SIDE:
        return np.asarray(convolve(image, kernel[:, :, None], mode="mirror"))
    reach = len(kernel) // 2
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    kernel = kernel[:, :, None].astype(np.float32)
    return np.asarray(
        fftconvolve(padded.astype(np.float32), kernel, mode="valid", axes=(0, 1)), np.float32
    )


def disk(radius_px: float) -> np.ndarray:
    """Return a square kernel that sums to 1: each pixel's area inside a disk, by 15 x 15 points."""
    reach = int(np.ceil(radius_px - 0.5)) if radius_px > 0.5 else 0
    fine = (np.arange((2 * reach + 1) * 15) + 0.5) / 15 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2) <= max(radius_px, 0.1) ** 2
    side = 2 * reach + 1
    area = inside.reshape(side, 15, side, 15).sum(axis=(1, 3)).astype(np.float64)
    return np.asarray(area / area.sum())


def soft_disk(radius_px: float, softness_px: float) -> np.ndarray:
    """Return the original's kernel, which sums to 1: a hard disk, its rim softened.

    The Gaussian has three taps a side, five where the radius is above eight pixels.
    """
    from scipy.ndimage import correlate1d

    taps = np.arange(-1, 2) if radius_px <= 8 else np.arange(-2, 3)
    # Room for the softened rim, except above eight pixels, where the original leaves none.
    reach = int(radius_px) + 2 if radius_px <= 8 else int(radius_px)
    at = np.arange(-reach, reach + 1)
    hard = (at[:, None] ** 2 + at[None, :] ** 2 <= radius_px**2).astype(np.float64)
    gaussian = np.exp(-(taps**2) / (2 * softness_px**2))
    gaussian /= gaussian.sum()
    for axis in (0, 1):
        hard = correlate1d(hard, gaussian, axis=axis, mode="mirror")
    return np.asarray(hard / hard.sum())


def glass_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image blurred, its pixels displaced by small jumps, and blurred again."""
    sigma, delta, passes = _GLASS.of(image, severity)
    scale = length_scale(image)
    reach = max(round(delta * scale), 1)
    blurred = _gaussian(image.astype(np.float32), sigma * scale)
    height, width, channels = image.shape
    # Whole grey levels between the two blurs, as in the original.
    pixels = np.floor(blurred * 255).reshape(height * width, channels)
    for _ in range(passes):
        pixels = pixels[jumps(height, width, reach, rng)]
    return _gaussian(pixels.reshape(image.shape) / np.float32(255), sigma * scale)


def jumps(height: int, width: int, reach: int, rng: np.random.Generator) -> np.ndarray:
    """Return for each pixel, row by row, the flat index of the pixel that it is replaced by.

    The paper says that pixels are shuffled. The released images were made by a loop from
    the lower right to the upper left that means to swap a pixel with a neighbour, up to
    `reach` back and `reach` - 1 ahead; as its arrays share their memory, the second half
    of the swap does nothing and the neighbour is copied. We do what made the images.

    A neighbour that the loop has passed holds what it had copied itself, so that copies
    run in chains. They are resolved by pointer doubling instead of one after the other.
    """
    source = np.arange(height * width)
    rows, columns = np.arange(height - reach, reach, -1), np.arange(width - reach, reach, -1)
    if not len(rows) or not len(columns):
        return source
    across, down = rng.integers(-reach, reach, size=(2, len(rows), len(columns)))
    to_row, to_column = rows[:, None] + down, columns[None, :] + across
    passed = (down > 0) | ((down == 0) & (across > 0))
    passed &= (to_row <= rows[0]) & (to_column <= columns[0]) & (to_column >= columns[-1])
    scanned = (rows[:, None] * width + columns[None, :]).ravel()
    chained = np.zeros(height * width, bool)
    source[scanned], chained[scanned] = (to_row * width + to_column).ravel(), passed.ravel()
    open_ends = np.flatnonzero(chained)
    while len(open_ends):
        behind = source[open_ends]
        source[open_ends], chained[open_ends] = source[behind], chained[behind]
        open_ends = open_ends[chained[open_ends]]
    return source


def motion_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image smeared along a line within 45 degrees of the horizontal."""
    radius, sigma = _MOTION.of(image, severity)
    scale = length_scale(image)
    angle = rng.uniform(-45, 45)
    return smear(image.astype(np.float32), radius * scale, sigma * scale, angle)


def zoom_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the mean of the image and of its enlargements."""
    limit, step = _ZOOMS.of(image, severity)
    factors = np.arange(1, limit, step).tolist()
    image = image.astype(np.float32)
    total = image.copy()
    for factor in factors:
        total += enlarge(image, factor)
    return np.asarray(total / np.float32(len(factors) + 1))


def gaussian_blur(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image under a Gaussian window."""
    sigma = _SIGMAS.of(image, severity) * length_scale(image)
    return _gaussian(image.astype(np.float32), sigma)


def _gaussian(image: np.ndarray, sigma_px: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    # Mode and truncation are scikit-image's, which the original calls.
    return np.asarray(gaussian_filter(image, (sigma_px, sigma_px, 0), mode="nearest", truncate=4.0))
