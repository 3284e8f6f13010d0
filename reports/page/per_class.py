"""Accuracy by class: where two networks that were scored on the same images differ most."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...evaluations.record import Record
from ..proportion import wilson
from ..scored import Scored
from .labelled import Labelled

_MOST_ROWS = 14  # classes of a figure: the others are named in its caption
_MOST_NETWORKS = 4


@dataclass(frozen=True, kw_only=True)
class Share:
    """Of one class: right answers in percent, and their 95 % interval.

    Wilson's: of the ten images that ImageNetV2 has of a class all may be right, and a
    normal interval would then have no width and other ones would pass 100 %.
    """

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Network:
    """One subject under one protocol, by class."""

    name: str
    overall: float  # percent
    by_class: tuple[Share, ...]  # in the order of the classes shown


@dataclass(frozen=True, kw_only=True)
class PerClass:
    """The networks of one set of images under one protocol."""

    title: str  # of the data set
    protocol: str
    classes: tuple[str, ...]  # those shown, the hardest first
    of: int  # classes in all
    networks: tuple[Network, ...]  # the best first


def per_class(scored: Iterable[Scored], labelled: Mapping[str, Labelled]) -> list[PerClass]:
    """Return one comparison for each set of labelled images and each protocol.

    Only complete top-1 answers to unchanged images count. Where there are more than four
    networks the best two and the worst two are shown, and where there are more classes
    than a figure holds those in which these differ most.
    """
    groups: dict[tuple[str, str, str], dict[str, Scored]] = defaultdict(dict)
    for item in scored:
        record = item.record
        known = labelled.get(record.data_fingerprint)
        if known is None or not _counts(item, known):
            continue
        groups[record.data_fingerprint, record.protocol, record.protocol_sha256].setdefault(
            record.subject, item
        )
    compared = [
        _compare(labelled[fingerprint], protocol, sorted(items.values(), key=_best_first))
        for (fingerprint, protocol, _), items in sorted(groups.items())
    ]
    return sorted(compared, key=lambda shown: (shown.title.casefold(), shown.protocol))


def _counts(item: Scored, known: Labelled) -> bool:
    record = item.record
    return (
        record.metric == "top1"
        and not record.condition
        and record.complete
        and item.correct is not None
        and len(item.correct) == len(known.labels)
    )


def _best_first(item: Scored) -> tuple[float, str]:
    return -item.record.value, item.record.subject


def _compare(known: Labelled, protocol: str, items: list[Scored]) -> PerClass:
    if len(items) > _MOST_NETWORKS:
        items = [*items[:2], *items[-2:]]
    present = [int(label) for label in np.unique(known.labels)]
    shares = {i.record.id: _shares(i, known, present) for i in items}
    order = _order(np.stack([[e.value for e in shares[i.record.id]] for i in items]))
    return PerClass(
        title=known.title,
        protocol=protocol,
        classes=tuple(known.class_names[present[place]] for place in order),
        of=len(present),
        networks=tuple(
            Network(
                name=_name(item.record),
                overall=item.record.value,
                by_class=tuple(shares[item.record.id][place] for place in order),
            )
            for item in items
        ),
    )


def _shares(item: Scored, known: Labelled, present: list[int]) -> list[Share]:
    assert item.correct is not None
    return [share_of(item.correct[known.labels == label]) for label in present]


def share_of(correct: np.ndarray) -> Share:
    """Return the share of [images] bool answers that are right."""
    right, images = int(np.count_nonzero(correct)), len(correct)
    low, high = wilson(right, images)
    return Share(value=100 * right / images, interval=(100 * low, 100 * high))


def _order(values: np.ndarray) -> list[int]:
    """Return which classes are shown, from [networks, classes] percents: the hardest first."""
    mean = values.mean(axis=0)
    chosen = np.arange(values.shape[1])
    if values.shape[1] > _MOST_ROWS:
        # With one network there is no difference: its hardest classes are what is to be seen.
        score = np.ptp(values, axis=0) if len(values) > 1 else -mean
        chosen = np.argsort(-score, kind="stable")[:_MOST_ROWS]
    return [int(place) for place in sorted(chosen, key=lambda place: (mean[place], place))]


def _name(record: Record) -> str:
    return record.subject.replace("_", " ")
