"""Places365-Standard: scenes of 365 kinds, 1.8 million photographs.

1,803,460 training and 36,500 validation images, a hundred of each class (Zhou et al. 2017).
The official test images have no public labels, so the validation images are scored, all 365
classes, top-1.

Read from the small images (shorter side 256) or the large ones, in folders or in the
official uncompressed tars in place: data_256/ and val_256/, train_256_places365standard.tar
and val_256.tar. Labels are those of places365_train_standard.txt and places365_val.txt; the
order of classes is categories_places365.txt.
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Layout, missing
from ..places import open_listed, read_labelled
from ..sources import Images

_LISTS = {"train": "places365_train_standard.txt", "val": "places365_val.txt"}
_CATEGORIES = "categories_places365.txt"


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list.

    Raises:
        MissingData: a list or the images are not there.
        BadData: a list is damaged, or a listed image is missing.
    """
    assert folder is not None
    for name in (_LISTS[split], _CATEGORIES):
        if not (folder / name).is_file():
            raise missing("places365", folder, f"found no {name}")
    names, indices = read_labelled(folder / _CATEGORIES)
    if sorted(indices) != list(range(len(names))):
        raise BadData(folder / _CATEGORIES, "its indices have gaps", f"0 to {len(names) - 1}")
    ordered = tuple(name for _, name in sorted(zip(indices, names, strict=True)))
    folders, archives = [], {}
    for size in ("256", "large"):
        if split == "train":
            # torchvision renames the folder that the archive makes.
            folders += [folder / f"data_{size}", folder / f"data_{size}_standard"]
            archives[folder / f"train_{size}_places365standard.tar"] = f"data_{size}"
        else:
            folders.append(folder / f"val_{size}")
            archives[folder / f"val_{size}.tar"] = f"val_{size}"
    found = open_listed(
        folder / _LISTS[split],
        folders,
        archives,
        name="places365",
        split=split,
        class_names=ordered,
        expected=DATASET.splits[split],
    )
    if found is None:
        raise missing("places365", folder, f"found none of {', '.join(f.name for f in archives)}")
    return found


_TABLES = tuple(
    Files(pattern=name, needed=name != _LISTS["train"]) for name in (*_LISTS.values(), _CATEGORIES)
)

DATASET = Dataset(
    title="Places365-Standard",
    classes=365,
    splits={"train": 1_803_460, "val": 36_500},
    licence="research and education, see the page",
    source="Zhou et al., Places (TPAMI 2017), http://places2.csail.mit.edu",
    address="http://places2.csail.mit.edu/download.html",
    layouts=(
        Layout(
            tree="places365/{places365_<split>.txt,categories_places365.txt,"
            "val_256/<image>.jpg,data_256/<letter>/<class>/<image>.jpg}",
            files=(
                Files(pattern="val_256/*", count=36_500),
                Files(pattern="data_256/**/*", count=1_803_460, needed=False),
                *_TABLES,
            ),
            get="unpack filelist_places365-standard.tar, val_256.tar and "
            "train_256_places365standard.tar",
        ),
        Layout(
            tree="places365/{places365_<split>.txt,categories_places365.txt,val_256.tar,"
            "train_256_places365standard.tar}, images read in place",
            files=(
                Files(pattern="val_256.tar"),
                Files(pattern="train_256_places365standard.tar", needed=False),
                *_TABLES,
            ),
            get="unpack filelist_places365-standard.tar and put the tars",
        ),
        Layout(
            tree="places365/{places365_<split>.txt,categories_places365.txt,"
            "val_large/<image>.jpg,data_large/<letter>/<class>/<image>.jpg}",
            files=(
                Files(pattern="val_large/*", count=36_500),
                Files(pattern="data_large/**/*", count=1_803_460, needed=False),
                *_TABLES,
            ),
        ),
    ),
    bytes=26_000_000_000,
    open=open_split,
    folders=("places365", "places365_standard"),
    scored="val",
    preprocessing="shorter side 256, centre 224",
)
