"""What `relicheck claims` prints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from ..checkpoints.dependencies import missing_dependency
from .claim_checkpoints import checkpoint_lines, checkpoints_of
from .claim_rules import FEWEST_STANDARD_ERRORS, SEED_DEVIATION
from .claim_status import status_words, statuses
from .claims import Claim
from .contradictions import contradictions_of
from .cost import cost, cost_lines
from .inflation import inflation_note
from .layout import text_table
from .power import power_lines, power_summary
from .verdict import Judgement
from .where import network_of, weights_address

HEADER = ("Claim", "Dataset", "Model", "Metric", "Claimed", "Kind", "Margin", "Status")
_WIDTH = 78  # of the text beside a field's name

Judged = Mapping[str, Sequence[Judgement]]


def list_text(claims: Sequence[Claim], judged: Judged | None = None) -> str:
    """Return one line per claim, for a terminal."""
    return text_table(HEADER, [_row(claim, (judged or {}).get(claim.id, ())) for claim in claims])


def _row(claim: Claim, judgements: Sequence[Judgement]) -> tuple[str, ...]:
    return (
        claim.id,
        claim.dataset,
        network_of(claim),
        claim.metric,
        claim.value + (" (recalled)" if claim.recalled else ""),
        claim.kind.replace("_", " "),
        f"{claim.margin:.3g}",
        status_words(claim, judgements),
    )


def claim_facts(claim: Claim, judgements: Sequence[Judgement] = ()) -> dict[str, Any]:
    """Return every field of the claim, as JSON can hold it; the value stays as printed."""
    return {
        **asdict(claim),
        "evaluators": list(claim.evaluators),
        "number": claim.number,
        "status": list(statuses(claim, judgements)),
    }


def explained_facts(claim: Claim) -> dict[str, Any]:
    """Return the fields with what follows from them: cost, power, inflation, contradictions."""
    return {
        **claim_facts(claim),
        "checkpoints": [entry.name for entry in checkpoints_of(claim)],
        "cost": cost(claim).as_dict(),
        "power": power_lines(claim),
        "inflation": inflation_note(claim),
        "contradictions": [c.as_dict() for c in contradictions_of(claim.id)],
    }


def explain(claim: Claim) -> str:
    """Return everything about one claim, in lines of name and value."""
    unit = "" if claim.unit == "as printed" else f" {claim.unit}"
    rows: list[tuple[str, str]] = [
        ("claim", claim.id),
        ("says", f"{claim.paper}, {claim.table}: {claim.method}, {claim.architecture}, "
         f"{claim.dataset}, {claim.metric} {claim.value}{unit}"),
        ("pretrained on", claim.pretrain_data),
        ("protocol", claim.protocol),
        ("source", claim.source),
        ("confidence",
         "recalled: shown, never judged" if claim.recalled else "seen in the source"),
        ("rounded by", f"up to {claim.rounding:g}"),
        ("judged as", claim.kind.replace("_", " ")),
        ("margin", claim.margin_reason),
        *(("margin", line) for line in _least_margin(claim)),
        ("measured by", claim.unmeasurable or " or ".join(claim.evaluators)),
        *(("admissible", p) for p in _protocols(claim)),
        ("data set", claim.data + (f", {claim.condition}" if claim.condition else "")),
        ("data from", _data_from(claim)),
        *(("checkpoint", line) for line in checkpoint_lines(claim)),
        ("weights", _weights(claim)),
    ]  # fmt: skip
    if not claim.unmeasurable:
        rows += [("costs", line) for line in cost_lines(claim)]
        rows.append(("power", _or_missing(power_summary, claim)))
    if note := _or_missing(inflation_note, claim):
        rows.append(("chosen", note))
    for contradiction in contradictions_of(claim.id):
        rows.append(("disputed", contradiction.title))
        rows += [("", fact.sentence) for fact in contradiction.facts]
        rows.append(("", contradiction.statement))
    if claim.expected_verdict:
        known = f"{claim.expected_verdict.replace('_', ' ')}: {claim.expected_reason}"
        rows.append(("known", known))
    return _lines(rows)


def _or_missing(said: Callable[[Claim], str], claim: Claim) -> str:
    """Return what `said` says of the claim, or which library it needs to say it.

    Claims are looked up where nothing is measured, too: without scipy the rest still stands.
    """
    try:
        return said(claim)
    except ModuleNotFoundError as error:
        if missing := missing_dependency(error):
            return str(missing)
        raise


def _weights(claim: Claim) -> str:
    kind, _, rest = claim.subject.partition(":")
    if kind == "predictions":
        return f"none: the published predictions {rest} are counted"
    return f"{weights_address(claim)}; your own: --checkpoint FILE"


def _least_margin(claim: Claim) -> list[str]:
    """Return why no smaller margin could be met, where it varies with the seed."""
    deviation = SEED_DEVIATION.get(claim.kind)
    if deviation is None or claim.unit != "%":
        return []
    return [
        f"no margin below {FEWEST_STANDARD_ERRORS * deviation:g} is accepted: "
        f"{FEWEST_STANDARD_ERRORS:g} standard errors of one seed, at an assumed deviation of "
        f"{deviation:g}"
    ]


def _protocols(claim: Claim) -> list[str]:
    """Return the ids of the protocols that the claim can be read under."""
    from ..evaluations.evaluator import evaluators

    if claim.protocols or claim.unmeasurable:
        return list(claim.protocols)
    return [
        f"{evaluators.load(name).protocol.id} ({name})"
        if name in evaluators.names()
        else f"as the maker of the {name} says"
        for name in claim.evaluators
    ]


def _data_from(claim: Claim) -> str:
    from ..evaluations.dataset import datasets
    from .where import data_address

    name = claim.data.partition(":")[0]
    name = "imagenet" if name == "imagenet_real" else name
    return datasets.load(name).obtain if name in datasets.names() else data_address(name)


def _lines(rows: Sequence[tuple[str, str]]) -> str:
    """Return the rows, a name that repeats said once, long texts continued below themselves."""
    width = max(len(name) for name, _ in rows)
    lines, before = [], ""
    for name, text in rows:
        shown = "" if name == before else name
        before = name or before
        first, *more = wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append(f"{shown:<{width}}  {first}")
        lines += [f"{'':<{width}}    {line}" for line in more]
    return "\n".join(lines) + "\n"
