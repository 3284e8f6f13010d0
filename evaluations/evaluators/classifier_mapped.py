"""A 1000-way ImageNet classifier on a set of fewer classes: best of 1000, then mapped."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..classifiers import HeadProtocol
from ..evaluator import Evaluator, Measurement
from ..mapped import among, best_of_all, imagenet_logits
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierMappedProtocol(HeadProtocol):
    """Arg max over all 1000 classes; right if the data set counts that class as the label.

    ObjectNet's official scoring (abarbu/objectnet-template-pytorch, objectnet_eval.py): a
    class outside the map is wrong. For ImageNet-R and -A it is plain 1000-way accuracy.
    """

    name = "best_of_1000_then_map"


def run(subject: Subject, protocol: ClassifierMappedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5."""
    logits, labels, indices, notes = imagenet_logits(subject, protocol)
    ranks = best_of_all(logits, indices, 5)
    yield among(ranks[:, :1], labels, notes)
    yield among(ranks, labels, notes)


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierMappedProtocol(),
    source="Barbu et al. (NeurIPS 2019); abarbu/objectnet-template-pytorch, objectnet_eval.py",
    splits=("test",),
)
