"""Segmentation of CamVid with small networks at hand, beside what needs no training.

Nobody claims these numbers: the networks were trained to classify 32 x 32 images. What can be
said is whether a trained backbone beats an untrained one and the most frequent class, with an
interval over the 233 images.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import MissingData
from ..evaluations.segmentation.kept import read_confusions
from ..evaluations.segmentation.scores import (
    bootstrap,
    class_iou,
    mean_iou,
    paired_difference,
    pixel_accuracy,
)
from .layout import csv_table, markdown_table

if TYPE_CHECKING:
    from ..checkpoints.resnet import ResNet
    from ..evaluations.record import Record

DATA = "camvid"
PUBLISHED = ("akamaster_resnet20", "akamaster_resnet32", "akamaster_resnet56")
UNTRAINED = "untrained"
_FLOOR = "majority_class"  # the condition of the evaluator's own baseline
_FROZEN = "segmentation_linear"
# Minutes instead of hours: half the size, and fewer steps at a larger rate. With 1,000 steps
# ResNet-20's mIoU on `val` was 24.4, 25.1, 25.1 and 25.0 % at 0.001, 0.003, 0.01 and 0.03.
_SETTINGS: dict[str, object] = {
    f"{_FROZEN}.shorter_side": 180,
    f"{_FROZEN}.steps": 1_000,
    f"{_FROZEN}.warmup_steps": 38,  # the same share as the default's 1,500 of 40,000
    f"{_FROZEN}.learning_rate": 0.01,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One backbone on CamVid's test images."""

    name: str
    record: "Record"  # of its mIoU
    confusions: np.ndarray  # [images, classes, classes] int64


def segmentation() -> tuple[str, str] | None:
    """Return the table as Markdown and CSV; None where weights or images are absent."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return table(measure(published(), Path(scratch)))
    except MissingData:
        return None


def published() -> "dict[str, str | ResNet]":
    """Return the published networks at hand, two of them without training, and raw pixels.

    Raises:
        MissingData: a published network is not there.
    """
    untrained = {f"{name} {UNTRAINED}": _untrained(name) for name in (PUBLISHED[0], PUBLISHED[2])}
    return {**{name: name for name in PUBLISHED}, **untrained, "raw_pixels": "raw_pixels"}


def measure(
    subjects: "Mapping[str, str | Path | ResNet]", folder: Path, cache: Path | None = None
) -> list[Row]:
    """Return a row for each subject, the best first, and that of the most frequent class.

    Args:
        subjects: by the name of their row.
        folder: that records are kept in.
        cache: for feature maps; None keeps them in memory.

    Raises:
        MissingData: CamVid or a network is not there.
    """
    from ..evaluations.evaluate import evaluate

    rows = []
    for name, subject in subjects.items():
        found = evaluate(subject, DATA, [_FROZEN], records=folder, cache=cache, overrides=_SETTINGS)
        rows += [_row(name, record, folder) for record in found if record.metric == "miou"]
    models = [row for row in rows if not row.record.condition]
    floor = next(row for row in rows if row.record.condition == _FLOOR)
    return [*sorted(models, key=lambda row: -row.record.value), floor]


def table(rows: Sequence[Row], reference: str = "") -> tuple[str, str]:
    """Return the rows as Markdown and CSV, with paired differences from one of them.

    Args:
        rows: of the same images.
        reference: the row that the others are held against; "": the best untrained network.
    """
    from ..evaluations.segmentation.dataset import segmentation_dataset

    classes = segmentation_dataset(DATA).class_names
    held = next(row for row in rows if row.name == reference or
                (not reference and row.name.endswith(UNTRAINED)))  # fmt: skip
    header = (
        "Backbone", "Protocol", "mIoU (%)", "95 % interval", "Pixel accuracy (%)",
        f"mIoU minus {held.name}", *(f"{name} IoU" for name in classes),
    )  # fmt: skip
    cells = [_cells(row, held) for row in rows]
    return markdown_table(header, cells), csv_table(header, cells)


def _row(name: str, record: "Record", folder: Path) -> Row:
    confusions = read_confusions(folder / f"{record.id}.json")
    assert confusions is not None, record.id
    return Row(
        name=record.condition.replace("_", " ") or name, record=record, confusions=confusions
    )


def _cells(row: Row, reference: Row) -> tuple[str, ...]:
    pooled = row.confusions.sum(axis=0)
    miou, _ = bootstrap(row.confusions)
    return (
        row.name,
        row.record.protocol,
        f"{100 * float(mean_iou(pooled)):.1f}",
        f"{100 * miou.low:.1f} to {100 * miou.high:.1f}",
        f"{100 * float(pixel_accuracy(pooled)):.1f}",
        _difference(row, reference),
        *(f"{100 * value:.1f}" for value in class_iou(pooled)),
    )


def _difference(row: Row, reference: Row) -> str:
    """Return the difference from the reference with its 95 % interval, image by image."""
    if row is reference:
        return ""
    both = [float(mean_iou(side.confusions.sum(axis=0))) for side in (row, reference)]
    spread = paired_difference(reference.confusions, row.confusions)
    return f"{100 * (both[0] - both[1]):+.1f} ({100 * spread.low:+.1f} to {100 * spread.high:+.1f})"


def _untrained(name: str) -> "ResNet":
    """Return a published network's architecture with random weights, and its preprocessing."""
    from ..checkpoints.load import load_checkpoint
    from ..checkpoints.resnet import untrained

    manifest = load_checkpoint(name).manifest
    assert manifest is not None
    network = untrained(manifest.spec)
    network.manifest = replace(manifest, method=UNTRAINED, classes=None, source_sha256=None)
    return network
