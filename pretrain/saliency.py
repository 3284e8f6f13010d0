"""Unsupervised saliency masks for ReLICv2's background removal, in NumPy.

ReLICv2 (arXiv:2201.05119) trains a segmentation network on the pseudo-labels of
hand-crafted methods, in the spirit of DeepUSPS. This is one such hand-crafted method
and no more: the colour distance of frequency-tuned saliency (Achanta et al., CVPR 2009,
Eq. 4) measured from the mean colour of the image's border instead of the whole image
(the boundary prior: Wei et al., ECCV 2012), cut by Otsu's threshold (1979).
"""

import numpy as np
from numpy.typing import NDArray

from ..checkpoints.progress import track

_CHUNK = 256  # images


def foreground_masks(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return [images, height, width] booleans, True where the foreground is.

    An image of one colour has no background: its mask is True everywhere.

    Args:
        images: [images, height, width, 3] uint8.
    """
    starts = range(0, len(images), _CHUNK)
    masks = [_masks(images[start : start + _CHUNK]) for start in track(starts, "saliency masks")]
    return np.concatenate(masks)


def _masks(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    saliency = border_contrast(images)
    threshold = otsu_thresholds(saliency)[:, None, None]
    mask = saliency > threshold
    mask[~mask.any(axis=(1, 2))] = True
    return np.asarray(mask)


def border_contrast(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return [images, height, width] distances of the blurred pixels from the border's mean."""
    x = _binomial_blur(images.astype(np.float32))
    border = np.concatenate([x[:, 0], x[:, -1], x[:, 1:-1, 0], x[:, 1:-1, -1]], axis=1)
    difference = x - border.mean(axis=1)[:, None, None]
    return np.asarray(np.sqrt((difference**2).sum(axis=-1)), dtype=np.float32)


def _binomial_blur(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `x` under the 3x3 binomial kernel [1, 2, 1]^2 / 16, edges repeated."""
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (1, 1)
        padded = np.pad(x, pad, mode="edge")
        before, middle, after = (
            np.take(padded, range(offset, offset + x.shape[axis]), axis=axis) for offset in range(3)
        )
        x = np.asarray((before + 2 * middle + after) / 4, dtype=np.float32)
    return x


def otsu_thresholds(values: NDArray[np.float32], bins: int = 64) -> NDArray[np.float32]:
    """Return per image the threshold that maximises the variance between the two sides.

    Args:
        values: [images, height, width] floats, at least 0. bins: of the histogram, which
            reaches from 0 to each image's maximum.
    """
    flat = values.reshape(len(values), -1)
    top = np.maximum(flat.max(axis=1), 1e-6)
    index = np.minimum((flat / top[:, None] * bins).astype(int), bins - 1)
    counts = (index[:, :, None] == np.arange(bins)).sum(axis=1) / flat.shape[1]
    below, moment = counts.cumsum(axis=1), (counts * np.arange(bins)).cumsum(axis=1)
    mean = moment[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean * below - moment) ** 2 / (below * (1 - below))
    between[~np.isfinite(between)] = -1
    # The threshold is the upper edge of the last bin of the background.
    return np.asarray((between.argmax(axis=1) + 1) / bins * top, dtype=np.float32)
