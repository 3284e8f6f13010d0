"""Everything relicheck raises for a reason the user can act on.

A branch is what the caller can do about it::

    RelicheckError
    +-- UsageError              the request itself is wrong: change the command
    |   +-- UnknownName         a name nobody registered: take a known one
    +-- MissingDependency       an optional library is absent: install the extra
    +-- MissingData             a data set, file or checkpoint is not there: fetch it
    +-- BadData                 an image, label or folder cannot be used: repair it
    +-- BadCheckpoint           a file is not a checkpoint that can be trusted
    |   +-- ParameterMismatch   names or shapes differ from the network's
    |   +-- ManifestMismatch    the manifest contradicts the tensors
    +-- BadClaim                the registry of claims holds an impossible row
    +-- BadRecord               a record was edited, truncated or is of another kind
    +-- TrainingFailed          pretraining cannot go on: non-finite loss or collapse
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RelicheckError(Exception):
    """A message in four parts: where, what was found, what was wanted, what to do."""

    def __init__(self, where: object, found: str, wanted: str = "", todo: str = "") -> None:
        self.where, self.found, self.wanted, self.todo = str(where), found, wanted, todo
        # Not "; wanted": a message is read aloud in review, and full stops help there.
        sentences = [f"{self.where}: {found}".rstrip(".") + "."]
        if wanted:
            sentences.append(f"Wanted: {wanted}".rstrip(".") + ".")
        if todo:
            sentences.append(todo)
        super().__init__(" ".join(sentences))


class UsageError(RelicheckError):
    """The request itself is wrong."""


class UnknownName(UsageError):
    """A name that is not registered; the message names the nearest one and lists all."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = get_close_matches(name.lower(), self.known, n=1, cutoff=0.5)
        shown = ", ".join(self.known[:40]) + (", ..." if len(self.known) > 40 else "")
        super().__init__(
            f"{kind} {name!r}",
            "there is none of that name",
            todo=(f"Did you mean {near[0]!r}? " if near else "") + f"Known: {shown}",
        )


class MissingDependency(RelicheckError):
    """An optional library is absent; the message names the extra that brings it."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"relicheck[{extra}]",
            f"the library {library!r} is not installed",
            todo=f'Install it with: pip install "relicheck[{extra}]"',
        )


class MissingData(RelicheckError):
    """A data set, file or checkpoint is not where it was looked for."""


class BadData(RelicheckError):
    """An image, a label or a folder that cannot be used as it is."""


class BadCheckpoint(RelicheckError):
    """A file that is not a checkpoint, or not one that can be trusted."""


class ParameterMismatch(BadCheckpoint):
    """Parameter names or shapes differ from those of the network."""


class ManifestMismatch(BadCheckpoint):
    """The manifest and the tensors beside it contradict each other."""


class BadClaim(RelicheckError):
    """A row of the claims registry that cannot be true or cannot be judged."""


class BadRecord(RelicheckError):
    """A record that was edited, truncated, or belongs to something else."""


class TrainingFailed(RelicheckError):
    """Pretraining cannot go on: the loss is not finite or the features collapsed."""
