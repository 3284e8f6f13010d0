"""The labels behind the answers of records, and the images where they may be shown."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...checkpoints.errors import RelicheckError
from ...evaluations.record import Record

# Licences that let anyone pass a small copy on. Whatever is not listed here ("research only",
# "none stated", "the images under ImageNet's terms") is not embedded in a page.
_FREE = ("CC0", "CC BY 4.0", "CC BY-SA 4.0")
# A page is written in seconds: labels of larger sets are read, their images are not hashed.
_MOST_IMAGES = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """What is known of the images of one data set, in the order of the answers."""

    title: str  # for people: "CIFAR-10 (test)"
    labels: np.ndarray  # [images] integers, indices into `class_names`
    class_names: Sequence[str]
    licence: str
    # (index) -> [height, width, 3] uint8; None where the licence or the source has no images.
    image: Callable[[int], np.ndarray] | None = None


def free(licence: str) -> bool:
    """Return whether a licence lets the page show images: a free one, without further terms."""
    return licence in _FREE


def labelled_sets(records: Iterable[Record], root: Path | None = None) -> dict[str, Labelled]:
    """Return the labels behind `records` by data fingerprint, where the data are at hand.

    A set is left out where its data are absent, are not those that were measured (their
    fingerprint differs), or are so many that checking this would take long.

    Args:
        records: whatever was measured.
        root: where data sets lie; None: the data roots.
    """
    wanted = {
        record.data_fingerprint: (record.dataset, record.split)
        for record in records
        if record.correct_sha256 is not None
    }
    found = {}
    for fingerprint, (dataset, split) in sorted(wanted.items()):
        try:
            found[fingerprint] = (
                _published(dataset, fingerprint, root)
                if fingerprint.startswith("labels:")
                else _opened(dataset, split, fingerprint, root)
            )
        except RelicheckError:
            continue  # no data, no labels: the page is made without them
    return {fingerprint: labels for fingerprint, labels in found.items() if labels is not None}


def _opened(dataset: str, split: str, fingerprint: str, root: Path | None) -> Labelled | None:
    from ...evaluations.dataset import datasets, open_split

    if dataset not in datasets.names():
        return None  # a user's folder: where it lies is not in the record
    known = datasets.load(dataset)
    if known.multi_label or known.splits.get(split, _MOST_IMAGES + 1) > _MOST_IMAGES:
        return None
    source = open_split(f"{dataset}:{split}" if split in known.splits else dataset, "test", root)
    if fingerprint not in _fingerprints(dataset, known.training, source.fingerprint, root):
        return None
    return Labelled(
        title=f"{known.title} ({split})",
        labels=np.asarray(source.labels),
        class_names=source.class_names,
        licence=known.licence,
        image=source.__getitem__ if free(known.licence) else None,
    )


def _fingerprints(dataset: str, training: str | None, scored: str, root: Path | None) -> list[str]:
    """Return the fingerprints that records of these images can have: alone, or with training."""
    from ...evaluations.dataset import datasets, open_split

    if training is None or datasets.load(dataset).splits.get(training, 0) > _MOST_IMAGES:
        return [scored]
    prints = f"{open_split(dataset, 'train', root).fingerprint} {scored}"
    kind = "stat" if "stat:" in prints else "sha256"
    return [scored, f"{kind}:{hashlib.sha256(prints.encode()).hexdigest()}"]


def _published(dataset: str, fingerprint: str, root: Path | None) -> Labelled | None:
    from ...evaluations.published_predictions import published_labels

    labels, names = published_labels(dataset, fingerprint, root)
    if labels is None:
        return None
    return Labelled(
        title=dataset, labels=labels, class_names=names, licence="labels only, no images"
    )
