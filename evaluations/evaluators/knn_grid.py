"""k-NN by every k, vote and temperature in use, from one search for neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...checkpoints.errors import UsageError
from ..dataset import check_classes
from ..evaluator import Evaluator, Measurement, Protocol
from ..metrics import scores
from ..neighbours import grid, nearest, votes
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class KnnGridProtocol(Protocol):
    """Cosine k-NN over a grid: each combination is one measurement, named by its condition.

    The defaults hold DINO's k = 20, t = 0.07 (arXiv:2104.14294, App. F, which tried 10,
    20, 100 and 200); Wu et al.'s k = 200, t = 0.07 (arXiv:1805.01978); k = 200, t = 0.1,
    which lightly and solo-learn default to (recalled, not re-read); and the majority votes of
    MULAN (arXiv:2602.05845, App. A), which reports the better of k = 10 and 20. That choice
    sees the test labels: it is measured under the condition `selected_on_test` and says so.

    Values of k beyond the training images are left out. The number that stands for k-NN is
    `knn`'s; of a grid none does.
    """

    name = "knn_grid"

    k: tuple[int, ...] = (1, 10, 20, 100, 200)
    temperatures: tuple[float, ...] = (0.07, 0.1)
    best_of: tuple[int, ...] = (10, 20)  # majority; the better one on the test images


def run(subject: Subject, protocol: KnnGridProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 (and mean per class where that is the metric) of every combination."""
    check_classes(subject.images("train"), subject.images("test"))
    train, train_labels = subject.features("train")
    test, labels = subject.features("test")
    ks = sorted({k for k in (*protocol.k, *protocol.best_of) if k <= len(train)})
    if not ks or ks[0] < 1 or not protocol.temperatures or min(protocol.temperatures) <= 0:
        raise UsageError(
            protocol.name,
            f"k {protocol.k}, temperatures {protocol.temperatures}",
            f"a k from 1 to the {len(train)} training images and temperatures above 0",
        )
    classes = len(subject.images("train").class_names)
    found = nearest(train, test, ks[-1])
    majority: dict[int, np.ndarray] = {}
    for k, vote, temperature in grid(ks, protocol.temperatures):
        answers = votes(found, train_labels, classes, k, vote, temperature)
        condition = f"k={k},{vote}"
        if vote == "weighted":
            condition += f",t={temperature:g}"
        else:
            majority[k] = answers
        yield from scores(answers, labels, subject.metric, condition=condition)
    candidates = [k for k in sorted(set(protocol.best_of)) if k in majority]
    if candidates:
        right = {k: int(np.count_nonzero(majority[k] == labels)) for k in candidates}
        best = max(candidates, key=lambda k: right[k])
        said = f"k = {best} of {candidates} by its accuracy on the test images themselves"
        yield from scores(
            majority[best], labels, subject.metric, (said,), condition="selected_on_test"
        )


EVALUATOR = Evaluator(
    run=run,
    protocol=KnnGridProtocol(),
    source="DINO (arXiv:2104.14294), App. F; Wu et al. (arXiv:1805.01978), Sec. 3.4; MULAN "
    "(arXiv:2602.05845), App. A",
    splits=("train", "test"),
)
