"""The evaluators on the real images at hand: two published networks beside an untrained one.

Nobody claims these numbers, so there is nothing to reproduce; what can be said is whether
the larger network beats the smaller, and training beats none, on the same images.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ..checkpoints.errors import MissingData
from .layout import csv_table, markdown_table
from .pairwise import Pairwise, compare_pair
from .scored import Scored, read_one

if TYPE_CHECKING:
    from ..checkpoints.resnet import ResNet

SMALL, LARGE = "akamaster_resnet20", "akamaster_resnet56"
_UNTRAINED = "untrained"
# Enough to compare two networks, and minutes instead of hours for 75 corruptions.
_CORRUPTED_IMAGES = 1_000
_CIFAR_CLASSIFIER = {"robustness.head_from": "checkpoint"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One evaluator on one data set; networks without what it reads are left out."""

    data: str
    evaluator: str
    heads_only: bool = False  # whether it reads the checkpoint's own classifier
    limit: int | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)


# The published networks take 32 px: sets of larger images go through `transfer_linear`,
# which resizes, and not through `linear` and `knn`, which take the checkpoint's view.
ROWS = (
    Row(data="cifar10", evaluator="classifier", heads_only=True),
    Row(data="cifar10_jpeg", evaluator="classifier", heads_only=True),
    Row(
        data="cifar10",
        evaluator="robustness",
        heads_only=True,
        limit=_CORRUPTED_IMAGES,
        overrides=_CIFAR_CLASSIFIER,
    ),
    *(
        Row(data=data, evaluator=evaluator)
        for data in ("cifar10", "tiny_imagenet_32")
        for evaluator in ("linear", "knn", "transfer_linear")
    ),
    Row(data="caltech101_64", evaluator="transfer_linear"),
    *(
        Row(data=f"pacs:{domain}", evaluator="transfer_linear")
        for domain in ("art_painting", "cartoon", "sketch")
    ),
)
_HEADER = (
    "Data", "Evaluator", "Protocol", "Metric", "Images", "ResNet-20", "ResNet-56",
    "ResNet-56 untrained", "ResNet-56 minus ResNet-20", "ResNet-56 minus untrained",
)  # fmt: skip


def battery(rows: Sequence[Row] = ROWS, workers: int | None = None) -> tuple[str, str] | None:
    """Return the table as Markdown and CSV; None where weights or images are absent.

    Nearly all of its time goes into the networks' convolutions, so the work is shared by
    processes of one thread each, by network and data set: evaluators of one network on one data
    set share features, and the numbers do not depend on who made them.

    Args:
        rows: of the table.
        workers: processes; None: one for each core.
    """
    found: dict[tuple[int, str], dict[str, Scored]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        pool = ProcessPoolExecutor(
            workers or os.cpu_count(), get_context("spawn"), initializer=_one_thread
        )
        with pool:
            running = [pool.submit(_measure, job, Path(scratch)) for job in _jobs(rows)]
            for future in running:
                part = future.result()
                if part is None:
                    pool.shutdown(cancel_futures=True)
                    return None
                found |= part
    lines = [cells for index, row in enumerate(rows) for cells in _lines(index, row, found)]
    return markdown_table(_HEADER, lines), csv_table(_HEADER, lines)


def _one_thread() -> None:
    # Before torch is imported, which reads it once: each process has a core of its own.
    os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(frozen=True, kw_only=True)
class _Job:
    """The rows of one network on one data set, with their places in the table."""

    subject: str
    rows: tuple[tuple[int, Row], ...]


def _jobs(rows: Sequence[Row]) -> list[_Job]:
    """Return the work in parts, those of the larger network first: they take longest."""
    groups: dict[tuple[str, bool], list[tuple[int, Row]]] = defaultdict(list)
    for index, row in enumerate(rows):
        # Corruptions share no features with the clean images: another process may have them.
        groups[row.data, row.evaluator == "robustness"].append((index, row))
    return [
        _Job(subject=subject, rows=kept)
        for subject in (LARGE, _UNTRAINED, SMALL)
        for group in groups.values()
        if (kept := tuple(x for x in group if subject != _UNTRAINED or not x[1].heads_only))
    ]


def _measure(job: _Job, scratch: Path) -> dict[tuple[int, str], dict[str, Scored]] | None:
    """Return by row and subject what was measured; None where something is absent.

    Runs in a process of its own, from which an error would not come back whole.
    """
    try:
        subject = _untrained() if job.subject == _UNTRAINED else job.subject
        return {(index, job.subject): _evaluate(subject, row, scratch) for index, row in job.rows}
    except MissingData:
        return None


def _lines(
    index: int, row: Row, found: Mapping[tuple[int, str], Mapping[str, Scored]]
) -> list[tuple[str, ...]]:
    """Return a line of cells for each metric of one evaluator, conditions left out."""
    names = (SMALL, LARGE) if row.heads_only else (SMALL, LARGE, _UNTRAINED)
    return [
        _line(row, {name: found[index, name][metric] for name in names})
        for metric in found[index, LARGE]
    ]


def _evaluate(subject: "str | ResNet", row: Row, scratch: Path) -> dict[str, Scored]:
    from ..evaluations.evaluate import evaluate

    records = evaluate(
        subject,
        row.data,
        [row.evaluator],
        records=scratch / "records",
        cache=scratch / "features",
        limit=row.limit,
        overrides=row.overrides,
    )
    scored = [read_one(scratch / "records" / f"{record.id}.json") for record in records]
    # Seventy-five lines of single corruptions would bury their mean.
    kept = [s for s in scored if s.record.condition in ("", "generated")]
    return {item.record.metric: item for item in kept}


def _untrained() -> "ResNet":
    """Return the larger network with random weights, its preprocessing the published one's."""
    from ..checkpoints.load import load_checkpoint
    from ..checkpoints.resnet import untrained

    manifest = load_checkpoint(LARGE).manifest
    assert manifest is not None
    network = untrained(manifest.spec)
    network.manifest = replace(manifest, method=_UNTRAINED, classes=None, source_sha256=None)
    return network


def _line(row: Row, found: Mapping[str, Scored]) -> tuple[str, ...]:
    record = found[LARGE].record
    return (
        row.data,
        row.evaluator,
        record.protocol,
        record.metric,
        f"{record.images:,}" + ("" if record.complete else f" of {record.data_images:,}"),
        *(_value(found.get(name)) for name in (SMALL, LARGE, _UNTRAINED)),
        *(_difference(found.get(name), found[LARGE]) for name in (SMALL, _UNTRAINED)),
    )


def _value(item: Scored | None) -> str:
    if item is None:
        return "no classifier"
    error = item.record.standard_error
    return f"{item.record.value:.1f}" + (f" ± {error:.1f}" if error is not None else "")


def _difference(first: Scored | None, second: Scored) -> str:
    """Return the paired difference with its verdict; "" where answers do not give the number."""
    if first is None or second.correct is None or second.record.metric not in ("top1", "top5"):
        return ""
    return _verdict(compare_pair(first, second))


def _verdict(pair: Pairwise) -> str:
    low, high = pair.interval
    return f"{pair.difference:+.1f} ({low:+.1f} to {high:+.1f}), {pair.verdict}"
