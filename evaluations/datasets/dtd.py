"""Describable Textures (DTD), split 1: textures named by 47 adjectives, from banded to zigzagged.

1,880 training, 1,880 validation and 1,880 test images, 40 of each class in each (Cimpoi et
al. 2014). All 47 classes are scored, top-1, on the first of the ten official splits, as the
transfer papers do.

Train on `trainval`, of which the last 1,880 are the official validation images.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import from_list, read_lines
from ..sources import Images

_DIVISION = 1  # of ten


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list; `trainval` is `train` followed by `val`.

    Raises:
        MissingData: a list is not there.
        BadData: a listed image is missing.
    """
    assert folder is not None
    parts = ("train", "val") if split == "trainval" else (split,)
    lists = [folder / "labels" / f"{part}{_DIVISION}.txt" for part in parts]
    for file in lists:
        if not file.is_file():
            raise missing("dtd", folder, f"found no labels/{file.name}")
    names = [name for file in lists for name in read_lines(file)]
    classes = [name.partition("/")[0] for name in names]
    return from_list(
        folder / "images",
        names,
        classes,
        sorted(set(classes)),
        lists[0],
        name="dtd",
        split=split,
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Describable Textures Dataset, split 1",
    classes=47,
    splits={"train": 1_880, "val": 1_880, "trainval": 3_760, "test": 1_880},
    licence="research use, see the page",
    source="Cimpoi et al. (arXiv:1311.3618), https://www.robots.ox.ac.uk/~vgg/data/dtd/",
    address="https://www.robots.ox.ac.uk/~vgg/data/dtd/",
    layouts=(
        Layout(
            tree="dtd/{images/<class>/<image>.jpg,labels/{train,val,test}1.txt}",
            files=(
                Files(pattern="images/*/*", count=5_640),
                *(Files(pattern=f"labels/{part}1.txt") for part in ("train", "val", "test")),
            ),
            get="unpack dtd-r1.0.1.tar.gz",
        ),
    ),
    bytes=626_000_000,
    open=open_split,
    folders=("dtd/dtd", "dtd"),
    training="trainval",
    validation="val",
    validation_images=1_880,
    scored_classes="all 47, on split 1 of the ten",
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
