"""What `relicheck claims` prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .claims import Claim
from .layout import text_table

HEADER = ("Claim", "Dataset", "Model", "Metric", "Claimed", "Kind", "Margin")


def list_text(claims: Sequence[Claim]) -> str:
    """Return one line per claim, for a terminal."""
    return text_table(HEADER, [_row(claim) for claim in claims])


def _row(claim: Claim) -> tuple[str, ...]:
    return (
        claim.id,
        claim.dataset,
        f"{claim.method}, {claim.architecture}",
        claim.metric,
        claim.value + (" (recalled)" if claim.recalled else ""),
        claim.kind.replace("_", " "),
        f"{claim.margin:.3g}",
    )


def claim_facts(claim: Claim) -> dict[str, Any]:
    """Return every field of the claim, as JSON can hold it; the value stays as printed."""
    return {**asdict(claim), "evaluators": list(claim.evaluators), "number": claim.number}


def explain(claim: Claim) -> str:
    """Return everything about one claim, in lines of name and value."""
    unit = "" if claim.unit == "as printed" else f" {claim.unit}"
    lines = {
        "claim": claim.id,
        "says": f"{claim.paper}, {claim.table}: {claim.method}, {claim.architecture}, "
        f"{claim.dataset}, {claim.metric} {claim.value}{unit}",
        "pretrained on": claim.pretrain_data,
        "protocol": claim.protocol,
        "source": claim.source,
        "confidence": "recalled: shown, never judged" if claim.recalled else "seen in the source",
        "rounded by": f"up to {claim.rounding:g}",
        "judged as": claim.kind.replace("_", " "),
        "margin": claim.margin_reason,
        "measured by": claim.unmeasurable or " or ".join(claim.evaluators),
        "admissible": ", ".join(claim.protocols) or "any protocol of that evaluator",
        "data set": claim.data + (f", {claim.condition}" if claim.condition else ""),
        "subject": claim.subject or "whoever has the weights: --checkpoint FILE",
    }
    if claim.expected_verdict:
        lines["known"] = f"{claim.expected_verdict.replace('_', ' ')}: {claim.expected_reason}"
    width = max(map(len, lines))
    return "".join(f"{name:<{width}}  {value}\n" for name, value in lines.items())
