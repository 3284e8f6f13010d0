"""The checkpoint's own classifier: nothing is trained."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..classifiers import own_head
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import ranked, scores, topk
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ClassifierProtocol(Protocol):
    """One centre crop by the checkpoint's preprocessing, arg max over all of its classes."""

    name = "own_classifier"


def run(subject: Subject, protocol: ClassifierProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1, and top-5 where there are more than five classes.

    Logits are the head applied to the features, so cached features do as well as images.

    Raises:
        UsageError: the checkpoint has no head, or one for another number of classes.
    """
    classes = len(subject.images("test").class_names)
    weight, bias = own_head(subject, classes, "Train a probe instead: --evaluators linear.")
    features, labels = subject.features("test")
    ranks = ranked(features @ weight.T + bias, min(5, classes))
    yield from scores(ranks[:, 0], labels, subject.metric)
    if classes > 5:
        yield topk(ranks, labels)


EVALUATOR = Evaluator(
    run=run,
    protocol=ClassifierProtocol(),
    source="He et al. (arXiv:1512.03385), Sec. 4: single-crop testing",
    splits=("test",),
)
