"""A claim with its records in one file, to be checked without data, weights or GPU.

A bundle is a zip of plain files (see `pack`): `bundle.json` with the hash of every other one,
`claim.json` and `judgement.json` where a claim is bundled, `records/<id>.json` with
`records/<id>.npz` beside it (the answers per image), `protocols/<hash>.json` and
`checkpoints/<hash>.json`, the manifest of the weights, which are not in it.
"""

import hashlib
import inspect
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__
from ..checkpoints.errors import BadRecord, MissingData, UnknownName, UsageError
from ..checkpoints.files import write_bytes
from ..evaluations.recompute import RECOMPUTED, can_recompute
from ..evaluations.record import Record, record_text
from .claims import Claim
from .matching import identity, is_of
from .pack import pack
from .records import speaks_of
from .scored import latest, read_one, read_scored
from .verdict import Judgement, judge

SCHEMA = 1
INDEX, CLAIM, JUDGEMENT, README = "bundle.json", "claim.json", "judgement.json", "README.txt"
_DIGITS = 16

_READ_ME = """\
A bundle of relicheck: {what}.

Check it without data, weights or GPU, with nothing but relicheck and numpy:

    pip install relicheck
    relicheck check FILE.zip

That holds every file against its hash in bundle.json, computes the numbers again from the
answers per image in records/*.npz, and judges the claim again. What it cannot know is whether
the answers are those of the network: relicheck rerun measures them again, from
records/*.json, where weights and data are at hand.
"""


def bundle_record(path: Path) -> bytes:
    """Return the bundle of one record, without a claim.

    Raises:
        BadRecord: it was edited, or keeps no answers that its number is computed from.
    """
    return _bundle([path], None, None)


def bundle_claim(claim: Claim, folder: Path, records: Sequence[Path] = ()) -> bytes:
    """Return the bundle of a claim with the records in `folder` that speak of it.

    Args:
        claim: what is claimed.
        folder: of records.
        records: the ones to take; none: all that are of the claim's network, which have to
            be of one file of weights on the same data.

    Raises:
        MissingData: no record speaks of it.
        UsageError: records of several networks do.
        BadRecord: one was edited, is about something else, or keeps no answers.
    """
    chosen = list(records) or _speaking(claim, folder)
    judgement = judge(claim, [read_one(path).record for path in chosen])
    return _bundle(chosen, claim, judgement)


def write_bundle(target: Path, content: bytes) -> str:
    """Write a bundle, whole or not at all; return the SHA-256 of the file."""
    write_bytes(target, content)
    return hashlib.sha256(content).hexdigest()


def judgement_facts(judgement: Judgement) -> dict[str, Any]:
    """Return what two judgements of the same records have to agree in."""
    return {
        "verdict": str(judgement.verdict),
        "measured": judgement.measured,
        "difference": judgement.difference,
        "interval": None if judgement.interval is None else list(judgement.interval),
        "margin": judgement.margin,
        "protocols": list(judgement.protocols),
        "records": [record.id for record in judgement.records],
    }


def protocol_facts(record: Record) -> dict[str, Any]:
    """Return a record's protocol: id, hash and fields."""
    return {
        "id": record.protocol,
        "sha256": record.protocol_sha256,
        "fields": dict(record.protocol_fields),
    }


