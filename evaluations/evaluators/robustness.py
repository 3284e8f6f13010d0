"""Accuracy under corruptions generated here, of a probe or of the checkpoint's own classifier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import UsageError
from ..classifiers import HeadProtocol, head_of
from ..corruptions import SEVERITIES, TEST_CORRUPTIONS, parse
from ..evaluator import Evaluator, Measurement, top1
from ..metrics import mean_over_conditions
from ..subject import Subject

# Features that are kept at once: of one decoding, as many views of a large set as fit.
_FEATURE_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class RobustnessProtocol(HeadProtocol):
    """A classifier trained on clean images, scored on corrupted ones; ReLIC, App. E.5.

    ReLIC is arXiv:2010.07922; the probe's fields are those of the `linear` evaluator. The
    corruptions are generated here (see `corruptions`) as the fifteen types of ImageNet-C,
    with CIFAR's constants at 32 pixels: the number compares models with each other, and with
    no published figure. It is a plain mean accuracy; mCE is of published images alone.
    """

    name = "linear_lbfgs_generated_corruptions"
    version = 2  # 1: seven types, ImageNet's constants at every size

    head_from: str = "linear"
    corruptions: tuple[str, ...] = TEST_CORRUPTIONS
    severities: tuple[int, ...] = SEVERITIES

    @property
    def id(self) -> str:
        """Name and version, the checkpoint's own classifier under its own name."""
        own = "own_classifier_generated_corruptions"
        return f"{own if self.head_from == 'checkpoint' else self.name}/{self.version}"


def run(subject: Subject, protocol: RobustnessProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 per corruption and severity, and their mean: corruptions weigh equally."""
    if not protocol.corruptions or not protocol.severities:
        raise UsageError(RobustnessProtocol.name, "nothing to do", "a corruption and a severity")
    conditions = [
        f"{name}/{level}" for name in protocol.corruptions for level in protocol.severities
    ]
    for condition in conditions:
        parse(condition)
    images = subject.images("test")
    head = head_of(subject, protocol, len(images.class_names))
    together = max(_FEATURE_BYTES // (4 * head.weight.shape[1] * len(images)), 1)
    right: list[np.ndarray] = []
    for begin in range(0, len(conditions), together):
        some = conditions[begin : begin + together]
        for condition, features in zip(some, _features(subject, some), strict=True):
            right.append(head.logits(features).argmax(axis=1) == images.labels)
            yield top1(right[-1], condition=condition)
    said = (f"mean over {len(right)} generated conditions", *head.notes)
    yield mean_over_conditions(np.stack(right), "generated", said)


def _features(subject: Subject, conditions: Sequence[str]) -> list[np.ndarray]:
    clean = subject.default_view("test")
    return subject.features_of("test", [replace(clean, corruption=c) for c in conditions])


EVALUATOR = Evaluator(
    run=run,
    protocol=RobustnessProtocol(),
    source="Hendrycks and Dietterich (arXiv:1903.12261); ReLIC (arXiv:2010.07922), App. E.5",
    splits=("test",),
)
