"""ImageNet-Sketch: 50,000 black-and-white sketches, 50 for each of the 1000 classes.

Found by searching for "sketch of" and the class's name, cleaned by hand, and filled up
to 50 a class by flips and rotations (Wang et al. 2019). All 1000 classes are scored,
top-1 and top-5, with no mask.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Geometry, Layout
from ..folders import read_classes
from ..sources import Images
from ..splits import imagenet_wnids


def open_split(split: str, folder: Path | None) -> Images:
    """Return the test split, classes in ImageNet's index order."""
    assert folder is not None
    return read_classes(
        folder,
        name="imagenet_sketch",
        split=split,
        classes=imagenet_wnids(),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="ImageNet-Sketch",
    classes=1000,
    splits={"test": 50_000},
    licence="MIT (the repository's); images from the web",
    source="Wang et al. (arXiv:1905.13549), https://github.com/HaohanWang/ImageNet-Sketch",
    address="https://github.com/HaohanWang/ImageNet-Sketch",
    layouts=(
        Layout(
            tree="imagenet-sketch/<wnid>/<image>.JPEG",
            files=(Files(pattern="*/*", count=50_000),),
            get="unpack the archive",
        ),
    ),
    bytes=7_600_000_000,
    preprocessing="shorter side 256, centre 224, bilinear",
    geometry=Geometry(image_size=224, resize=256, interpolation="bilinear"),
    open=open_split,
    folders=("imagenet-sketch", "sketch", "imagenet_sketch"),
    training=None,
    clean="imagenet",
)