def as_json(body: Mapping[str, Any]) -> bytes:
    """Return a file of a bundle: JSON for people, equal for equal contents."""
    text = json.dumps(body, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return text.encode() + b"\n"


def content_hash(index: Mapping[str, Any]) -> str:
    """Return the SHA-256 over all that the index says but this hash itself."""
    body = {name: value for name, value in index.items() if name != "content_sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _bundle(paths: Sequence[Path], claim: Claim | None, judgement: Judgement | None) -> bytes:
    members: dict[str, bytes] = {}
    records = []
    for path in sorted(paths, key=lambda path: path.stem):
        record = read_one(path).record
        _check_answers(path, record)
        records.append(record)
        members[f"records/{record.id}.json"] = record_text(record).encode()
        members[f"records/{record.id}.npz"] = path.with_suffix(".npz").read_bytes()
        members[protocol_name(record)] = as_json(
            {**protocol_facts(record), "text": _protocol_text(record)}
        )
        if record.manifest is not None:
            members[checkpoint_name(record)] = as_json(record.manifest)
    if claim is not None and judgement is not None:
        members[CLAIM] = as_json(asdict(claim))
        members[JUDGEMENT] = as_json(
            {**judgement_facts(judgement), "reason": judgement.reason, "unit": claim.unit}
        )
    what = f"claim {claim.id}" if claim is not None else f"record {records[0].id}"
    members[README] = _READ_ME.format(what=what).encode()
    index: dict[str, Any] = {
        "kind": "relicheck bundle",
        "schema": SCHEMA,
        "relicheck": __version__,
        "claim": None if claim is None else claim.id,
        "records": [record.id for record in records],
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in members.items()
        },
    }
    members[INDEX] = as_json({**index, "content_sha256": content_hash(index)})
    return pack(members)


def protocol_name(record: Record) -> str:
    """Return the name of the file of a record's protocol."""
    # The fields may differ under one hash: preprocessing belongs to the checkpoint.
    digest = hashlib.sha256(json.dumps(protocol_facts(record), sort_keys=True).encode())
    return f"protocols/{digest.hexdigest()[:_DIGITS]}.json"


def checkpoint_name(record: Record) -> str:
    """Return the name of the file of a record's manifest."""
    digest = hashlib.sha256(json.dumps(record.manifest, sort_keys=True).encode())
    return f"checkpoints/{digest.hexdigest()[:_DIGITS]}.json"


def _check_answers(path: Path, record: Record) -> None:
    if not can_recompute(record):
        kept = ", ".join(sorted(record.arrays_sha256)) or "no answers per image"
        raise BadRecord(
            path,
            f"{record.metric} keeps {kept}, from which nobody could compute it again",
            f"one of {', '.join(sorted(RECOMPUTED))} with its answers per image",
        )


def _speaking(claim: Claim, folder: Path) -> list[Path]:
    found = [item.record for item in latest(read_scored(folder))]
    speaking = [record for record in found if speaks_of(record, claim) and is_of(record, claim)]
    meant = [record for record in speaking if record.protocol in claim.protocols]
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in meant or speaking:
        groups[identity(record)].append(record)
    if not groups:
        raise MissingData(
            folder,
            f"no record speaks of {claim.id}",
            f"{claim.metric} of {claim.data} by {' or '.join(claim.evaluators) or 'anything'}, of "
            f"{claim.method}, {claim.architecture}",
            f"Measure it: relicheck verify --claim {claim.id} --records {folder}; or name one "
            "with --record ID.",
        )
    if len(groups) > 1 and claim.kind != "re_pretraining":
        listed = "; ".join(f"{group[0].subject} ({group[0].id})" for group in groups.values())
        raise UsageError(
            folder,
            f"records of {len(groups)} networks or data sets speak of {claim.id}: {listed}",
            "records of one",
            "Name them with --record ID, which may be repeated.",
        )
    return [folder / f"{record.id}.json" for group in groups.values() for record in group]


def _protocol_text(record: Record) -> str:
    """Return what the protocol's documentation says; "" where this version has another."""
    from ..evaluations.evaluator import evaluators
    from ..evaluations.predictions import PredictionsProtocol, RealProtocol

    try:
        known = [PredictionsProtocol(), RealProtocol()]
        if record.subject_kind != "predictions":
            known = [evaluators.load(record.evaluator).protocol]
    except UnknownName:
        return ""
    texts = [inspect.getdoc(type(one)) for one in known if one.id == record.protocol]
    return (texts[0] or "") if texts else ""
