"""Handwritten digits: real images that scikit-learn ships, so nothing is downloaded.

1,797 images of 8x8 pixels with 17 grey levels by 13 writers: the test part of the
"Optical Recognition of Handwritten Digits" set (Alpaydin and Kaynak, 1998). They are
scaled to 0..255 and enlarged to 16x16 (PIL, bicubic) so that a ResNet has something
to pool; grey is repeated to RGB.

This part has no official split of its own. The first 1,097 images in file order train
and the last 700 are scored. File order and not a random draw, because neighbours in the
file resemble each other: a shuffled split is easier.
"""

from pathlib import Path

import numpy as np

from ..dataset import Dataset
from ..sources import Images, from_arrays

SIDE_PX = 16
TRAIN_IMAGES, TEST_IMAGES = 1097, 700


def enlarge(values: np.ndarray) -> np.ndarray:
    """Return [N, 16, 16, 3] uint8 from [N, 8, 8] grey levels 0 to 16."""
    from PIL import Image

    grey = np.rint(values * (255 / 16)).astype(np.uint8)
    large = [
        np.asarray(Image.fromarray(image).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
        for image in grey
    ]
    return np.repeat(np.stack(large)[:, :, :, None], 3, axis=3)


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split; `folder` is not used: scikit-learn holds the images."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    chosen = slice(0, TRAIN_IMAGES) if split == "train" else slice(TRAIN_IMAGES, None)
    return from_arrays(
        enlarge(raw.images[chosen]),
        identities=[str(index) for index in range(len(raw.images))[chosen]],
        name="digits",
        split=split,
        labels=raw.target[chosen],
        class_names=tuple("0123456789"),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Handwritten digits (UCI, as shipped by scikit-learn), 16x16",
    classes=10,
    splits={"train": TRAIN_IMAGES, "test": TEST_IMAGES},
    licence="CC BY 4.0",
    source=(
        "Alpaydin and Kaynak (1998), https://doi.org/10.24432/C50P49; sklearn.datasets.load_digits"
    ),
    address="pip install scikit-learn",
    layouts=(),
    bytes=0,
    open=open_split,
)
