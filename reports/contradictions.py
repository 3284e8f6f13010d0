"""Where the sources contradict each other, or agree too well: statements with their arithmetic.

`contradictions.toml` names the claims; the arithmetic is done here, on the claims' printed digits,
each time it is shown. A statement whose arithmetic does not hold is refused, so none can
outlive a corrected claim.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import Any

from ..checkpoints.errors import BadClaim
from .claim_registry import load_claims
from .claims import Claim
from .metrics import METRICS
from .verdict import Judgement

FILE = Path(__file__).with_name("contradictions.toml")
RELATIONS = ("complement", "equal", "difference", "ratio")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One sum on two claims' printed values that holds to the digit."""

    relation: str  # of `RELATIONS`
    claims: tuple[str, str]  # ids
    result: str  # as it comes out, to the decimals printed here
    arithmetic: str  # "100 - 77.0 = 23.0"

    @property
    def sentence(self) -> str:
        """Return the arithmetic with the claims it is about."""
        return f"{self.arithmetic} ({self.claims[0]} and {self.claims[1]})"


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """What does not fit together, and why that matters for a verdict."""

    id: str
    title: str  # one line
    statement: str  # what it means for whoever judges
    source: str  # where the figures were seen
    facts: tuple[Fact, ...] = ()
    concerns: tuple[str, ...] = ()  # more claims that it is about, without arithmetic of theirs
    figures: tuple[str, ...] = ()  # of recipes rather than claims, each with its source

    @property
    def claims(self) -> tuple[str, ...]:
        """Return the ids of the claims it is about, each once."""
        named = [name for fact in self.facts for name in fact.claims]
        return tuple(dict.fromkeys([*named, *self.concerns]))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "id": self.id,
            "title": self.title,
            "statement": self.statement,
            "source": self.source,
            "arithmetic": [fact.arithmetic for fact in self.facts],
            "facts": [
                {"relation": f.relation, "claims": list(f.claims), "arithmetic": f.arithmetic}
                for f in self.facts
            ],
            "figures": list(self.figures),
            "claims": list(self.claims),
        }


@lru_cache(maxsize=1)
def load_contradictions() -> tuple[Contradiction, ...]:
    """Return every contradiction of the registry, its arithmetic done on the claims' values.

    Raises:
        BadClaim: one names a claim that is not registered, or its arithmetic does not hold.
    """
    return read_contradictions(FILE, load_claims())


def contradictions_of(identifier: str) -> tuple[Contradiction, ...]:
    """Return the contradictions that the claim with this id is part of."""
    return tuple(c for c in load_contradictions() if identifier in c.claims)


def contradictions_among(judgements: Iterable[Judgement]) -> list[Contradiction]:
    """Return the contradictions that claims judged are part of, in the registry's order."""
    ids = {judgement.claim.id for judgement in judgements}
    return [c for c in load_contradictions() if ids & set(c.claims)]


def disputes_text(judgements: Iterable[Judgement]) -> str:
    """Return one line for each contradiction that claims judged are part of; "" for none."""
    found = contradictions_among(judgements)
    if not found:
        return ""
    lines = [
        f"- {c.title}" + (f": {c.facts[0].arithmetic}" if c.facts else "") + f" ({c.id})"
        for c in found
    ]
    heading = "Between the sources (relicheck claims contradictions):"
    return "\n" + "\n".join([heading, *lines]) + "\n"


def contradictions_text(contradictions: Iterable[Contradiction]) -> str:
    """Return title, arithmetic and statement of each, for a terminal; "" for none."""
    return "".join(
        "\n".join(
            [
                f"{c.title} ({c.id})",
                *(
                    f"  {fact.arithmetic}    {fact.claims[0]} | {fact.claims[1]}"
                    for fact in c.facts
                ),
                *(f"  {figure}" for figure in c.figures),
                *(f"  {line}" for line in wrap(c.statement, 94)),
                f"  Seen in: {c.source}",
            ]
        )
        + "\n\n"
        for c in contradictions
    )


def read_contradictions(file: Path, claims: Iterable[Claim]) -> tuple[Contradiction, ...]:
    """Return the contradictions in `file` about `claims`.

    Raises:
        BadClaim: as `load_contradictions`.
    """
    known = {claim.id: claim for claim in claims}
    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadClaim(file.name, f"not valid TOML ({error})") from error
    found = tuple(_read(file.name, entry, known) for entry in body.get("contradiction", []))
    if len({c.id for c in found}) < len(found):
        raise BadClaim(file.name, "an id given twice", "every id once")
    return found


def _read(file: str, entry: Mapping[str, Any], known: Mapping[str, Claim]) -> Contradiction:
    where = f"{file}, {entry.get('id')}"
    for field in ("id", "title", "statement", "source"):
        if not str(entry.get(field, "")).strip():
            raise BadClaim(f"{where}, {field}", "missing", "text")
    facts = tuple(_fact(where, *fact, known=known) for fact in entry.get("facts", []))
    figures, concerns = tuple(entry.get("figures", [])), tuple(entry.get("concerns", []))
    for name in concerns:
        _registered(where, name, known)
    if not facts and not figures:
        raise BadClaim(where, "no facts and no figures", "the arithmetic that shows it")
    return Contradiction(
        id=entry["id"],
        title=entry["title"],
        statement=" ".join(entry["statement"].split()),
        source=entry["source"],
        facts=facts,
        concerns=concerns,
        figures=figures,
    )


def _fact(
    where: str, relation: str, first: str, second: str, result: str, *, known: Mapping[str, Claim]
) -> Fact:
    if relation not in RELATIONS:
        raise BadClaim(where, f"{relation!r}", f"one of {', '.join(RELATIONS)}")
    for name in (first, second):
        _registered(where, name, known)
    wanted, arithmetic = _sum(relation, known[first], known[second], Decimal(result))
    if wanted != Decimal(result):
        raise BadClaim(where, f"says {result}", f"{arithmetic}, as the claims are printed")
    return Fact(relation=relation, claims=(first, second), result=result, arithmetic=arithmetic)


def _registered(where: str, name: str, known: Mapping[str, Claim]) -> None:
    if name not in known:
        raise BadClaim(where, f"no claim {name!r}", "the id of a registered claim")


def _sum(relation: str, first: Claim, second: Claim, stated: Decimal) -> tuple[Decimal, str]:
    one, two = _shown(first), _shown(second)
    if relation == "complement":
        # An error and an accuracy of two data sets, or two claims that should not add up.
        value = 100 - Decimal(first.value)
        return value if value == Decimal(second.value) else Decimal("NaN"), (
            f"100 - {one} = {value}, and {two} is claimed"
        )
    if relation == "equal":
        value = Decimal(first.value) - Decimal(second.value)
        return Decimal(first.value) if not value else Decimal("NaN"), f"{one} = {two}"
    if relation == "difference":
        value = Decimal(first.value) - Decimal(second.value)
        return value, f"{one} - {two} = {value:+}"
    (above, numerator), (below, denominator) = _accuracy(first), _accuracy(second)
    value = (above / below).quantize(stated, rounding=ROUND_HALF_UP)
    return value, f"{numerator} / {denominator} = {value}"


def _accuracy(claim: Claim) -> tuple[Decimal, str]:
    # A ratio of an accuracy to an error compares nothing.
    if METRICS[claim.metric].error_of:
        return 100 - Decimal(claim.value), f"(100 - {_shown(claim)})"
    return Decimal(claim.value), _shown(claim)


def _shown(claim: Claim) -> str:
    return claim.value + (" (recalled)" if claim.recalled else "")
