"""Scoring predicted masks image by image, and which predictions are shown to people."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...checkpoints.progress import track
from ..image_source import ImageSource, masks_of
from .scores import confusion

# Enough to see what a model does, few enough to look at each.
SHOWN_IMAGES = 6
# Masks up to so many bytes are kept in memory: every step of a training reads some.
_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """What was predicted for a split."""

    confusions: np.ndarray  # [images, classes, classes] int64
    shown: dict[int, np.ndarray]  # image -> [H, W] uint8, of the images of `shown_images`


def shown_images(images: int, count: int = SHOWN_IMAGES) -> list[int]:
    """Return which images are shown: evenly spread over the split, so nobody chooses.

    The middles of `count` equal parts, in the order of the split.

    >>> shown_images(233)
    [19, 58, 97, 135, 174, 213]
    """
    count = min(images, count)
    return [(2 * part + 1) * images // (2 * count) for part in range(count)]


def score(
    source: ImageSource, predict: Callable[[int, tuple[int, int]], np.ndarray], title: str = ""
) -> Predicted:
    """Return every image's confusion matrix, and the predictions of those that are shown.

    Args:
        source: images with masks.
        predict: (image, (H, W)) -> [H, W] integers.
        title: for the progress bar.
    """
    mask_of = masks_of(source)
    assert mask_of is not None, source.name
    keep = set(shown_images(len(source)))
    confusions, shown = [], {}
    for image in track(range(len(source)), title or f"scores of {source.name}"):
        truth = mask_of(image)
        guess = predict(image, (truth.shape[0], truth.shape[1]))
        confusions.append(confusion(truth, guess, len(source.class_names)))
        if image in keep:
            shown[image] = guess.astype(np.uint8)
    return Predicted(confusions=np.stack(confusions), shown=shown)


def read_masks(source: ImageSource) -> tuple[Callable[[int], np.ndarray], np.ndarray]:
    """Return (image -> mask, kept in memory where all fit; pixels of each class [classes] int64).

    Every mask is read once, so that an unusable one is an error before any training.

    Raises:
        BadData: a mask cannot be used, or no pixel has a class.
    """
    mask_of = masks_of(source)
    assert mask_of is not None, source.name
    counts = np.zeros(256, dtype=np.int64)
    kept: list[np.ndarray] | None = []
    size = 0
    for image in track(range(len(source)), f"masks of {source.name}, {source.split}"):
        mask = mask_of(image)
        counts += np.bincount(mask.ravel(), minlength=256)
        size += mask.nbytes
        if size > _MEMORY_BYTES:
            kept = None
        if kept is not None:
            kept.append(mask)
    return (mask_of if kept is None else kept.__getitem__), counts[: len(source.class_names)]
