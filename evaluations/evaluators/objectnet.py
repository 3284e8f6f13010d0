"""ObjectNet under every protocol that a paper may have meant, from one pass over its images.

The sources that print ObjectNet numbers disagree in three things and rarely name them: which
classes compete, how much of the red frame is cut off, and to which side images are resized.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...checkpoints.errors import UnknownName, UsageError
from ..classifiers import HeadProtocol
from ..evaluator import Evaluator, Measurement
from ..mapped import Groups, among, best_of_all, best_of_collapsed, best_of_mapped, imagenet_head
from ..subject import Subject
from ..view import View

_CROP_PX = 224  # what `resizes_px` is said for; networks of other sides are shown in proportion

# Which classes compete, and of how many images the share is.
COUNTINGS: dict[str, Callable[[np.ndarray, Groups, int], np.ndarray]] = {
    "best_of_1000": best_of_all,
    "best_of_1000_over_all": best_of_all,
    "best_of_125": best_of_mapped,
    "best_of_113": best_of_collapsed,
}
_OVER_ALL = "best_of_1000_over_all"


@dataclass(frozen=True, kw_only=True)
class ObjectNetProtocol(HeadProtocol):
    """Every reading of a 1000-way classifier on ObjectNet; each is a protocol of its own.

    Official: best of 1000, then mapped, 2 px cut, resize 224, crop 224
    (abarbu/objectnet-template-pytorch: objectnet_eval.py, objectnet_pytorch_dataloader.py,
    data_transform_description.py). Best of the 125 mapped logits, or of 113 collapsed ones:
    modestyachts/imagenet-testbed, src/eval_settings/objectnet.py.
    """

    name = "objectnet_readings"

    countings: tuple[str, ...] = tuple(COUNTINGS)
    borders_px: tuple[int, ...] = (0, 1, 2)  # cut from every side before resizing
    resizes_px: tuple[int, ...] = (224, 256)  # shorter side, before the centre crop of 224


@dataclass(frozen=True, kw_only=True)
class ObjectNetReading(HeadProtocol):
    """One reading: who competes, of how many images, and how they are shown."""

    name = "objectnet"

    counting: str  # of COUNTINGS
    border_px: int
    resize_px: int  # for a crop of 224
    counted_images: int  # that the share is of

    @property
    def id(self) -> str:
        """`objectnet.best_of_1000.border2.resize224/1`."""
        name, _, version = super().id.partition("/")
        return f"{name}.{self.counting}.border{self.border_px}.resize{self.resize_px}/{version}"


def run(subject: Subject, protocol: ObjectNetProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5 of each reading, under the reading's own protocol.

    The reading over all 50,273 images counts those of the other 200 classes as wrong
    without showing them to the network: it has no right answer for them. It is left out
    where only a part of the 18,574 was scored.

    Raises:
        UsageError: another data set or split, or no 1000-way classifier.
    """
    _check_request(subject, protocol)
    head, groups = imagenet_head(subject, protocol)
    shown = [(b, r) for b in protocol.borders_px for r in protocol.resizes_px]
    features = subject.features_of("test", [_view(subject, b, r) for b, r in shown])
    labels, complete = subject.images("test").labels, _is_complete(subject)
    for (border_px, resize_px), of_view in zip(shown, features, strict=True):
        logits = head.logits(of_view)
        for counting in protocol.countings:
            if counting == _OVER_ALL and not complete:
                continue
            ranks = COUNTINGS[counting](logits, groups, 5)
            total = _all_images(subject) if counting == _OVER_ALL else len(labels)
            reading = ObjectNetReading(
                **_shared(protocol),
                counting=counting,
                border_px=border_px,
                resize_px=resize_px,
                counted_images=total,
            )
            for k in (1, ranks.shape[1]):
                yield read(ranks[:, :k], labels, reading, head.notes)


def read(
    ranks: np.ndarray, labels: np.ndarray, reading: ObjectNetReading, notes: tuple[str, ...] = ()
) -> Measurement:
    """Return top-k of the best classes [N, k], of as many images as the reading counts."""
    missing = reading.counted_images - len(labels)
    if missing:
        # No class of ObjectNet's other 200 is among the answers: label them with none.
        ranks = np.concatenate([ranks, np.full((missing, ranks.shape[1]), -1)])
        labels = np.concatenate([labels, np.full(missing, -2)])
    return replace(
        among(ranks, labels, notes),
        protocol=reading,
        data_images=reading.counted_images if missing else None,
    )


def _check_request(subject: Subject, protocol: ObjectNetProtocol) -> None:
    split = subject.images("test").split
    if subject.dataset_name != "objectnet" or split != "overlap":
        raise UsageError(
            f"{subject.dataset_name}, {split}",
            "it is not the part of ObjectNet that a 1000-way classifier is scored on",
            "objectnet (split overlap)",
        )
    for counting in protocol.countings:
        if counting not in COUNTINGS:
            raise UnknownName("counting", counting, COUNTINGS)
    if not (protocol.countings and protocol.borders_px and protocol.resizes_px):
        raise UsageError(protocol.name, "no reading", "a counting, a border and a resize")
    if min(protocol.borders_px) < 0 or min(protocol.resizes_px) < _CROP_PX:
        raise UsageError(
            protocol.name,
            f"borders {protocol.borders_px}, resizes {protocol.resizes_px}",
            f"borders from 0, resizes from {_CROP_PX}",
        )


def _view(subject: Subject, border_px: int, resize_px: int) -> View:
    view = subject.default_view("test")
    assert view.preprocessing is not None
    resize = round(view.preprocessing.image_size * resize_px / _CROP_PX)
    return View(preprocessing=replace(view.preprocessing, resize=resize), border_px=border_px)


def _shared(protocol: HeadProtocol) -> dict[str, Any]:
    return {f.name: getattr(protocol, f.name) for f in fields(HeadProtocol)}


def _is_complete(subject: Subject) -> bool:
    images = subject.images("test")
    return len(images) == images.expected


def _all_images(subject: Subject) -> int:
    assert subject.dataset is not None
    return subject.dataset.splits["all"]


EVALUATOR = Evaluator(
    run=run,
    protocol=ObjectNetProtocol(),
    source="Barbu et al. (NeurIPS 2019); abarbu/objectnet-template-pytorch; imagenet-testbed",
    splits=("test",),
)
