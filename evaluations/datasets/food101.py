"""Food-101: photographs of dishes of 101 kinds, 1,000 of each.

75,750 training and 25,250 test images, 750 and 250 of each class (Bossard et al. 2014). All
101 classes are scored, top-1. The training images were left uncleaned on purpose: some have a
wrong label, and the test images do not.

Papers hold out 7,575 of the training images (BYOL, Table 10).
"""

from pathlib import Path

from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import from_list, read_lines
from ..sources import Images


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list; classes are sorted by name.

    Raises:
        MissingData: the list is not there.
        BadData: a listed image is missing.
    """
    assert folder is not None
    file = folder / "meta" / f"{split}.txt"
    for wanted in (file, folder / "meta" / "classes.txt"):
        if not wanted.is_file():
            raise missing("food101", folder, f"found no meta/{wanted.name}")
    names = read_lines(file)
    return from_list(
        folder / "images",
        [f"{name}.jpg" for name in names],
        [name.partition("/")[0] for name in names],
        sorted(read_lines(folder / "meta" / "classes.txt")),
        file,
        name="food101",
        split=split,
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Food-101",
    classes=101,
    splits={"train": 75_750, "test": 25_250},
    licence="images of Foodspotting: research, see the page",
    source=(
        "Bossard et al., Food-101 (ECCV 2014), "
        "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/"
    ),
    address="https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
    layouts=(
        Layout(
            tree="food-101/{images/<class>/<image>.jpg,meta/{classes,train,test}.txt}",
            files=(
                Files(pattern="images/*/*", count=101_000),
                *(Files(pattern=f"meta/{name}.txt") for name in ("classes", "train", "test")),
            ),
            get="unpack food-101.tar.gz",
        ),
    ),
    bytes=4_996_000_000,
    open=open_split,
    folders=("food-101", "food101"),
    validation_images=7_575,
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
