"""Images beside what the networks made of them, where the licence lets them be shown.

A record keeps which images were answered rightly, not what was answered instead; so the
gallery shows the images that tell the networks apart, each with its true class and with
who got it right.
"""

import base64
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..scored import Scored
from .labelled import Labelled

_SIDE_PX = 96  # of an embedded image at most; smaller ones are enlarged by the browser
_MOST_IMAGES = 12  # of one gallery: a page is read, and carried about, as a whole


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One image."""

    address: str  # data:image/png;base64,...
    label: str  # true class
    right: tuple[str, ...]  # networks that answered rightly
    wrong: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Images of one data set under one protocol."""

    title: str
    protocol: str
    licence: str
    networks: tuple[str, ...]
    missed_by_all: int
    images: int  # scored
    shown: tuple[Shown, ...]


def galleries(scored: Iterable[Scored], labelled: Mapping[str, Labelled]) -> list[Gallery]:
    """Return one gallery per protocol on images of a free licence, two networks at least.

    Shown are the images that most divide the networks, one or two of each class, in the
    data set's order.
    """
    groups: dict[tuple[str, str, str], dict[str, Scored]] = defaultdict(dict)
    for item in scored:
        record = item.record
        known = labelled.get(record.data_fingerprint)
        if known is None or known.image is None or item.correct is None:
            continue
        if (
            record.metric == "top1"
            and not record.condition
            and len(item.correct) == len(known.labels)
        ):
            key = (record.data_fingerprint, record.protocol, record.protocol_sha256)
            groups[key].setdefault(record.subject, item)
    return [
        _gallery(labelled[fingerprint], protocol, [items[name] for name in sorted(items)])
        for (fingerprint, protocol, _), items in sorted(groups.items())
        if len(items) > 1
    ]


def chosen(answers: np.ndarray, labels: np.ndarray, most: int = _MOST_IMAGES) -> list[int]:
    """Return the images to show, ascending: those that divide the networks most evenly.

    Args:
        answers: [networks, images] bool, whether each was right.
        labels: [images] integers; classes take turns, so that none fills the gallery.
        most: how many images at most.
    """
    share = answers.mean(axis=0)
    order = np.lexsort((np.arange(len(labels)), np.abs(share - 0.5)))
    divided = [int(index) for index in order if 0 < share[index] < 1]
    turns: dict[int, int] = defaultdict(int)
    ranked = []
    for place, index in enumerate(divided):
        label = int(labels[index])
        ranked.append((turns[label], place, index))
        turns[label] += 1
    return sorted(index for _, _, index in sorted(ranked)[:most])


def _gallery(known: Labelled, protocol: str, items: Sequence[Scored]) -> Gallery:
    answers = np.stack([item.correct for item in items if item.correct is not None])
    names = tuple(item.record.subject.replace("_", " ") for item in items)
    return Gallery(
        title=known.title,
        protocol=protocol,
        licence=known.licence,
        networks=names,
        missed_by_all=int(np.count_nonzero(~answers.any(axis=0))),
        images=answers.shape[1],
        shown=tuple(_shown(known, index, answers[:, index], names)
                    for index in chosen(answers, known.labels)),
    )  # fmt: skip


def _shown(known: Labelled, index: int, answers: np.ndarray, names: Sequence[str]) -> Shown:
    assert known.image is not None
    pairs = list(zip(names, answers, strict=True))
    return Shown(
        address=png_address(known.image(index)),
        label=known.class_names[int(known.labels[index])],
        right=tuple(name for name, answer in pairs if answer),
        wrong=tuple(name for name, answer in pairs if not answer),
    )


def png_address(pixels: np.ndarray) -> str:
    """Return [height, width, 3] uint8 as a PNG in a `data:` address, at most 96 px a side."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return address_of(stream.getvalue())


def address_of(png: bytes) -> str:
    """Return a PNG file as a `data:` address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
