"""PASCAL VOC 2007, classification: photographs with one or more of twenty kinds of things.

2,501 training, 2,510 validation and 4,952 test images (Everingham et al. 2010), each marked
for every class. Scored by the 11-point interpolated average precision, averaged over the
twenty classes, as the devkit of 2007 does; it was replaced by the area in 2010, which gives
other numbers.

Multi-label: `targets` [N, 20] int8 is 1 where the class is shown, 0 where it is not, and -1
where it is shown only as objects marked *difficult*. The devkit writes these as 1, -1 and 0
(ImageSets/Main/<class>_<split>.txt) and leaves the difficult ones out of a class's ranking:
neither right nor wrong. An image with difficult objects alone is kept: it is a negative of
the other classes.

Train on `trainval`, of which the last 2,510 are the official validation images.
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import check_there, read_lines, split_lines
from ..sources import Images, from_files

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip
# The devkit's mark of an image for a class, to ours.
_TARGETS = {"1": 1, "-1": 0, "0": -1}


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split; `trainval` is `train` followed by `val`, each in the devkit's order.

    Raises:
        MissingData: a list of the split is not there.
        BadData: a list is damaged, or a listed image is missing.
    """
    assert folder is not None
    inner = next((folder / i for i in ("VOCdevkit/VOC2007", "VOC2007") if (folder / i).is_dir()),
                 folder)  # fmt: skip
    parts = ("train", "val") if split == "trainval" else (split,)
    names: list[str] = []
    targets = []
    for part in parts:
        listed = inner / "ImageSets" / "Main" / f"{part}.txt"
        if not listed.is_file():
            raise missing("voc2007", folder, f"found no ImageSets/Main/{listed.name}")
        in_part = read_lines(listed)
        targets.append(np.stack([_marks(listed, c, in_part) for c in CLASSES], axis=1))
        names += in_part
    paths = [inner / "JPEGImages" / f"{name}.jpg" for name in names]
    check_there(paths, inner / "ImageSets" / "Main" / f"{split}.txt")
    marks = np.concatenate(targets)
    return from_files(
        inner / "JPEGImages",
        paths,
        name="voc2007",
        split=split,
        labels=np.argmax(marks == 1, axis=1),
        targets=marks,
        class_names=CLASSES,
        expected=DATASET.splits[split],
    )


def _marks(listed: Path, class_name: str, names: list[str]) -> np.ndarray:
    """Return [N] int8 of one class for the listed images.

    Raises:
        MissingData: there is no list of the class.
        BadData: it marks other images, or by other marks than -1, 0 and 1.
    """
    file = listed.with_name(f"{class_name}_{listed.name}")
    if not file.is_file():
        raise missing("voc2007", listed.parent, f"found no {file.name}")
    rows = split_lines(file, 2)
    if [row[0] for row in rows] != names:
        raise BadData(file, "it marks other images", f"those of {listed.name} in their order")
    wrong = [row for row in rows if row[1] not in _TARGETS]
    if wrong:
        raise BadData(file, f"image {wrong[0][0]} is marked {wrong[0][1]!r}", "-1, 0 or 1")
    return np.array([_TARGETS[row[1]] for row in rows], dtype=np.int8)


DATASET = Dataset(
    title="PASCAL VOC 2007, classification",
    classes=20,
    splits={"train": 2_501, "val": 2_510, "trainval": 5_011, "test": 4_952},
    licence="Flickr terms of use; research, see the page",
    source=(
        "Everingham et al., The PASCAL Visual Object Classes Challenge (IJCV 2010), "
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/"
    ),
    address="http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
    layouts=(
        Layout(
            tree="VOCdevkit/VOC2007/{JPEGImages/<image>.jpg,ImageSets/Main/<class>_<split>.txt}",
            files=(
                Files(pattern="JPEGImages/*", count=9_963),
                Files(pattern="ImageSets/Main/*_train.txt", count=20),
                Files(pattern="ImageSets/Main/*_val.txt", count=20),
                Files(pattern="ImageSets/Main/*_test.txt", count=20),
            ),
            get="unpack VOCtrainval_06-Nov-2007.tar and VOCtest_06-Nov-2007.tar",
        ),
    ),
    bytes=911_000_000,
    open=open_split,
    folders=("VOCdevkit/VOC2007", "voc2007/VOCdevkit/VOC2007", "voc2007/VOC2007", "voc2007"),
    training="trainval",
    validation="val",
    validation_images=2_510,
    metric="map_11_point",
    multi_label=True,
    scored_classes="all 20; an image's difficult objects count neither way",
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
