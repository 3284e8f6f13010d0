"""Claims in, judgements out: measure what can be measured, say what the rest needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..checkpoints.dependencies import missing_dependency
from ..checkpoints.errors import MissingData, RelicheckError, UsageError
from ..checkpoints.progress import track
from ..evaluations.record import Record
from .claim_registry import load_claims
from .claims import Claim
from .measuring import Measuring
from .multiplicity import judge_together
from .selection import Names, select_claims
from .verdict import Judgement, Verdict, judge


def verify(
    claims: Sequence[Claim] | None = None,
    *,
    dataset: Names = (),
    method: Names = (),
    paper: Names = (),
    ids: Names = (),
    checkpoints: Mapping[str, str | Path] | None = None,
    predictions: Path | None = None,
    data_root: Path | None = None,
    records: Path = Path("runs/records"),
    cache: Path | None = None,
    seeds: Sequence[int] = (0,),
    cache_bytes: int | None = None,
) -> list[Judgement]:
    """Return one judgement per claim selected, in the registry's order.

    Each subject on each data set by each evaluator is measured once, however many claims
    share it, and its records are kept. A claim whose weights, data or evaluator are absent
    is `not_measured`, with each thing that is missing and where to get it.

    Args:
        claims: to select from; None: the registry.
        dataset, method, paper, ids: criteria, all optional; see `select_claims`.
        checkpoints: name -> file of weights. A name is a claim's id, a method ("byol"), a
            published checkpoint, or "" for what the file's own manifest says it is.
        predictions: a file of predictions to hold against the claims selected.
        data_root: where data sets lie; None: $RELICHECK_DATA, else ./data.
        records: folder that records are kept in and found in.
        cache: folder for features; None keeps them in memory only.
        seeds: of what is trained or drawn.
        cache_bytes: what the cache may hold; None: as much as its disk.

    Raises:
        UnknownName: a criterion that no claim meets.
        UsageError: a checkpoint that none of the claims is about.
        BadClaim: a row of the registry that cannot be true.
    """
    chosen = select_claims(
        load_claims() if claims is None else claims,
        dataset=dataset,
        method=method,
        paper=paper,
        ids=ids,
    )
    measuring = Measuring(
        checkpoints=dict(checkpoints or {}),
        predictions=predictions,
        data_root=data_root,
        records=Path(records),
        cache=cache,
        seeds=tuple(seeds),
        cache_bytes=cache_bytes,
        named=bool(ids),
    )
    measuring.check_usable(chosen)
    found = [(claim, _measured(claim, measuring)) for claim in track(chosen, "verify")]
    judged = iter(judge_together([(c, f) for c, f in found if not isinstance(f, Judgement)]))
    return [f if isinstance(f, Judgement) else next(judged) for _, f in found]


def verify_claim(claim: Claim, measuring: Measuring) -> Judgement:
    """Return the judgement of one claim; `measuring` remembers what others have measured."""
    found = _measured(claim, measuring)
    return found if isinstance(found, Judgement) else judge_together([(claim, found)])[0]


def _measured(claim: Claim, measuring: Measuring) -> Sequence[Record] | Judgement:
    """Return the records of one claim, or the judgement that says why there are none."""
    if claim.recalled:
        return ()
    missing = measuring.missing(claim)
    if missing:
        return _not_measured(claim, missing)
    try:
        records = tuple(measuring.records_for(claim))
        judge(claim, records)  # refused here, it is this claim's verdict and no other's
    except ModuleNotFoundError as error:
        if missing_library := missing_dependency(error):
            return _not_measured(claim, (str(missing_library),))
        raise
    except (MissingData, UsageError) as error:
        # UsageError: the evaluator says what the checkpoint lacks, a classifier for instance.
        return _not_measured(claim, (str(error),))
    except RelicheckError as error:
        return Judgement(claim=claim, verdict=Verdict.INVALID, reason=str(error))
    return records


def _not_measured(claim: Claim, missing: tuple[str, ...]) -> Judgement:
    return Judgement(
        claim=claim,
        verdict=Verdict.NOT_MEASURED,
        reason="; ".join(thing.rstrip(".") for thing in missing) + ".",
        missing=missing,
    )
