"""A linear classifier trained on one data set and scored on a shifted one of the same classes."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..classifiers import HeadProtocol, head_of
from ..evaluator import Evaluator, Measurement
from ..metrics import ranked, scores, topk
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ShiftedProtocol(HeadProtocol):
    """A probe fitted to the clean training images, arg max over all of its classes.

    ReLIC (arXiv:2010.07922), App. E.5: one linear classifier, trained on ImageNet, is read on
    ImageNetV2, -Sketch and so on. The papers train it by SGD with augmentation; here it is
    the `linear` evaluator's. For sets of fewer classes see `classifier_mapped`,
    `classifier_masked` and `objectnet`, with `head_from=linear`.
    """

    name = "shifted_classifier"

    head_from: str = "linear"


def run(subject: Subject, protocol: ShiftedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1, and top-5 where there are more than five classes.

    Raises:
        UsageError: the classifier is of another number of classes than the data set.
        MissingData: the clean training images are not there.
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
    protocol=ShiftedProtocol(),
    source="ReLIC (arXiv:2010.07922), App. E.5",
    splits=("test",),
)
