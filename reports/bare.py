"""What a claim needs, said without looking for it: the same words on every machine."""

from functools import cache

from .claims import Claim
from .verdict import Judgement, Verdict
from .where import data_address, network_of, weights_address, weights_needed


@cache
def bare_judgement(claim: Claim) -> Judgement:
    """Return the judgement of a claim that nothing measured speaks of.

    It names what the claim needs and does not look whether that lies here: a committed
    table must not depend on the machine that makes it.
    """
    if claim.recalled:
        reason = "recalled, its source was not re-read: shown, never judged"
        return Judgement(claim=claim, verdict=Verdict.NOT_MEASURED, reason=reason)
    missing = _missing(claim)
    return Judgement(
        claim=claim,
        verdict=Verdict.NOT_MEASURED,
        reason="; ".join(thing.rstrip(".") for thing in missing) + ".",
        missing=missing,
    )


@cache
def needs(claim: Claim) -> tuple[str, ...]:
    """Return each thing that is missing in few words, equal for claims that share it.

    For the notes below a table, where the network is in the row already.
    """
    if not _measurable(claim):
        return _missing(claim)
    network = "" if claim.subject else f"needs the weights of {claim.method}"
    weights = f"{network} ({weights_address(claim)})" if network else _subject(claim)
    return tuple(thing for thing in (weights, _data(claim)) if thing)


def _missing(claim: Claim) -> tuple[str, ...]:
    if claim.unmeasurable:
        return (claim.unmeasurable,)
    if not _measurable(claim):
        return (f"no evaluator {' or '.join(claim.evaluators)} exists yet",)
    weights = _subject(claim) if claim.subject else weights_needed(claim)
    return tuple(thing for thing in (weights, _data(claim)) if thing)


@cache
def _measurable(claim: Claim) -> bool:
    from ..evaluations.evaluator import evaluators

    known = {*evaluators.names(), "predictions"}
    return not claim.unmeasurable and any(name in known for name in claim.evaluators)


def _subject(claim: Claim) -> str:
    kind, _, name = claim.subject.partition(":")
    if kind == "predictions":
        return f"needs the published predictions {name.partition(':')[0]} under $RELICHECK_DATA"
    return f"needs the weights of {network_of(claim)}: relicheck fetch {name}"


def _data(claim: Claim) -> str:
    if claim.subject.startswith("predictions:"):
        return ""  # the answers about the images stand for them
    # One condition of ImageNet-C needs the whole of it.
    title = claim.dataset.partition(" ")[0] if claim.condition else claim.dataset
    return f"needs {title} under $RELICHECK_DATA/{claim.data}: {_address(claim.data)}"


@cache
def _address(data: str) -> str:
    from ..evaluations.dataset import datasets

    name = data.partition(":")[0]
    return datasets.load(name).obtain if name in datasets.names() else data_address(data)
