"""Cityscapes, fine annotations: street scenes of fifty cities, 19 scored classes.

2,975 training and 500 validation images of 2048 x 1024 px (Cordts et al., arXiv:1604.01685);
the test masks are not published, so papers report the validation images. The download holds
masks of 34 ids (`_labelIds.png`), of which 19 are scored and 15 are not; the official scripts
turn them into training ids 0 to 18 and 255 (`_labelTrainIds.png`). Both are read, by their
names: an id taken for a training id is another class, and nothing else would show it.
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Files, Layout
from ..segmentation.dataset import IGNORE, SegmentationDataset
from ..segmentation.pairs import Listing, by_stem, names_in, paired

# cityscapesScripts, helpers/labels.py: id -> (training id, name, colour), where it is scored.
_SCORED = {
    7: ("road", (128, 64, 128)),
    8: ("sidewalk", (244, 35, 232)),
    11: ("building", (70, 70, 70)),
    12: ("wall", (102, 102, 156)),
    13: ("fence", (190, 153, 153)),
    17: ("pole", (153, 153, 153)),
    19: ("traffic light", (250, 170, 30)),
    20: ("traffic sign", (220, 220, 0)),
    21: ("vegetation", (107, 142, 35)),
    22: ("terrain", (152, 251, 152)),
    23: ("sky", (70, 130, 180)),
    24: ("person", (220, 20, 60)),
    25: ("rider", (255, 0, 0)),
    26: ("car", (0, 0, 142)),
    27: ("truck", (0, 0, 70)),
    28: ("bus", (0, 60, 100)),
    31: ("train", (0, 80, 100)),
    32: ("motorcycle", (0, 0, 230)),
    33: ("bicycle", (119, 11, 32)),
}
_IDS = dict.fromkeys(range(34), IGNORE) | {
    value: place for place, value in enumerate(sorted(_SCORED))
}
_TRAIN_IDS = {**{value: value for value in range(19)}, IGNORE: IGNORE}
_ENDINGS = ("_gtFine_labelIds.png", "_gtFine_labelTrainIds.png")


def list_files(split: str, folder: Path) -> Listing:
    """Return the images and masks of a split, over its cities; `_labelIds` where there are any.

    Raises:
        BadData: an image without a mask, or a mask without an image.
    """
    images: dict[str, str] = {}
    masks: dict[str, dict[str, str]] = {ending: {} for ending in _ENDINGS}
    for kind in ("leftImg8bit", "gtFine"):
        inner = folder / kind / split
        for city in sorted(f.name for f in inner.iterdir() if f.is_dir()) if inner.is_dir() else ():
            part = f"{kind}/{split}/{city}"
            names = names_in(folder, part)
            if kind == "leftImg8bit":
                images |= by_stem(names, part, "_leftImg8bit.png")
            else:
                for ending in _ENDINGS:
                    masks[ending] |= by_stem(names, part, ending)
    ids, train_ids = (masks[ending] for ending in _ENDINGS)
    if images and not ids and not train_ids:
        raise BadData(
            f"{folder}, {split}",
            f"{len(images)} images and no mask that ends in {' or '.join(_ENDINGS)}",
            "the masks of gtFine_trainvaltest.zip",
        )
    return Listing(pairs=paired(images, ids or train_ids, f"{folder}, {split}"))


DATASET = SegmentationDataset(
    title="Cityscapes, fine annotations",
    name="cityscapes",
    classes=19,
    class_names=tuple(_SCORED[value][0] for value in sorted(_SCORED)),
    palette=tuple(_SCORED[value][1] for value in sorted(_SCORED)),
    labels=_IDS,
    labels_of={"_labelTrainIds.png": _TRAIN_IDS},
    splits={"train": 2_975, "val": 500},
    licence="Cityscapes licence: non-commercial research; registration at the page",
    source="Cordts et al., The Cityscapes Dataset (arXiv:1604.01685)",
    address="https://www.cityscapes-dataset.com/downloads/",
    layouts=(
        Layout(
            tree="cityscapes/{leftImg8bit,gtFine}/{train,val}/<city>/<image>",
            files=tuple(
                Files(pattern=f"{pattern}", count=count)
                for split, count in (("train", 2_975), ("val", 500))
                for pattern in (
                    f"leftImg8bit/{split}/*/*_leftImg8bit.png",
                    f"gtFine/{split}/*/*_gtFine_labelIds.png",
                )
            ),
            get="unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip",
        ),
        Layout(
            tree="cityscapes/..., masks of training ids alone (_labelTrainIds.png)",
            files=tuple(
                Files(pattern=f"{pattern}", count=count)
                for split, count in (("train", 2_975), ("val", 500))
                for pattern in (
                    f"leftImg8bit/{split}/*/*_leftImg8bit.png",
                    f"gtFine/{split}/*/*_gtFine_labelTrainIds.png",
                )
            ),
        ),
    ),
    bytes=11_600_000_000,
    list_files=list_files,
    folders=("cityscapes", "Cityscapes"),
    scored="val",
    scored_classes="19 of 34 ids; the 15 others are not scored",
    preprocessing="2048 x 1024 px, as they are",
)
