"""What is wrong, or odd, with a file of claims: every row at once, not the first alone.

`claim_registry` refuses a file at its first error; whoever writes one wants them all, and
hears here too of what is allowed but hardly meant.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadClaim, RelicheckError
from ..evaluations.dataset import datasets
from ..evaluations.evaluator import evaluators
from .claim_registry import (
    FOLDER,
    claim_of_row,
    file_rows,
    load_claims,
    read_files,
    taken,
)
from .claims import Claim


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about a file of claims."""

    level: str  # "error": the file is refused; "warning": allowed, hardly meant
    text: str

    def as_dict(self) -> dict[str, str]:
        """Return it as JSON can hold it."""
        return {"level": self.level, "text": self.text}


@dataclass(frozen=True, kw_only=True)
class Linted:
    """What a file or folder of claims holds, and what is to be said of it."""

    claims: tuple[Claim, ...]  # the rows that can be read
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings refuse the file."""
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def sentence(self) -> str:
        """Return the result as one line."""
        warnings = len(self.findings) - self.errors
        return (
            f"{_count(len(self.claims), 'claim')} read, {_count(self.errors, 'error')}, "
            f"{_count(warnings, 'warning')}"
        )


def lint(path: Path = FOLDER) -> Linted:
    """Return every finding about the claims in a file or folder; our own without an argument.

    Raises:
        MissingData: there is no such file or folder.
    """
    claims: dict[str, Claim] = {}
    findings: list[Finding] = []
    for name, body in read_files(path):
        for row in _rows(name, body, findings):
            try:
                claim = claim_of_row(name, row)
                if claim.id in claims:
                    raise taken(name, claim.id, claims[claim.id].file)
            except BadClaim as error:
                findings.append(Finding(level="error", text=str(error)))
                continue
            claims[claim.id] = claim
    if not claims and not findings:
        findings.append(Finding(level="error", text=f"{path}: holds no claims."))
    own = path.resolve() == FOLDER.resolve()
    findings += [_warning(claim, said) for claim in claims.values() for said in _odd(claim, own)]
    findings += [
        Finding(level="warning", text=text) for text in _disagreements(list(claims.values()))
    ]
    if own:
        findings += _sources()
    return Linted(claims=tuple(claims.values()), findings=tuple(findings))


def _rows(name: str, body: Any, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    try:
        yield from file_rows(name, body)
    except BadClaim as error:
        # Rows behind it cannot be told apart from it.
        findings.append(Finding(level="error", text=str(error)))


def _warning(claim: Claim, said: str) -> Finding:
    return Finding(level="warning", text=f"{claim.file}, row {claim.id}: {said}")


def _odd(claim: Claim, own: bool) -> Iterator[str]:
    """Yield what is allowed about one claim but hardly meant."""
    if not own and claim.id in {known.id for known in load_claims()}:
        yield "its id is one of our registry's: name it by your paper or repository"
    known = {*evaluators.names(), "predictions"}
    for name in claim.evaluators:
        if name not in known:
            yield f"no evaluator {name!r}: nothing will measure it; see relicheck list evaluators"
    if not own:
        admitted = {
            evaluators.load(name).protocol.id
            for name in claim.evaluators
            if name in evaluators.names()
        }
        # ObjectNet's evaluator yields many readings, each under an id of its own.
        unknown = [] if "objectnet" in claim.evaluators else sorted({*claim.protocols} - admitted)
        if unknown and admitted:
            yield (
                f"protocol {', '.join(unknown)} is none of its evaluators' "
                f"({', '.join(sorted(admitted))}): every record will be invalid"
            )
        if claim.data.partition(":")[0] not in {*datasets.names(), "imagenet_real"}:
            yield f"no data set {claim.data!r}: see relicheck list datasets"
        if claim.number != 0 and abs(claim.number) < 1 and claim.unit == "%":
            yield f"{claim.value} % is below one percent: was a fraction meant as a percent?"


def _disagreements(claims: Sequence[Claim]) -> Iterable[str]:
    """Yield pairs of claims that say another number of the very same thing."""
    seen: dict[tuple[str, ...], Claim] = {}
    for claim in claims:
        if claim.task == "ablation":  # its rows differ in what the table varies
            continue
        about = (
            claim.paper, claim.table, claim.method, claim.architecture, claim.pretrain_data,
            claim.task, claim.dataset, claim.protocol, claim.metric, claim.condition,
        )  # fmt: skip
        other = seen.setdefault(about, claim)
        if other is not claim and other.value != claim.value:
            yield (
                f"{claim.file}: {other.id} says {other.value} and {claim.id} {claim.value} of the "
                "same method, data, protocol and metric in the same table"
            )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _sources() -> list[Finding]:
    """Return an error for contradictions between sources whose arithmetic no longer holds."""
    from .contradictions import load_contradictions

    try:
        load_contradictions()
    except RelicheckError as error:
        return [Finding(level="error", text=str(error))]
    return []
