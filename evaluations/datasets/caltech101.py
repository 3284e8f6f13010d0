"""Caltech-101: objects of 101 kinds and one class of background, mean per-class accuracy.

9,144 images of about 300 x 200 pixels in 102 folders, 31 to 800 in each (Fei-Fei et al.
2004). There is no official division: the papers draw 30 images of each class for training at
random and score the other 6,084. All 102 classes are scored, BACKGROUND_Google among them
(30 x 102 = 3,060 training images, as in BYOL, Table 10), mean per class.

`caltech101` draws by the seed 0, `caltech101:3` by the seed 3: PCG64 over the classes and
files in sorted order. SimCLR trains on all 30; BYOL chooses its penalty on 5 of them, 510 in
all. No paper's own draw is published, so claims carry the spread over draws.

The 64-pixel subset with a fixed division is another data set: `caltech101_64`.
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..dataset import DRAW, Dataset, Files, Geometry, Layout, missing
from ..folders import read_classes
from ..sources import Images, from_files

FOLDER = "101_ObjectCategories"
_CLASSES, _TRAINING_PER_CLASS = 102, 30


def open_split(split: str, folder: Path | None) -> Images:
    """Return `train`, `test` (seed 0), `train@3` (seed 3) or `all`, classes in sorted order.

    Raises:
        MissingData: there is no folder 101_ObjectCategories.
        BadData: other than 102 classes, or one with no image left to score.
    """
    assert folder is not None
    inner = next(
        (f for f in (folder / FOLDER, folder / "caltech-101" / FOLDER) if f.is_dir()), None
    )
    if inner is None:
        raise missing("caltech101", folder, f"found no {FOLDER}")
    part, _, seed = split.partition(DRAW)
    whole = read_classes(inner, name="caltech101", split=split, expected=DATASET.splits["all"])
    if len(whole.class_names) != _CLASSES:
        raise BadData(inner, f"{len(whole.class_names)} class folders", f"{_CLASSES}")
    if part == "all":
        return whole
    training = drawn(whole.labels, int(seed or 0), inner)
    rows = np.flatnonzero(training if part == "train" else ~training)
    return from_files(
        inner,
        [inner / whole.identities[int(row)] for row in rows],
        name="caltech101",
        split=split,
        labels=whole.labels[rows],
        class_names=whole.class_names,
        expected=DATASET.splits[part],
    )


def drawn(labels: np.ndarray, seed: int, where: object) -> np.ndarray:
    """Return [N] bool: whether an image is among the 30 of its class drawn for training.

    Args:
        labels: [N] int64.
        seed: of the draw.
        where: the images' folder, for messages.

    Raises:
        BadData: a class has no more than 30 images.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    training = np.zeros(len(labels), dtype=bool)
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == label)
        if len(rows) <= _TRAINING_PER_CLASS:
            raise BadData(
                where,
                f"{len(rows)} images of class {label}",
                f"more than the {_TRAINING_PER_CLASS} that are drawn for training",
            )
        training[generator.permutation(rows)[:_TRAINING_PER_CLASS]] = True
    return training


DATASET = Dataset(
    title="Caltech-101, 30 random training images per class",
    classes=_CLASSES,
    splits={"train": 3_060, "test": 6_084, "all": 9_144},
    licence="CC BY 4.0",
    source="Fei-Fei et al. (2004), https://data.caltech.edu/records/mzrjq-6wc02",
    address="https://data.caltech.edu/records/mzrjq-6wc02",
    layouts=(
        Layout(
            tree=f"caltech101/{FOLDER}/<class>/image_<4 digits>.jpg",
            files=(Files(pattern=f"{FOLDER}/*/*", count=9_144),),
            get=f"unpack caltech-101.zip and the {FOLDER}.tar.gz in it",
        ),
        Layout(
            tree=f"caltech101/caltech-101/{FOLDER}/<class>/image_<4 digits>.jpg",
            files=(Files(pattern=f"caltech-101/{FOLDER}/*/*", count=9_144),),
        ),
    ),
    bytes=137_000_000,
    open=open_split,
    folders=("caltech101", "caltech-101"),
    validation_images=510,
    metric="mean_per_class",
    scored_classes="101 kinds of objects and the background class",
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
    draws=True,
)
