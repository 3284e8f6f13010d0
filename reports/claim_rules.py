"""What would settle a claim, derived from the source's words: one place for every rule.

A row of the registry may state any of these fields itself; the rules fill the others.
They name data sets and evaluators whether or not these exist yet, so that a claim comes
alive the moment someone adds the one file it waits for.
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


class Route(NamedTuple):
    """How a claim is measured: its kind, and the evaluators that would do it."""

    kind: str
    evaluators: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()  # admissible ids; (): any of the evaluators'
    unmeasurable: str = ""


# The depths that `checkpoints.spec` builds, of any whole width.
_NETWORK = re.compile(r"ResNet-(18|20|32|34|44|50|56|101|110|152|200) \d+x")


def route(row: dict[str, str]) -> Route:
    """Return how the claim in `row` (the source's fields) would be measured."""
    if row["metric"] == "delta-top1":
        return Route("probe", unmeasurable="it is a difference of two claims, not a measurement")
    if row.get("subject", "").startswith("predictions:"):
        return Route("recomputation", ("predictions",))
    way = _by_task(row)
    network = row["architecture"].partition(" (")[0]
    if way.unmeasurable or _NETWORK.fullmatch(network):
        return way
    if "not stated" in network or "ResNets" in network or network == "largest ResNet":
        return Route(way.kind, unmeasurable="its source does not name the network")
    return Route(way.kind, unmeasurable=f"{network} is not a ResNet that relicheck builds")


def _by_task(row: dict[str, str]) -> Route:
    task, protocol, metric = row["task"], row["protocol"], row["metric"]
    if task in _BY_TASK:
        return _BY_TASK[task]
    if task == "ablation":
        return _ablation(protocol)
    if task == "linear":
        return _linear(protocol)
    if task in ("semi-supervised", "fine-tuning"):
        return _few_labels(protocol)
    if task == "transfer":
        return _transfer(protocol, row["dataset"])
    return _shifted(row["paper"], row["dataset"], protocol, metric)


def _none(kind: str, what: str) -> Route:
    return Route(kind, unmeasurable=f"no evaluator measures {what} yet")


# Nothing of ours trains a linear classifier by SGD on augmented ImageNet, but a checkpoint
# may bring the one its authors trained, and that is what they scored.
_WITH_HEAD = ("classifier",)
_LBFGS = ("linear_lbfgs/1",)

_BY_TASK = {
    # Equal features give equal neighbours: no seed, though k and weighting are often unstated.
    "knn": Route("re_evaluation", ("knn",)),
    "supervised": Route("re_evaluation", ("classifier",)),
    "detection": _none("fine_tune", "detection"),
    "segmentation": _none("fine_tune", "segmentation"),
    "depth": _none("fine_tune", "depth estimation"),
}


def _ablation(protocol: str) -> Route:
    if "own classifier" in protocol:
        return Route("re_evaluation", ("classifier",))
    # The networks of an ablation are rarely published: the claim is about a recipe.
    return Route("re_pretraining", _WITH_HEAD)


def _linear(protocol: str) -> Route:
    if protocol == "val" or "own classifier" in protocol:
        return Route("re_evaluation", ("classifier",))
    if "scikit-learn logistic regression" in protocol:
        return Route("probe", ("linear",), _LBFGS)
    return Route("probe", _WITH_HEAD)


def _few_labels(protocol: str) -> Route:
    if protocol == "trained on the subset only":
        return _none("re_pretraining", "training from nothing on a few labels")
    # semi_supervised draws its own labels and is tuned for small sets.
    return _none("fine_tune", "fine-tuning on ImageNet by the published recipe and label lists")


def _transfer(protocol: str, dataset: str) -> Route:
    if protocol == "fine-tuning":
        return _none("fine_tune", "transfer by fine-tuning")
    if "random initialisation" in protocol:
        return _none("re_pretraining", "training from random initialisation")
    if "not stated" in protocol:
        return Route("probe", unmeasurable="its source does not say: linear or fine-tuned")
    if protocol.startswith("linear (Appendix C.1") and dataset in ("ImageNet", "Places365"):
        return Route("probe", _WITH_HEAD)
    return Route("probe", ("linear",), _LBFGS)


def _shifted(paper: str, dataset: str, protocol: str, metric: str) -> Route:
    # The testbed and the leaderboards judge released classifiers; the self-supervised papers
    # train a linear classifier on ImageNet and read it on the shifted images.
    released = paper.startswith("imagenet-testbed") or "leaderboard" in paper
    if metric in ("CE", "mCE", "rCE", "mrCE", "mean-top1"):
        return Route("probe", ("corruption_errors",))
    kind = "re_evaluation" if released else "probe"
    if "logits only" in protocol:
        return Route(kind, ("classifier_masked",))
    if dataset == "ObjectNet":
        # Neither is how the frame was cut, nor the resizing: every reading is judged by itself.
        return Route(kind, ("objectnet",))
    if dataset in ("ImageNet-R", "ImageNet-A") and "1000 classes" not in protocol:
        # Which classes competed is not said: both countings are admissible (protocols.md, 1, 2).
        return Route(kind, ("classifier_mapped", "classifier_masked"))
    return Route(kind, _WITH_HEAD)


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
