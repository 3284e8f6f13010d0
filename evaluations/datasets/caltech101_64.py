"""Caltech-101, a fixed subset at 64 px: objects and one background class, mean per-class accuracy.

102 folders (101 object classes and BACKGROUND_Google), 30 training images of each and up
to 50 test images: 3,060 and 2,995 of the 9,144. The split is that of the copy read here
and no paper's: SimCLR draws 30 images of each class, BYOL 25 and 5 for validation. So no
claim is judged by it. Read in place from a tar of {train,test}/<class>/<image>, or from
such folders (Fei-Fei et al. 2004).
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Layout, missing
from ..folders import read_classes
from ..images import is_image
from ..sources import Images
from ..tars import from_tar, list_tar


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split; classes are in sorted order of their folders' names."""
    assert folder is not None
    archives = sorted(folder.glob("*.tar*"))
    if not archives:
        if not (folder / split).is_dir():
            raise missing("caltech101_64", folder, f"found neither a tar nor a folder {split!r}")
        return read_classes(
            folder / split, name="caltech101_64", split=split, expected=DATASET.splits[split]
        )
    files = [f for f in list_tar(archives[0]) if is_image(Path(f)) and f.count("/") == 2]
    chosen = [file for file in files if file.startswith(f"{split}/")]
    if not chosen:
        raise BadData(archives[0], f"no {split}/<class>/<image>", "the split's images")
    classes = sorted({file.split("/")[1] for file in chosen})
    return from_tar(
        archives[0],
        chosen,
        name="caltech101_64",
        split=split,
        labels=[classes.index(file.split("/")[1]) for file in chosen],
        class_names=tuple(classes),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Caltech-101 at 64 px, 30 training and up to 50 test images per class",
    classes=102,
    splits={"train": 3060, "test": 2995},
    licence="CC BY 4.0",
    source="Fei-Fei et al. (2004), https://data.caltech.edu/records/mzrjq-6wc02",
    address="https://data.caltech.edu/records/mzrjq-6wc02",
    layouts=(
        Layout(
            tree="caltech101/caltech101-64.tar.gz of {train,test}/<class>/<image>.jpg",
            files=(Files(pattern="*.tar*"),),
            get="resize the images to a shorter side of 64 px and put them",
        ),
        Layout(
            tree="caltech101-64/{train,test}/<class>/<image>.jpg",
            files=(Files(pattern="train/*/*", count=3060), Files(pattern="test/*/*", count=2995)),
        ),
    ),
    bytes=137_000_000,
    preprocessing="shorter side 64, JPEG quality 85, already done in the copy read here",
    open=open_split,
    folders=("caltech101-64", "caltech101_64", "caltech101"),
    metric="mean_per_class",
)
