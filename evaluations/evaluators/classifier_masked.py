"""A 1000-way ImageNet classifier on a set of fewer classes: only theirs compete."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..classifiers import HeadProtocol
from ..evaluator import Evaluator, Measurement
from ..mapped import among, best_of_collapsed, imagenet_logits
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierMaskedProtocol(HeadProtocol):
    """Arg max over the data set's classes; a class's logit is the largest of its indices.

    hendrycks/imagenet-r, eval.py, and hendrycks/natural-adv-examples, eval.py (200 logits);
    modestyachts/imagenet-testbed, src/eval_settings/objectnet.py (125 logits: the same
    winner, for the largest of the largest is the largest).
    """

    name = "best_of_mapped_classes"


def run(subject: Subject, protocol: ClassifierMaskedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5."""
    logits, labels, indices, notes = imagenet_logits(subject, protocol)
    ranks = best_of_collapsed(logits, indices, 5)
    yield among(ranks[:, :1], labels, notes)
    yield among(ranks, labels, notes)


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierMaskedProtocol(),
    source="Hendrycks et al. (arXiv:2006.16241); modestyachts/imagenet-testbed",
    splits=("test",),
)
