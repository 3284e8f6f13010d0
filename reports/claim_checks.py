"""Checks of one row of the registry, each with a message that names file, row and field."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from ..checkpoints.errors import BadClaim
from .claim_rules import FEWEST_STANDARD_ERRORS, SEED_DEVIATION
from .claims import CONFIDENCES, KINDS, Claim
from .metrics import METRICS, unit_of

_SOURCE_FIELDS = (
    "id", "paper", "table", "method", "architecture", "pretrain_data", "task", "dataset",
    "protocol", "metric", "value", "unit", "source", "confidence",
)  # fmt: skip
_OWN_FIELDS = tuple(f.name for f in fields(Claim) if f.name not in (*_SOURCE_FIELDS, "file"))
_LISTS = ("evaluators", "protocols")
_COUNTS = ("claimed_seeds", "best_of")


def row_at(file: str, row: object, field: str) -> str:
    """Return where a field of a row stands, for messages."""
    return f"{file}, row {row}, {field}"


def check_margin(file: str, claim: Claim) -> None:
    """Return if the margin is one that a measurement could meet.

    Raises:
        BadClaim: it is below the printed rounding, or below 2.5 standard errors of one seed.
    """
    # A margin that no measurement could meet is refused here and not found out in the verdict.
    least = claim.rounding if claim.kind != "recomputation" else 0.0
    if claim.unit == "%":
        least = max(least, FEWEST_STANDARD_ERRORS * SEED_DEVIATION.get(claim.kind, 0.0))
    if not claim.margin >= least:
        raise BadClaim(
            row_at(file, claim.id, "margin"),
            f"{claim.margin:g}",
            f"at least {least:g} for a {claim.kind} printed as {claim.value}",
            "A smaller one could never be met.",
        )


def check_types(file: str, row: Mapping[str, Any]) -> None:
    """Return if every field of the row is known, of its type and, where the source says it, there.

    Raises:
        BadClaim: file, row and field.
    """
    where = row.get("id")
    known = (*_SOURCE_FIELDS, *_OWN_FIELDS)
    for field, value in row.items():
        if field not in known:
            near = get_close_matches(field, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            raise BadClaim(row_at(file, where, field), "an unknown field", ", ".join(known), hint)
        if field in _LISTS:
            fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
            wanted = "a list of names"
        elif field == "margin":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            wanted = "a number above 0"
        elif field in _COUNTS:
            fits = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            wanted = "a whole number of at least 1"
        else:
            fits, wanted = isinstance(value, str), 'text in quotes; a value as printed: "25.9"'
        if not fits:
            raise BadClaim(row_at(file, where, field), f"{value!r}", wanted)
    for field in _SOURCE_FIELDS:
        if not row.get(field, "").strip():
            raise BadClaim(row_at(file, where, field), "missing", "what the source says")


def check_words(file: str, row: Mapping[str, Any]) -> None:
    """Return if metric, unit, confidence, kind and verdict of the row are known words.

    Raises:
        BadClaim: file, row and field.
    """
    from .verdict import Verdict

    choices: dict[str, Sequence[str]] = {
        "metric": tuple(METRICS),
        "confidence": CONFIDENCES,
        "kind": KINDS,
        "expected_verdict": ("", *Verdict),
    }
    for field, known in choices.items():
        if field in row and row[field] not in known:
            raise BadClaim(
                row_at(file, row["id"], field), f"{row[field]!r}", f"one of {', '.join(known)}"
            )
    if row["unit"] != unit_of(row["metric"]):
        raise BadClaim(
            row_at(file, row["id"], "unit"),
            f"{row['unit']!r}",
            f"{unit_of(row['metric'])!r} for {row['metric']}",
        )
    if row.get("expected_verdict") and not row.get("expected_reason"):
        raise BadClaim(
            row_at(file, row["id"], "expected_reason"), "missing", "why the claim does not hold"
        )
    if row.get("best_of", 1) > 1 and not row.get("best_of_what"):
        raise BadClaim(
            row_at(file, row["id"], "best_of_what"), "missing", "of what the best was printed"
        )
    _check_subject(file, row)


def _check_subject(file: str, row: Mapping[str, Any]) -> None:
    subject = row.get("subject", "")
    kind, _, rest = subject.partition(":")
    parts = rest.split(":")
    if subject and not (
        all(parts) and (kind, len(parts)) in (("published", 1), ("predictions", 3))
    ):
        raise BadClaim(
            row_at(file, row["id"], "subject"),
            f"{subject!r}",
            "published:NAME or predictions:FILE:MODEL:SET",
        )


def check_value(file: str, row: Mapping[str, Any]) -> None:
    """Return if the value is a number as printed, within its metric's range.

    Raises:
        BadClaim: file, row and field.
    """
    where, metric = row_at(file, row["id"], "value"), METRICS[row["metric"]]
    try:
        value = Decimal(row["value"])
    except InvalidOperation as error:
        raise BadClaim(where, f"{row['value']!r}", "a number as printed") from error
    if not value.is_finite() or not metric.low <= value <= metric.high:
        raise BadClaim(
            where,
            f"{row['value']} {row['unit']}",
            f"{row['metric']} between {metric.low:g} and {metric.high:g}",
        )
