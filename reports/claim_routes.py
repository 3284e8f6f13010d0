"""Which evaluator would settle a claim, and under which protocols, from the source's words.

Evaluators are named whether or not they exist, so that a claim comes alive the moment someone
adds the one file it waits for.
"""

import re
from typing import NamedTuple

from .claim_rules import key


class Route(NamedTuple):
    """How a claim is measured: its kind, and the evaluators that would do it."""

    kind: str
    evaluators: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()  # admissible ids; (): any of the evaluators'
    unmeasurable: str = ""
    condition: str = ""  # as a record has it, where the evaluator measures under several


# The depths that `checkpoints.spec` builds, of any whole width.
_NETWORK = re.compile(r"ResNet-(18|20|32|34|44|50|56|101|110|152|200) \d+x")


# "not stated on the page (ResNet-50 expected)": what whoever read the page took it to be.
_EXPECTED = re.compile(r"not stated.*\((ResNet-\d+) expected\)")


def architecture_of(architecture: str) -> str:
    """Return the network that a claim's words mean, without the remarks in them.

    >>> architecture_of("ResNet-50 1x (expected; the page does not state it)")
    'ResNet-50 1x'
    >>> architecture_of("not stated on the page (ResNet-50 expected)")
    'ResNet-50 1x'
    """
    expected = _EXPECTED.fullmatch(architecture)
    return f"{expected[1]} 1x" if expected else architecture.partition(" (")[0]


def route(row: dict[str, str]) -> Route:
    """Return how the claim in `row` (the source's fields) would be measured."""
    if row["metric"] == "delta-top1":
        return Route("probe", unmeasurable="it is a difference of two claims, not a measurement")
    if row.get("subject", "").startswith("predictions:"):
        return Route("recomputation", ("predictions",))
    way = _by_task(row)
    network = architecture_of(row["architecture"])
    if way.unmeasurable or _NETWORK.fullmatch(network):
        return way
    if "not stated" in network or "ResNets" in network or network == "largest ResNet":
        return Route(way.kind, unmeasurable="its source does not name the network")
    return Route(way.kind, unmeasurable=f"{network} is not a ResNet that relicheck builds")


def _by_task(row: dict[str, str]) -> Route:
    task, protocol, metric = row["task"], row["protocol"], row["metric"]
    if task == "knn" and "best of k=10 and k=20" in protocol:
        # Chosen on the test images: a condition of its own, which the record flags.
        return Route("re_evaluation", ("knn_grid",), condition="selected_on_test")
    if task in _BY_TASK:
        return _BY_TASK[task]
    if task == "ablation":
        return _ablation(protocol)
    if task == "linear":
        return _linear(row["paper"], protocol)
    if task in ("semi-supervised", "fine-tuning"):
        return _few_labels(row)
    if task == "segmentation":
        return _segmentation(protocol)
    if task == "transfer":
        return _transfer(protocol, row["dataset"])
    return _shifted(row["paper"], row["dataset"], protocol, metric)


def _none(kind: str, what: str) -> Route:
    return Route(kind, unmeasurable=f"no evaluator measures {what} yet")


# Where a checkpoint brings a classifier of the data set's classes it is read; where it brings
# none, one is trained by the paper's recipe (`measuring`).
_OWN_HEAD = ("classifier",)
_SGD_BY_PAPER = {
    "BYOL": "linear_sgd_byol",
    "SimCLR": "linear_sgd_simclr",
    "SwAV": "linear_sgd_swav",
}
_LBFGS = ("linear_lbfgs/1",)
# Kornblith et al. and those who follow them; `transfer_linear` sweeps on validation images.
_TRANSFER = ("transfer_linear_lbfgs/1",)
# What a paper may have meant that says "ObjectNet" and no more (protocols.md, 1): the official
# counting or imagenet-testbed's, the frame cut, at either of the two sizes in use.
_OBJECTNET_SHOWN = ("border2.resize224/1", "border2.resize256/1")
_OBJECTNET_HEADS = ("objectnet", "objectnet.linear")

_SEGMENTED = ("segmentation", "segmentation_mmsegmentation")
_SEGMENTED_PROTOCOLS = ("segmentation_detcon/1", "segmentation_mmsegmentation/1")

_BY_TASK = {
    # Equal features give equal neighbours: no seed, though k and weighting are often unstated.
    "knn": Route("re_evaluation", ("knn",)),
    "supervised": Route("re_evaluation", _OWN_HEAD),
    "detection": _none("fine_tune", "detection"),
    "depth": _none("fine_tune", "depth estimation"),
}


