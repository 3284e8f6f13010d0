"""Which published checkpoints settle a claim: the other direction of `Published.claims`."""

from ..checkpoints.zoo import Published, published_names, read_published
from .claims import Claim

_SUBJECT = "published:"


def checkpoints_of(claim: Claim) -> tuple[Published, ...]:
    """Return the published checkpoints whose evaluation can settle `claim`, by name.

    None for a claim whose weights nobody published, about a network that relicheck does not
    build, and about predictions.
    """
    if claim.subject.startswith(_SUBJECT):
        return (read_published(claim.subject.removeprefix(_SUBJECT)),)
    if claim.subject:
        return ()
    known = (read_published(name) for name in published_names())
    return tuple(entry for entry in known if entry.answers(claim.id))


def checkpoint_lines(claim: Claim) -> list[str]:
    """Return one line per checkpoint: name, how to get it, size, licence."""
    return [
        f"{entry.name}: relicheck fetch {entry.name} ("
        + ", ".join(part for part in (entry.size, entry.licence) if part)
        + (f"; not opened: {entry.refused}" if entry.refused else "")
        + ")"
        for entry in checkpoints_of(claim)
    ]
