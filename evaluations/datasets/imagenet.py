"""ImageNet-1k (ILSVRC2012): 1,281,167 training and 50,000 validation images.

Photographs from the web, one of 1000 classes each. All classes are scored, top-1 and
top-5, on the validation images. Read from train/<wnid>/*.JPEG and val/<wnid>/*.JPEG;
the sorted wnids are the index order. Validation images as they come in the archive, all
in one folder, must first be sorted into folders by their wnid.
"""

from pathlib import Path

from ..dataset import Dataset
from ..folders import read_classes
from ..sources import Images
from ..splits import imagenet_wnids


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split, classes in index order."""
    assert folder is not None
    return read_classes(
        folder / split,
        name="imagenet",
        split=split,
        classes=imagenet_wnids(),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="ImageNet-1k (ILSVRC2012)",
    classes=1000,
    splits={"train": 1_281_167, "val": 50_000},
    licence="non-commercial research, see image-net.org",
    source="Russakovsky et al. (arXiv:1409.0575), https://image-net.org",
    obtain=(
        "register at https://image-net.org and sort the images into "
        "imagenet/{train,val}/<wnid>/<image>.JPEG."
    ),
    open=open_split,
    folders=("imagenet", "ILSVRC2012", "imagenet-1k"),
    scored="val",
)
