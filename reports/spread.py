"""How far one protocol's results scatter over seeds: assumed, seen, or pooled over networks.

Three seeds of one network know their spread with two degrees of freedom; three seeds of ten
networks under the same protocol know it with twenty, and the interval shrinks from 2.92 to 1.72
standard errors. Pooling assumes that the networks scatter alike; it is done within one protocol
on one split by one metric only, where the cause of the scatter is the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..evaluations.record import Record
from .intervals import Z_95, mean, t_95

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The deviation over seeds of one protocol, in the records' unit."""

    deviation: float  # of one seed
    degrees: int | None  # of freedom it was estimated with; None: assumed
    networks: int = 1  # whose seeds it comes from

    @property
    def quantile(self) -> float:
        """Return the one-sided 95 % quantile: Student's t, or the normal where it is assumed."""
        return Z_95 if self.degrees is None else t_95(self.degrees)

    def words(self, seeds: int) -> str:
        """Return how it is known, for a verdict's reason; `seeds` of the network judged."""
        measured = f"{seeds} seeds" if seeds > 1 else "one seed"
        if self.degrees is None:
            return f"one seed, so a deviation over seeds of {self.deviation:g} is assumed"
        if self.networks == 1 and seeds > 1:
            return f"{measured} with a deviation of {self.deviation:.3f}"
        return (
            f"{measured}; deviation {self.deviation:.3f} pooled over {self.networks} "
            f"network{'s' if self.networks > 1 else ''} "
            f"under this protocol ({self.degrees} degrees of freedom)"
        )


def spread_key(record: Record, retrained: bool) -> Key:
    """Return what records must share for their spreads to be pooled.

    Args:
        record: any one of them.
        retrained: whether the network itself was trained anew for each seed, which scatters
            more than a probe on one network.
    """
    return (
        record.evaluator, record.protocol_sha256, record.dataset, record.split,
        record.metric, record.condition, "retrained" if retrained else "",
    )  # fmt: skip


def by_protocol(records: Iterable[Record]) -> list[list[Record]]:
    """Return the records of each protocol, fields included, by its id."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        groups[record.protocol, record.protocol_sha256].append(record)
    return [group for _, group in sorted(groups.items())]


def pool(groups: Iterable[Sequence[Record]]) -> Mapping[Key, Spread]:
    """Return the pooled spread of every protocol with at least two seeds of one network.

    s^2 = sum of squares about each network's own mean / (seeds - networks), as in a one-way
    analysis of variance. Numbers on part of the images are left out: which part was drawn
    would be counted as spread.

    Args:
        groups: the records that are judged together: one network, one protocol, several
            seeds. The same group may come more than once (two claims share it) and counts
            once.
    """
    squares: dict[Key, float] = defaultdict(float)
    degrees: dict[Key, int] = defaultdict(int)
    networks: dict[Key, int] = defaultdict(int)
    seen: set[frozenset[str]] = set()
    for group in groups:
        ids = frozenset(record.id for record in group)
        if len(group) < 2 or ids in seen or not all(record.complete for record in group):
            continue
        seen.add(ids)
        key = spread_key(group[0], retrained=len({r.weights_sha256 for r in group}) > 1)
        centre = mean([record.value for record in group])
        squares[key] += sum((record.value - centre) ** 2 for record in group)
        degrees[key] += len(group) - 1
        networks[key] += 1
    return {
        key: Spread(
            deviation=(squares[key] / degrees[key]) ** 0.5,
            degrees=degrees[key],
            networks=networks[key],
        )
        for key in squares
    }
