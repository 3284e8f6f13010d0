"""ADE20K scene parsing (SceneParse150): indoor and outdoor scenes, 150 classes.

20,210 training and 2,000 validation images (Zhou et al., arXiv:1608.05442). In its masks 0 is
what has no class and 1 to 150 are the classes: 0 is not scored, and every other number is one
less here (mmsegmentation's `reduce_zero_label`). Taken as they are, all classes would be the
next one, and the pixels without a class a class of their own.
"""

from pathlib import Path

from ..dataset import Files, Layout
from ..segmentation.dataset import IGNORE, SegmentationDataset
from ..segmentation.masks import distinct_colours
from ..segmentation.pairs import Listing, by_stem, names_in, paired

# CSAILVision/sceneparsing, objectInfo150.txt: the first word of each class.
CLASSES = (
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass",
    "cabinet", "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain",
    "chair", "car", "water", "painting", "sofa", "shelf", "house", "sea", "mirror", "rug",
    "field", "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp", "bathtub",
    "railing", "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter",
    "sand", "sink", "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs",
    "runway", "case", "pool table", "pillow", "screen door", "stairway", "river", "bridge",
    "bookcase", "blind", "coffee table", "toilet", "flower", "book", "hill", "bench",
    "countertop", "stove", "palm", "kitchen island", "computer", "swivel chair", "boat", "bar",
    "arcade machine", "hovel", "bus", "towel", "light", "truck", "tower", "chandelier", "awning",
    "streetlight", "booth", "television", "airplane", "dirt track", "apparel", "pole", "land",
    "bannister", "escalator", "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship",
    "fountain", "conveyer belt", "canopy", "washer", "plaything", "swimming pool", "stool",
    "barrel", "basket", "waterfall", "tent", "bag", "minibike", "cradle", "oven", "ball", "food",
    "step", "tank", "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher",
    "screen", "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan",
    "fan", "pier", "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator",
    "glass", "clock", "flag",
)  # fmt: skip
_PARTS = {"train": ("training", 20_210), "val": ("validation", 2_000)}


def list_files(split: str, folder: Path) -> Listing:
    """Return the images and masks of a split.

    Raises:
        BadData: an image without a mask, or a mask without an image.
    """
    inner = [f"{kind}/{_PARTS[split][0]}" for kind in ("images", "annotations")]
    images, masks = (by_stem(names_in(folder, part), part) for part in inner)
    return Listing(pairs=paired(images, masks, f"{folder}, {split}"))


DATASET = SegmentationDataset(
    title="ADE20K scene parsing",
    name="ade20k",
    classes=150,
    class_names=CLASSES,
    palette=distinct_colours(151)[1:],
    labels={0: IGNORE, **{value: value - 1 for value in range(1, 151)}},
    splits={split: count for split, (_, count) in _PARTS.items()},
    licence="BSD-3-Clause for the masks; images for non-commercial research",
    source="Zhou et al., Semantic Understanding of Scenes through ADE20K (arXiv:1608.05442)",
    address="http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
    layouts=(
        Layout(
            tree="ADEChallengeData2016/{images,annotations}/{training,validation}/<image>",
            files=tuple(
                Files(pattern=f"{kind}/{part}/*", count=count)
                for part, count in _PARTS.values()
                for kind in ("images", "annotations")
            ),
            get="unpack ADEChallengeData2016.zip",
        ),
    ),
    bytes=968_000_000,
    list_files=list_files,
    folders=("ADEChallengeData2016", "ade/ADEChallengeData2016", "ade20k"),
    scored="val",
    scored_classes="all 150; pixels without a class (0) are not scored",
    preprocessing="as they are",
)
