"""What a checkpoint file holds, told without converting it and without reading its values."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import formats
from .common import is_common, read_manifest
from .container import Opened, open_checkpoint, tensors_of
from .errors import BadCheckpoint
from .files import sha256_of_files
from .manifest import Manifest
from .source import describe, read_upstream
from .stored import Stored, shapes_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """One tensor that would be converted."""

    name: str  # in the common format
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a file is, and what conversion would make of it."""

    container: str
    sha256: str
    tensors: int  # in the whole file
    nbytes: int  # of their values
    dtypes: dict[str, int]
    facts: dict[str, Any]  # numbers and texts beside the tensors: step, epoch
    format: str | None  # None: no known format
    networks: tuple[str, ...]  # that --network can choose from
    manifest: Manifest | None
    converted: tuple[Row, ...]
    dropped: tuple[str, ...]
    problem: str | None  # why it would not be converted


def inspect(path: Path, format_name: str | None = None, network: str | None = None) -> Inspection:
    """Return what the file at `path` holds. What cannot be converted is said, not raised.

    Raises:
        MissingData, BadCheckpoint: it cannot be opened at all.
        UnknownName, UsageError: there is no such format or network.
    """
    opened = open_checkpoint(Path(path))
    every = list(tensors_of(opened.tree).values())
    name, manifest, kept, dropped, problem = _meaning(opened, format_name, network)
    return Inspection(
        container=opened.container,
        sha256=sha256_of_files(opened.files),
        tensors=len(every),
        nbytes=sum(tensor.nbytes for tensor in every),
        dtypes=dict(Counter(tensor.dtype for tensor in every)),
        facts=opened.facts(),
        format=name,
        networks=formats.load(name).networks if name and name != "common" else (),
        manifest=manifest,
        converted=tuple(Row(name=n, shape=t.final_shape, dtype=t.dtype) for n, t in kept.items()),
        dropped=dropped,
        problem=problem,
    )


_Meaning = tuple[str | None, Manifest | None, dict[str, Stored], tuple[str, ...], str | None]


def _meaning(opened: Opened, format_name: str | None, network: str | None) -> _Meaning:
    if opened.path.is_file() and is_common(opened.path):
        return "common", read_manifest(opened.path), tensors_of(opened.tree), (), None
    try:
        name, upstream = read_upstream(opened, format_name, network)
    except BadCheckpoint as error:
        return format_name, None, {}, (), str(error)
    manifest = describe(opened, name, upstream, sha256_of_files(opened.files), {})
    problem = None
    try:
        manifest.check_tensors(shapes_of(upstream.tensors), opened.path)
    except BadCheckpoint as error:
        problem = str(error)
    return name, manifest, dict(upstream.tensors), tuple(upstream.dropped), problem
