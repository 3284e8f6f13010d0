"""1000-way logits beside the map from ImageNet's indices to a data set's classes."""

import numpy as np

from ..checkpoints.errors import UsageError
from .subject import Subject

IMAGENET_CLASSES = 1000


def imagenet_logits(
    subject: Subject,
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[int, ...], ...]]:
    """Return logits [N, 1000], labels [N], and each class's ImageNet indices.

    Raises:
        UsageError: the checkpoint has no 1000-way head, or the data set no map.
    """
    dataset, head = subject.dataset, subject.head
    indices = dataset.imagenet_indices if dataset is not None else None
    if indices is None or len(indices) != len(subject.images("test").class_names):
        raise UsageError(
            subject.dataset_name,
            "its classes are not mapped to ImageNet's",
            "imagenet_a, imagenet_r or objectnet",
            "Score all classes instead: --evaluators classifier.",
        )
    if head is None or len(head[1]) != IMAGENET_CLASSES:
        found = "no classifier" if head is None else f"a classifier of {len(head[1])} classes"
        raise UsageError(
            subject.model.name, f"the checkpoint has {found}", "one of ImageNet's 1000 classes"
        )
    weight, bias = head
    features, labels = subject.features("test")
    return features @ weight.T + bias, labels, indices
