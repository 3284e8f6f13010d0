"""Exact nearest neighbours by cosine, in bounded memory, and the votes they cast.

Training features are read in chunks, once, and compared with every test image; only the
k nearest found so far are kept. After the first chunk a test image's k-th similarity is a bar
that few later images pass, so that the nearest of sixteen is compared with it before each is:
what is left costs little beside the matrix product. NumPy's BLAS does that product: it was
1.14 times as fast as torch's on the same core.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..checkpoints.errors import BadData, UsageError
from ..checkpoints.progress import progress_bar

Vote = Literal["weighted", "majority"]

# (test images, training images) compared at once: long features want large products, whereas
# looking through those of short ones costs half as much as making them, and 8 MiB stay in a
# processor's last cache.
_BLOCK, _SHORT_BLOCK, _SHORT = (2048, 2048), (4096, 512), 128
_FIRST_ROWS, _FIRST_K = 512, 4  # the first chunk sets the bar; in multiples of k, if that is more
_GROUP = 16  # training images, the nearest of which is compared with the bar
_ROOM = 32  # places for candidates beside twice the k that are kept
_SHARE = 0.3  # of k, that wait on average when a block is looked at again
_NOTHING = np.iinfo(np.int64).max  # farther than any image
_MOST_IMAGES = (1 << 31) - 1
_SMALL_VALUES = 1 << 24  # of a product, below which one thread does it


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k nearest training images of every test image, nearest first."""

    similarity: np.ndarray  # [M, k] float32, cosine
    index: np.ndarray  # [M, k] int64, into the training images


def nearest(train: np.ndarray, test: np.ndarray, k: int) -> Neighbours:
    """Return the k nearest rows of `train` for each row of `test`, by cosine similarity.

    Exact. Of equally near rows the earlier one is nearer. The memory beside `train` is that
    of `test` in float32, of M x k results and of a chunk, whatever the length of `train`.

    Args:
        train: [N, D] floats, float16 or float32, in memory or mapped from a file.
        test: [M, D] floats.
        k: from 1 to N.

    Raises:
        UsageError: k is not from 1 to N.
        BadData: a feature is not finite; a cosine with it would be none.
    """
    from threadpoolctl import threadpool_limits

    if not 1 <= k <= len(train) <= _MOST_IMAGES:
        raise UsageError("k-NN", f"k {k}", f"k from 1 to the {len(train)} training images")
    queries = unit(test, "test features")
    test_rows, train_rows = _SHORT_BLOCK if train.shape[1] <= _SHORT else _BLOCK
    blocks = [
        _Nearest(min(test_rows, len(test) - begin), k) for begin in range(0, len(test), test_rows)
    ]
    # Made once: fresh pages for every block would cost as much as sorting its candidates.
    first_rows = max(_FIRST_ROWS, _FIRST_K * k)
    rows_at_once = min(max(train_rows, first_rows), len(train))
    room = np.empty((rows_at_once, train.shape[1]), np.float32)
    products = np.empty(min(test_rows, len(test)) * rows_at_once, np.float32)
    small = len(train) * len(test) < _SMALL_VALUES
    with (
        threadpool_limits(1 if small else None, "blas"),
        progress_bar("nearest neighbours", len(train), "image") as bar,
    ):
        first = 0
        for rows in _chunks(len(train), first_rows, train_rows):
            chunk = unit(train[first : first + rows], "training features", room[:rows])
            for block, begin in zip(blocks, range(0, len(test), test_rows), strict=True):
                some = queries[begin : begin + test_rows]
                found = products[: len(some) * rows].reshape(rows, -1)
                np.matmul(chunk, some.T, out=found)
                block.offer(found, first)
            first += rows
            bar.update(rows)
    keys = np.concatenate([block.sorted() for block in blocks])
    return Neighbours(similarity=_similarity_of(keys), index=keys & _MOST_IMAGES)


