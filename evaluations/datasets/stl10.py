"""STL-10: 96x96 photographs of ten kinds of things, exact pixels, few of them labelled.

5,000 training and 8,000 test images, 500 and 800 of each class, and 100,000 without labels
that are not read (Coates et al. 2011). All ten classes are scored, top-1. The authors train on
ten predefined folds of 1,000 images and average; self-supervised papers train their linear
classifier on all 5,000, as is done here.

Binary files: an image is three planes of 96 x 96 bytes, each *column by column*: read row by
row every image would lie on its side. Labels are bytes from 1 to 10.
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..cifar import present
from ..dataset import Dataset, Files, Layout
from ..lists import read_lines
from ..sources import Images, from_arrays

_SIDE_PX = 96
_IMAGE_BYTES = 3 * _SIDE_PX**2


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split.

    Raises:
        MissingData: a file of it is not there.
        BadData: one is truncated, or there are more labels than images.
    """
    assert folder is not None
    inner = folder / "stl10_binary"
    folder = inner if inner.is_dir() else folder
    names = (f"{split}_X.bin", f"{split}_y.bin", "class_names.txt")
    images, labels_file, classes = present("stl10", [folder / name for name in names])
    content = np.fromfile(images, dtype=np.uint8)
    if content.size == 0 or content.size % _IMAGE_BYTES:
        raise BadData(
            images,
            f"{content.size:,} bytes",
            f"a multiple of {_IMAGE_BYTES:,}: 96 x 96 x 3 for each image",
            "The file is truncated; fetch it again.",
        )
    # [N, channel, column, row] to [N, row, column, channel].
    pixels = content.reshape(-1, 3, _SIDE_PX, _SIDE_PX).transpose(0, 3, 2, 1)
    return from_arrays(
        np.ascontiguousarray(pixels),
        name="stl10",
        split=split,
        labels=np.fromfile(labels_file, dtype=np.uint8).astype(np.int64) - 1,
        class_names=tuple(read_lines(classes)),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="STL-10",
    classes=10,
    splits={"train": 5_000, "test": 8_000},
    licence="none stated; images of ImageNet, cite Coates et al. (2011)",
    source=(
        "Coates, Lee and Ng, An Analysis of Single Layer Networks in Unsupervised Feature "
        "Learning (AISTATS 2011), https://cs.stanford.edu/~acoates/stl10/"
    ),
    address="https://cs.stanford.edu/~acoates/stl10/",
    layouts=(
        Layout(
            tree="stl10_binary/{train,test}_{X,y}.bin and stl10_binary/class_names.txt",
            files=(
                Files(pattern="test_X.bin", bytes_each=8_000 * _IMAGE_BYTES),
                Files(pattern="test_y.bin", bytes_each=8_000),
                Files(pattern="train_X.bin", bytes_each=5_000 * _IMAGE_BYTES),
                Files(pattern="train_y.bin", bytes_each=5_000),
                Files(pattern="class_names.txt"),
            ),
            get="unpack stl10_binary.tar.gz",
        ),
    ),
    bytes=2_640_000_000,
    open=open_split,
    folders=("stl10_binary", "stl10/stl10_binary", "stl10"),
    preprocessing="96 x 96 as they are, or enlarged to 224",
)
