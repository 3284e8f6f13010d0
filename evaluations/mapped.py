"""1000-way logits beside the map from ImageNet's indices to a data set's classes."""

from collections.abc import Sequence

import numpy as np

from ..checkpoints.errors import UsageError
from .classifiers import Head, HeadProtocol, head_of
from .evaluator import Measurement, top1
from .metrics import ranked
from .subject import Subject

IMAGENET_CLASSES = 1000
Groups = Sequence[Sequence[int]]  # for each class, the ImageNet indices that count as it


def imagenet_head(subject: Subject, protocol: HeadProtocol) -> tuple[Head, Groups]:
    """Return a 1000-way classifier, and each class's ImageNet indices.

    Raises:
        UsageError: the data set has no map, or there is no such classifier.
    """
    dataset = subject.dataset
    indices = dataset.imagenet_indices if dataset is not None else None
    if indices is None or len(indices) != len(subject.images("test").class_names):
        raise UsageError(
            subject.dataset_name,
            "its classes are not mapped to ImageNet's",
            "imagenet_a, imagenet_r or objectnet",
            "Score all classes instead: --evaluators classifier.",
        )
    return head_of(subject, protocol, IMAGENET_CLASSES), indices


def imagenet_logits(
    subject: Subject, protocol: HeadProtocol
) -> tuple[np.ndarray, np.ndarray, Groups, tuple[str, ...]]:
    """Return logits [N, 1000], labels [N], each class's ImageNet indices, and notes.

    Raises: as `imagenet_head`.
    """
    head, indices = imagenet_head(subject, protocol)
    features, labels = subject.features("test")
    return head.logits(features), labels, indices, head.notes


def best_of_all(logits: np.ndarray, groups: Groups, k: int) -> np.ndarray:
    """Return the k best of all classes as the data set's, [N, k]; -1 outside the map."""
    table = np.full(logits.shape[1], -1)
    for label, members in enumerate(groups):
        table[list(members)] = label
    return np.asarray(table[ranked(logits, k)])


def best_of_mapped(logits: np.ndarray, groups: Groups, k: int) -> np.ndarray:
    """Return the k best of the mapped classes' logits as the data set's, [N, k].

    A class with two indices may stand twice among the k.
    """
    members = np.concatenate([list(group) for group in groups])
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return np.asarray(owner[ranked(logits[:, members], min(k, len(members)))])


def best_of_collapsed(logits: np.ndarray, groups: Groups, k: int) -> np.ndarray:
    """Return the k best of the data set's classes, [N, k]; a class's logit is its largest."""
    collapsed = np.stack([logits[:, list(group)].max(axis=1) for group in groups], axis=1)
    return ranked(collapsed, min(k, len(groups)))


def among(ranks: np.ndarray, labels: np.ndarray, notes: tuple[str, ...] = ()) -> Measurement:
    """Return top-k, k the width of `ranks` [N, k]: the share with its label among them."""
    plain = top1((ranks == labels[:, None]).any(axis=1))
    return Measurement(
        metric=f"top{ranks.shape[1]}",
        value=plain.value,
        images=plain.images,
        standard_error=plain.standard_error,
        correct=plain.correct,
        notes=notes,
    )
