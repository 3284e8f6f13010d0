"""Oxford Flowers-102: flowers common in Britain, 102 kinds, mean per-class accuracy.

1,020 training, 1,020 validation and 6,149 test images; ten a class in the first two, 20 to
238 in the third (Nilsback and Zisserman 2008). All 102 classes are scored, mean per class.

Splits and labels are MATLAB files: setid.mat holds `trnid`, `valid` and `tstid`, the numbers
of the images from 1; imagelabels.mat holds `labels`, from 1 too. Some copies swap training
and test because the larger part is the test: here `tstid` is scored.

Train on `trainval`, of which the last 1,020 are the official validation images.
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import check_there
from ..matlab import read_mat
from ..sources import Images, from_files

_KEYS = {"train": ("trnid",), "val": ("valid",), "trainval": ("trnid", "valid"), "test": ("tstid",)}
_CLASSES = 102


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of setid.mat; `trainval` is `train` followed by `val`.

    Raises:
        MissingData: setid.mat or imagelabels.mat is not there.
        BadData: one of them is damaged, or a listed image is missing.
    """
    assert folder is not None
    ids_file, labels_file = folder / "setid.mat", folder / "imagelabels.mat"
    for file in (ids_file, labels_file):
        if not file.is_file():
            raise missing("flowers", folder, f"found no {file.name}")
    ids = read_mat(ids_file, *_KEYS[split])
    numbers = np.concatenate([np.atleast_1d(ids[key]) for key in _KEYS[split]]).astype(np.int64)
    labels = np.atleast_1d(read_mat(labels_file, "labels")["labels"]).astype(np.int64)
    if numbers.min() < 1 or numbers.max() > len(labels):
        raise BadData(
            ids_file,
            f"images {numbers.min()} to {numbers.max()}",
            f"1 to {len(labels)}, those that {labels_file.name} labels",
        )
    paths = [folder / "jpg" / f"image_{number:05d}.jpg" for number in numbers]
    check_there(paths, ids_file)
    return from_files(
        folder / "jpg",
        paths,
        name="flowers",
        split=split,
        labels=labels[numbers - 1] - 1,
        class_names=tuple(str(number) for number in range(1, _CLASSES + 1)),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Oxford Flowers-102",
    classes=_CLASSES,
    splits={"train": 1_020, "val": 1_020, "trainval": 2_040, "test": 6_149},
    licence="none stated; cite Nilsback and Zisserman (2008)",
    source=(
        "Nilsback and Zisserman, Automated Flower Classification over a Large Number of "
        "Classes (ICVGIP 2008), https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    ),
    address="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    layouts=(
        Layout(
            tree="flowers-102/{setid.mat,imagelabels.mat,jpg/image_<5 digits>.jpg}",
            files=(
                Files(pattern="jpg/*", count=8_189),
                Files(pattern="setid.mat"),
                Files(pattern="imagelabels.mat"),
            ),
            get="unpack 102flowers.tgz and put the two .mat files",
        ),
    ),
    bytes=345_000_000,
    open=open_split,
    folders=("flowers-102", "flowers102", "flowers"),
    training="trainval",
    validation="val",
    validation_images=1_020,
    metric="mean_per_class",
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
