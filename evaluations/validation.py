"""The images hyperparameters are chosen on: official, or drawn from the training images."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadData
from .image_source import ImageSource

# Where neither the data set nor a paper says how many are held out.
_FRACTION = 0.1


@dataclass(frozen=True, kw_only=True)
class Division:
    """Training images in two parts; together they are all of them."""

    kept: np.ndarray  # [n] int64, sorted: fitted while choosing
    held: np.ndarray  # [m] int64, sorted: chosen on
    said: str  # where the held-out images come from, for the record


def divide(train: ImageSource, count: int, official: str | None, seed: int) -> Division:
    """Return the training images as those that are fitted and those that are chosen on.

    Args:
        train: every image that the final fit sees, validation included.
        count: of the validation images that the data set or a paper states; 0: a tenth.
        official: name of the data set's own validation split, whose images are then the
            last `count` of `train`; None: drawn.
        seed: of the draw.

    Raises:
        BadData: nothing would be left on one side.
    """
    count = count or round(_FRACTION * len(train))
    if not 0 < count < len(train):
        raise BadData(
            f"{train.name}, {train.split}",
            f"{len(train)} images, of which {count} would be held out",
            "images to fit and images to choose on",
        )
    everything = np.arange(len(train))
    if official is not None:
        return Division(
            kept=everything[:-count],
            held=everything[-count:],
            said=f"its official {official} images ({count:,})",
        )
    held = draw(train.labels, count, seed)
    return Division(
        kept=np.setdiff1d(everything, held),
        held=held,
        said=f"{count:,} images drawn from every class of {train.split} by seed {seed}",
    )


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return `count` indices, sorted, drawn so that every class gives its share.

    Each class is shuffled; then the images that come first within their class, relative to
    its size, are taken. Equal classes give equally many where `count` is a multiple of
    their number, and no class gives its last image while others have more to give.
    """
    rng = np.random.default_rng([seed, 0x7A11D])
    place = np.empty(len(labels))
    for label in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == label))
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    # Ties (the same place in classes of one size) in a drawn order: else a remainder would
    # always come from the first classes.
    tie = rng.permutation(len(labels))
    return np.sort(np.lexsort((tie, place))[:count])
