"""Transfer by fine-tuning the whole network, learning rate and weight decay swept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...checkpoints.errors import UsageError
from ...checkpoints.spec import Preprocessing
from ..augment import Sampling
from ..baselines import RawPixels
from ..evaluator import Evaluator, Measurement, Protocol
from ..provenance import code_sha256
from ..streamed_training import Training, logits_of, train, training_views
from ..subject import Subject
from ..sweep import Point, best_of, sweep
from ..transfer_task import TransferTask, transfer_task

if TYPE_CHECKING:
    from ...checkpoints.resnet import ResNet


@dataclass(frozen=True, kw_only=True)
class TransferFinetuneProtocol(Protocol):
    """Fine-tuning of backbone and head on a whole transfer set.

    SimCLR (arXiv:2002.05709), App. B.8, and BYOL (arXiv:2006.07733), App. D.2: 20,000
    steps of 256 images, SGD with Nesterov momentum 0.9, BatchNorm's statistics decaying by
    max(1 - 10 / s, 0.9) with s steps in an epoch, random crops and flips, seven log-spaced
    learning rates in [1e-4, 0.1] and seven log-spaced weight decays in [1e-6, 1e-3] besides
    none, each divided by the learning rate; chosen on the validation images, then trained
    anew on all; tested on the centre crop of a shorter side of 256 (for a side of 224).

    Cosine decay without warm-up is SimCLR's code (tf2/model.py); its text does not say.
    Weight decay leaves BatchNorm out, as there. Where an image has several labels each class
    has a sigmoid of its own.

    That is 56 runs of 20,000 steps for each data set. Each finished one is kept in the
    cache's folder `sweeps`, and the same command goes on from there.
    """

    name = "transfer_finetune"

    steps: int = 20_000
    batch_size: int = 256  # images
    images_at_once: int = 0  # of a batch, where it does not fit; BatchNorm sees so many. 0: all
    momentum: float = 0.9
    learning_rates: int = 7  # values, log-spaced, both ends included
    smallest_learning_rate: float = 1e-4
    largest_learning_rate: float = 0.1
    weight_decays: int = 7  # values, log-spaced, both ends included; 0 is tried as well
    smallest_weight_decay: float = 1e-6  # divided by the learning rate
    largest_weight_decay: float = 1e-3
    least_statistics_decay: float = 0.9
    least_area: float = 0.08  # of a random crop, fraction of the image
    flip: float = 0.5  # probability
    sampling: Sampling = "tensorflow"  # how a crop is drawn: see `CropAndFlip`
    test_resize: float = 256 / 224  # shorter side over the network's input side
    held_out_seed: int = 0  # where the data set has no validation images of its own

    def grid(self) -> list[Point]:
        """Return the points of the sweep: `learning_rate` and `weight_decay` as SGD takes it."""
        rates = _logspace(
            self.smallest_learning_rate, self.largest_learning_rate, self.learning_rates
        )
        low, high = self.smallest_weight_decay, self.largest_weight_decay
        decays = [0.0, *_logspace(low, high, self.weight_decays)]
        return [
            {"learning_rate": rate, "weight_decay": decay / rate}
            for rate in rates
            for decay in decays
        ]

    def training(self, point: Point, images: int) -> Training:
        """Return how `images` images are trained on at a point of the sweep."""
        steps_per_epoch = images / min(self.batch_size, images)
        return Training(
            steps=self.steps,
            batch_size=self.batch_size,
            images_at_once=self.images_at_once,
            learning_rate=point["learning_rate"],
            weight_decay=point["weight_decay"],
            momentum=self.momentum,
            statistics_decay=max(1 - 10 / steps_per_epoch, self.least_statistics_decay),
        )


def _logspace(low: float, high: float, count: int) -> list[float]:
    return [float(value) for value in np.logspace(np.log10(low), np.log10(high), count)]


def scored_preprocessing(own: Preprocessing, test_resize: float) -> Preprocessing:
    """Return a checkpoint's preprocessing with the papers' test crop: 256 then 224, bicubic."""
    resize = round(own.image_size * test_resize)
    return replace(own, resize=resize, interpolation="bicubic")


def run(subject: Subject, protocol: TransferFinetuneProtocol, seed: int) -> Iterator[Measurement]:
    """Yield the data set's own metric on the test images, with top-1 where it is another."""
    _check(protocol)
    backbone, own = subject.backbone, subject.model.preprocessing
    if isinstance(backbone, RawPixels) or own is None:
        raise UsageError(protocol.name, "raw pixels, which have nothing to tune", "a checkpoint")
    task = transfer_task(subject, protocol.held_out_seed)
    shown = scored_preprocessing(own, protocol.test_resize)
    division, truth = task.division, task.truth(task.train)
    views = training_views(protocol.least_area, protocol.flip, protocol.sampling)

    def tuned(which: np.ndarray, point: Point) -> "ResNet":
        return train(
            backbone,
            task.train,
            which,
            truth,
            task.classes,
            own,
            views,
            protocol.training(point, len(which)),
            seed,
        )  # fmt: skip

    def measure(point: Point) -> float:
        logits = logits_of(tuned(division.kept, point), task.train, division.held, shown)
        return task.score(logits, truth[division.held])

    points = protocol.grid()
    point, said = points[0], "fixed"
    if len(points) > 1:
        scores = sweep(points, measure, subject.cache, _identity(subject, protocol, seed, task))
        point, score = best_of(points, scores)
        said = _said(task, scores, score)
    network = tuned(np.arange(len(task.train)), point)
    logits = logits_of(network, task.test, np.arange(len(task.test)), shown)
    rate, decay = point["learning_rate"], point["weight_decay"]
    notes = (
        f"learning rate {rate:.3g}, weight decay {decay:.3g} ({said}), "
        f"trained on all {len(task.train):,}",
    )
    yield from task.measure(logits, notes)


def _identity(
    subject: Subject, protocol: TransferFinetuneProtocol, seed: int, task: TransferTask
) -> dict[str, object]:
    return {
        "weights": subject.weights_sha256,
        "images": task.train.fingerprint,
        "preprocessing": str(subject.model.preprocessing),
        "protocol": protocol.digest,
        "held_out": task.division.said,
        "seed": seed,
        "code": code_sha256(),
    }


def _said(task: TransferTask, scores: list[float | None], best: float) -> str:
    diverged = sum(score is None for score in scores)
    return f"best of {len(scores)} settings: {task.metric} {best:.2f} % on {task.division.said}" + (
        f", {diverged} diverged" if diverged else ""
    )


def _check(protocol: TransferFinetuneProtocol) -> None:
    if (
        protocol.steps < 1
        or protocol.batch_size < 2
        or min(protocol.learning_rates, protocol.smallest_learning_rate) <= 0
        or protocol.weight_decays < 0
        or protocol.smallest_weight_decay <= 0
        or protocol.test_resize < 1
    ):
        raise UsageError(
            protocol.name,
            f"{protocol.steps} steps of {protocol.batch_size} images, "
            f"{protocol.learning_rates} learning rates from "
            f"{protocol.smallest_learning_rate:g}, {protocol.weight_decays} weight decays from "
            f"{protocol.smallest_weight_decay:g}, test_resize {protocol.test_resize:g}",
            "a step of 2 images, a learning rate and a decay above 0, test_resize of at least 1",
        )


EVALUATOR = Evaluator(
    run=run,
    protocol=TransferFinetuneProtocol(),
    source="SimCLR (arXiv:2002.05709), App. B.8; BYOL (arXiv:2006.07733), App. D.2",
    splits=("train", "test"),
    multi_label=True,
    stochastic=True,
)