def _ablation(protocol: str) -> Route:
    if "own classifier" in protocol:
        return Route("re_evaluation", _OWN_HEAD)
    # The networks of an ablation are rarely published: the claim is about a recipe.
    return Route("re_pretraining", _OWN_HEAD)


def _linear(paper: str, protocol: str) -> Route:
    if protocol == "val" or "own classifier" in protocol:
        return Route("re_evaluation", _OWN_HEAD)
    if "scikit-learn logistic regression" in protocol:
        return Route("probe", ("linear",), _LBFGS)
    if "tanh-clipped" in protocol:
        # BYOL (arXiv:2006.07733), App. C.1, Table 7: another recipe, never mixed with this one.
        return Route("probe", _OWN_HEAD)
    return Route("probe", (*_OWN_HEAD, _sgd(paper)))


def _sgd(paper: str) -> str:
    # The value of ReLICv2's released code is `linear_sgd`'s, and what a paper without one gets.
    return next((name for word, name in _SGD_BY_PAPER.items() if paper.startswith(word)),
                "linear_sgd")  # fmt: skip


def _few_labels(row: dict[str, str]) -> Route:
    paper, protocol = row["paper"], row["protocol"]
    if protocol == "trained on the subset only":
        return _none("re_pretraining", "training from nothing on a few labels")
    share = {"imagenet1": "1percent", "imagenet10": "10percent"}.get(key(row["dataset"]))
    if paper == "SimCLRv2":
        return _none("fine_tune", "SimCLRv2's fine-tuning from a layer of its projection head")
    if share is None:
        return _none("fine_tune", "fine-tuning on all of ImageNet's labels")
    if paper.startswith("SimCLR"):
        return Route("fine_tune", (f"simclr_{share}",))
    if paper in ("BYOL", "MULAN"):
        return Route("fine_tune", (f"byol_{share}",))
    if paper == "ReLICv2":
        # Its sweep was not seen: both recipes are admissible.
        return Route("fine_tune", (f"byol_{share}", f"simclr_{share}"))
    return _none("fine_tune", f"the fine-tuning recipe of {paper}")


def _transfer(protocol: str, dataset: str) -> Route:
    if protocol == "fine-tuning":
        return Route("fine_tune", ("transfer_finetune",))
    if "random initialisation" in protocol:
        return _none("re_pretraining", "training from random initialisation")
    if "not stated" in protocol:
        return Route("probe", unmeasurable="its source does not say: linear or fine-tuned")
    if protocol.startswith("linear (Appendix C.1") and dataset in ("ImageNet", "Places365"):
        return Route("probe", (*_OWN_HEAD, "linear_sgd_byol"))
    return Route("probe", ("transfer_linear",), _TRANSFER)


def _segmentation(protocol: str) -> Route:
    if protocol.startswith("FCN-16s"):
        # BYOL (arXiv:2006.07733), App. D.4: the first of the two recipes.
        return Route("fine_tune", _SEGMENTED[:1], _SEGMENTED_PROTOCOLS[:1])
    # Where a source says nothing both are admissible: on the same weights they differ by about
    # four points.
    return Route("fine_tune", _SEGMENTED, _SEGMENTED_PROTOCOLS)


def _shifted(paper: str, dataset: str, protocol: str, metric: str) -> Route:
    # The testbed and the leaderboards judge released classifiers; the self-supervised papers
    # train a linear classifier on ImageNet and read it on the shifted images.
    released = paper.startswith("imagenet-testbed") or "leaderboard" in paper
    kind = "re_evaluation" if released else "probe"
    if metric in ("CE", "mCE", "rCE", "mrCE", "mean-top1"):
        return Route(kind, ("corruption_errors",), ("corruption_errors/1",) if released else ())
    masked = "logits only" in protocol
    if dataset == "ObjectNet":
        countings = ("best_of_125",) if masked else ("best_of_1000", "best_of_125")
        heads = _OBJECTNET_HEADS[:1] if released else _OBJECTNET_HEADS
        return Route(kind, ("objectnet",), tuple(
            f"{head}.{counting}.{shown}"
            for head in heads for counting in countings for shown in _OBJECTNET_SHOWN
        ))  # fmt: skip
    if masked:
        return Route(kind, ("classifier_masked",), ("best_of_mapped_classes/1",))
    if dataset in ("ImageNet-R", "ImageNet-A") and "1000 classes" not in protocol:
        # Which classes competed is not said: both countings are admissible (protocols.md, 2).
        return Route(kind, ("classifier_mapped", "classifier_masked"))
    if released:
        return Route(kind, _OWN_HEAD)
    return Route(kind, (*_OWN_HEAD, "shifted"))
