"""PASCAL VOC 2012, segmentation, with the additional masks of SBD: 20 things and background.

Trained on `train_aug`, 10,582 images: the 1,464 of VOC's own training list and those of SBD
(Hariharan et al., ICCV 2011) that are not in VOC's validation list. Scored on the 1,449
validation images (Everingham et al. 2010). A VOC mask is a palette PNG: its indices are the
classes, its colours are not, and 255 is the border around every object, which is not scored.

An image of VOC's own lists has VOC's mask; the others have SBD's, either as the MATLAB files
that SBD offers, or as the PNGs that everybody makes of them (`SegmentationClassAug`).
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...checkpoints.errors import BadData
from ..dataset import Files, Layout, missing
from ..lists import read_lines
from ..segmentation.dataset import IGNORE, SegmentationDataset
from ..segmentation.masks import distinct_colours
from ..segmentation.pairs import Listing, Pair
from .voc2007 import CLASSES as THINGS

CLASSES = ("background", *THINGS)
_LISTS = "ImageSets/Segmentation"
# Lists of train_aug under the names that they go by.
_AUGMENTED = ("train_aug.txt", "trainaug.txt")
# Where SBD's own files lie, relative to VOC2012.
_SBD = ("../VOCaug/dataset", "../../benchmark_RELEASE/dataset", "../benchmark_RELEASE/dataset")


def list_files(split: str, folder: Path) -> Listing:
    """Return the images and masks of a split, from the lists of the devkit and of SBD.

    Raises:
        MissingData: a list is not there.
        BadData: a list is damaged, or an image has no mask.
    """
    names = _named(split, folder)
    sbd = next((f"{part}/cls" for part in _SBD if (folder / part / "cls").is_dir()), "")
    pairs = [
        Pair(identity=name, image=f"JPEGImages/{name}.jpg", mask=_mask(name, folder, sbd, split))
        for name in sorted(names)
    ]
    return Listing(pairs=pairs)


def _named(split: str, folder: Path) -> list[str]:
    if split != "train_aug":
        return _list(folder / _LISTS / f"{split}.txt", folder)
    for name in _AUGMENTED:
        if (folder / _LISTS / name).is_file():
            return read_lines(folder / _LISTS / name)
    own = _list(folder / _LISTS / "train.txt", folder)
    if (folder / _LISTS / "aug.txt").is_file():
        return [*own, *read_lines(folder / _LISTS / "aug.txt")]
    found = next((folder / part for part in _SBD if (folder / part / "train.txt").is_file()), None)
    if found is None:
        raise missing(
            "voc2012", folder, f"found neither {_LISTS}/{_AUGMENTED[0]} nor SBD's train.txt"
        )
    both = [name for part in ("train", "val") for name in _list(found / f"{part}.txt", folder)]
    held = _list(folder / _LISTS / "val.txt", folder)
    return sorted({*own, *both} - set(held))


def _list(file: Path, folder: Path) -> list[str]:
    if not file.is_file():
        raise missing("voc2012", folder, f"found no {file.name} in {file.parent}")
    return read_lines(file)


def _mask(name: str, folder: Path, sbd: str, split: str) -> str:
    """Return the mask's name: VOC's own where it has one, which alone marks the borders."""
    tried = [f"SegmentationClass/{name}.png"]
    if split == "train_aug":
        tried.append(f"SegmentationClassAug/{name}.png")
        tried += [f"{sbd}/{name}.mat"] if sbd else []
    for mask in tried:
        if (folder / mask).is_file():
            return mask
    raise BadData(
        folder / tried[0],
        f"the image {name} of {split} has no mask",
        " or ".join(tried),
        "Unpack VOCtrainval_11-May-2012.tar and SBD's benchmark.tgz again.",
    )


def read_sbd(content: bytes, where: object) -> np.ndarray:
    """Return the classes [H, W] int64 in one of SBD's MATLAB files (GTcls.Segmentation).

    Raises:
        BadData: it is not such a file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    stream: Any = io.BytesIO(content)  # read as a file is, which scipy's types do not know
    try:
        held = loadmat(stream)["GTcls"]["Segmentation"][0, 0]
        return np.asarray(held).astype(np.int64)
    except (
        MatReadError, OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError,
    ) as error:  # fmt: skip
        raise BadData(
            where, f"not a mask of SBD ({error})", "a .mat file with GTcls.Segmentation"
        ) from error


_VOC_FILES = (
    Files(pattern="JPEGImages/*", count=17_125),
    Files(pattern="SegmentationClass/*.png", count=2_913),
    Files(pattern=f"{_LISTS}/train.txt"),
    Files(pattern=f"{_LISTS}/val.txt"),
)

DATASET = SegmentationDataset(
    title="PASCAL VOC 2012, segmentation, with SBD",
    name="voc2012",
    classes=21,
    class_names=CLASSES,
    palette=distinct_colours(21),
    labels={**{value: value for value in range(21)}, IGNORE: IGNORE},
    readers={".mat": read_sbd},
    splits={"train": 1_464, "train_aug": 10_582, "val": 1_449},
    licence="Flickr terms of use; research, see the pages of VOC and SBD",
    source=(
        "Everingham et al., The PASCAL Visual Object Classes Challenge (IJCV 2010), "
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/; Hariharan et al., Semantic Contours "
        "from Inverse Detectors (ICCV 2011)"
    ),
    address="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
    layouts=(
        Layout(
            tree=(
                "VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,ImageSets/Segmentation}, "
                "VOCdevkit/VOCaug/dataset/{cls,train.txt,val.txt}"
            ),
            files=(
                *_VOC_FILES,
                # SBD's folder lies beside this one: its files are counted when it is opened.
            ),
            get=(
                "unpack VOCtrainval_11-May-2012.tar, and SBD's benchmark.tgz (its folder "
                "`dataset`) as VOCdevkit/VOCaug/dataset,"
            ),
        ),
        Layout(
            tree=(
                "VOCdevkit/VOC2012/{JPEGImages,SegmentationClass,SegmentationClassAug,"
                "ImageSets/Segmentation/{train_aug,val}.txt}"
            ),
            files=(
                *_VOC_FILES,
                Files(pattern="SegmentationClassAug/*.png", count=10_582),
            ),
        ),
    ),
    bytes=3_450_000_000,
    list_files=list_files,
    folders=("VOCdevkit/VOC2012", "voc2012/VOCdevkit/VOC2012", "voc2012/VOC2012", "voc2012"),
    scored="val",
    training="train_aug",
    scored_classes="21, background included; the borders of objects (255) are not scored",
    preprocessing="as they are, 500 px on the longer side",
)
