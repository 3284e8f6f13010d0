"""Places205: scenes of 205 kinds, 2.4 million photographs.

2,448,873 training and 20,500 validation images, a hundred of each class (Zhou et al. 2014).
The official test images have no public labels, so the validation images are scored, all 205
classes, top-1.

Read from the resized images (256 x 256, whatever their shape was) in folders, and the lists
train_places205.csv and val_places205.csv, lines of `image label`. The lists are called .csv
and hold no comma. A class is named by its images' folder.
"""

from pathlib import Path, PurePosixPath

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Layout, missing
from ..places import open_listed, read_labelled
from ..sources import Images

_IMAGES = "data/vision/torralba/deeplearning/images256"
_LISTS = "trainvalsplit_places205"


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list.

    Raises:
        MissingData: a list or the images are not there.
        BadData: a list is damaged, or a listed image is missing.
    """
    assert folder is not None
    name = f"{split}_places205.csv"
    listed = next((f for f in (folder / _LISTS / name, folder / name) if f.is_file()), None)
    if listed is None:
        raise missing("places205", folder, f"found no {_LISTS}/{name}")
    found = open_listed(
        listed,
        [folder / _IMAGES, folder / "images256"],
        {},
        name="places205",
        split=split,
        class_names=_class_names(listed),
        expected=DATASET.splits[split],
    )
    if found is None:
        raise missing("places205", folder, f"found no {_IMAGES}")
    return found


def _class_names(listed: Path) -> tuple[str, ...]:
    """Return the folder of each label's images, in the order of the labels."""
    folders: dict[int, str] = {}
    for image, label in zip(*read_labelled(listed), strict=True):
        folder = str(PurePosixPath(image).parent)
        if folders.setdefault(label, folder) != folder:
            raise BadData(
                listed, f"label {label} is {folders[label]} and {folder}", "one folder per label"
            )
    if sorted(folders) != list(range(len(folders))):
        raise BadData(listed, "its labels have gaps", f"0 to {len(folders) - 1}")
    return tuple(folders[label] for label in range(len(folders)))


DATASET = Dataset(
    title="Places205",
    classes=205,
    splits={"train": 2_448_873, "val": 20_500},
    licence="research and education, see the page",
    source="Zhou et al., Learning Deep Features for Scene Recognition (NeurIPS 2014), "
    "http://places.csail.mit.edu",
    address="http://places.csail.mit.edu/downloadData.html",
    layouts=(
        Layout(
            tree=f"places205/{_LISTS}/{{train,val}}_places205.csv and "
            f"places205/{_IMAGES}/<letter>/<class>/<image>.jpg",
            files=(
                # The test images lie among them.
                Files(pattern=f"{_IMAGES}/**/*", count=2_448_873 + 20_500),
                Files(pattern=f"{_LISTS}/val_places205.csv"),
                Files(pattern=f"{_LISTS}/train_places205.csv", needed=False),
            ),
            get="unpack imagesPlaces205_resize.tar.gz and trainvalsplit_places205.tar.gz",
        ),
    ),
    bytes=132_000_000_000,
    open=open_split,
    folders=("places205", "Places205"),
    scored="val",
    preprocessing="256 x 256, centre 224 (or 227)",
)
