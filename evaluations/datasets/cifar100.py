"""CIFAR-100: 32x32 photographs of a hundred kinds of things, exact pixels.

50,000 training and 10,000 test images, 500 and 100 of each class (Krizhevsky 2009). The
hundred *fine* classes are scored, top-1; the twenty coarse ones are not used. The transfer
papers enlarge the images to 224 pixels (BYOL, App. D.2).

Read from the official *binary version*: per image the coarse label's byte, the fine one's,
then 1,024 red, green and blue bytes. The first byte is the trap: it is the coarse label.
The official *python version* is a pickle, which can run code, and is refused.

Papers hold out 5,067 of the training images for choosing the penalty (BYOL, Table 10).
"""

from pathlib import Path

import numpy as np

from ..cifar import PIXEL_BYTES, pickled, present, read_records
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import read_lines
from ..sources import Images, from_arrays


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split from the binary version.

    Raises:
        MissingData: a file of it is not there.
        BadData: it is truncated, or it is the pickled python version.
    """
    assert folder is not None
    inner = folder / "cifar-100-binary"
    folder = inner if inner.is_dir() else folder
    if not (folder / f"{split}.bin").is_file():
        raise _refusal(folder, split)
    file, names = present("cifar100", [folder / f"{split}.bin", folder / "fine_label_names.txt"])
    pixels, labels = read_records(file, label_bytes=2)
    return from_arrays(
        pixels,
        name="cifar100",
        split=split,
        labels=labels[:, 1].astype(np.int64),
        class_names=tuple(read_lines(names)),
        expected=DATASET.splits[split],
    )


def _refusal(folder: Path, split: str) -> Exception:
    if (folder / "cifar-100-python").is_dir() or (folder / split).is_file():
        return pickled(folder, "CIFAR-100", "cifar-100-binary.tar.gz")
    return missing("cifar100", folder, f"found no {split}.bin")


DATASET = Dataset(
    title="CIFAR-100",
    classes=100,
    splits={"train": 50_000, "test": 10_000},
    licence="none stated; cite Krizhevsky (2009)",
    source=(
        "Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009), "
        "https://www.cs.toronto.edu/~kriz/cifar.html"
    ),
    address="https://www.cs.toronto.edu/~kriz/cifar.html",
    layouts=(
        Layout(
            tree="cifar-100-binary/{train,test}.bin and cifar-100-binary/fine_label_names.txt",
            files=(
                Files(pattern="test.bin", bytes_each=10_000 * (2 + PIXEL_BYTES)),
                Files(pattern="train.bin", bytes_each=50_000 * (2 + PIXEL_BYTES)),
                Files(pattern="fine_label_names.txt"),
            ),
            get="unpack cifar-100-binary.tar.gz",
        ),
    ),
    bytes=169_000_000,
    open=open_split,
    folders=(
        "cifar-100-binary",
        "cifar100/cifar-100-binary",
        "cifar100",
        "cifar-100-python",
    ),
    validation_images=5_067,
    scored_classes="the 100 fine ones; the 20 coarse ones are not used",
    preprocessing="enlarged to 224 (bicubic) for networks trained at 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
