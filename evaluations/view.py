"""Views: the ways of showing an image to a network, several of them from one decoding."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.spec import Preprocessing
from .corruptions import corrupt_image, parse
from .image_source import ImageSource
from .preprocess import crop

# Corrupted images of small sets that are kept, over all views: evaluating one subject after
# the other meets the same ones again, and a blur costs more than a small network.
_MEMORY_BYTES = 256 << 20
_SMALL_SET_BYTES = _MEMORY_BYTES // 8


@dataclass(frozen=True, kw_only=True)
class View:
    """One way of showing an image to the network: cut, corrupt, resize, crop, in this order.

    Corruptions that are generated change the image as it lies on disk, before it is
    resized; a frame that belongs to the file (ObjectNet's) is gone before that.

    Raises:
        UnknownName, UsageError: no such corruption, or no such severity.
    """

    # Of the checkpoint, or a protocol's own; None: the image as it is (raw pixels).
    preprocessing: Preprocessing | None
    border_px: int = 0  # cut from every side of the file's image first
    corruption: str = ""  # name/severity, generated; "": none

    def __post_init__(self) -> None:
        if self.corruption:
            parse(self.corruption)


def show(source: ImageSource, index: int, views: Sequence[View]) -> list[np.ndarray]:
    """Return image `index` of `source` as each of `views` shows it, decoded once.

    Each is [side, side, 3] uint8, or the image's own size where the view has no
    preprocessing. What corruption draws depends on the image's identity alone.

    Raises:
        BadData: the image cannot be read, or is too small for a view.
    """
    where = f"{source.name}, {source.split}, image {source.identities[index]}"
    image = source[index]
    shown = []
    for view in views:
        seen = without_border(image, view.border_px, where)
        if view.corruption:
            seen = _corrupted(source, index, seen, view)
        if view.preprocessing is not None:
            seen = crop(seen, view.preprocessing, where)
        shown.append(seen)
    return shown


def squares(source: ImageSource, indices: Iterable[int], views: Sequence[View]) -> list[np.ndarray]:
    """Return for each view [N, side, side, 3] uint8 of some images of `source`; as `show`."""
    shown = [show(source, index, views) for index in indices]
    return [np.stack(column) for column in zip(*shown, strict=True)]


def without_border(image: np.ndarray, border_px: int, where: str) -> np.ndarray:
    """Return `image` [height, width, 3] less `border_px` on every side.

    Raises:
        BadData: nothing would be left.
    """
    if not border_px:
        return image
    if min(image.shape[:2]) <= 2 * border_px:
        raise BadData(where, f"{image.shape[1]} x {image.shape[0]} px", "a larger image")
    return image[border_px:-border_px, border_px:-border_px]


# (fingerprint, border, corruption) -> index -> image; the least recently used set goes first.
_remembered: "OrderedDict[tuple[str, int, str], dict[int, np.ndarray]]" = OrderedDict()
_remembering = threading.Lock()  # images are shown by several threads


def _corrupted(source: ImageSource, index: int, image: np.ndarray, view: View) -> np.ndarray:
    identity = source.identities[index]
    if len(source) * image.nbytes > _SMALL_SET_BYTES:
        return corrupt_image(image, view.corruption, identity)
    key = (source.fingerprint, view.border_px, view.corruption)
    with _remembering:
        known = _remembered.setdefault(key, {})
        _remembered.move_to_end(key)
        found = known.get(index)
    if found is not None:
        return found
    made = corrupt_image(image, view.corruption, identity)
    made.setflags(write=False)
    with _remembering:
        known[index] = made
        while len(_remembered) > 1 and _bytes_remembered() > _MEMORY_BYTES:
            _remembered.popitem(last=False)
    return made


def _bytes_remembered() -> int:
    return sum(len(known) * _one(known) for known in _remembered.values())


def _one(known: dict[int, np.ndarray]) -> int:
    return next(iter(known.values())).nbytes if known else 0
