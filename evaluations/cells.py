"""Data sets of cells: the same images under every corruption and severity, already on disk."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from ..checkpoints.errors import BadData, UsageError
from .corruptions import EXTRA_CORRUPTIONS, SEVERITIES, TEST_CORRUPTIONS
from .image_source import ImageSource
from .sources import sha256_of

# `gaussian_noise/1` and so on: a cell's name is the name of a split.
CELLS = tuple(
    f"{name}/{level}" for name in (*TEST_CORRUPTIONS, *EXTRA_CORRUPTIONS) for level in SEVERITIES
)


def cell_splits(images: int) -> Mapping[str, int]:
    """Return the splits of a data set of cells: `test`, which is all of them, and each."""
    return {"test": images, **dict.fromkeys(CELLS, images)}


class Cells:
    """An `ImageSource` of all cells at once: labels and fingerprint, but no images.

    What is scored on it has to say of which cell an image is, so that it asks for each
    cell by name.
    """

    split = "test"

    def __init__(
        self, name: str, found: Sequence[str], opened: Callable[[str], ImageSource]
    ) -> None:
        self.name, self._found, self._opened = name, tuple(found), opened
        self._first = opened(found[0])

    @property
    def labels(self) -> np.ndarray:
        """The labels, which are every cell's."""
        return self._first.labels

    @property
    def identities(self) -> Sequence[str]:
        """The names of the images, which are every cell's."""
        return self._first.identities

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the labels."""
        return self._first.class_names

    @property
    def expected(self) -> int | None:
        """The published size of each cell."""
        return self._first.expected

    @cached_property
    def fingerprint(self) -> str:
        """Over the fingerprints of the cells that are there."""
        prints = [self._opened(cell).fingerprint for cell in self._found]
        kind = "stat" if any(p.startswith("stat:") for p in prints) else "sha256"
        lines = zip(self._found, prints, strict=True)
        whole = sha256_of([f"{cell} {content}\n".encode() for cell, content in lines])
        return f"{kind}:{whole.partition(':')[2]}"

    def __len__(self) -> int:
        return len(self._first.labels)

    def __getitem__(self, index: int) -> np.ndarray:
        raise UsageError(
            self.name,
            f"it holds {len(self._found)} corrupted copies of each image",
            f"the name of one, {self.name}:{self._found[0]}, or an evaluator of all of them",
            "For all of them: --evaluators corruption_errors.",
        )


def check_cells(
    name: str, cells: Sequence[str], opened: Callable[[str], ImageSource | None], images: int
) -> None:
    """Return if every one of `cells` is there, with `images` images, the same ones in each.

    Args:
        name: the data set's, for messages.
        cells: names of cells.
        opened: cell -> its images; None: it is not there.
        images: wanted in each.

    Raises:
        BadData: naming the cells that are not; a mean over the others is another number.
    """
    wrong, first = [], None
    for cell in cells:
        source = opened(cell)
        if source is None:
            wrong.append(f"{cell} (not there)")
        elif len(source) != images:
            wrong.append(f"{cell} ({len(source):,} images)")
        elif first is None:
            first = source
        elif (source.labels != first.labels).any() or list(source.identities) != list(
            first.identities
        ):
            wrong.append(f"{cell} (other images than {first.split})")
    if wrong:
        shown = ", ".join(wrong[:10]) + (f" and {len(wrong) - 10} more" if wrong[10:] else "")
        raise BadData(
            name,
            f"{len(wrong)} of {len(cells)} cells cannot be used: {shown}",
            f"the same {images:,} images in each",
            "Fetch them, or name whole corruptions: --set corruption_errors.corruptions=fog,snow",
        )
