"""A measurement as it is kept: with everything needed to repeat and to distrust it.

Records are append-only and atomic. A record's id is a hash of its inputs, so the same
inputs name the same file; an interrupted evaluation finds what it had finished.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadRecord
from ..checkpoints.files import atomic_path, write_text

SCHEMA = 1
# Not part of the identity: what came out, and the machine it came out on.
_OUTCOME = (
    "value",
    "standard_error",
    "images",
    "notes",
    "environment",
    "correct_sha256",
    "arrays_sha256",
    # Images left out change the fingerprint, and by it the identity.
    "skipped_images",
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One measured number and its provenance. Units as in `Measurement`."""

    # what was measured
    metric: str
    value: float
    unit: str
    images: int  # scored
    standard_error: float | None
    condition: str
    # on what
    subject: str  # name for people: a checkpoint's file stem, a published model's name
    subject_kind: str  # "checkpoint", "baseline" or "predictions"
    weights_sha256: str | None  # of the weights; None for predictions and raw pixels
    source_sha256: str | None  # of the file the weights or predictions were read from
    method: str
    architecture: str
    dataset: str
    split: str
    data_fingerprint: str
    data_images: int | None  # the complete split's size; more than `images`: a part
    # how
    source: str  # "images", "features" (cached) or "predictions"
    evaluator: str
    protocol: str  # id: name/version
    protocol_sha256: str
    protocol_fields: Mapping[str, Any]
    seed: int
    code_sha256: str  # of the package's own modules
    # the outcome's footnotes
    notes: tuple[str, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    correct_sha256: str | None = None  # of the per-image correctness kept beside the record
    skipped_images: int = 0  # corrupt ones left out, of all splits read: never judged
    # of what else is kept beside the record, by name: what the number is computed from again
    arrays_sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits over the inputs, not over the outcome."""
        inputs = {k: v for k, v in asdict(self).items() if k not in _OUTCOME}
        # How the features reached the evaluator does not change what is measured.
        inputs.pop("source")
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def complete(self) -> bool:
        """Whether every image of the split was scored."""
        return (
            self.data_images is not None
            and self.images == self.data_images
            and not self.skipped_images
        )


def write_record(folder: Path, record: Record, correct: np.ndarray | None = None) -> Path:
    """Write `record` as `<id>.json`, and `correct` [images] bool as `<id>.npz`, to `folder`.

    Raises:
        BadRecord: a record of the same inputs is there with another outcome. The same
            weights, data, protocol, seed and code must give the same number.
    """
    path = folder / f"{record.id}.json"
    if path.exists():
        earlier = read_record(path)
        if (earlier.value, earlier.images) != (record.value, record.images):
            raise BadRecord(
                path,
                f"the same inputs gave {earlier.value} on {earlier.images} images before and "
                f"{record.value} on {record.images} now",
                "equal numbers",
                "Keep both: name another folder with --records, and compare their environments.",
            )
        return path
    if correct is not None:
        with atomic_path(path.with_suffix(".npz")) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, correct=np.packbits(correct), images=len(correct))
    body = {"schema": SCHEMA, "id": record.id, **asdict(record)}
    write_text(path, json.dumps(body, indent=1, sort_keys=True) + "\n")
    return path


def read_record(path: Path) -> Record:
    """Return the record in `path`.

    Raises:
        BadRecord: not a record, of another schema, or its inputs do not give its id.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRecord(path, f"cannot be read ({error})", "a record in JSON") from error
    if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
        raise BadRecord(path, "not a record of this version", f"schema {SCHEMA}")
    stated = raw.pop("id", None)
    try:
        record = Record(**{**raw, "notes": tuple(raw.get("notes", ()))})
    except TypeError as error:
        known = ", ".join(f.name for f in fields(Record))
        raise BadRecord(path, f"fields do not fit ({error})", f"the fields {known}") from error
    if record.id != stated:
        raise BadRecord(
            path,
            f"says id {stated}, but its inputs give {record.id}",
            "an unedited record",
            "Delete it and measure again.",
        )
    return record


def read_correct(path: Path) -> np.ndarray | None:
    """Return the per-image correctness [images] bool kept beside the record in `path`, if any."""
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        return None
    # Opened here: np.load leaves the file open when it turns out not to be an archive.
    with beside.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return np.unpackbits(archive["correct"])[: int(archive["images"])].astype(bool)
