"""k-nearest-neighbour classification of frozen features."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...checkpoints.errors import UsageError
from ..dataset import check_classes
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import scores
from ..neighbours import Vote, nearest, votes
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class KnnProtocol(Protocol):
    """Cosine similarity, the k nearest training images vote.

    `weighted` is DINO's (arXiv:2104.14294, App. F; after Wu et al., arXiv:1805.01978,
    Sec. 3.4): a neighbour of similarity s votes with exp(s / temperature); k = 20 and
    temperature 0.07. `majority` gives every neighbour one vote. Ties go to the lower
    class index, and of equally near images the earlier one is nearer. `knn_grid` has
    what other papers and libraries take, from one pass.
    """

    name = "knn_cosine"

    k: int = 20
    vote: Vote = "weighted"
    temperature: float = 0.07


def nearest_labels(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    classes: int,
    protocol: KnnProtocol,
) -> np.ndarray:
    """Return the class voted for each test row, [M] int64.

    Args:
        train: [N, D] float32 or float16 features.
        train_labels: [N] integers.
        test: [M, D] float32 features.
        classes: number of classes.
        protocol: k, vote and temperature.
    """
    found = nearest(train, test, protocol.k)
    return votes(found, train_labels, classes, protocol.k, protocol.vote, protocol.temperature)


def run(subject: Subject, protocol: KnnProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    check_classes(subject.images("train"), subject.images("test"))
    train, train_labels = subject.features("train")
    test, labels = subject.features("test")
    if not 1 <= protocol.k <= len(train) or protocol.vote not in ("weighted", "majority"):
        raise UsageError(
            KnnProtocol.name,
            f"k {protocol.k}, vote {protocol.vote!r}",
            f"k from 1 to the {len(train)} training images, vote weighted or majority",
        )
    classes = len(subject.images("train").class_names)
    yield from scores(
        nearest_labels(train, train_labels, test, classes, protocol), labels, subject.metric
    )


EVALUATOR = Evaluator(
    run=run,
    protocol=KnnProtocol(),
    source="DINO (arXiv:2104.14294), App. F; Wu et al. (arXiv:1805.01978), Sec. 3.4",
    splits=("train", "test"),
)
