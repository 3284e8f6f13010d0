"""Errors on corrupted images that lie on disk: ImageNet-C, CIFAR-10-C, CIFAR-100-C."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...checkpoints.errors import MissingData, UnknownName, UsageError
from ..cells import check_cells
from ..classifiers import Head, HeadProtocol, head_of
from ..corruption_metrics import (
    bootstrap_standard_error,
    corruption_error,
    mean_corruption_error,
    mean_relative_corruption_error,
    per_image_corruption_error,
    relative_corruption_error,
)
from ..corruptions import CORRUPTIONS, SEVERITIES, TEST_CORRUPTIONS
from ..evaluator import Evaluator, Measurement, top1
from ..image_source import ImageSource
from ..metrics import mean_over_conditions
from ..per_image import CELLS, CLEAN
from ..splits import alexnet_errors
from ..subject import Subject

_NORMALISED = "imagenet_c"  # the one set that AlexNet's errors are published on


@dataclass(frozen=True, kw_only=True)
class CorruptionErrorsProtocol(HeadProtocol):
    """Single-crop testing of every corruption at five severities, by one classifier.

    Hendrycks and Dietterich (arXiv:1903.12261), Sec. 4: CE and mCE are relative to AlexNet,
    the relative ones to its increase over the clean error. The images come at the network's
    side and are not resized (hendrycks/robustness, ImageNet-C/test.py).
    """

    name = "corruption_errors"

    corruptions: tuple[str, ...] = TEST_CORRUPTIONS  # the four extra ones may be added
    resamples: int = 1000  # of the images, for the standard errors


def run(subject: Subject, protocol: CorruptionErrorsProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 of every cell and its mean, and on ImageNet-C CE, mCE, rCE and mrCE.

    mCE and mrCE are of the fifteen corruptions, and are not there without all of them.
    Standard errors are over images, each drawn with all of its cells.

    Raises:
        UsageError: the data set has no cells.
        BadData: a cell is absent or incomplete; the message names each.
    """
    names = _check_request(subject, protocol)
    images = subject.images("test")
    head = head_of(subject, protocol, len(images.class_names))
    cells = [f"{name}/{level}" for name in names for level in SEVERITIES]
    rows = []
    for cell in cells:
        rows.append(_correct(subject.on(f"{subject.dataset_name}:{cell}"), head))
        yield top1(rows[-1], condition=cell, notes=head.notes)
    correct = np.stack(rows).reshape(len(names), len(SEVERITIES), len(images))
    if set(names) >= set(TEST_CORRUPTIONS):
        scored = [names.index(name) for name in TEST_CORRUPTIONS]
        flat = correct[scored].reshape(-1, len(images))
        yield mean_over_conditions(flat, notes=(f"mean over {len(flat)} cells", *head.notes))
    if subject.dataset_name == _NORMALISED:
        yield from _relative_to_alexnet(subject, protocol, seed, correct, names, head)


def _check_request(subject: Subject, protocol: CorruptionErrorsProtocol) -> list[str]:
    """Return the corruptions, after a look at every cell: a gap is known before hours of work."""
    known = subject.dataset
    if known is None or not known.cells or subject.images("test").split != "test":
        raise UsageError(
            subject.dataset_name,
            "it is not a data set of corrupted cells",
            "imagenet_c, cifar10_c or cifar100_c",
            "Corruptions are generated for any other: --evaluators robustness.",
        )
    names = list(dict.fromkeys(protocol.corruptions))
    for name in names:
        if name not in CORRUPTIONS:
            raise UnknownName("corruption", name, CORRUPTIONS)
    if not names:
        raise UsageError(CorruptionErrorsProtocol.name, "nothing to do", "a corruption")
    whole = known.splits["test"]

    def opened(cell: str) -> ImageSource | None:
        try:
            return subject.on(f"{subject.dataset_name}:{cell}").images("test")
        except MissingData:
            return None

    cells = [f"{name}/{level}" for name in names for level in SEVERITIES]
    wanted = whole if subject.limit is None else min(subject.limit, whole)
    check_cells(subject.dataset_name, cells, opened, wanted)
    return names


def _correct(cell: Subject, head: Head) -> np.ndarray:
    features, labels = cell.features("test")
    return np.asarray(head.logits(features).argmax(axis=1) == labels)


def _relative_to_alexnet(
    subject: Subject,
    protocol: CorruptionErrorsProtocol,
    seed: int,
    correct: np.ndarray,
    names: Sequence[str],
    head: Head,
) -> Iterator[Measurement]:
    """Yield CE and rCE of each corruption, then mCE and mrCE of the fifteen."""
    clean = _clean(subject, head)
    said = head.notes
    if clean is None:
        said = ("no relative errors: the clean images are not there, or others", *said)
    known, errors = alexnet_errors(), 1 - correct.mean(axis=2)
    table = {name: errors[k].tolist() for k, name in enumerate(names)}

    def measured(
        metric: str, value: float, chosen: Sequence[str], condition: str, relative: bool
    ) -> Measurement:
        rows = correct[[names.index(name) for name in chosen]]
        kept = {CELLS: rows.reshape(-1, rows.shape[2])}
        if relative and clean is not None:
            kept[CLEAN] = clean
        spread = per_image_corruption_error(rows, chosen, clean if relative else None)
        return Measurement(
            metric=metric,
            value=value,
            images=correct.shape[2],
            standard_error=bootstrap_standard_error(spread, seed, protocol.resamples),
            condition=condition,
            notes=said,
            arrays=kept,
        )

    for name in names:
        value = corruption_error(table[name], known[name])
        yield measured("ce", value, [name], name, relative=False)
        if clean is not None:
            error = 1 - float(clean.mean())
            value = relative_corruption_error(table[name], error, known[name])
            yield measured("rce", value, [name], name, relative=True)
    if not set(names) >= set(TEST_CORRUPTIONS):
        return
    value = mean_corruption_error(table, TEST_CORRUPTIONS)
    yield measured("mce", value, TEST_CORRUPTIONS, "", relative=False)
    if clean is not None:
        error = 1 - float(clean.mean())
        value = mean_relative_corruption_error(table, error, TEST_CORRUPTIONS)
        yield measured("mrce", value, TEST_CORRUPTIONS, "", relative=True)


def _clean(subject: Subject, head: Head) -> np.ndarray | None:
    """Return whether each image of the cells is right uncorrupted, [N] bool, by its file's name.

    None where the clean images are not there, or are others.
    """
    assert subject.dataset is not None
    clean = subject.on(subject.dataset.clean)
    try:
        images = clean.images("test")
    except MissingData:
        return None
    # Only names: a layout may sort its images otherwise.
    place = {name.rpartition("/")[2]: index for index, name in enumerate(images.identities)}
    names = [name.rpartition("/")[2] for name in subject.images("test").identities]
    if any(name not in place for name in names):
        return None
    return np.asarray(_correct(clean, head)[[place[name] for name in names]])


EVALUATOR = Evaluator(
    run=run,
    protocol=CorruptionErrorsProtocol(),
    source="Hendrycks and Dietterich (arXiv:1903.12261), Sec. 4; ReLIC (arXiv:2010.07922), E.5",
    splits=("test",),
)
