"""Semi-supervised evaluation: the whole network fine-tuned on a few labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checkpoints.errors import UsageError
from ..baselines import RawPixels
from ..dataset import check_classes
from ..evaluator import Evaluator, Measurement, Protocol
from ..finetune import Recipe, fine_tune, predict
from ..metrics import scores
from ..preprocess import crops
from ..probes import choose_and_fit, hold_out
from ..subject import Subject

if TYPE_CHECKING:
    from ...checkpoints.resnet import ResNet

# Below this many classes a per cent of the labels is too few to learn from.
_MANY_CLASSES = 100


@dataclass(frozen=True, kw_only=True)
class SemiSupervisedProtocol(Protocol):
    """Fine-tuning of backbone and head on a class-balanced share of the labels.

    SimCLR (arXiv:2002.05709), App. B.5: SGD with Nesterov momentum 0.9, learning rate 0.05
    per 256 images, no weight decay, no warm-up, 30 epochs on a tenth of the labels and 60 on
    a hundredth. We differ in the batch (32, not 4,096: a share may be a hundred images), in
    cosine decay, and in the views: a crop shifted by up to an eighth of the side and no
    flip, which would make another digit. Name several learning rates and one is chosen on a
    part of the *labelled* images, as in BYOL (arXiv:2006.07733), App. C.1; no other label is
    looked at.

    The raw-pixels baseline has nothing to fine-tune: a logistic regression on the same
    labelled images stands in, its penalty chosen on a held-out part of them.
    """

    name = "semi_supervised_finetune"

    label_fraction: float = 0.0  # of every class; 0: 0.1, or 0.01 from 100 classes on
    epochs: int = 0  # over the labelled images; 0: 30, or 60 below a tenth of the labels
    batch_size: int = 32  # images
    base_learning_rates: tuple[float, ...] = (0.05,)  # per 256 images
    momentum: float = 0.9
    held_out_fraction: float = 0.2  # of the labelled images, to choose among learning rates
    shift_fraction: float = 0.125  # of the side, up to which a crop is shifted
    flip: bool = False

    def fraction(self, classes: int) -> float:
        """Return the share of labels for a data set of so many classes."""
        return self.label_fraction or (0.01 if classes >= _MANY_CLASSES else 0.1)

    def recipe(self, base_learning_rate: float, fraction: float) -> Recipe:
        """Return how the network is trained on a share of the labels: linear scaling rule."""
        return Recipe(
            epochs=self.epochs or (30 if fraction >= 0.1 else 60),
            batch_size=self.batch_size,
            learning_rate=base_learning_rate * self.batch_size / 256,
            momentum=self.momentum,
            shift_fraction=self.shift_fraction,
            flip=self.flip,
        )


def labelled(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return the indices of the labelled images, sorted: the same share of every class.

    At least two of a class that has two, so that one can be held out. Drawn from the
    seed, so seeds differ in their labels as well as in their training.
    """
    rng = np.random.default_rng([seed, 0x1AB])
    chosen = []
    for label in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == label))
        chosen.append(mine[: min(len(mine), max(2, round(fraction * len(mine))))])
    return np.sort(np.concatenate(chosen))


def run(subject: Subject, protocol: SemiSupervisedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    train, test = subject.images("train"), subject.images("test")
    check_classes(train, test)
    classes = len(train.class_names)
    fraction = protocol.fraction(classes)
    if not 0 < fraction <= 1 or protocol.batch_size < 2 or not protocol.base_learning_rates:
        raise UsageError(
            protocol.name,
            f"label_fraction {fraction}, batch_size {protocol.batch_size}, "
            f"base_learning_rates {protocol.base_learning_rates}",
            "a share in (0, 1], batches of at least 2 and a learning rate",
        )
    chosen = labelled(train.labels, fraction, seed)
    if isinstance(subject.backbone, RawPixels):
        predicted, said = _probe(subject, protocol, chosen, classes, seed)
    else:
        predicted, said = _tuned(subject, protocol, chosen, fraction, seed)
    said = f"{len(chosen)} labelled images; {said}"
    yield from scores(predicted, test.labels, subject.metric, (said,))


def _tuned(
    subject: Subject,
    protocol: SemiSupervisedProtocol,
    chosen: np.ndarray,
    fraction: float,
    seed: int,
) -> tuple[np.ndarray, str]:
    train, backbone = subject.images("train"), subject.backbone
    preprocessing = subject.model.preprocessing
    assert preprocessing is not None
    assert not isinstance(backbone, RawPixels)
    squares, labels = crops(train, chosen, preprocessing), train.labels[chosen]
    classes = len(train.class_names)

    def tune(which: np.ndarray, rate: float) -> "ResNet":
        recipe = protocol.recipe(rate, fraction)
        return fine_tune(
            backbone, squares[which], labels[which], classes, preprocessing, recipe, seed
        )

    best, said = protocol.base_learning_rates[0], "fixed"
    if len(protocol.base_learning_rates) > 1:
        rng = np.random.default_rng([seed, 0x4E1D])
        kept, held = hold_out(labels, protocol.held_out_fraction, rng)
        right = {}
        for rate in protocol.base_learning_rates:
            answers = predict(tune(kept, rate), squares[held], preprocessing)
            right[rate] = int(np.count_nonzero(answers == labels[held]))
        best = max(right, key=lambda rate: right[rate])
        said = f"held-out {right[best]} of {len(held)} right"
    tuned = tune(np.arange(len(labels)), best)
    answers = predict(tuned, subject.images("test"), preprocessing)
    return answers, f"learning rate {best:g} per 256 images ({said})"


def _probe(
    subject: Subject,
    protocol: SemiSupervisedProtocol,
    chosen: np.ndarray,
    classes: int,
    seed: int,
) -> tuple[np.ndarray, str]:
    features, labels = subject.features("train")
    found = choose_and_fit(
        features[chosen],
        labels[chosen],
        classes,
        tuple(10.0**k for k in range(-4, 2)),
        held_out_fraction=protocol.held_out_fraction,
        standardise=False,
        max_iterations=1000,
        seed=seed,
    )
    said = f"logistic regression on pixels, penalty {found.penalty:g}"
    return found.predict(subject.features("test")[0]), said


EVALUATOR = Evaluator(
    run=run,
    protocol=SemiSupervisedProtocol(),
    source="SimCLR (arXiv:2002.05709), App. B.5; BYOL (arXiv:2006.07733), App. C.1",
    splits=("train", "test"),
    stochastic=True,
)
