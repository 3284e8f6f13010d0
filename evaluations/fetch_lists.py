"""Downloading the lists of labelled images: checked by their published hash, never half there."""

from collections.abc import Callable
from pathlib import Path

from ..checkpoints.cache import cache_folder
from ..checkpoints.errors import BadData, MissingData
from ..checkpoints.files import sha256_of_file
from ..checkpoints.http_get import OFFLINE, Failure, offline
from ..checkpoints.partial import Partial
from ..checkpoints.transfer import Patience, download
from .label_lists import LABEL_LISTS, find_list, read_list


def target_of(name: str, root: Path | None = None) -> Path:
    """Return where `fetch_list` puts the list: in `metadata` under `root` or the cache."""
    return (root or cache_folder()) / "metadata" / f"{name}.txt"


def located(name: str, root: Path | None = None) -> Path | None:
    """Return where the list is already; None where it is nowhere."""
    try:
        return find_list(name, *([root] if root is not None else []))
    except MissingData:
        return None


def fetch_list(
    name: str,
    root: Path | None = None,
    *,
    patience: Patience | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, bool]:
    """Return the list's file, and whether it was downloaded now.

    Raises:
        MissingData: it cannot be downloaded; the message says what to put where by hand.
        BadData: what is there, or what arrived, is not the published list.
    """
    here = located(name, root)
    if here is not None:
        read_list(name, *([root] if root is not None else []))
        return here, False
    known, target = LABEL_LISTS[name], target_of(name, root)
    incoming = target.parent / ".incoming"
    try:
        if offline():
            raise Failure(OFFLINE)
        incoming.mkdir(parents=True, exist_ok=True)
        part = Partial(known.address, incoming / target.name, incoming / f"{name}.notes.json")
        download(part, patience=patience or Patience(), say=say, make_room=lambda _: None)
    except Failure as failure:
        raise MissingData(
            name,
            failure.reason,
            f"{known.file} of google-research/simclr",
            f"With a browser or on another machine, download {known.address} to {target}; "
            "then repeat the command.",
        ) from failure
    except OSError as error:
        raise BadData(
            target, f"cannot be written ({error.strerror})", todo="Set RELICHECK_CACHE, or --to."
        ) from error
    found = sha256_of_file(part.path)
    if found != known.sha256:
        part.discard()
        raise BadData(
            known.address,
            f"what arrived has the SHA-256 {found}",
            f"{known.sha256}, the published list's",
            "It was removed. Get the list another way, and tell us if its authors changed it.",
        )
    part.path.rename(target)
    part.discard()  # its notes
    return target, True
