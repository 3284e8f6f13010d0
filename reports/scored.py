"""Records together with the per-image correctness that lies beside them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.errors import MissingData
from ..evaluations.record import Record, read_correct, read_record
from .records import check_kept


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """One record and, where it was kept, whether each image was answered rightly."""

    record: Record
    correct: np.ndarray | None = None  # [images] bool, in the data set's order
    path: Path | None = None  # of the record's file, beside which the rest lies


def read_scored(folder: Path) -> list[Scored]:
    """Return the records of `folder`, oldest first.

    Raises:
        MissingData: there is no such folder, or no record in it.
        BadRecord: a record was edited or truncated, or its per-image correctness was.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingData(folder, "there is no such folder", "a folder of records", _MAKE_SOME)
    paths = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not paths:
        raise MissingData(folder, "holds no record", "one <id>.json per measurement", _MAKE_SOME)
    return [read_one(path) for path in paths]


_MAKE_SOME = "Make some: relicheck demo, or relicheck evaluate CHECKPOINT --records DIR"


def record_file(name: str | Path, folder: Path) -> Path:
    """Return the file of a record that is named by its path, or by its id in `folder`.

    Raises:
        MissingData: there is none.
    """
    text = str(name)
    path = Path(text) if text.endswith(".json") else folder / f"{text}.json"
    if not path.is_file():
        raise MissingData(
            path,
            "there is no such record",
            "an id as `relicheck evaluate` prints it, or a record's file",
            "Name the folder with --records.",
        )
    return path


def read_one(path: Path) -> Scored:
    """Return the record in the file `path` with its answers per image.

    Raises:
        BadRecord: it or its answers were edited or truncated, or it is no record.
    """
    record = read_record(path)
    check_kept(path.parent, record)
    return Scored(record=record, correct=read_correct(path), path=path)


def latest(scored: Iterable[Scored]) -> list[Scored]:
    """Return the records without those that a later one of the same measurement replaces.

    Later is later in `scored`. A folder is append-only, so a network trained again under
    its old name, or measured again by newer code, lies there beside its predecessor; to
    average the two as if they were seeds would be wrong.
    """
    newest: dict[tuple[object, ...], Scored] = {}
    for item in scored:
        record = item.record
        key = (
            record.subject, record.method, record.architecture, record.dataset, record.split,
            record.data_fingerprint, record.evaluator, record.protocol_sha256, record.metric,
            record.condition, record.seed,
        )  # fmt: skip
        newest.pop(key, None)
        newest[key] = item
    return list(newest.values())
