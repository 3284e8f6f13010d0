"""k-nearest-neighbour classification of frozen features."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...checkpoints.errors import UsageError
from ..dataset import check_classes
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import scores
from ..subject import Subject

# Similarities held at once, as float32 values: 64 MiB.
_CHUNK_VALUES = 1 << 24


@dataclass(frozen=True, kw_only=True)
class KnnProtocol(Protocol):
    """Cosine similarity, the k nearest training images vote.

    `weighted` is DINO's (arXiv:2104.14294, App. F; after Wu et al., arXiv:1805.01978,
    Sec. 3.4): a neighbour of similarity s votes with exp(s / temperature); k = 20 and
    temperature 0.07. `majority` gives every neighbour one vote (the MULAN comparison,
    best of k = 10 and 20). Ties go to the lower class index.
    """

    name = "knn_cosine"

    k: int = 20
    vote: Literal["weighted", "majority"] = "weighted"
    temperature: float = 0.07


def nearest_labels(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    classes: int,
    protocol: KnnProtocol,
) -> np.ndarray:
    """Return the class voted for each test row, [M] int64. Exact, in chunks of test rows.

    Args:
        train: [N, D] float32 features.
        train_labels: [N] integers.
        test: [M, D] float32 features.
        classes: number of classes.
        protocol: k, vote and temperature.
    """
    reference, queries = _unit(train), _unit(test)
    rows = max(1, _CHUNK_VALUES // len(reference))
    voted = []
    for begin in range(0, len(queries), rows):
        similarity = queries[begin : begin + rows] @ reference.T
        near = np.argpartition(-similarity, protocol.k - 1, axis=1)[:, : protocol.k]
        weight = np.ones(near.shape, np.float64)
        if protocol.vote == "weighted":
            closeness = np.take_along_axis(similarity, near, axis=1).astype(np.float64)
            # Relative to similarity 1, which scales every vote alike and cannot overflow.
            weight = np.exp((closeness - 1) / protocol.temperature)
        votes = np.zeros((len(near), classes))
        np.add.at(votes, (np.arange(len(near))[:, None], train_labels[near]), weight)
        voted.append(votes.argmax(axis=1))
    return np.concatenate(voted).astype(np.int64)


def _unit(features: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), dtype=np.float32)


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
