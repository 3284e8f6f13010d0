"""The published tables of predictions, as RELICHECK_DATA/predictions holds them.

ImageNet: top-5 of 16 models on the validation set and the three ImageNetV2 sets, with
labels (github.com/modestyachts/ImageNetV2, MIT). CIFAR-10: 30 models on the test set and
CIFAR-10.1 v4 and v6 (github.com/modestyachts/CIFAR-10.1, MIT). Keys are `<model>__<set>`
and `labels_<set>`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData, MissingData, UnknownName
from .dataset import ENVIRONMENT, data_roots
from .prediction_files import integers, read_arrays
from .predictions import evaluate_predictions, labels_fingerprint
from .record import Record
from .splits import imagenet_wnids

REAL = "imagenet_real"


@dataclass(frozen=True, kw_only=True)
class PublishedSet:
    """One set of images that models were judged on."""

    file: str  # under the folder `predictions`
    key: str  # the set's name in the file
    images: int  # of the complete set
    classes: int


PUBLISHED_SETS = {
    "imagenet": PublishedSet(
        file="imagenet-top5-16models.npz", key="imagenet_val", images=50_000, classes=1000
    ),
    **{
        f"imagenetv2_{name}": PublishedSet(
            file="imagenet-top5-16models.npz",
            key=f"imagenetv2_{name}",
            images=10_000,
            classes=1000,
        )
        for name in ("matched_frequency", "threshold0.7", "top_images")
    },
    **{
        name: PublishedSet(file="cifar10-30models-cifar10h.npz", key=key, images=images, classes=10)
        for name, key, images in (
            ("cifar10", "original", 10_000),
            ("cifar10.1_v4", "v4", 2_021),
            ("cifar10.1_v6", "v6", 2_000),
        )
    },
}


def published_models(dataset: str, root: Path | None = None) -> list[str]:
    """Return the models with published predictions on `dataset`, sorted."""
    known = _set(dataset)
    suffix = f"__{known.key}"
    names = _arrays(_file(known, root))
    return sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix))


def evaluate_published(
    model: str, dataset: str, *, records: Path, root: Path | None = None
) -> list[Record]:
    """Return the records of a published model on one of `PUBLISHED_SETS`.

    On `imagenet` the reassessed labels (ReaL) are counted too, where
    metadata/imagenet_real_labels.json lies beside the predictions.

    Raises:
        UnknownName: no such set, or no such model on it.
        MissingData: the table is not there.
    """
    known = _set(dataset)
    path = _file(known, root)
    if model not in published_models(dataset, root):
        raise UnknownName(f"model with predictions on {dataset}", model,
                          published_models(dataset, root))  # fmt: skip
    arrays = _arrays(path)
    return evaluate_predictions(
        path,
        model,
        dataset,
        labels=arrays[f"labels_{known.key}"],
        predictions=arrays[f"{model}__{known.key}"],
        records=records,
        expected=known.images,
        classes=known.classes,
        label_sets=_real_sets(path, arrays) if dataset == "imagenet" else None,
        published=True,
    )


def _set(dataset: str) -> PublishedSet:
    if dataset not in PUBLISHED_SETS:
        raise UnknownName("set with published predictions", dataset, PUBLISHED_SETS)
    return PUBLISHED_SETS[dataset]


def _file(known: PublishedSet, root: Path | None) -> Path:
    roots = [Path(root)] if root is not None else data_roots()
    for base in roots:
        if (base / "predictions" / known.file).is_file():
            return base / "predictions" / known.file
    raise MissingData(
        " or ".join(str(base / "predictions") for base in roots),
        f"found no {known.file}",
        todo=f"Set {ENVIRONMENT} to the folder that holds 'predictions'.",
    )


@cache
def _arrays(path: Path) -> dict[str, np.ndarray]:
    # Decompressed once: asking an .npz for an array reads it anew each time.
    return read_arrays(path)


def _real_sets(path: Path, arrays: dict[str, np.ndarray]) -> list[list[int]] | None:
    """Return each row's ReaL labels; the file lists them by the number of the image."""
    table = path.parent.parent / "metadata" / "imagenet_real_labels.json"
    if not table.is_file():
        return None
    try:
        by_number: list[list[int]] = json.loads(table.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(table, f"not JSON ({error})", "a list of label lists") from error
    ids = integers(arrays["imagenet_val_ids"], path, "image numbers")
    return [by_number[int(number) - 1] for number in ids]


def published_labels(
    dataset: str, fingerprint: str, root: Path | None = None
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return the labels [N] int64 of a published set and its classes' names.

    None instead of labels where `fingerprint` is not of these labels (ReaL's, for instance).

    Raises:
        UnknownName: no such set.
        MissingData: the table is not there.
        BadData: the classes' names beside it are not readable.
    """
    known = _set(dataset)
    path = _file(known, root)
    labels = integers(_arrays(path)[f"labels_{known.key}"], known.file, "labels")
    names = _class_names(known, path)
    if len(names) != known.classes or fingerprint != labels_fingerprint(dataset, labels):
        return None, ()
    return labels, names


def _class_names(known: PublishedSet, path: Path) -> tuple[str, ...]:
    """Return the classes' names: ImageNet's as metadata/imagenet_class_info.json has them."""
    if known.classes == 10:
        from .datasets.cifar10 import CLASSES

        return CLASSES
    table = path.parent.parent / "metadata" / "imagenet_class_info.json"
    if not table.is_file():
        return imagenet_wnids()
    try:
        rows = json.loads(table.read_text(encoding="utf-8"))
        return tuple(str(row["synset"][0]) for row in rows)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        wanted = "a list of {wnid, synset}, one per class"
        raise BadData(table, f"not the classes ({error})", wanted) from error
