"""The claims as the page's script reads them: each text once, however many claims share it."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from ...evaluations.record import Record
from ..contradictions import contradictions_of
from ..cost import cost_lines
from ..inflation import inflation_note
from ..provenance_tables import environment_text, fields_text
from ..tables import full_reason, measured_text
from ..verdict import Judgement, Verdict
from .marks import MARKS, words

# The order of a claim's values in the data; `claims.js` reads it from there.
FIELDS = (
    "id", "method", "architecture", "pretrained", "dataset", "metric", "unit", "value", "recalled",
    "paper", "table", "protocol", "source", "kind", "margin", "margin_reason", "evaluators",
    "admissible", "verdict", "reason", "measured", "number", "difference", "low", "high", "power",
    "p_value", "family", "command", "cost", "chosen", "disputed", "records",
)  # fmt: skip


def ordered(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements as the table shows them first: what needs attention at the top."""
    return sorted(
        judgements,
        key=lambda j: (
            MARKS[j.verdict].rank,
            j.claim.dataset.casefold(),
            j.claim.method.casefold(),
            j.claim.architecture.casefold(),
            j.claim.metric,
            j.claim.id,
        ),
    )


def claim_data(judgements: Sequence[Judgement]) -> str:
    """Return what the script needs of every judgement, in the order given, as JSON.

    It may stand in a <script> element: no text in it can end that element. Numbers are in
    the claim's unit; differences and margins are rounded to a millionth.
    """
    pool: dict[str, int] = {}
    records: dict[str, int] = {}
    kept: list[Record] = []
    rows = []
    for judgement in judgements:
        for record in judgement.records:
            if record.id not in records:
                records[record.id] = len(kept)
                kept.append(record)
        places = [records[record.id] for record in judgement.records]
        rows.append([_pooled(value, pool) for value in (*_values(judgement), places)])
    body = {
        "fields": FIELDS,
        # Which of the fields are texts, and so an index into `pool`.
        "texts": [name for name in FIELDS if name not in _NUMBERS],
        "claims": rows,
        "records": [
            [[name, _pooled(value, pool)] for name, value in record_facts(record)]
            for record in kept
        ],
        "verdicts": {str(v): [m.rank, m.tone, words(v), m.meaning] for v, m in MARKS.items()},
        "pool": list(pool),
    }
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


_NUMBERS = (
    "recalled", "margin", "number", "difference", "low", "high", "p_value", "family", "records",
)  # fmt: skip


def _values(judgement: Judgement) -> tuple[Any, ...]:
    claim = judgement.claim
    low, high = judgement.interval or (None, None)
    p_value = judgement.p_value if judgement.p_adjusted is None else judgement.p_adjusted
    return (
        claim.id, claim.method, claim.architecture, claim.pretrain_data, claim.dataset,
        claim.metric, claim.unit, claim.value, int(claim.recalled), claim.paper,
        claim.table, claim.protocol, claim.source, claim.kind.replace("_", " "),
        _short(claim.margin), claim.margin_reason,
        claim.unmeasurable or " or ".join(claim.evaluators),
        ", ".join(claim.protocols) or "any protocol of that evaluator",
        str(judgement.verdict), full_reason(judgement), measured_text(judgement),
        _short(judgement.measured), _short(judgement.difference), _short(low), _short(high),
        judgement.power, _short(p_value), judgement.family,
        repeat_command(judgement), "\n".join(cost_lines(claim)), inflation_note(claim),
        # An id and a title in turn.
        "\n".join(text for c in contradictions_of(claim.id) for text in (c.id, c.title)),
    )  # fmt: skip


def repeat_command(judgement: Judgement) -> str:
    """Return the command that judges the claim again; FILE stands for weights one must bring."""
    claim = judgement.claim
    parts = ["relicheck", "verify", "--claim", claim.id]
    if not claim.subject:
        subjects = sorted({r.subject for r in judgement.records if r.subject_kind == "checkpoint"})
        files = [f"{subject}.safetensors" for subject in subjects] or ["FILE"]
        parts += [part for file in files[:1] for part in ("--checkpoint", file)]
    seeds = sorted({record.seed for record in judgement.records})
    if seeds not in ([], [0]):
        parts += [part for seed in seeds for part in ("--seed", str(seed))]
    return shlex.join(parts) if judgement.verdict is not Verdict.NOT_MEASURED else " ".join(parts)


def record_facts(record: Record) -> list[tuple[str, str]]:
    """Return what a record says of itself, as names and texts; hashes are whole."""
    error = record.standard_error
    facts = {
        "record": record.id,
        "measured": f"{record.metric} {record.value:.4f} {record.unit}"
        + ("" if error is None else f" (standard error over images {error:.4f})"),
        "subject": f"{record.subject} ({record.subject_kind}; {record.method}, "
        f"{record.architecture})",
        "weights SHA-256": record.weights_sha256 or "none: no weights were read",
        "source file SHA-256": record.source_sha256 or "",
        "data set": f"{record.dataset} ({record.split})"
        + (f", {record.condition}" if record.condition else ""),
        "data fingerprint": record.data_fingerprint,
        "images": f"{record.images:,}"
        + (f" of {record.data_images:,}" if record.data_images else " of an unknown number"),
        "evaluator": record.evaluator,
        "protocol": record.protocol,
        "protocol SHA-256": record.protocol_sha256,
        "protocol's fields": fields_text(record),
        "seed": str(record.seed),
        "code SHA-256": record.code_sha256,
        "environment": environment_text(record),
        "answers SHA-256": record.correct_sha256 or "",
        "notes": "; ".join(record.notes),
    }
    return [(name, value) for name, value in facts.items() if value]


def _short(value: float | None) -> float | None:
    # Float noise below any printed digit would make the page differ by machine.
    return None if value is None else round(value, 6) + 0.0


def _pooled(value: object, pool: dict[str, int]) -> object:
    return pool.setdefault(value, len(pool)) if isinstance(value, str) else value
