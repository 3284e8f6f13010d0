"""The checkpoint's own classifier, or a probe trained on the clean images of a shifted set."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..classifiers import HeadProtocol, head_of
from ..evaluator import Evaluator, Measurement
from ..metrics import ranked, scores, topk
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierProtocol(HeadProtocol):
    """One centre crop by the checkpoint's preprocessing, arg max over all of its classes.

    By default nothing is trained: the classifier is the checkpoint's.
    """

    name = "own_classifier"


def run(subject: Subject, protocol: ClassifierProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1, and top-5 where there are more than five classes.

    Logits are the head applied to the features, so cached features do as well as images.

    Raises:
        UsageError: the checkpoint has no head, or one for another number of classes.
    """
    classes = len(subject.images("test").class_names)
    head = head_of(subject, protocol, classes)
    features, labels = subject.features("test")
    ranks = ranked(head.logits(features), min(5, classes))
    yield from scores(ranks[:, 0], labels, subject.metric, head.notes)
    if classes > 5:
        yield topk(ranks, labels)


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierProtocol(),
    source="He et al. (arXiv:1512.03385), Sec. 4: single-crop testing",
    splits=("test",),
)
