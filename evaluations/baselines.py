"""Backbones without weights, for a number to be held against."""

import numpy as np

from ..checkpoints.errors import BadData
from .image_source import ImageSource
from .view import View, show

RAW_PIXELS = "raw_pixels"


class RawPixels:
    """The pixels themselves as features: rows, columns and channels in one row, in [0, 1].

    There is nothing to fine-tune.
    """

    def extract(self, source: ImageSource, view: View) -> np.ndarray:
        """Return [N, height * width * 3] float32.

        Raises:
            BadData: the images are not of one size.
        """
        images = [show(source, index, [view])[0] for index in range(len(source))]
        shapes = {image.shape for image in images}
        if len(shapes) > 1:
            raise BadData(
                f"{source.name}, {source.split}",
                f"images of {len(shapes)} sizes",
                "one size, for the raw-pixels baseline",
                "Resize them, or leave the baseline out.",
            )
        return np.stack(images).reshape(len(images), -1).astype(np.float32) / np.float32(255)
