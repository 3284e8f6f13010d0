"""A 1000-way ImageNet classifier on a set of fewer classes: best of 1000, then mapped."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..evaluator import Evaluator, Measurement, Protocol, top1
from ..mapped import imagenet_logits
from ..metrics import ranked
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierMappedProtocol(Protocol):
    """Arg max over all 1000 classes; right if the data set counts that class as the label.

    ObjectNet's official scoring (abarbu/objectnet-template-pytorch, objectnet_eval.py): a
    class outside the map is wrong. For ImageNet-R and -A it is plain 1000-way accuracy.
    """

    name = "best_of_1000_then_map"


def run(subject: Subject, protocol: ClassifierMappedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5."""
    logits, labels, indices = imagenet_logits(subject)
    ranks = ranked(logits, 5)
    table = np.full(logits.shape[1], -1)
    for label, members in enumerate(indices):
        table[list(members)] = label
    right = table[ranks] == labels[:, None]
    yield top1(right[:, 0])
    five = top1(right.any(axis=1))
    yield Measurement(
        metric="top5",
        value=five.value,
        images=five.images,
        standard_error=five.standard_error,
        correct=five.correct,
    )


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierMappedProtocol(),
    source="Barbu et al. (NeurIPS 2019); abarbu/objectnet-template-pytorch, objectnet_eval.py",
    splits=("test",),
)
