"""Roughly what it would cost to measure a claim: GPU hours and disk, with the assumption said.

Images through the network times its multiply-additions, at a stated speed; sizes of data sets as
their declarations have them. An order of magnitude to plan with, not a promise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..checkpoints.spec import ResNetSpec
from ..evaluations.dataset import Dataset, datasets
from ..evaluations.evaluator import evaluators
from .claim_rules import TEST_IMAGES, network_name
from .claims import Claim
from .flops import multiply_adds, parameters

# About half of an A100's 19.5 TFLOP/s in float32 outside its tensor cores (NVIDIA's data sheet):
# a claim is judged in float32.
SUSTAINED_FLOPS = 10e12
ASSUMPTION = (
    "one data-centre GPU at 10 TFLOP/s in float32, images decoded as fast as it takes them; "
    "archives as downloaded, unpacked about as much again"
)
# Forward and backward pass over a forward pass alone.
_TRAINING = 3
_NETWORK = re.compile(r"ResNet-(\d+) (\d+)x")
_IMAGENET_TRAIN = 1_281_167
_LABELLED = {"1percent": 12_811, "10percent": 128_116}
# Two views, each through the online network forwards and backwards and through the target
# network forwards (BYOL, arXiv:2006.07733, Sec. 3.1), of every image of an epoch.
_PRETRAINING_PASSES = 2 * (_TRAINING + 1)
_EPOCHS = re.compile(r"(\d+) epochs")


@dataclass(frozen=True, kw_only=True)
class Way:
    """One evaluator that would measure the claim."""

    evaluator: str
    passes: float  # images through the network, a backward pass counted as two
    gpu_hours: float | None  # for one seed; None: the network is not one that we count
    how: str  # the arithmetic in words


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a claim needs: one way per evaluator that admits it, and the disk for all."""

    ways: tuple[Way, ...]
    data_bytes: int | None  # of every data set that is needed; None: a size is not known
    data: tuple[str, ...]  # their names
    weight_bytes: int | None  # of the network in float32

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "ways": [
                {"evaluator": w.evaluator, "gpu_hours": w.gpu_hours, "how": w.how}
                for w in self.ways
            ],
            "data": list(self.data),
            "data_bytes": self.data_bytes,
            "weight_bytes": self.weight_bytes,
            "assumption": ASSUMPTION,
        }


def cost(claim: Claim) -> Cost:
    """Return roughly what measuring `claim` once, with one seed, would cost."""
    spec = _spec(claim)
    known = datasets.names()
    needed = tuple(dict.fromkeys(_data(claim)))
    sizes = [datasets.load(name).bytes for name in needed if name in known]
    return Cost(
        ways=tuple(_ways(claim, spec)),
        data_bytes=sum(sizes) if len(sizes) == len(needed) else None,
        data=needed,
        weight_bytes=None if spec is None else 4 * parameters(spec),
    )


def cost_lines(claim: Claim) -> list[str]:
    """Return the cost for people: one line per way, then the disk, then the assumption."""
    found = cost(claim)
    lines = [f"{way.evaluator}: {_hours(way.gpu_hours)} a seed ({way.how})" for way in found.ways]
    size = "not known" if found.data_bytes is None else _bytes(found.data_bytes)
    weights = "" if found.weight_bytes is None else f"; weights {_bytes(found.weight_bytes)}"
    lines.append(f"disk: {size} for {', '.join(found.data)}{weights}")
    return [*lines, f"assumed: {ASSUMPTION}"]


def _spec(claim: Claim) -> ResNetSpec | None:
    match = _NETWORK.fullmatch(network_name(claim.architecture))
    if match is None:
        return None
    small = _image_size(claim) < 96
    return ResNetSpec(
        depth=int(match[1]), width_multiplier=int(match[2]), stem="cifar" if small else "imagenet"
    )


def _image_size(claim: Claim) -> int:
    # A network that was pretrained on small images is evaluated on them; ImageNet's see 224.
    small = claim.pretrain_data.lower().startswith("cifar")
    return 32 if small else 224


def _data(claim: Claim) -> Iterator[str]:
    """Yield the data sets that are read: the claim's own, and ImageNet where a probe needs it."""
    name = claim.data.partition(":")[0]
    yield "imagenet" if name == "imagenet_real" else name
    trains = claim.kind in ("probe", "re_pretraining")
    if trains and name in datasets.names() and datasets.load(name).clean:
        yield datasets.load(name).clean
    if claim.kind == "re_pretraining" and claim.pretrain_data.startswith("ImageNet"):
        yield "imagenet"


def _ways(claim: Claim, spec: ResNetSpec | None) -> Iterator[Way]:
    for name in claim.evaluators:
        if name == "predictions":
            yield Way(evaluator=name, passes=0, gpu_hours=0.0, how="counting a file of predictions")
            continue
        passes, how = _passes(claim, name)
        pretraining, before = _pretraining(claim)
        passes += pretraining
        flops = None if spec is None else 2 * multiply_adds(spec, _image_size(claim)) * passes
        yield Way(
            evaluator=name,
            passes=passes,
            gpu_hours=None if flops is None else flops / SUSTAINED_FLOPS / 3600,
            how=before + how,
        )


