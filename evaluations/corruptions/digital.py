"""Digital: contrast, elastic, pixelate and JPEG of ImageNet-C, and its extra, saturate.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator.
Functions take and return as those of `noise`.
"""

import io

import numpy as np

from .constants import Constants, length_scale
from .pixels import to_bytes

_CONTRAST = Constants((0.4, 0.3, 0.2, 0.1, 0.05), (0.75, 0.5, 0.4, 0.3, 0.15))
_QUALITY = Constants((25, 18, 15, 10, 7), (80, 65, 58, 50, 40))
_SHARE = Constants((0.6, 0.5, 0.4, 0.3, 0.25), (0.95, 0.9, 0.85, 0.75, 0.65))
# Factor and summand of the saturation.
_SATURATION = Constants(
    ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
)
# Amplitude and smoothness of the displacement, and reach of the corners, as shares of the
# side. ImageNet's are shares of 244 and not of 224 pixels: a slip of the original that is
# in its images.
_ELASTIC = Constants(
    ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)),
    ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
)
_ELASTIC_PX = Constants((244.0,) * 5, (32.0,) * 5)


def contrast(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image drawn towards its mean colour."""
    mean = image.mean(axis=(0, 1), keepdims=True)
    return np.asarray((image - mean) * _CONTRAST.of(image, severity) + mean)


def pixelate(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image shrunk and enlarged again with box filters."""
    from PIL import Image

    share = _SHARE.of(image, severity)
    height, width = image.shape[:2]
    small = (max(int(width * share), 1), max(int(height * share), 1))
    shrunk = Image.fromarray(to_bytes(image)).resize(small, Image.Resampling.BOX)
    return np.asarray(shrunk.resize((width, height), Image.Resampling.BOX)) / 255


def jpeg_compression(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image after JPEG at a low quality."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(to_bytes(image)).save(stream, "JPEG", quality=_QUALITY.of(image, severity))
    with Image.open(stream) as compressed:
        return np.asarray(compressed.convert("RGB")) / 255


def saturate(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image with its HSV saturation multiplied and raised.

    Hue and value stay, so a channel's distance from the largest scales as the saturation
    does. Grey has no hue: the original takes red, and so grey turns reddish where the
    saturation is raised.
    """
    factor, summand = _SATURATION.of(image, severity)
    image = image.astype(np.float32)
    value = image.max(axis=2, keepdims=True)
    span = value - image.min(axis=2, keepdims=True)
    before = span / np.where(value > 0, value, 1)
    after = np.clip(before * np.float32(factor) + np.float32(summand), 0, 1)
    coloured = value - (value - image) * (after / np.where(span > 0, before, 1))
    reddish = value * np.concatenate([np.ones_like(after), 1 - after, 1 - after], axis=2)
    return np.asarray(np.where(span > 0, coloured, reddish))


def elastic_transform(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image sheared by a random affine map, then displaced pixel by pixel.

    Three corners of a middle square move by a uniform draw; the displacement is uniform
    noise, smoothed and amplified. Both interpolate linearly and mirror at the border.
    """
    amplitude, smoothness, reach = _ELASTIC.of(image, severity)
    side = _ELASTIC_PX.of(image, severity) * length_scale(image)
    height, width = image.shape[:2]
    image = image.astype(np.float32)
    matrix, offset = _random_affine(height, width, reach * side, rng)
    rows, columns = np.indices((height, width), dtype=np.float32)
    sheared = _at(
        image,
        matrix[0, 0] * rows + matrix[0, 1] * columns + offset[0],
        matrix[1, 0] * rows + matrix[1, 1] * columns + offset[1],
        edge_twice=False,
    )
    shift = np.float32(amplitude * side) * np.stack(
        [smooth(_uniform(image, rng), smoothness * side) for _ in range(2)]
    )
    return _at(sheared, rows + shift[1], columns + shift[0], edge_twice=True)


def _uniform(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(2 * rng.random(image.shape[:2], dtype=np.float32) - 1)


def _random_affine(
    height: int, width: int, reach_px: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix [2, 2] and offset [2] float32 from (row, column) to where it is read."""
    centre, half = np.array([height // 2, width // 2]), min(height, width) // 3
    corners = centre + half * np.array([[1, 1], [-1, 1], [-1, -1]])
    moved = corners + rng.uniform(-reach_px, reach_px, size=corners.shape)
    # Read backwards: the moved corners show what lay at the old ones.
    found = np.linalg.solve(np.column_stack([moved, np.ones(3)]), corners.astype(np.float64))
    return found[:2].T.astype(np.float32), found[2].astype(np.float32)


def smooth(field: np.ndarray, sigma_px: float) -> np.ndarray:
    """Return `field` [height, width] float32 under a Gaussian cut off at three deviations.

    The field is mirrored at its borders, so that a cosine transform turns the window into
    a product: exact, and independent of a width that goes beyond the image.
    """
    from scipy.fft import dctn, idctn

    transfers = []
    for side in field.shape:
        reach = int(3 * sigma_px + 0.5)
        at = np.arange(-reach, reach + 1)
        weights = np.exp(-(at**2) / (2 * sigma_px**2)) if sigma_px > 0 else np.ones(1)
        cosines = np.cos(np.pi * np.arange(side)[:, None] * at[None, :] / side)
        transfers.append((cosines @ (weights / weights.sum())).astype(np.float32))
    return np.asarray(idctn(dctn(field) * transfers[0][:, None] * transfers[1][None, :]))


def _at(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, edge_twice: bool
) -> np.ndarray:
    """Return [height, width, channels] read at real positions, linearly, mirrored outside.

    Args:
        image: [height, width, channels] float32.
        rows: [height, width] float32.
        columns: [height, width] float32.
        edge_twice: whether the mirror stands outside the last pixel or on it.
    """
    height, width, channels = image.shape
    flat = image.reshape(height * width, channels)
    top, left = np.floor(rows), np.floor(columns)
    down, across = (rows - top)[:, :, None], (columns - left)[:, :, None]
    above, below = (_mirrored(top + k, height, edge_twice) * width for k in (0, 1))
    before, behind = (_mirrored(left + k, width, edge_twice) for k in (0, 1))
    upper, lower = flat[above + before], flat[below + before]
    upper += across * (flat[above + behind] - upper)
    lower += across * (flat[below + behind] - lower)
    return np.asarray(upper + down * (lower - upper))


def _mirrored(at: np.ndarray, side: int, edge_twice: bool) -> np.ndarray:
    index = at.astype(np.intp)
    if edge_twice:
        index = index % (2 * side)
        return np.minimum(index, 2 * side - 1 - index)
    if side == 1:
        return np.zeros_like(index)
    index = index % (2 * side - 2)
    return np.minimum(index, 2 * side - 2 - index)
