"""Caltech-101, a fixed subset: objects and one background class, mean per-class accuracy.

102 folders (101 object classes and BACKGROUND_Google), 30 training images of each and up
to 50 test images: 3,060 and 2,995 of the 9,144. The split is that of the copy read here
and no paper's: SimCLR draws 30 images of each class, BYOL 25 and 5 for validation. So no
claim is judged by it. Read in place from a tar of {train,test}/<class>/<image>, or from
such folders (Fei-Fei et al. 2004).
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, missing
from ..folders import read_classes
from ..images import is_image
from ..sources import Images, from_tar, list_tar


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split; classes are in sorted order of their folders' names."""
    assert folder is not None
    archives = sorted(folder.glob("*.tar*"))
    if not archives:
        if not (folder / split).is_dir():
            raise missing("caltech101", folder, f"found neither a tar nor a folder {split!r}")
        return read_classes(
            folder / split, name="caltech101", split=split, expected=DATASET.splits[split]
        )
    files = [f for f in list_tar(archives[0]) if is_image(Path(f)) and f.count("/") == 2]
    chosen = [file for file in files if file.startswith(f"{split}/")]
    if not chosen:
        raise BadData(archives[0], f"no {split}/<class>/<image>", "the split's images")
    classes = sorted({file.split("/")[1] for file in chosen})
    return from_tar(
        archives[0],
        chosen,
        name="caltech101",
        split=split,
        labels=[classes.index(file.split("/")[1]) for file in chosen],
        class_names=tuple(classes),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Caltech-101, 30 training and up to 50 test images per class",
    classes=102,
    splits={"train": 3060, "test": 2995},
    licence="CC BY 4.0",
    source="Fei-Fei et al. (2004), https://data.caltech.edu/records/mzrjq-6wc02",
    obtain=(
        "from https://data.caltech.edu/records/mzrjq-6wc02, sorted into "
        "caltech101/{train,test}/<class>/<image>.jpg or one tar of these in caltech101/."
    ),
    open=open_split,
    folders=("caltech101",),
    metric="mean_per_class",
)
