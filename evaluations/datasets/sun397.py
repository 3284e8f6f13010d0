"""SUN397, split 1: scenes of 397 kinds, from abbey to zen garden.

19,850 training and 19,850 test images, 50 of each class in both: the first of the ten
official divisions of the 108,754 images (Xiao et al. 2010). All 397 classes are scored, top-1.

Classes are folders of one to three levels (`/a/apartment_building/outdoor`): the class of an
image is its whole folder, and the labels' order is that of ClassName.txt.

Papers hold out 3,970 of the training images (BYOL, Table 10).
"""

from pathlib import Path

from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import from_list, read_lines
from ..sources import Images

_LISTS = {"train": "Training_01.txt", "test": "Testing_01.txt"}


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list.

    Raises:
        MissingData: a list is not there.
        BadData: an unknown class, or a listed image is missing.
    """
    assert folder is not None
    lists = []
    for name in (_LISTS[split], "ClassName.txt"):
        found = [f for f in (folder / name, folder / "Partitions" / name) if f.is_file()]
        if not found:
            raise missing("sun397", folder, f"found no {name}")
        lists.append(found[0])
    names = [line.lstrip("/") for line in read_lines(lists[0])]
    return from_list(
        folder,
        names,
        [name.rpartition("/")[0] for name in names],
        [line.lstrip("/") for line in read_lines(lists[1])],
        lists[0],
        name="sun397",
        split=split,
        expected=DATASET.splits[split],
    )


# Classes lie at different depths.
_IMAGES = Files(pattern="**/*", count=108_754)

DATASET = Dataset(
    title="SUN397, split 1",
    classes=397,
    splits={"train": 19_850, "test": 19_850},
    licence="research only, see the page",
    source=(
        "Xiao et al., SUN Database (CVPR 2010), https://vision.princeton.edu/projects/2010/SUN/"
    ),
    address="https://vision.princeton.edu/projects/2010/SUN/",
    layouts=(
        Layout(
            tree="SUN397/{<letter>/<class>/<image>.jpg,ClassName.txt,"
            "Training_01.txt,Testing_01.txt}",
            files=(
                _IMAGES,
                Files(pattern="Training_01.txt"),
                Files(pattern="Testing_01.txt"),
                Files(pattern="ClassName.txt"),
            ),
            get="unpack SUN397.tar.gz and, into it, Partitions.zip",
        ),
        Layout(
            tree="SUN397/{<letter>/<class>/<image>.jpg,Partitions/{ClassName,<split>_01}.txt}",
            files=(
                _IMAGES,
                Files(pattern="Partitions/Training_01.txt"),
                Files(pattern="Partitions/Testing_01.txt"),
                Files(pattern="Partitions/ClassName.txt"),
            ),
        ),
    ),
    bytes=39_000_000_000,
    open=open_split,
    folders=("SUN397", "sun397"),
    scored_classes="all 397, on split 1 of the ten",
    validation_images=3_970,
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
