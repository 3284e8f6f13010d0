"""Records together with the per-image correctness that lies beside them."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadRecord, MissingData
from ..evaluations.record import Record, read_correct, read_record


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """One record and, where it was kept, whether each image was answered rightly."""

    record: Record
    correct: np.ndarray | None = None  # [images] bool, in the data set's order


def read_scored(folder: Path) -> list[Scored]:
    """Return the records of `folder`, oldest first.

    Raises:
        MissingData: there is no such folder, or no record in it.
        BadRecord: a record was edited or truncated, or its per-image correctness was.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingData(folder, "there is no such folder", "a folder of records", _TODO)
    paths = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not paths:
        raise MissingData(folder, "holds no record", "one <id>.json per measurement", _TODO)
    return [_read(path) for path in paths]


_NOISE = 1e-6  # percent: of float arithmetic, far below one image in a million
_TODO = "Make some: relicheck demo, or relicheck evaluate CHECKPOINT --records DIR"


def _read(path: Path) -> Scored:
    record = read_record(path)
    try:
        correct = read_correct(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise BadRecord(
            path.with_suffix(".npz"),
            f"cannot be read ({error})",
            "the per-image correctness of the record beside it",
            "Delete both and measure again.",
        ) from error
    if correct is not None:
        _check_answers(path, record, correct)
    return Scored(record=record, correct=correct)


def _check_answers(path: Path, record: Record, correct: np.ndarray) -> None:
    """Return if the answers are those that the record's number was counted from."""
    found, wanted = "", ""
    digest = hashlib.sha256(correct.tobytes()).hexdigest()
    if len(correct) != record.images:
        found, wanted = f"answers for {len(correct)} images", f"{record.images}"
    elif record.correct_sha256 not in (None, digest):
        found, wanted = f"answers of hash {digest[:12]}", f"{str(record.correct_sha256)[:12]}"
    elif record.metric == "top1" and abs(record.value - 100 * float(correct.mean())) > _NOISE:
        found, wanted = f"{100 * float(correct.mean()):.4f} % right", f"{record.value:.4f} %"
    if found:
        raise BadRecord(
            path,
            f"the .npz beside it holds {found}",
            f"{wanted}, as the record says",
            "Delete both and measure again.",
        )


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
