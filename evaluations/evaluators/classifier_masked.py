"""A 1000-way ImageNet classifier on a set of fewer classes: only theirs compete."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..evaluator import Evaluator, Measurement, Protocol, top1
from ..mapped import imagenet_logits
from ..metrics import ranked, topk
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierMaskedProtocol(Protocol):
    """Arg max over the data set's classes; a class's logit is the largest of its indices.

    hendrycks/imagenet-r, eval.py, and hendrycks/natural-adv-examples, eval.py (200 logits);
    modestyachts/imagenet-testbed, src/eval_settings/objectnet.py (125 logits: the same
    winner, for the largest of the largest is the largest).
    """

    name = "best_of_mapped_classes"


def run(subject: Subject, protocol: ClassifierMaskedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5."""
    logits, labels, indices = imagenet_logits(subject)
    collapsed = np.stack([logits[:, list(members)].max(axis=1) for members in indices], axis=1)
    ranks = ranked(collapsed, min(5, collapsed.shape[1]))
    yield top1(ranks[:, 0] == labels)
    yield topk(ranks, labels)


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierMaskedProtocol(),
    source="Hendrycks et al. (arXiv:2006.16241); modestyachts/imagenet-testbed",
    splits=("test",),
)
