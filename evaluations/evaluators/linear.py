"""Linear evaluation on cached features, by L-BFGS."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..dataset import check_classes
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import scores
from ..probes import Chosen, choose_and_fit
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class LinearProtocol(Protocol):
    """Logistic regression on features of unaugmented images.

    Kornblith et al. (arXiv:1805.08974), App. A.5, and BYOL (arXiv:2006.07733), App. D.2:
    L-BFGS, no augmentation, the penalty chosen on held-out training images among 45
    log-spaced values in [1e-6, 1e5], then refitted on all of them. We differ in the grid
    (nine values, of the penalty on the mean loss), in standardising the features, and
    in drawing the held-out images, which the papers leave to the data set.

    It isn't the SGD linear evaluation of the ImageNet papers, which augments.
    """

    name = "linear_lbfgs"

    penalties: tuple[float, ...] = tuple(10.0**k for k in range(-6, 3))
    held_out_fraction: float = 0.1  # of the training images of every class
    held_out_seed: int = 0
    standardise: bool = True  # every feature to mean 0, deviation 1 over the training images
    max_iterations: int = 1000  # of L-BFGS, for each penalty


def fit(subject: Subject, protocol: LinearProtocol) -> Chosen:
    """Return the probe trained on the clean training features; equal requests share one."""
    check_classes(subject.images("train"), subject.images("test"))
    settings: dict[str, Any] = {
        "penalties": protocol.penalties,
        "held_out_fraction": protocol.held_out_fraction,
        "standardise": protocol.standardise,
        "max_iterations": protocol.max_iterations,
        "seed": protocol.held_out_seed,
    }
    if str(settings) not in subject.probes:
        features, labels = subject.features("train")
        classes = len(subject.images("train").class_names)
        subject.probes[str(settings)] = choose_and_fit(features, labels, classes, **settings)
    return subject.probes[str(settings)]


def notes(chosen: Chosen) -> tuple[str, ...]:
    """Return what a reader should know of a fitted probe."""
    said = [f"penalty {chosen.penalty:g}, held-out top-1 {chosen.held_out_top1:.2f} %"]
    if not chosen.probe.converged:
        said.append("L-BFGS stopped at its iteration limit")
    return tuple(said)


def run(subject: Subject, protocol: LinearProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    chosen = fit(subject, protocol)
    features, labels = subject.features("test")
    yield from scores(chosen.predict(features), labels, subject.metric, notes(chosen))


EVALUATOR = Evaluator(
    run=run,
    protocol=LinearProtocol(),
    source="Kornblith et al. (arXiv:1805.08974), App. A.5; BYOL (arXiv:2006.07733), App. D.2",
    splits=("train", "test"),
)
