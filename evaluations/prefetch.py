"""Images shown ahead of the network, in other threads and in order."""

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .ahead import ahead
from .image_source import ImageSource
from .provenance import device
from .view import View, squares

# Images that one thread shows at a time: a part of a batch, so that several threads share one.
_PIECE = 8
# Pieces that wait for a GPU, beside those in the threads' hands: two of its batches of 256, or
# as many bytes where an image is shown in many views.
_AHEAD_ON_A_GPU = 2 * 256 // _PIECE


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Some rows of a split that are to be shown."""

    number: int
    rows: range
    which: Sequence[int]  # of the views show them


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some images of one shard as each view shows them."""

    shard: int
    indices: range
    which: Sequence[int]  # of the views
    squares: list[np.ndarray]  # for each of them [n, side, side, 3] uint8
    first: bool  # of its shard
    last: bool


def default_workers() -> int:
    """Return how many threads decode.

    PIL decodes and resizes without Python's lock. A processor that runs the network as
    well gives half of its cores at most; a GPU leaves all of them.
    """
    cores = available_cores()
    return cores if device() == "cuda" else max(1, cores // 2)


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shown_pieces(
    source: ImageSource,
    views: Sequence[View],
    shards: Iterable[Shard],
    workers: int | None = None,
) -> Generator[Piece, None, None]:
    """Yield the images of `shards` in order, shown by other threads.

    `shards` is asked for one only when it is about to be shown. At most a few pieces wait,
    so memory doesn't grow with the set.

    Raises:
        BadData: of the first image that cannot be shown; those before it are yielded.
    """
    workers = workers or default_workers()
    waiting = workers + max(2, _AHEAD_ON_A_GPU // len(views) if device() == "cuda" else 2)
    yield from ahead(lambda task: _show(source, views, task), _tasks(shards), workers, waiting)


def _tasks(shards: Iterable[Shard]) -> Iterator[tuple[Shard, range]]:
    for shard in shards:
        rows = shard.rows
        for begin in range(rows.start, rows.stop, _PIECE):
            yield shard, range(begin, min(begin + _PIECE, rows.stop))


def _show(source: ImageSource, views: Sequence[View], task: tuple[Shard, range]) -> Piece:
    shard, indices = task
    return Piece(
        shard=shard.number,
        indices=indices,
        which=shard.which,
        squares=squares(source, indices, [views[index] for index in shard.which]),
        first=indices.start == shard.rows.start,
        last=indices.stop == shard.rows.stop,
    )
