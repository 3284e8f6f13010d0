"""Accuracy under generated corruptions of a probe trained on clean images."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import UsageError
from ..corruptions import CORRUPTIONS, SEVERITIES, parse
from ..evaluator import Evaluator, Measurement, top1
from ..subject import Subject
from .linear import LinearProtocol, fit, notes


@dataclass(frozen=True, kw_only=True)
class RobustnessProtocol(LinearProtocol):
    """Linear evaluation, scored on corrupted images; ReLIC (arXiv:2010.07922), App. E.5.

    The probe's fields are those of the `linear` evaluator. The corruptions are generated
    here (see `corruptions`) and are seven of the fifteen of ImageNet-C, so the number
    compares models with each other and with no published mean corruption error.
    """

    name = "linear_lbfgs_generated_corruptions"

    corruptions: tuple[str, ...] = tuple(CORRUPTIONS)
    severities: tuple[int, ...] = SEVERITIES


def run(subject: Subject, protocol: RobustnessProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 per corruption and severity, and their mean: corruptions weigh equally."""
    if not protocol.corruptions or not protocol.severities:
        raise UsageError(RobustnessProtocol.name, "nothing to do", "a corruption and a severity")
    conditions = [
        f"{name}/{level}" for name in protocol.corruptions for level in protocol.severities
    ]
    for condition in conditions:
        parse(condition)
    chosen, clean = fit(subject, protocol), subject.default_view("test")
    right = []
    for condition in conditions:
        features, labels = subject.features("test", replace(clean, corruption=condition))
        right.append(chosen.predict(features) == labels)
        yield top1(right[-1], condition=condition)
    yield mean_top1(np.stack(right), notes(chosen))


def mean_top1(correct: np.ndarray, said: tuple[str, ...] = ()) -> Measurement:
    """Return the mean over conditions of top-1, from [conditions, images] bool.

    Its standard error is over images: every condition shows the same ones, so the
    conditions are averaged per image first.
    """
    per_image = correct.mean(axis=0)
    spread = float(per_image.std(ddof=1)) if len(per_image) > 1 else 0.0
    return Measurement(
        metric="mean_corruption_top1",
        value=100 * float(np.count_nonzero(correct)) / correct.size,
        images=len(per_image),
        standard_error=100 * spread / float(np.sqrt(len(per_image))),
        condition="generated",
        notes=(f"mean over {len(correct)} generated conditions", *said),
    )


EVALUATOR = Evaluator(
    run=run,
    protocol=RobustnessProtocol(),
    source="Hendrycks and Dietterich (arXiv:1903.12261); ReLIC (arXiv:2010.07922), App. E.5",
    splits=("train", "test"),
)
