"""What the linear probe is like beyond its accuracy: calibration, and accuracy by class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...checkpoints.errors import UsageError
from ..calibration import expected_calibration_error, probabilities
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import mean_per_class, per_class
from ..subject import Subject
from .linear import LinearProtocol, fit


@dataclass(frozen=True, kw_only=True)
class CalibrationProtocol(Protocol):
    """Calibration error and per-class accuracy of the probe of `linear_lbfgs`.

    Expected calibration error: Guo et al. (arXiv:1706.04599), Sec. 2, 15 bins of equal
    width. The probe is that of `linear` at its defaults, and shared with it where both are
    measured. Accuracy by class is listed worst class first.
    """

    name = "probe_calibration"

    bins: int = 15  # of equal width, over confidences
    classes: int = 100  # listed by name, worst first; mean and minimum are over all
    linear: str = LinearProtocol().id  # the probe


def run(subject: Subject, protocol: CalibrationProtocol, seed: int) -> Iterator[Measurement]:
    """Yield calibration error, mean and worst accuracy over classes, and single classes."""
    if protocol.bins < 1 or protocol.classes < 0 or protocol.linear != LinearProtocol().id:
        raise UsageError(
            protocol.name,
            f"bins {protocol.bins}, classes {protocol.classes}, linear {protocol.linear}",
            f"at least 1 bin, 0 or more classes, the probe {LinearProtocol().id}",
        )
    chosen = fit(subject, LinearProtocol())
    features, labels = subject.features("test")
    stated = probabilities(chosen.probe.logits(chosen.standardise(features)))
    correct = stated.argmax(axis=1) == labels
    confidence = stated.max(axis=1)
    yield Measurement(
        metric="expected_calibration_error",
        value=100 * expected_calibration_error(confidence, correct, protocol.bins),
        images=len(labels),
        notes=(
            f"mean confidence {100 * float(confidence.mean()):.2f} %, "
            f"right {100 * float(correct.mean()):.2f} %",
        ),
    )
    yield mean_per_class(correct, labels)
    yield from _by_class(correct, labels, subject.images("test").class_names, protocol.classes)


def _by_class(
    correct: np.ndarray, labels: np.ndarray, names: tuple[str, ...], listed: int
) -> Iterator[Measurement]:
    right, images = per_class(correct, labels, len(names))
    shown = np.flatnonzero(images)
    order = shown[np.argsort(right[shown] / images[shown], kind="stable")]
    if not len(order):
        return
    worst = int(order[0])
    yield _share("worst_class_top1", right[worst], images[worst], "", (f"class {names[worst]}",))
    for label in order[:listed]:
        yield _share("class_top1", right[label], images[label], f"class={names[label]}", ())


def _share(
    metric: str, right: np.integer, images: np.integer, condition: str, notes: tuple[str, ...]
) -> Measurement:
    share = int(right) / int(images)
    return Measurement(
        metric=metric,
        value=100 * share,
        images=int(images),
        standard_error=100 * float(np.sqrt(share * (1 - share) / int(images))),
        condition=condition,
        notes=notes,
    )


EVALUATOR = Evaluator(
    run=run,
    protocol=CalibrationProtocol(),
    source="Guo et al. (arXiv:1706.04599), Sec. 2",
    splits=("train", "test"),
)
