"""A measurement as it is kept: with everything needed to repeat and to distrust it.

Records are append-only and atomic. A record's id is a hash of its inputs, so the same
inputs name the same file; an interrupted evaluation finds what it had finished. Its
`content_sha256` is a hash of all it says, so that an edited number is detected, and the
folder's journal chains the records (see `journal`).
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadRecord
from ..checkpoints.files import write_text
from .journal import append, is_entered, writing
from .per_image import CORRECT, read_arrays, sha256_of_array, write_arrays

SCHEMA = 2  # 1: no content hash, no journal, nothing to run it again from
# Not part of the identity: what came out, and the machine and place it came out on.
_OUTCOME = (
    "value",
    "standard_error",
    "images",
    "notes",
    "environment",
    "correct_sha256",
    "arrays_sha256",
    "request",
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
    # to repeat it from itself
    manifest: Mapping[str, Any] | None = None  # the checkpoint's, whole; None: none was read
    view: Mapping[str, Any] | None = None  # how images were shown; None: none were
    request: Mapping[str, Any] = field(default_factory=dict)  # what was asked for: see `rerun`
    # of what else is kept beside the record, by name: what the number is computed from again
    arrays_sha256: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits over the inputs, not over the outcome."""
        return identity_of(fields_of(self))

    @property
    def complete(self) -> bool:
        """Whether every image of the split was scored."""
        return (
            self.data_images is not None
            and self.images == self.data_images
            and not self.skipped_images
        )

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 over all that the record says, its number included."""
        text = json.dumps(fields_of(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def fields_of(record: Record) -> dict[str, Any]:
    """Return every field by name, as JSON can hold it; not copies, as `asdict` would make."""
    return {known.name: getattr(record, known.name) for known in fields(Record)}


def identity_of(inputs: Mapping[str, Any]) -> str:
    """Return sixteen hexadecimal digits over those of a record's fields that are inputs."""
    # How the features reached the evaluator does not change what is measured.
    kept = {k: v for k, v in inputs.items() if k not in (*_OUTCOME, "source")}
    # Padding and epsilon are in no tensor; the rest of the manifest says who, not what.
    kept["manifest"] = (kept.get("manifest") or {}).get("spec")
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def write_record(
    folder: Path,
    record: Record,
    correct: np.ndarray | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """Write `record` as `<id>.json` to `folder`, and enter it in the folder's journal.

    Args:
        folder: made where it is absent; other processes may write to it meanwhile.
        record: with the hashes of what is kept beside it.
        correct: [images] bool, kept beside it as `correct` in `<id>.npz`.
        arrays: what else the number is computed from, by name, kept in the same file.

    Raises:
        BadRecord: a record of the same inputs is there with another outcome. The same
            weights, data, protocol, seed and code must give the same number. Or its number
            is not finite.
        BadData: the folder cannot be written, or has no locks.
    """
    path = folder / f"{record.id}.json"
    if not math.isfinite(record.value):
        raise BadRecord(f"record {record.id}", f"{record.metric} is {record.value}", "a number")
    with writing(folder):
        if path.exists():
            kept = read_record(path)
            _check_equal(path, kept, record)
        else:
            kept = record
            beside = {**(arrays or {}), **({} if correct is None else {CORRECT: correct})}
            if beside:
                write_arrays(path.with_suffix(".npz"), beside)
            write_text(path, record_text(record))
        # A process that was killed between the two leaves a record that was not entered.
        if kept is record or not is_entered(folder, record.id):
            append(folder, record.id, kept.content_sha256)
    return path


def record_text(record: Record) -> str:
    """Return a record as its file has it."""
    body = {
        "schema": SCHEMA,
        "id": record.id,
        "content_sha256": record.content_sha256,
        **fields_of(record),
    }
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_record(path: Path) -> Record:
    """Return the record in `path`.

    Raises:
        BadRecord: not a record, of another schema, or edited: its inputs do not give its
            id, or what it says not its content's hash.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadRecord(path, f"cannot be read ({error})", "a record in JSON") from error
    return parse_record(text, path)


def parse_record(text: str, where: object) -> Record:
    """Return the record that `text` is; `where` names its file. Raises: as `read_record`."""
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRecord(where, f"cannot be read ({error})", "a record in JSON") from error
    if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
        raise _other_schema(where, raw)
    stated, content = raw.pop("id", None), raw.pop("content_sha256", None)
    try:
        record = Record(**{**raw, "notes": tuple(raw.get("notes", ()))})
    except TypeError as error:
        known = ", ".join(f.name for f in fields(Record))
        raise BadRecord(where, f"fields do not fit ({error})", f"the fields {known}") from error
    _check_kinds(where, record)
    again = "Delete it and measure again."
    if record.id != stated:
        raise BadRecord(
            where, f"says id {stated}, but its inputs give {record.id}", "an unedited record", again
        )
    if record.content_sha256 != content:
        raise BadRecord(
            where,
            f"says content {str(content)[:16]}, but what it says gives "
            f"{record.content_sha256[:16]}: it was edited",
            "an unedited record",
            again,
        )
    return record


def read_correct(path: Path) -> np.ndarray | None:
    """Return the per-image correctness [images] bool kept beside the record in `path`, if any.

    Raises:
        BadRecord: the file beside it is damaged.
    """
    return read_beside(path).get(CORRECT)


def read_beside(path: Path) -> dict[str, np.ndarray]:
    """Return every array kept beside the record in `path`, by name; none: no file is there.

    Raises:
        BadRecord: the file beside it is damaged.
    """
    beside = path.with_suffix(".npz")
    return read_arrays(beside) if beside.is_file() else {}


def hashes_of(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return `Record.arrays_sha256` for arrays that will be kept beside it."""
    return {name: sha256_of_array(array) for name, array in sorted(arrays.items())}


def _check_equal(path: Path, earlier: Record, record: Record) -> None:
    if (earlier.value, earlier.images) != (record.value, record.images):
        raise BadRecord(
            path,
            f"the same inputs gave {earlier.value} on {earlier.images} images before and "
            f"{record.value} on {record.images} now",
            "equal numbers",
            "Keep both: name another folder with --records, and compare their environments.",
        )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"it holds {name}")