def _chunks(images: int, first: int, most: int) -> Iterator[int]:
    """Yield lengths that add up to `images`: `first`, then `most` at most."""
    rows, left = first, images
    while left:
        yield min(rows, left)
        left -= min(rows, left)
        rows = most


def unit(
    features: np.ndarray, where: object = "features", room: np.ndarray | None = None
) -> np.ndarray:
    """Return rows of length 1, float32, in `room` if given; a row of zeros stays one.

    Raises:
        BadData: a value is not finite.
    """
    rows: np.ndarray = np.empty(features.shape, np.float32) if room is None else room
    np.copyto(rows, features, casting="same_kind")
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    if not np.isfinite(length).all():
        row = int(np.flatnonzero(~np.isfinite(length[:, 0]))[0])
        raise BadData(where, f"row {row} of a chunk is not finite", "finite features")
    np.divide(rows, np.maximum(length, np.float32(1e-12)), out=rows)
    return rows


class _Nearest:
    """The k nearest so far of a block of test images, and candidates that wait.

    A candidate is what beats a row's bar, its k-th similarity when last looked at. Looking
    after every chunk would go through the same k again and again, and looking late lets more
    pass: candidates wait until there are a third as many as neighbours. Until the end no order
    is needed, only which k are nearest.
    """

    def __init__(self, rows: int, k: int) -> None:
        """Args: rows, k: of the results."""
        self._k, room = k, 2 * k + _ROOM
        # One integer for each, smaller for nearer and, of equally near, for earlier ones.
        self._keys = np.full((rows, room), _NOTHING, np.int64)
        self._filled = np.zeros(rows, np.int64)
        self._bar = np.full(rows, -np.inf, np.float32)
        self._waiting = 0

    def offer(self, found: np.ndarray, first: int) -> None:
        """Take from `found` [chunk, rows] what is nearer; its rows are images from `first`."""
        if not self._filled.any() and len(found) > self._k:
            # The first chunk: all that reach its k-th similarity, ties included.
            across = np.ascontiguousarray(found.T)
            bar = np.partition(across, len(found) - self._k, axis=1)[:, len(found) - self._k]
            row, image = np.nonzero(across >= bar[:, None])
            similarity = across[row, image]
        else:
            row, image, similarity = _passing(found, self._bar)
        if len(row):
            self._put(row, _keys_of(similarity, first + image))

    def _put(self, row: np.ndarray, keys: np.ndarray) -> None:
        """Add candidates, sorted by row."""
        counts, room = np.bincount(row, minlength=len(self._filled)), self._keys.shape[1]
        if (self._filled + counts).max() <= room:
            starts = np.cumsum(counts) - counts
            begins = np.arange(0, self._keys.size, room) + self._filled - starts
            self._keys.ravel()[np.arange(len(row)) + begins[row]] = keys
            self._filled += counts
            self._waiting += len(row)
            if self._waiting > _SHARE * self._k * len(self._filled):
                self._settle()
        elif self._filled.max() > self._k:
            self._settle()
            nearer = keys < self._keys[row, self._k - 1]
            self._put(row[nearer], keys[nearer])
        else:
            # More than there is room for even so, as where images are sorted by nearness.
            rank = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
            half = 2 * rank < counts[row]
            for some in (half, ~half):
                self._put(row[some], keys[some])

    def _settle(self) -> None:
        """Keep the k nearest, unsorted but for the k-th, and raise the bar to it."""
        self._keys.partition(self._k - 1, axis=1)
        self._keys[:, self._k :] = _NOTHING
        self._waiting = 0
        np.minimum(self._filled, self._k, out=self._filled)
        full = self._filled == self._k
        self._bar[full] = _similarity_of(self._keys[full, self._k - 1])

    def sorted(self) -> np.ndarray:
        """Return the keys of the k nearest [rows, k], nearest first."""
        self._settle()
        nearest: np.ndarray = np.sort(self._keys[:, : self._k], axis=1)
        return nearest


