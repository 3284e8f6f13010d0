"""Records from predictions: no weights, no images, only answers and the truth."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.files import sha256_of_file
from .dataset import datasets
from .evaluator import Measurement, Protocol, top1
from .metrics import ranked, topk
from .prediction_files import integers
from .provenance import code_sha256, environment
from .record import Record, read_record, write_record


@dataclass(frozen=True, kw_only=True)
class PredictionsProtocol(Protocol):
    """Published answers counted again: the share of images whose label is (among) the best."""

    name = "published_predictions"


@dataclass(frozen=True, kw_only=True)
class RealProtocol(Protocol):
    """ImageNet ReaL: Beyer et al. (arXiv:2006.07159), Sec. 3.

    An answer is right if it is among an image's reassessed labels; images that were
    given none are left out of the count.
    """

    name = "real_labels"


def evaluate_predictions(
    path: Path,
    model: str,
    dataset: str,
    *,
    labels: np.ndarray,
    predictions: np.ndarray,
    records: Path,
    expected: int | None = None,
    classes: int | None = None,
    split: str = "test",
    method: str = "unknown",
    architecture: str = "unknown",
    label_sets: Sequence[Sequence[int]] | None = None,
    notes: tuple[str, ...] = (),
    published: bool = False,
) -> list[Record]:
    """Return the records of one model's predictions on one data set, and write them.

    Args:
        path: the file the predictions were read from; its hash goes into the records.
        model: who made them.
        dataset: what on.
        labels: [N] integers, the truth.
        predictions: [N] classes, [N, k] classes best first, or [N, C] floats: logits.
        records: folder that records are kept in.
        expected: the complete set's size; fewer labels make a part of it.
        classes: number of classes; None: as many as the logits, else unknown.
        split: of the data set.
        method: how the model was trained, where known.
        architecture: of the model, where known.
        label_sets: for each image the labels that count as right (ReaL): adds `real_top1`
            and `real_top5`.
        notes: what a reader must know.
        published: whether the file is one of the published tables, and not a user's.

    Raises:
        BadData: lengths differ, a logit is not finite, a label is out of range.
    """
    where = f"{path}, {model} on {dataset}"
    ranks, classes = _ranks(where, labels, predictions, classes)
    labels = integers(np.asarray(labels), where, "labels")
    _check_range(where, labels, ranks, classes)
    k = ranks.shape[1]
    plain: list[Measurement] = [top1(ranks[:, 0] == labels, notes=notes)]
    if k >= 5:
        plain.append(topk(ranks[:, :5], labels))
    measured: list[tuple[Protocol, Measurement]] = [(PredictionsProtocol(), m) for m in plain]
    if label_sets is not None:
        measured.append((RealProtocol(), real_topk(ranks[:, :1], label_sets, where)))
        if k >= 5:
            measured.append((RealProtocol(), real_topk(ranks[:, :5], label_sets, where)))
    fingerprint = labels_fingerprint(dataset, labels, label_sets)
    made = []
    for protocol, measurement in measured:
        whole = expected
        if measurement.metric.startswith("real_") and expected == len(labels):
            # Complete means every image that has a label.
            whole = measurement.images
        record = Record(
            metric=measurement.metric,
            value=measurement.value,
            unit=measurement.unit,
            images=measurement.images,
            standard_error=measurement.standard_error,
            condition=measurement.condition,
            subject=model,
            subject_kind="predictions",
            weights_sha256=None,
            source_sha256=sha256_of_file(path),
            method=method,
            architecture=architecture,
            dataset=dataset,
            split=split,
            data_fingerprint=fingerprint,
            data_images=whole,
            source="predictions",
            evaluator="predictions",
            protocol=protocol.id,
            protocol_sha256=protocol.digest,
            protocol_fields=protocol.fields(),
            seed=0,
            code_sha256=code_sha256(),
            notes=measurement.notes,
            environment=environment(),
            correct_sha256=_hash(measurement.correct),
            request={
                "predictions": str(path),
                "published": published,
                "data": dataset,
                "expected": expected,
                "classes": classes,
            },
        )
        made.append(read_record(write_record(records, record, measurement.correct)))
    return made


def real_top1(
    answers: np.ndarray, label_sets: Sequence[Sequence[int]], where: object = "ReaL"
) -> Measurement:
    """Return the share of answers [N] among each image's labels; images without any are out.

    Raises:
        BadData: lengths differ, or no image has a label.
    """
    return real_topk(np.asarray(answers).reshape(len(answers), 1), label_sets, where)


def real_topk(
    ranks: np.ndarray, label_sets: Sequence[Sequence[int]], where: object = "ReaL"
) -> Measurement:
    """Return the share of images with one of their labels among the k best [N, k].

    Images without any label are left out. Raises: as `real_top1`.
    """
    if len(ranks) != len(label_sets):
        raise BadData(where, f"{len(ranks)} answers for {len(label_sets)} label sets", "equal")
    kept = [
        (best, labels) for best, labels in zip(ranks.tolist(), label_sets, strict=True) if labels
    ]
    if not kept:
        raise BadData(where, "no image has a label", "at least one")
    plain = top1(np.array([not set(labels).isdisjoint(best) for best, labels in kept]))
    return Measurement(
        metric=f"real_top{ranks.shape[1]}",
        value=plain.value,
        images=plain.images,
        standard_error=plain.standard_error,
        correct=plain.correct,
        notes=(f"{len(ranks) - len(kept)} images without a ReaL label left out",),
    )


def labels_fingerprint(
    dataset: str, labels: np.ndarray, label_sets: Sequence[Sequence[int]] | None = None
) -> str:
    """Return `labels:...`, a SHA-256 of the truth: there are no images to hash."""
    digest = hashlib.sha256(dataset.encode())
    digest.update(np.ascontiguousarray(labels, dtype="<i8").tobytes())
    digest.update(repr([list(map(int, s)) for s in label_sets or ()]).encode())
    return f"labels:{digest.hexdigest()}"


def known_size(dataset: str) -> tuple[int | None, int | None]:
    """Return images of the scored split and classes of a registered data set, else None twice."""
    if dataset not in datasets.names():
        return None, None
    known = datasets.load(dataset)
    return known.splits[known.scored], known.classes


def _ranks(
    where: str, labels: np.ndarray, predictions: np.ndarray, classes: int | None
) -> tuple[np.ndarray, int | None]:
    """Return the ranked classes [N, k], best first, and the number of classes if known."""
    predictions = np.asarray(predictions)
    if np.ndim(labels) != 1 or predictions.ndim not in (1, 2) or predictions.size == 0:
        raise BadData(
            where,
            f"labels of shape {np.shape(labels)}, predictions of shape {predictions.shape}",
            "labels [N] and predictions [N], [N, k] or logits [N, classes], N at least 1",
        )
    if len(labels) != len(predictions):
        raise BadData(
            where,
            f"{len(predictions)} predictions for {len(labels)} labels",
            "one for each label",
            "One of the two may be truncated.",
        )
    if not np.issubdtype(predictions.dtype, np.floating):
        ranks = integers(predictions, where, "predictions")
        return ranks.reshape(len(labels), -1), classes
    if predictions.ndim == 1:
        raise BadData(where, "one float for each image", "class indices, or a logit per class")
    if not np.isfinite(predictions).all():
        row = int(np.flatnonzero(~np.isfinite(predictions).all(axis=1))[0])
        raise BadData(where, f"logits of image {row} are not finite", "finite logits")
    if classes is not None and classes != predictions.shape[1]:
        raise BadData(where, f"{predictions.shape[1]} logits", f"{classes}, one for each class")
    return ranked(predictions, min(5, predictions.shape[1])), predictions.shape[1]


def _check_range(where: str, labels: np.ndarray, ranks: np.ndarray, classes: int | None) -> None:
    for what, values in (("labels", labels), ("predictions", ranks)):
        low, high = int(values.min()), int(values.max())
        if low < 0 or (classes is not None and high >= classes):
            top = "upwards" if classes is None else f"to {classes - 1}"
            raise BadData(where, f"{what} from {low} to {high}", f"class indices from 0 {top}")
    ordered = np.sort(ranks, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        row = int(np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))[0])
        raise BadData(
            where, f"image {row} names a class twice: {ranks[row].tolist()}", "distinct classes"
        )


def _hash(correct: np.ndarray | None) -> str | None:
    return None if correct is None else hashlib.sha256(correct.tobytes()).hexdigest()
