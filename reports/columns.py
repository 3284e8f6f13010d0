"""The columns of the comparison: which measurements it declares, and which records fill them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .scored import Scored

# What the table is made of, in its order; a declared measurement nobody made is shown missing.
TITLES = {
    "linear": "Linear top-1",
    "knn": "k-NN top-1",
    "semi_supervised": "Fine-tuned on {labels} labels top-1",
    "robustness": "Top-1 under corruption",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One measurement of every row: an evaluator under one protocol."""

    title: str
    evaluator: str
    protocol: str  # id; "" where nobody made this measurement
    protocol_sha256: str
    conditions: tuple[str, ...]  # what was done to the images, all averaged; ("",): nothing


def columns_of(scored: Sequence[Scored]) -> tuple[Column, ...]:
    """Return the columns that `scored` fills, and each declared one that nobody filled."""
    columns: list[Column] = []
    for evaluator, title in TITLES.items():
        protocols: dict[str, list[Scored]] = defaultdict(list)
        for item in scored:
            if item.record.evaluator == evaluator:
                protocols[item.record.protocol_sha256].append(item)
        fields = [dict(items[0].record.protocol_fields) for items in protocols.values()]
        columns += [
            Column(
                title=_title(title, items[0], fields),
                evaluator=evaluator,
                protocol=items[0].record.protocol,
                protocol_sha256=digest,
                conditions=tuple(sorted({item.record.condition for item in items})),
            )
            for digest, items in sorted(protocols.items(), key=lambda p: _fields_key(p[1][0]))
        ] or [
            Column(
                title=title.format(labels="few"),
                evaluator=evaluator,
                protocol="",
                protocol_sha256="",
                conditions=("",),
            )
        ]
    return tuple(columns)


def _title(title: str, item: Scored, all_fields: Sequence[dict[str, Any]]) -> str:
    fields = dict(item.record.protocol_fields)
    title = title.format(labels=_labels(item))
    # Two protocols of one evaluator are two columns: name them by what sets them apart.
    apart = {
        name: value
        for name, value in sorted(fields.items())
        if any(other.get(name) != value for other in all_fields)
        and name not in ("label_fraction", "preprocessing")
    }
    return title + "".join(f", {name} {value}" for name, value in apart.items())


def _labels(item: Scored) -> str:
    """Return how many labels were used: their share, or their number where no share is set."""
    fraction = item.record.protocol_fields.get("label_fraction")
    if fraction:
        return f"{100 * float(fraction):g} %"
    counts = (re.match(r"(\d+) labelled images", note) for note in item.record.notes)
    return next((found[1] for found in counts if found), "few")


def _fields_key(item: Scored) -> str:
    return repr(sorted(item.record.protocol_fields.items())) + item.record.protocol


def belongs(item: Scored) -> bool:
    """Return whether `item` is one of the measurements that the comparison shows."""
    record = item.record
    corrupted = record.condition != ""
    is_robustness = record.evaluator == "robustness"
    return record.evaluator in TITLES and record.metric == "top1" and corrupted == is_robustness


def fills(item: Scored, column: Column) -> bool:
    """Return whether `item` is one of the answers behind a cell of `column`."""
    record = item.record
    return (record.evaluator, record.protocol_sha256) == (column.evaluator, column.protocol_sha256)
