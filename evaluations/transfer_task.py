"""A transfer data set as a task: what is fitted, what is chosen on, and how it is scored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadData
from .average_precision import mean_average_precision
from .dataset import check_classes
from .evaluator import Measurement
from .image_source import ImageSource, targets_of
from .metrics import mean_per_class, scores
from .subject import Subject
from .transfer_sets import TRANSFER_SETS, departures
from .validation import Division, divide

MULTI_LABEL = "map_11_point"


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferTask:
    """Training and test images of one data set, divided, with the data set's own metric."""

    train: ImageSource  # validation images included
    test: ImageSource
    metric: str  # top1, mean_per_class or map_11_point
    division: Division
    notes: tuple[str, ...]  # what differs from the papers' table

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        return len(self.train.class_names)

    @property
    def multi_label(self) -> bool:
        """Whether an image may show several classes, each scored by its own classifier."""
        return self.metric == MULTI_LABEL

    def truth(self, source: ImageSource) -> np.ndarray:
        """Return labels [N] int64, or [N, classes] targets (1, 0, -1) where multi-label."""
        targets = targets_of(source)
        return targets if self.multi_label and targets is not None else source.labels

    def score(self, logits: np.ndarray, truth: np.ndarray) -> float:
        """Return the task's own metric in percent, from logits [N, classes]."""
        if self.multi_label:
            # A class that nobody held out has no recall to be scored at.
            shown = (truth == 1).any(axis=0)
            return mean_average_precision(logits[:, shown], truth[:, shown], resamples=0).value
        right = logits.argmax(axis=1) == truth
        if self.metric == "mean_per_class":
            return mean_per_class(right, truth).value
        return 100 * float(np.count_nonzero(right)) / len(right)

    def measure(self, logits: np.ndarray, notes: tuple[str, ...]) -> Iterator[Measurement]:
        """Yield the measurements of the test images from their logits [N, classes]."""
        said = (*notes, *self.notes)
        truth = self.truth(self.test)
        if self.multi_label:
            yield mean_average_precision(logits, truth, said)
        else:
            yield from scores(logits.argmax(axis=1), truth, self.metric, said)


def transfer_task(subject: Subject, held_out_seed: int) -> TransferTask:
    """Return the task of a subject's data set.

    Validation images are the data set's own, else as many as BYOL's Table 10 states, else
    a tenth, drawn from the training images by `held_out_seed`; a tenth also where some of
    the training images are missing.

    Raises:
        BadData: training and test classes differ, or the metric needs targets that the
            images do not have.
    """
    train, test = subject.images("train"), subject.images("test")
    metric = subject.metric
    if metric == MULTI_LABEL:
        for source in (train, test):
            if targets_of(source) is None:
                raise BadData(
                    f"{source.name}, {source.split}",
                    "one label for each image",
                    f"targets for every class, as {metric} needs",
                )
    else:
        check_classes(train, test)
    dataset = subject.dataset
    row = TRANSFER_SETS.get(subject.dataset_name)
    count = dataset.validation_images if dataset is not None else 0
    official = dataset.validation if dataset is not None else None
    count = count or (row.validation if row else 0)
    if train.expected not in (None, len(train)):
        # Neither the published number nor "the last of them" means anything for a part.
        count, official = 0, None
    division = divide(train, count, official, held_out_seed)
    return TransferTask(
        train=train,
        test=test,
        metric=metric,
        division=division,
        notes=departures(subject.dataset_name, train, len(division.held), test, metric),
    )
