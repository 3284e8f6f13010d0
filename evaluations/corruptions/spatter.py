"""Spatter, one of the four extra corruptions: drops of water, or of mud.

Hendrycks and Dietterich (arXiv:1903.12261), with the constants of their generator. Its
OpenCV calls (Canny, distance transform, equalised histogram) are written out here; the
distances are exact where OpenCV's five-by-five mask approximates, and the hysteresis of
Canny joins all weak edges that touch a strong one.
"""

from typing import NamedTuple

import numpy as np

from .constants import Constants, length_scale


class _Spatter(NamedTuple):
    mean: float  # of the noise that drops are cut from
    deviation: float
    sigma: float  # of the noise's smoothing, in pixels
    threshold: float  # below it there is no drop
    strength: float  # of water; of mud: the smoothing of its rim, in pixels
    mud: bool


_SPATTER = Constants(
    (
        _Spatter(0.65, 0.3, 4, 0.69, 0.6, False),
        _Spatter(0.65, 0.3, 3, 0.68, 0.6, False),
        _Spatter(0.65, 0.3, 2, 0.68, 0.5, False),
        _Spatter(0.65, 0.3, 1, 0.65, 1.5, True),
        _Spatter(0.67, 0.4, 1, 0.65, 1.5, True),
    ),
    (
        _Spatter(0.62, 0.1, 0.7, 0.7, 0.5, False),
        _Spatter(0.65, 0.1, 0.8, 0.7, 0.5, False),
        _Spatter(0.65, 0.3, 1, 0.69, 0.5, False),
        _Spatter(0.65, 0.1, 0.7, 0.69, 0.6, True),
        _Spatter(0.65, 0.1, 0.5, 0.68, 0.6, True),
    ),
)
_WATER = np.array([175, 238, 238], np.float32) / 255  # pale turquoise
_MUD = np.array([63, 42, 20], np.float32) / 255
_WEAK, _STRONG = 50, 150  # Canny's thresholds, of the gradient's absolute sum
_FARTHEST_PX = 20
_LIGHT = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32)  # from the lower right


def spatter(image: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Return the image behind drops of water (severity 1 to 3) or of mud (4 and 5)."""
    from scipy.ndimage import gaussian_filter

    c, scale = _SPATTER.of(image, severity), length_scale(image)
    image = image.astype(np.float32)
    liquid = c.mean + c.deviation * rng.standard_normal(image.shape[:2], dtype=np.float32)
    liquid = gaussian_filter(liquid, c.sigma * scale, mode="nearest", truncate=4.0)
    wet = liquid >= c.threshold
    if c.mud:
        cover = gaussian_filter(
            wet.astype(np.float32), c.strength * scale, mode="nearest", truncate=4.0
        )
        cover = np.where(cover < 0.8, 0, cover)[:, :, None]
        return np.asarray(image * (1 - cover) + _MUD * cover)
    grey = np.floor(np.clip(np.where(wet, liquid, 0), 0, 1) * np.float32(255))
    shine = grey * _relief(grey)
    if shine.max() <= 0:
        return image
    return np.asarray(image + (c.strength * shine / shine.max())[:, :, None] * _WATER)


def _relief(grey: np.ndarray) -> np.ndarray:
    """Return how drops shine, [height, width] float32 in [0, 255], from their grey levels."""
    from scipy.ndimage import correlate, distance_transform_edt, uniform_filter

    contour = edges(grey)
    if contour.any():
        distance = np.minimum(distance_transform_edt(~contour), _FARTHEST_PX)
    else:
        distance = np.full(grey.shape, float(_FARTHEST_PX))
    levels = equalised(np.rint(uniform_filter(distance, 3, mode="mirror")).astype(np.uint8))
    lit = correlate(levels.astype(np.float32), _LIGHT, mode="mirror")
    return np.asarray(uniform_filter(np.clip(lit, 0, 255), 3, mode="mirror"))


def edges(grey: np.ndarray) -> np.ndarray:
    """Return Canny's edges of grey levels [height, width] 0 to 255, as bool.

    Sobel's gradients, thinned along their direction, strong ones kept with the weak ones
    that hang on them (Canny 1986).
    """
    from scipy.ndimage import label, sobel

    down, across = (sobel(grey, axis=axis, mode="nearest") for axis in (0, 1))
    size = np.abs(down) + np.abs(across)
    padded = np.pad(size, 1)
    height, width = size.shape

    def neighbour(rows: int, columns: int) -> np.ndarray:
        return padded[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    flat = np.abs(down) <= np.abs(across) * np.tan(np.pi / 8)
    steep = np.abs(across) <= np.abs(down) * np.tan(np.pi / 8)
    falling = (down * across) >= 0
    ways = [flat, steep & ~flat, falling & ~flat & ~steep, ~falling & ~flat & ~steep]
    crest = np.zeros(size.shape, bool)
    for way, (rows, columns) in zip(ways, [(0, 1), (1, 0), (1, 1), (1, -1)], strict=True):
        crest |= way & (size > neighbour(-rows, -columns)) & (size >= neighbour(rows, columns))
    weak = crest & (size > _WEAK)
    parts, _ = label(weak, np.ones((3, 3)))
    held = np.unique(parts[weak & (size > _STRONG)])
    return np.asarray(np.isin(parts, held[held > 0]))


def equalised(levels: np.ndarray) -> np.ndarray:
    """Return uint8 levels spread so that their histogram is as flat as it can be."""
    counts = np.bincount(levels.ravel(), minlength=256)
    first = int(np.flatnonzero(counts)[0])
    if counts[first] == levels.size:
        return levels
    spread = (counts.cumsum() - counts[first]) * (255 / (levels.size - counts[first]))
    return np.asarray(np.rint(np.clip(spread, 0, 255)).astype(np.uint8)[levels])
