"""Networks side by side: several subjects measured by the same protocols on the same images."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checkpoints.errors import UsageError
from .columns import TITLES, Column, belongs, columns_of, fills
from .paired import Estimate, image_scores, mean_estimate, paired_difference
from .scored import Scored, latest

# The measurements in which every method must beat the untrained network.
DECISIVE = ("linear", "semi_supervised")
DEFAULT_BASELINE = "random"
_ORDER = ("simclr", "byol", "relic", "relicv2", "supervised")
REFERENCES = ("random", "raw_pixels")  # rows that are compared with, not methods


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A cell without a number, and why."""

    reason: str


Cell = Estimate | Missing


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network, or one representation that is no network."""

    method: str
    architecture: str
    subjects: tuple[str, ...]  # several: seeds of one method, averaged
    cells: tuple[Cell, ...]  # top-1 in percent, one per column
    differences: tuple[Cell, ...]  # from the baseline, in points, paired by image
    is_baseline: bool

    @property
    def is_method(self) -> bool:
        """Whether this row is held against the references, not one of them."""
        return not self.is_baseline and self.method not in REFERENCES


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All networks measured on one data set, methods first, references last."""

    dataset: str
    split: str
    data_fingerprint: str
    baseline: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def covers(self, item: Scored) -> bool:
        """Return whether `item` is about the images of this comparison."""
        return _images_of(item) == (self.dataset, self.split, self.data_fingerprint)

    def decisive(self, row: Row) -> tuple[tuple[Column, Cell], ...]:
        """Return the differences that decide whether `row` beats the baseline."""
        pairs = zip(self.columns, row.differences, strict=True)
        return tuple((column, cell) for column, cell in pairs if column.evaluator in DECISIVE)

    def beats(self, row: Row) -> bool:
        """Return whether every decisive difference of `row` exceeds its 95 % interval.

        A difference that could not be formed is not one that was won.
        """
        cells = [cell for _, cell in self.decisive(row)]
        return bool(cells) and all(isinstance(c, Estimate) and c.above_zero for c in cells)

    @property
    def every_method_beats_the_baseline(self) -> bool:
        """Whether there are methods and each of them beats the baseline."""
        methods = [row for row in self.rows if row.is_method]
        return bool(methods) and all(self.beats(row) for row in methods)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON can hold it; a missing number is its reason."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "data_fingerprint": self.data_fingerprint,
            "baseline": self.baseline,
            "rows": [
                {
                    "method": row.method,
                    "architecture": row.architecture,
                    "subjects": list(row.subjects),
                    "beats_baseline": self.beats(row) if row.is_method else None,
                    "top1": _by_title(self.columns, row.cells),
                    "difference": _by_title(self.columns, row.differences),
                }
                for row in self.rows
            ],
        }


def _by_title(columns: Sequence[Column], cells: Sequence[Cell]) -> dict[str, Any]:
    return {
        column.title: {"missing": cell.reason}
        if isinstance(cell, Missing)
        else {"value": cell.value, "half_width_95": cell.half_width, "images": cell.images}
        for column, cell in zip(columns, cells, strict=True)
    }


def comparisons(scored: Iterable[Scored], baseline: str = DEFAULT_BASELINE) -> list[Comparison]:
    """Return one comparison for each data set with a measurement the table declares."""
    groups: dict[tuple[str, str, str], list[Scored]] = defaultdict(list)
    for item in scored:
        if belongs(item):
            groups[_images_of(item)].append(item)
    return [compare(groups[key], baseline) for key in sorted(groups)]


def compare(scored: Iterable[Scored], baseline: str = DEFAULT_BASELINE) -> Comparison:
    """Return the table of all subjects of `scored` and their differences from `baseline`.

    A row is a method with its architecture; several seeds of it are averaged image by
    image. The baseline of a row is the one of the same architecture or, for a row that
    is no network (raw pixels), the only one there is. Intervals are over images, for the
    networks measured: they do not say how far another pretraining seed would come out.

    Args:
        scored: records of one data set, with their per-image correctness. Records of
            other evaluators than the table's are left out.
        baseline: method name of the rows that the others are held against.

    Raises:
        UsageError: the records are of several data sets, or none is of this table.
        BadRecord: answers per image that are not about equally many images.
    """
    kept = [item for item in latest(scored) if belongs(item)]
    images = sorted({_images_of(item) for item in kept})
    if len(images) != 1:
        raise UsageError(
            "comparison",
            f"records of {len(images)} sets of images" + "".join(f" {d}/{s}" for d, s, _ in images),
            f"records of one set, made by {', '.join(TITLES)}",
        )
    columns = columns_of(kept)
    table = _Table(kept, columns)
    networks = sorted({_network_of(item) for item in kept}, key=lambda n: _rank(n, baseline))
    dataset, split, fingerprint = images[0]
    return Comparison(
        dataset=dataset,
        split=split,
        data_fingerprint=fingerprint,
        baseline=baseline,
        columns=columns,
        rows=tuple(table.row(network, baseline, networks) for network in networks),
    )


