"""The files of one checkpoint on their way into the cache: received, unpacked, checked.

They lie in a folder of their own beside their target until nothing speaks against them.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from .cache import Part, Received
from .container import open_checkpoint
from .drive import name_in
from .errors import BadCheckpoint, BadData
from .partial import Partial
from .transfer import Patience, download
from .unpack import is_archive, unpack
from .verification import check_hashes, digest_of
from .zoo import Published

_SPARE = 1 << 28  # bytes left free on the disk
_FAR = 2.0  # times the stated size: a page or another file


def incoming_folder(target: Path) -> Path:
    """Return the folder in which what becomes `target` is received."""
    return target.parent / ".incoming"


def receive(
    entry: Published, target: Path, patience: Patience, say: Callable[[str], None]
) -> Received:
    """Return the record of what came; the checkpoint lies checked in the incoming folder.

    Raises:
        Failure: a server does not give it.
        BadCheckpoint: what came is not the published file; it is thrown away.
        BadData: the disk is full.
    """
    incoming = incoming_folder(target)
    whole = incoming / entry.file
    parts = _receive_parts(entry, target, patience, say)
    try:
        _check_size(entry, parts)
        if is_archive(name_in(entry.addresses[0])):
            shutil.rmtree(whole, ignore_errors=True)
            unpack(parts[0].path, whole)
        check_hashes(entry, whole)
        # A file cut short, under a length that was cut short too, cannot be opened.
        open_checkpoint(whole)
    except BadCheckpoint as error:
        shutil.rmtree(incoming, ignore_errors=True)
        given = parts[0].path if isinstance(parts[0], _Given) else None
        raise BadCheckpoint(
            entry.name,
            f"what was received is not the published file: {error.found}",
            error.wanted,
            (f"Delete {given}. " if given else "It was thrown away. ")
            + f"If this happens again, see the authors' page: {entry.address}",
        ) from error
    return Received(
        name=entry.name,
        file=entry.file,
        sha256=digest_of(whole),
        parts=tuple(
            Part(address=part.address, bytes=part.size, sha256=digest_of(part.path))
            for part in parts
        ),
    )


def _receive_parts(
    entry: Published, target: Path, patience: Patience, say: Callable[[str], None]
) -> list[Partial]:
    incoming = incoming_folder(target)
    archive = is_archive(name_in(entry.addresses[0]))
    parts: list[Partial] = []
    for address in entry.addresses:
        name, folder = name_in(address), incoming
        if archive and target.with_name(name).is_file():
            # Brought here by hand, as the message for machines without a network says.
            parts.append(_Given(address, target.with_name(name)))
            continue
        if len(entry.addresses) > 1:
            folder = incoming / entry.file
        elif not archive:
            name = entry.file
        folder.mkdir(parents=True, exist_ok=True)
        part = Partial(address, folder / name, incoming / f"{name}.notes.json")
        _receive_one(entry, part, patience, say, times=2 if archive else 1)
        parts.append(part)
    return parts


class _Given(Partial):
    """A file that somebody else downloaded: it has no notes and is never removed."""

    def __init__(self, address: str, path: Path) -> None:
        self.address, self.path = address, path


def _receive_one(
    entry: Published, part: Partial, patience: Patience, say: Callable[[str], None], times: int
) -> None:
    def make_room(needed: int) -> None:
        folder = part.path.parent
        free, wanted = shutil.disk_usage(folder).free, times * needed + _SPARE
        if wanted > free:
            raise BadData(
                folder,
                f"{free / 1e9:.1f} GB are free on its disk",
                f"{wanted / 1e9:.1f} GB for {entry.name}",
                "Name another folder: RELICHECK_CACHE, or --to.",
            )

    download(
        part,
        patience=patience,
        say=lambda message: say(f"{entry.name}: {message}"),
        make_room=make_room,
    )


def _check_size(entry: Published, parts: list[Partial]) -> None:
    stated, received = entry.stated_bytes, sum(part.size for part in parts)
    if stated is not None and not stated / _FAR < received < stated * _FAR:
        raise BadCheckpoint(entry.name, f"it has {received:,} bytes", f"about {entry.size}")
