"""Which data a claim is about and how far a measurement may lie off, from the source's words.

A row of the registry may state any of these fields itself; the rules fill the others, and
`claim_routes` the evaluators. They name data sets whether or not these exist yet.
"""

import re
from typing import NamedTuple

# Complete test splits, in images. Sources: paper/protocols of each set (ObjectNet: the overlap
# of 113 classes in the official answer file; ImageNetV2, -R, -Sketch: their READMEs); the
# transfer sets: Kornblith et al. (arXiv:1805.08974), Table 1.
TEST_IMAGES = {
    "imagenet": 50_000,
    "imagenet_real": 46_837,
    "imagenetv2_matched_frequency": 10_000,
    "imagenetv2_threshold07": 10_000,
    "imagenetv2_top_images": 10_000,
    "imagenet_r": 30_000,
    "imagenet_a": 7_500,
    "imagenet_sketch": 50_000,
    "imagenet_c": 50_000,
    "objectnet": 18_574,
    "cifar10": 10_000,
    "cifar10_jpeg": 10_000,
    "cifar10.1_v4": 2_021,
    "cifar10.1_v6": 2_000,
    "cifar100": 10_000,
    "food101": 25_250,
    "birdsnap": 2_443,
    "sun397": 19_850,
    "stanford_cars": 8_041,
    "aircraft": 3_333,
    "voc2007": 4_952,
    "dtd": 1_880,
    "pets": 3_669,
    "caltech101": 6_084,
    "flowers": 6_149,
    "stl10": 8_000,
    "places365": 36_500,
    "voc2012": 1_449,
    "cityscapes": 500,
}

# The source's spelling, reduced to letters and digits, to our name where the rule of
# `data_name` would not give it.
_ALIASES = {
    "cars": "stanford_cars",
    "cifar100": "cifar100",
    "cifar10": "cifar10",
    "cityscapesval": "cityscapes",
    "pascalvoc2012val": "voc2012",
    "pascalvoc2007": "voc2007_detection",
    "nyuv2": "nyu_depth_v2",
    "imagenet1": "imagenet",
    "imagenet10": "imagenet",
    "imagenet100": "imagenet",
    "imagenetv2threshold07": "imagenetv2_threshold07",
    "imagenetreal": "imagenet_real",
    "cifar101v4": "cifar10.1_v4",
    "cifar101v6": "cifar10.1_v6",
}
# Corruptions as the source abbreviates them, to the folder names of ImageNet-C.
_CORRUPTIONS = {"elastic": "elastic_transform", "jpeg": "jpeg_compression"}


def key(name: str) -> str:
    """Return `name` reduced to lower-case letters and digits, for comparing spellings."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


# What whoever read the page took it to be.
_EXPECTED = re.compile(r"not stated.*\((ResNet-\d+) expected\)")


def network_name(architecture: str) -> str:
    """Return the network in the source's words without its remarks.

    >>> network_name("ResNet-50 1x (expected; the page does not state it)")
    'ResNet-50 1x'
    >>> network_name("ResNet-50 1x with target network")
    'ResNet-50 1x'
    >>> network_name("not stated on the page (ResNet-50 expected)")
    'ResNet-50 1x'
    """
    if expected := _EXPECTED.fullmatch(architecture):
        return f"{expected[1]} 1x"
    # A target network trains the network that is published; it is not another architecture.
    return architecture.partition(" (")[0].removesuffix(" with target network")


def data_name(dataset: str) -> tuple[str, str]:
    """Return the registry's data set and condition for the source's words.

    >>> data_name("ImageNet-C gaussian-noise")
    ('imagenet_c', 'gaussian_noise')
    """
    if dataset.startswith("ImageNet-C "):
        corruption = dataset.removeprefix("ImageNet-C ").replace("-", "_")
        return "imagenet_c", _CORRUPTIONS.get(corruption, corruption)
    plain = re.sub(r"[^a-z0-9.]+", "_", dataset.lower()).strip("_")
    return _ALIASES.get(key(dataset), plain), ""


# Standard deviation over seeds, in points, assumed where only one seed was measured; the
# measured spread replaces it from two seeds on. Our choice: the papers print none.
SEED_DEVIATION = {"probe": 0.1, "fine_tune": 0.25, "re_pretraining": 0.3}
# A margin below this many standard errors cannot succeed (DESIGN.md, "Judging a claim", 3).
FEWEST_STANDARD_ERRORS = 2.5


class Margin(NamedTuple):
    """How far a measurement may lie off, in the claim's unit, and why."""

    points: float
    reason: str


def margin(row: dict[str, str], kind: str, data: str) -> Margin:
    """Return the default margin of the claim in `row`; DESIGN.md, "Judging a claim", 3."""
    images = TEST_IMAGES.get(data)
    published = row.get("subject", "").startswith("published:")
    if row["unit"] == "as printed":
        # rms and rel lie near 0.1 to 0.6: a margin in points would accept anything.
        return Margin(0.01, "0.01 in the printed unit: depth errors are printed to 0.001")
    if kind == "recomputation":
        if images is None:
            return Margin(0.0, "0: the same outputs again, on a set of unstated size")
        why = "float32 sums may tip a tie" if published else "the same outputs, counted again"
        return Margin(200 / images, f"2 of {images} images: {why}")
    if kind == "re_pretraining":
        return Margin(1.0, "1.0: a network trained anew varies between seeds")
    if row["metric"] in ("mIoU", "mCE", "mrCE", "CE", "rCE"):
        return Margin(1.0, f"1.0: {row['metric']} depends on resizing and decoding")
    if row["task"] == "knn":
        return Margin(0.5, "0.5: k, weighting and the layer are rarely stated in full")
    if kind == "re_evaluation":
        return Margin(0.15, "0.15: same weights and images; decoders and resizing differ")
    if images is not None and images < 5_000 and row["task"] == "transfer":
        return Margin(1.0, f"1.0: a small test set, {images} images")
    if kind == "probe":
        return Margin(0.5, "0.5: a probe is trained anew on the same features")
    if key(row["dataset"]) == "imagenet1" or "1pct" in row["protocol"]:
        return Margin(1.0, "1.0: fine-tuned on 1 % of the labels")
    return Margin(0.7, "0.7: fine-tuned; the training run adds its own noise")


_SEEDS = re.compile(r"\b(\d+) seeds\b")


def claimed_seeds(row: dict[str, str]) -> int:
    """Return over how many seeds the source says it took the mean; 1 where it says nothing."""
    found = _SEEDS.search(row["protocol"])
    return int(found[1]) if found else 1


def best_of(row: dict[str, str]) -> tuple[int, str]:
    """Return of how many the source printed the best, and of what; (1, "") where it says nothing.

    Only a choice by the images that the claim is about counts: a sweep on validation images
    inflates nothing.
    """
    if "best of k=10 and k=20" in row["protocol"]:
        return 2, "k = 10 and 20, chosen on the validation images that are scored"
    if row["paper"] == row["method"] == "MULAN" and row["task"] == "semi-supervised":
        # arXiv:2602.05845: BYOL's sweep (App. C.1: five learning rates, 30 or 50 epochs), but
        # "best test accuracy".
        return 10, "five learning rates times two lengths, chosen by test accuracy"
    return 1, ""