def _other_schema(where: object, raw: object) -> BadRecord:
    wanted = f"a record of schema {SCHEMA}"
    if not isinstance(raw, dict) or not {"metric", "evaluator", "dataset"} <= set(raw):
        return BadRecord(where, "not a record of this version", wanted)
    again = f"relicheck evaluate {raw.get('subject')} --data {raw['dataset']} --evaluators "
    return BadRecord(
        where,
        "a record of another version of relicheck, which cannot be held to a hash of its content",
        wanted,
        f"Move it away and measure again: {again}{raw['evaluator']}",
    )


_NUMBERS = {"value", "standard_error"}
_COUNTS = {"images", "data_images", "seed", "skipped_images"}
_MAPPINGS = {"protocol_fields", "environment", "manifest", "view", "request", "arrays_sha256"}
_MAY_BE_NONE = {"standard_error", "weights_sha256", "source_sha256", "data_images",
                "correct_sha256", "manifest", "view"}  # fmt: skip


def _check_kinds(where: object, record: Record) -> None:
    """Return if every field is of its kind: a hash only says that nobody changed it since."""
    for known in fields(Record):
        name, value = known.name, getattr(record, known.name)
        if value is None and name in _MAY_BE_NONE:
            continue
        if name in _NUMBERS:
            fits = type(value) in (int, float) and math.isfinite(value)
        elif name in _COUNTS:
            fits = type(value) is int
        elif name == "notes":
            fits = all(isinstance(note, str) for note in value)
        else:
            fits = isinstance(value, dict if name in _MAPPINGS else str)
        if not fits:
            raise BadRecord(where, f"{name} is {value!r}"[:200], "what a record has there")
