"""Whether a bundle is whole, gives its numbers again, and is judged as it says."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadData, RelicheckError
from ..evaluations.per_image import arrays_in
from ..evaluations.recompute import can_recompute, recompute
from ..evaluations.record import Record, parse_record
from .bundle import (
    CLAIM,
    INDEX,
    JUDGEMENT,
    SCHEMA,
    checkpoint_name,
    content_hash,
    judgement_facts,
    protocol_facts,
    protocol_name,
)
from .claim_registry import load_claims, read_row
from .claims import Claim
from .pack import unpack
from .records import check_arrays
from .verdict import Judgement, judge

# Sums of a few doubles, in another order on another machine.
_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """One record of a bundle, and its number computed again."""

    record: Record
    value: float  # in the record's unit, from the answers per image


@dataclass(kw_only=True)
class BundleCheck:
    """What was found in a bundle."""

    path: Path
    sha256: str  # of the file
    files: int = 0
    records: list[Recomputed] = field(default_factory=list)
    claim: Claim | None = None
    judgement: Judgement | None = None  # made anew from the records in it
    disagreements: list[str] = field(default_factory=list)  # each names the file first
    notes: list[str] = field(default_factory=list)


def check_bundle(path: Path) -> BundleCheck:
    """Return what a bundle holds, computed and judged again, and where it disagrees.

    Every byte is covered: by its file's hash in the index, the index by its own, and the
    form of the zip by the one that its contents have.

    Raises:
        MissingData: there is no such file.
        BadData: not a bundle, cut off, changed, or of another version.
    """
    path = Path(path)
    members = unpack(path)
    found = BundleCheck(
        path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), files=len(members)
    )
    index = _index(path, members)
    found.disagreements += _changed(members, index)
    if found.disagreements:
        return found  # what was changed is not worth judging
    _collect(found, lambda: _check_records(found, members, index))
    if not found.disagreements:
        _collect(found, lambda: _check_claim(found, members, index))
    return found


def _collect(found: BundleCheck, step: Callable[[], None]) -> None:
    try:
        step()
    except RelicheckError as error:
        found.disagreements.append(str(error))


def _index(path: Path, members: Mapping[str, bytes]) -> dict[str, Any]:
    if INDEX not in members:
        raise BadData(path, f"holds no {INDEX}", "a bundle as `relicheck bundle` writes it")
    index = _json(path, INDEX, members[INDEX])
    if index.get("kind") != "relicheck bundle" or index.get("schema") != SCHEMA:
        raise BadData(
            path,
            f"{INDEX} is of kind {index.get('kind')!r}, schema {index.get('schema')!r}",
            f"a relicheck bundle of schema {SCHEMA}",
            "Pack it again with this version, or check it with the version that it names.",
        )
    if content_hash(index) != index.get("content_sha256"):
        raise BadData(path, f"{INDEX} was changed: its own hash is another", "as it was written")
    files, records = index.get("files"), index.get("records")
    if not isinstance(files, dict) or not isinstance(records, list) or not records:
        raise BadData(path, f"{INDEX} lists no files or no records", "both")
    if not all(isinstance(one, dict) for one in files.values()):
        raise BadData(path, f"{INDEX} lists files without their hashes", "both")
    return index


def _held(path: Path, members: Mapping[str, bytes], name: str) -> bytes:
    if name not in members:
        raise BadData(path, f"holds no {name}, which its records or its index need", "as written")
    return members[name]


def _json(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadData(path, f"{name} is not JSON ({error})", "as it was written") from error
    if not isinstance(body, dict):
        raise BadData(path, f"{name} holds no fields", "as it was written")
    return body


def _refuse(name: str) -> float:
    raise ValueError(f"it holds {name}")


def _changed(members: Mapping[str, bytes], index: Mapping[str, Any]) -> Iterator[str]:
    listed = index["files"]
    for name in sorted({*members, *listed} - {INDEX}):
        if name not in members:
            yield f"{name}: is gone"
        elif name not in listed:
            yield f"{name}: was put in"
        elif hashlib.sha256(members[name]).hexdigest() != listed[name].get("sha256"):
            yield f"{name}: was changed: its hash is another"


def _check_records(
    found: BundleCheck, members: Mapping[str, bytes], index: Mapping[str, Any]
) -> None:
    stated = [name for name in members if name.startswith("records/") and name.endswith(".json")]
    if sorted(stated) != sorted(f"records/{name}.json" for name in index["records"]):
        raise BadData(found.path, f"holds {', '.join(stated)}", "the records that its index lists")
    for name in stated:
        record = parse_record(_text(found.path, name, members[name]), name)
        if f"records/{record.id}.json" != name:
            raise BadData(name, f"is record {record.id}", "a record under its own id")
        _check_beside(found.path, record, members)
        beside = name.removesuffix(".json") + ".npz"
        arrays = arrays_in(io.BytesIO(_held(found.path, members, beside)), beside)
        if not can_recompute(record):
            raise BadData(name, f"nothing beside it gives its {record.metric}", "its answers")
        value = recompute(record, arrays)
        found.records.append(Recomputed(record=record, value=value))
        check_arrays(Path(name), record, arrays)


def _text(path: Path, name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadData(path, f"{name} is not text ({error})", "as it was written") from error


def _check_beside(path: Path, record: Record, members: Mapping[str, bytes]) -> None:
    """Return if protocol and manifest are there, and those of the record.

    Raises:
        BadData: they are not, or the protocol's fields do not give its hash.
    """
    name = protocol_name(record)
    facts = _json(path, name, _held(path, members, name))
    if {key: facts.get(key) for key in protocol_facts(record)} != protocol_facts(record):
        raise BadData(name, f"is not the protocol of record {record.id}", "that one")
    if _protocol_sha256(record) != record.protocol_sha256:
        raise BadData(
            f"records/{record.id}.json",
            f"the fields of {record.protocol} do not give the hash {record.protocol_sha256[:16]}",
            "a protocol with its own fields",
        )
    if record.manifest is not None:
        name = checkpoint_name(record)
        if _json(path, name, _held(path, members, name)) != record.manifest:
            raise BadData(name, f"is not the manifest of record {record.id}", "that one")


def _protocol_sha256(record: Record) -> str:
    """Return the protocol's hash from its fields: see `evaluator.Protocol` and `evaluate`."""
    own = dict(record.protocol_fields)
    # Of the checkpoint and of the run, shown among the fields; predictions have neither.
    own.pop("preprocessing", None)
    precision = own.pop("precision", "float32")
    text = json.dumps({"id": record.protocol, **own}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if precision == "float32":
        return digest
    return hashlib.sha256(f"{digest} {precision}".encode()).hexdigest()


def _check_claim(
    found: BundleCheck, members: Mapping[str, bytes], index: Mapping[str, Any]
) -> None:
    if index.get("claim") is None and CLAIM not in members:
        return
    row = _json(found.path, CLAIM, _held(found.path, members, CLAIM))
    row.pop("file", None)
    claim = read_row(CLAIM, row)
    if claim.id != index.get("claim"):
        raise BadData(CLAIM, f"is claim {claim.id}", f"{index.get('claim')}, as {INDEX} says")
    found.claim = claim
    _against_registry(found, claim)
    found.judgement = judge(claim, [item.record for item in found.records])
    stated = _json(found.path, JUDGEMENT, _held(found.path, members, JUDGEMENT))
    for name, value in judgement_facts(found.judgement).items():
        if not _agree(stated.get(name), value):
            found.disagreements.append(
                f"{JUDGEMENT}: says {name} {_short(stated.get(name))}, and the records give "
                f"{_short(value)}"
            )


def _agree(stated: object, value: object) -> bool:
    if isinstance(stated, list) and isinstance(value, list):
        return len(stated) == len(value) and all(map(_agree, stated, value))
    if isinstance(stated, int | float) and isinstance(value, int | float):
        return abs(stated - value) <= _TOLERANCE * max(1.0, abs(value))
    return stated == value


def _short(value: object) -> str:
    return str(value).replace("_", " ")


# What the source printed; and what relicheck adds, which may be better known by and by.
_PRINTED = ("value", "unit", "metric")
_ADDED = ("method", "architecture", "data", "condition", "kind", "margin")


def _against_registry(found: BundleCheck, claim: Claim) -> None:
    """Hold the claim against the registry's of the same id: a bundle cannot vouch for it."""
    known = {one.id: one for one in load_claims()}.get(claim.id)
    if known is None:
        found.notes.append(f"claim {claim.id} is the bundle's own: this registry has no such id")
        return
    for name in (*_PRINTED, *_ADDED):
        here, there = getattr(claim, name), getattr(known, name)
        if here != there:
            said = f"{CLAIM}: {name} is {here!r} in the bundle and {there!r} in the registry"
            (found.disagreements if name in _PRINTED else found.notes).append(said)
