"""Where the numbers of a report come from, as rows for its page."""

from collections import defaultdict
from collections.abc import Sequence

from ..evaluations.record import Record

_DIGITS = 12  # of a hash: enough to tell any two apart, short enough to compare by eye


def measured_rows(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return one row per subject, data set and protocol, sorted.

    Records that differ only in metric, corruption or seed share a row.
    """
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[_group(record)].append(record)
    return [_row(groups[key]) for key in sorted(groups)]


def protocol_rows(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return id, hash and fields of every protocol used, sorted.

    The fields hold the preprocessing too, which belongs to the subject: a protocol used
    with two kinds of preprocessing has two rows.
    """
    protocols = {(r.protocol, r.protocol_sha256, fields_text(r)) for r in records}
    return [
        {"id": identity, "digest": digest[:_DIGITS], "fields": fields}
        for identity, digest, fields in sorted(protocols)
    ]


def environment_lines(records: Sequence[Record]) -> list[str]:
    """Return one line for each distinct environment: versions, platform, commit."""
    lines: dict[str, int] = defaultdict(int)
    for record in records:
        lines[environment_text(record)] += 1
    return [
        f"{line} ({count} record{'' if count == 1 else 's'})"
        for line, count in sorted(lines.items())
    ]


def environment_text(record: Record) -> str:
    """Return the versions, device and commit of a record in one line."""
    known = sorted((k, v) for k, v in record.environment.items() if v is not None)
    return ", ".join(f"{name} {_plain(value)}" for name, value in known) or "nothing recorded"


def fields_text(record: Record) -> str:
    """Return the fields of the record's protocol in one line: `epochs 100; momentum 0.9`."""
    return "; ".join(f"{k} {_plain(v)}" for k, v in sorted(record.protocol_fields.items()))


def _group(record: Record) -> tuple[str, ...]:
    return (
        record.subject, record.architecture, record.weights_sha256 or "",
        record.source_sha256 or "", record.dataset, record.split, record.data_fingerprint,
        record.protocol, record.protocol_sha256, record.code_sha256,
    )  # fmt: skip


def _row(records: Sequence[Record]) -> dict[str, str]:
    record = records[0]
    hashed = record.weights_sha256 or record.source_sha256
    notes = dict.fromkeys(note for r in records for note in r.notes)
    images = sorted({r.images for r in records})
    part = "" if record.complete or record.data_images is None else f" of {record.data_images}"
    return {
        "subject": record.subject,
        "architecture": record.architecture,
        "weights": hashed[:_DIGITS] if hashed else "no weights",
        "data": f"{record.dataset} ({record.split})",
        "fingerprint": _short_fingerprint(record.data_fingerprint),
        "images": " or ".join(map(str, images)) + part,
        "protocol": record.protocol,
        "seeds": ", ".join(map(str, sorted({r.seed for r in records}))),
        "records": str(len(records)),
        "code": record.code_sha256[:_DIGITS],
        "notes": "; ".join(notes),
    }


def _short_fingerprint(fingerprint: str) -> str:
    kind, colon, digits = fingerprint.partition(":")
    return f"{kind}:{digits[:_DIGITS]}" if colon else fingerprint[:_DIGITS]


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{k} {_plain(v)}" for k, v in sorted(value.items())) + ")"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