def _passing(found: np.ndarray, bar: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is above its column's bar: column, row and value, by column and then by row.

    Args:
        found: [chunk, rows] floats. bar: [rows] floats.
    """
    rest = len(found) % _GROUP
    whole = len(found) - rest
    passing = _passing_groups(found[:whole].reshape(-1, _GROUP, found.shape[1]), bar)
    if not rest:
        return passing
    column, row, value = _passing_groups(found[None, whole:], bar)
    last = (column, whole + row, value)
    column, row, value = (np.concatenate(both) for both in zip(passing, last, strict=True))
    order = np.argsort(column, kind="stable")
    return column[order], row[order], value[order]


def _passing_groups(
    groups: np.ndarray, bar: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return as `_passing`, of [groups, each, rows]; rows are counted through."""
    count, each, _ = groups.shape
    # Equally near and later is farther, hence not `>=`.
    hit = np.ascontiguousarray((groups.max(axis=1) > bar).T)
    column, group = np.divmod(np.flatnonzero(hit), count)
    values = groups[group, :, column]
    above = np.flatnonzero(values > bar[column, None])
    which, inside = np.divmod(above, each)
    return column[which], each * group[which] + inside, values.ravel()[above]


def _keys_of(similarity: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return int64 that sort by similarity from high to low, then by image."""
    # Adding 0 makes of -0.0 the 0.0 that it equals.
    bits = (similarity + np.float32(0)).view(np.int32)
    keys: np.ndarray = (~_ascending(bits).astype(np.int64) << 31) | image
    return keys


def _similarity_of(keys: np.ndarray) -> np.ndarray:
    """Return the similarities of keys, float32."""
    return _ascending((~(keys >> 31)).astype(np.int32)).view(np.float32)


def _ascending(bits: np.ndarray) -> np.ndarray:
    """Return int32 that ascend as the floats of these bits do, and the bits of such int32."""
    # As integers floats above 0 ascend and floats below 0 descend: turn the latter.
    turned: np.ndarray = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return turned


def votes(
    neighbours: Neighbours,
    train_labels: np.ndarray,
    classes: int,
    k: int,
    vote: Vote,
    temperature: float,
) -> np.ndarray:
    """Return the class that the k nearest vote for, [M] int64; ties to the lower class.

    `weighted`: a neighbour of similarity s has exp(s / temperature) votes (Wu et al.,
    arXiv:1805.01978, Sec. 3.4). `majority`: one vote each; `temperature` is not read.

    Raises:
        UsageError: an unknown vote, a temperature not above 0, or more than were found.
    """
    found = neighbours.index.shape[1]
    if vote not in get_args(Vote) or not temperature > 0 or not 1 <= k <= found:
        raise UsageError(
            "k-NN",
            f"k {k}, vote {vote!r}, temperature {temperature}",
            f"k from 1 to {found}, vote weighted or majority, a temperature above 0",
        )
    voted = []
    for begin in range(0, len(neighbours.index), _BLOCK[0]):
        some = slice(begin, begin + _BLOCK[0])
        near = train_labels[neighbours.index[some, :k]]
        weight = np.ones(near.shape, np.float64)
        if vote == "weighted":
            closeness = neighbours.similarity[some, :k].astype(np.float64)
            # Relative to similarity 1, which scales every vote alike and cannot overflow.
            weight = np.exp((closeness - 1) / temperature)
        flat = np.arange(len(near))[:, None] * classes + near
        counts = np.bincount(flat.ravel(), weight.ravel(), minlength=len(near) * classes)
        voted.append(counts.reshape(len(near), classes).argmax(axis=1))
    return np.concatenate(voted).astype(np.int64)


def grid(ks: Sequence[int], temperatures: Sequence[float]) -> list[tuple[int, Vote, float]]:
    """Return every (k, vote, temperature) of a grid: majority once for each k."""
    weighted: list[tuple[int, Vote, float]] = [(k, "weighted", t) for k in ks for t in temperatures]
    return [*((k, "majority", 1.0) for k in ks), *weighted]
