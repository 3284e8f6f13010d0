"""Choosing claims by what a user calls them."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from ..checkpoints.errors import UnknownName, UsageError
from .claim_rules import key
from .claims import Claim

Names = str | Sequence[str]

_MOST_SHOWN = 10  # ids in a message
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
    """Return the claim with this id, or the only one that a shortened id can mean.

    Parts between slashes may be left out and shortened to their last words:
    "relicv2/objectnet/rn50" and "relicv2/imagenet-1pct/top1/rn50" name one claim each.

    Raises:
        UnknownName: it means no claim; the message gives the nearest.
        UsageError: it means several; the message gives them.
    """
    known = {claim.id: claim for claim in claims}
    if identifier in known:
        return known[identifier]
    meant = [name for name in known if _shortens(identifier, name)]
    # "relicv2/imagenet/..." is not about what MULAN's table says of ReLICv2, if it can be more.
    first = identifier.casefold().partition("/")[0]
    meant = [name for name in meant if name.casefold().partition("/")[0] == first] or meant
    if len(meant) == 1:
        return known[meant[0]]
    if meant:
        more = f" and {len(meant) - _MOST_SHOWN} more" if len(meant) > _MOST_SHOWN else ""
        raise UsageError(
            f"claim {identifier!r}",
            f"may mean {len(meant)} claims",
            f"one of {', '.join(meant[:_MOST_SHOWN])}{more}",
        )
    # A thousand ids help nobody: the ten nearest, or else the papers' first ones.
    near = get_close_matches(identifier, known, n=_MOST_SHOWN, cutoff=0.4)
    raise UnknownName("claim", identifier, near or list(known)[:_MOST_SHOWN])


def _shortens(short: str, full: str) -> bool:
    """Return whether the parts of `short` are parts of `full` or ends of them, in order."""
    rest = iter(full.casefold().split("/"))
    wanted = [part for part in short.casefold().split("/") if part]
    # `any` consumes `rest`, so that each part is looked for behind the one before.
    return bool(wanted) and all(
        any(part == whole or whole.endswith(f"-{part}") for whole in rest) for part in wanted
    )


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