def _passes(claim: Claim, name: str) -> tuple[float, str]:
    """Return how many images go through the network for the evaluator, and the sum in words."""
    scored = _scored(claim)
    protocol: Any = evaluators.load(name).protocol
    tested = f"{scored:,} test images"
    if name.endswith(("1percent", "10percent")):
        labelled = _LABELLED[name.rpartition("_")[2]]
        epochs = sum(protocol.epochs)
        rates = max(1, len(getattr(protocol, "base_learning_rates", ())))
        return (
            _TRAINING * labelled * epochs * rates + scored,
            f"{labelled:,} images, {epochs} epochs in all, "
            f"{rates} learning rate{'s' if rates > 1 else ''}, forwards and backwards; {tested}",
        )
    if name == "transfer_finetune":
        runs = protocol.learning_rates * (protocol.weight_decays + 1)
        seen = protocol.steps * protocol.batch_size
        return (
            _TRAINING * runs * seen + scored,
            f"{runs} runs of {protocol.steps:,} steps of {protocol.batch_size} images; {tested}",
        )
    if hasattr(protocol, "iterations"):
        return _segmentation(protocol, claim, scored)
    train = _trained_on(claim)
    if name.startswith("linear_sgd"):
        return (
            protocol.epochs * train + scored,
            f"{protocol.epochs} epochs of {train:,} training images, drawn anew each time; "
            f"{tested}",
        )
    if name in ("knn", "knn_grid", "linear", "transfer_linear", "shifted"):
        return train + scored, f"{train:,} training images once; {tested}"
    if claim.kind == "probe" and name != "classifier":
        return (
            scored + train,
            f"{tested}; where no classifier comes with the weights {train:,} training images once",
        )
    return scored, f"{tested}, by the classifier that comes with the weights"


def _segmentation(protocol: Any, claim: Claim, scored: int) -> tuple[float, str]:
    """Return passes of images of the classifier's size: a crop of twice the side counts four."""
    height, width = protocol.crop_of(claim.data)
    larger = height * width / 224**2
    rates = len(protocol.learning_rates)
    # Each rate once to choose, then the best anew.
    runs = rates + 1 if rates > 1 else 1
    seen = runs * protocol.iterations * protocol.batch_size
    return (
        larger * (_TRAINING * seen + scored),
        f"{runs} run{'s' if runs > 1 else ''} of {protocol.iterations:,} iterations of "
        f"{protocol.batch_size} crops of {height} x {width}; {scored:,} test images",
    )


def _pretraining(claim: Claim) -> tuple[float, str]:
    if claim.kind != "re_pretraining":
        return 0.0, ""
    found = _EPOCHS.search(claim.protocol)
    epochs = int(found[1]) if found else 100
    said = "" if found else " (not said; 100 assumed)"
    return (
        _PRETRAINING_PASSES * epochs * _IMAGENET_TRAIN,
        f"pretraining, {epochs} epochs{said} of {_IMAGENET_TRAIN:,} images, two views; then ",
    )


def _scored(claim: Claim) -> int:
    dataset = _dataset(claim)
    if dataset is not None and dataset.cells:
        # Every corruption at every severity; one corruption, where the claim is about one.
        conditions = {cell.partition("/")[0] for cell in dataset.cells}
        cells = len(dataset.cells) // (len(conditions) if claim.condition else 1)
        return cells * TEST_IMAGES.get(claim.data, 10_000)
    if dataset is not None and dataset.scored in dataset.splits:
        return dataset.splits[dataset.scored]
    return TEST_IMAGES.get(claim.data, 0)


def _trained_on(claim: Claim) -> int:
    """Return how many images a probe is fitted on."""
    dataset = _dataset(claim)
    if dataset is not None and dataset.clean:
        dataset = datasets.load(dataset.clean)
    if dataset is None or dataset.training is None:
        return _IMAGENET_TRAIN
    return dataset.splits.get(dataset.training, _IMAGENET_TRAIN)


def _dataset(claim: Claim) -> Dataset | None:
    name = claim.data.partition(":")[0]
    name = "imagenet" if name == "imagenet_real" else name
    return datasets.load(name) if name in datasets.names() else None


def _hours(hours: float | None) -> str:
    if hours is None:
        return "GPU hours not known for this network"
    if hours < 1 / 60:
        return "under a GPU minute" if hours else "no GPU"
    if hours < 1:
        return f"about {60 * hours:.0f} GPU minutes"
    return f"about {hours:.2g} GPU hours" if hours < 100 else f"about {hours:,.0f} GPU hours"


def _bytes(size: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size / 1000:.0f} kB" if size else "nothing"
