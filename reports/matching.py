"""Which records of a folder belong to which claims."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..evaluations.record import Record
from .claim_routes import architecture_of
from .claim_rules import key
from .claims import Claim
from .records import speaks_of
from .verdict import Judgement, judge


def judge_records(records: Sequence[Record], claims: Iterable[Claim]) -> list[Judgement]:
    """Return one judgement per claim and subject with records that speak of it.

    Claims that no record belongs to are left out: `verify` lists those. A record belongs
    to a claim if it measured the claim's metric on its data, and is of the claim's network.

    Raises:
        BadRecord: a record with an impossible number.
    """
    by_data: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_data[record.dataset].append(record)
    judgements = []
    for claim in claims:
        if claim.recalled:
            continue
        subjects: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for record in by_data[claim.data]:
            if speaks_of(record, claim) and is_of(record, claim):
                subjects[_identity(record)].append(record)
        judgements += [judge(claim, subjects[subject]) for subject in sorted(subjects)]
    return judgements


def is_of(record: Record, claim: Claim) -> bool:
    """Return whether `record` is of the network that `claim` is about.

    A published checkpoint is known by the hash of its file, a model in a file of
    predictions by its name; otherwise method and architecture have to be the claim's.
    """
    kind, _, rest = claim.subject.partition(":")
    if kind == "published":
        from ..checkpoints.zoo import read_published

        return record.source_sha256 == read_published(rest).sha256
    if kind == "predictions":
        return record.subject_kind == "predictions" and record.subject == rest.split(":")[1]
    architecture = architecture_of(claim.architecture)
    return (key(record.method), key(record.architecture)) == (key(claim.method), key(architecture))


def _identity(record: Record) -> tuple[str, ...]:
    return (
        record.subject,
        record.weights_sha256 or "",
        record.source_sha256 or "",
        record.split,
        record.data_fingerprint,
    )