_Network = tuple[str, str]  # method and architecture


class _Table:
    """The records by network and column."""

    def __init__(self, scored: Sequence[Scored], columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.cells: dict[tuple[_Network, Column], list[Scored]] = defaultdict(list)
        self.subjects: dict[_Network, set[str]] = defaultdict(set)
        for item in scored:
            self.subjects[_network_of(item)].add(item.record.subject)
            for column in columns:
                if fills(item, column):
                    self.cells[_network_of(item), column].append(item)

    def row(self, network: _Network, baseline: str, networks: Sequence[_Network]) -> Row:
        is_baseline = network[0] == baseline
        rival = _rival(network, baseline, networks)
        return Row(
            method=network[0],
            architecture=network[1],
            subjects=tuple(sorted(self.subjects[network])),
            cells=tuple(self.cell(network, column) for column in self.columns),
            differences=tuple(
                Missing(reason="the baseline itself")
                if is_baseline
                else self.difference(network, rival, column)
                for column in self.columns
            ),
            is_baseline=is_baseline,
        )

    def cell(self, network: _Network, column: Column) -> Cell:
        found = self.cells[network, column]
        reason = _gap(found, column)
        if reason:
            return Missing(reason=reason)
        answers = [item.correct for item in found if item.correct is not None]
        if len(answers) == len(found):
            return mean_estimate(image_scores(answers), len(answers))
        errors = [item.record.standard_error for item in found]
        known = [error for error in errors if error is not None]
        return Estimate(
            value=float(np.mean([item.record.value for item in found])),
            # Answers about the same images are not independent: no division by their number.
            standard_error=float(np.mean(known)) if len(known) == len(errors) else None,
            images=min(item.record.images for item in found),
            repeats=len(found),
        )

    def difference(self, network: _Network, rival: _Network | Missing, column: Column) -> Cell:
        if isinstance(rival, Missing):
            return rival
        ours, theirs = self.cells[network, column], self.cells[rival, column]
        for found in (ours, theirs):
            reason = _gap(found, column)
            if reason:
                whose = "this row" if found is ours else f"the baseline {rival[0]}"
                return Missing(reason=f"{whose}: {reason}")
        answers = [[i.correct for i in found if i.correct is not None] for found in (ours, theirs)]
        if len(answers[0]) != len(ours) or len(answers[1]) != len(theirs):
            return Missing(reason="the answers per image were not kept")
        scores, baseline = image_scores(answers[0]), image_scores(answers[1])
        if len(scores) != len(baseline):
            return Missing(reason=f"scored on {len(scores)} and on {len(baseline)} images")
        return paired_difference(scores, baseline, len(ours))


def _gap(found: Sequence[Scored], column: Column) -> str:
    """Return why `found` does not fill a cell of `column`; "" if it does."""
    if not found:
        return "not measured"
    conditions = {item.record.condition for item in found}
    if conditions != set(column.conditions):
        return f"measured under {len(conditions)} of {len(column.conditions)} corruptions"
    per_condition = [[i for i in found if i.record.condition == c] for c in column.conditions]
    if len({len(items) for items in per_condition}) > 1:
        return "not every corruption was measured with every seed"
    return ""


def _rival(network: _Network, baseline: str, networks: Sequence[_Network]) -> _Network | Missing:
    same = (baseline, network[1])
    if same in networks:
        return same
    candidates = [other for other in networks if other[0] == baseline]
    if len(candidates) == 1 and network[0] in REFERENCES:
        return candidates[0]
    which = "" if network[0] in REFERENCES else f" of {network[1]}"
    return Missing(reason=f"no {baseline!r} backbone{which} was measured on these images")


def _images_of(item: Scored) -> tuple[str, str, str]:
    return item.record.dataset, item.record.split, item.record.data_fingerprint


def _network_of(item: Scored) -> _Network:
    return item.record.method, item.record.architecture


def _rank(network: _Network, baseline: str) -> tuple[int, int, str, str]:
    method, architecture = network
    is_reference = method == baseline or method in REFERENCES
    place = _ORDER.index(method) if method in _ORDER else len(_ORDER)
    return int(is_reference), place, method, architecture
