"""Where features go, shard by shard: in memory here, in the cache in `feature_entry`."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

# Rows of a shard. A multiple of every batch, so that shards cost no short batches; 16 MiB of
# a ResNet-50's features, two minutes of work on two cores: that much a killed run repeats.
SHARD_ROWS = 2048


class Shelf(Protocol):
    """Where a view's features go, shard by shard: an array, or an entry of the cache."""

    def missing(self) -> list[int]:
        """Return the shards that are not finished."""

    def take(self, shard: int, *, wait: bool = False) -> bool:
        """Return whether `shard` is ours to make: neither finished nor another process's."""

    def put(self, shard: int, features: np.ndarray) -> None:
        """Keep the rows of a shard that was taken, and give it back finished."""

    def leave(self, shard: int) -> None:
        """Give back a shard that was taken, finished or not."""

    def discard(self, shards: Sequence[int]) -> None:
        """Forget finished shards."""


class Memory:
    """A shelf in memory, for features that are not cached."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._missing = set(range(-(-rows // SHARD_ROWS)))
        self._features: np.ndarray | None = None

    def missing(self) -> list[int]:
        """Return the shards that are not finished."""
        return sorted(self._missing)

    def take(self, shard: int, *, wait: bool = False) -> bool:
        """Return True: nobody else works on it."""
        return True

    def put(self, shard: int, features: np.ndarray) -> None:
        """Keep the rows of a shard."""
        if self._features is None:
            self._features = np.empty((self._rows, features.shape[1]), np.float32)
        rows = shard_rows(shard, self._rows)
        self._features[rows.start : rows.stop] = features
        self._missing.discard(shard)

    def leave(self, shard: int) -> None:
        """Do nothing."""

    def discard(self, shards: Sequence[int]) -> None:
        """Forget finished shards."""
        self._missing.update(shards)

    def features(self) -> np.ndarray:
        """Return the features [N, D] float32, read-only, of which no shard is missing."""
        assert self._features is not None
        assert not self._missing
        self._features.setflags(write=False)
        return self._features


def shard_rows(shard: int, rows: int) -> range:
    """Return the rows that belong to a shard of a split of `rows` images."""
    return range(shard * SHARD_ROWS, min((shard + 1) * SHARD_ROWS, rows))
