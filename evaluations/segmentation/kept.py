"""Confusion matrices beside their record: mIoU and its interval can be computed again."""

from pathlib import Path

import numpy as np

from ..per_image import CONFUSIONS
from ..record import read_beside

__all__ = ["CONFUSIONS", "read_confusions"]


def read_confusions(record: Path) -> np.ndarray | None:
    """Return the matrices [images, classes, classes] int64 kept beside a record, if any.

    Raises:
        BadRecord: the file is damaged.
    """
    return read_beside(record).get(CONFUSIONS)
