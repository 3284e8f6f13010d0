"""Choosing claims by what a user calls them."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from ..checkpoints.errors import UnknownName
from .claim_rules import key
from .claims import Claim

Names = str | Sequence[str]

_SHORTEST_PART = 4  # letters of a name that may stand for it: fewer are in too many


def select_claims(
    claims: Iterable[Claim],
    *,
    dataset: Names = (),
    method: Names = (),
    paper: Names = (),
    ids: Names = (),
    confidence: Names = (),
) -> list[Claim]:
    """Return the claims that meet every criterion given, in the registry's order.

    Names are compared by their letters and digits: "ImageNet-R", "imagenet_r" and
    "imagenetr" are one. A name that is nobody's whole name selects those it begins, so
    that "imagenetv2" means its three sets, or else those it is part of ("testbed").

    Raises:
        UnknownName: a criterion that no claim of the registry meets, with the nearest.
    """
    chosen = list(claims)
    everything = tuple(chosen)
    for noun, wanted, spellings in (
        ("data set among the claims", dataset, _dataset_names),
        ("method among the claims", method, lambda c: (c.method,)),
        ("paper among the claims", paper, lambda c: (c.paper, c.file.removesuffix(".toml"))),
        ("confidence", confidence, lambda c: (c.confidence,)),
    ):
        if names := _list(wanted):
            kept = {id(c) for name in names for c in _named(everything, name, spellings, noun)}
            chosen = [claim for claim in chosen if id(claim) in kept]
    if names := _list(ids):
        found = {find_claim(everything, name).id for name in names}
        chosen = [claim for claim in chosen if claim.id in found]
    return chosen


def find_claim(claims: Iterable[Claim], identifier: str) -> Claim:
    """Return the claim with this id.

    Raises:
        UnknownName: there is none; the message gives the nearest.
    """
    known = {claim.id: claim for claim in claims}
    if identifier not in known:
        # A thousand ids help nobody: the ten nearest, or else the papers' first ones.
        near = get_close_matches(identifier, known, n=10, cutoff=0.4)
        raise UnknownName("claim", identifier, near or list(known)[:10])
    return known[identifier]


def _list(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _dataset_names(claim: Claim) -> tuple[str, ...]:
    return claim.dataset, claim.data


def _named(
    claims: Sequence[Claim], name: str, spellings: Callable[[Claim], tuple[str, ...]], noun: str
) -> list[Claim]:
    wanted = key(name)
    fits: tuple[Callable[[str], bool], ...] = (
        lambda spelling: spelling == wanted,
        lambda spelling: spelling.startswith(wanted),
        lambda spelling: len(wanted) >= _SHORTEST_PART and wanted in spelling,
    )
    for fit in fits if wanted else ():
        if found := [c for c in claims if any(fit(key(s)) for s in spellings(c))]:
            return found
    raise UnknownName(noun, name, {spelling for claim in claims for spelling in spellings(claim)})
