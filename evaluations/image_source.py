"""What a reader of images offers: labelled images of one split, in a fixed order."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np


class ImageSource(Protocol):
    """Labelled images of one split, in a fixed order."""

    @property
    def name(self) -> str:
        """The data set's name."""

    @property
    def split(self) -> str:
        """The split's name."""

    @property
    def labels(self) -> np.ndarray:
        """[N] int64, indices into `class_names`."""

    @property
    def identities(self) -> Sequence[str]:
        """N names, one per image: its file's, or its index."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the labels."""

    @property
    def fingerprint(self) -> str:
        """`sha256:...` over identities, labels and content; `stat:...` over sizes instead."""

    @property
    def expected(self) -> int | None:
        """The published size of the complete split, where one is published."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> np.ndarray:
        """Return image `index` as [height, width, 3] uint8."""


def targets_of(source: ImageSource) -> np.ndarray | None:
    """Return [N, classes] int8 where an image may show several classes; None elsewhere.

    1: the class is shown. 0: it is not. -1: it is shown, but so that it counts neither as
    right nor as wrong (PASCAL VOC's "difficult"). Only evaluators that say `multi_label`
    are given such images: `labels` holds no more than the first class that is shown.
    """
    # Not part of the protocol: single-label sources, most of them, need not know of it.
    targets = getattr(source, "targets", None)
    return None if targets is None else np.asarray(targets, dtype=np.int8)


def masks_of(source: ImageSource) -> Callable[[int], np.ndarray] | None:
    """Return what gives image i's mask where every pixel has a class; None elsewhere.

    A mask is [height, width] uint8 of indices into `class_names`; 255 counts neither as right
    nor as wrong. Only evaluators that say `masks` are given such images: `labels` is all zeros.
    """
    # Not part of the protocol, as `targets_of`.
    found: Callable[[int], np.ndarray] | None = getattr(source, "mask", None)
    return found


def skipped_of(source: ImageSource) -> tuple[str, ...]:
    """Return the identities of the corrupt images that were left out of `source`."""
    return tuple(getattr(source, "skipped", ()))
