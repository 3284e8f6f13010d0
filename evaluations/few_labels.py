"""Fine-tuning on a published list of labelled images, settings swept where a paper did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.cache import cache_folder
from ..checkpoints.errors import BadData, UsageError
from .augment import Sampling
from .baselines import RawPixels
from .dataset import check_classes
from .evaluator import Measurement, Protocol, top1
from .image_source import ImageSource
from .label_lists import indices_of, read_list
from .metrics import ranked, topk
from .provenance import code_sha256
from .streamed_training import Training, logits_of, train, training_views
from .subject import Subject
from .sweep import Point, best_of, sweep
from .validation import draw

if TYPE_CHECKING:
    from ..checkpoints.resnet import ResNet


@dataclass(frozen=True, kw_only=True)
class FewLabelsProtocol(Protocol):
    """Fine-tuning of backbone and head on the images of a list, without weight decay.

    Several learning rates or epochs make a sweep. It is chosen on `validation_images` of
    the training images that are *not* on the list, drawn from every class by
    `held_out_seed`: BYOL's local validation set (App. C.1), whose labels are thus looked at
    for choosing, as there; its own images, the last 10,009 in its order, are not published.
    `selection` "test" chooses by the test images, as MULAN did, and says so in the record.
    """

    label_list: str = ""  # see `label_lists`
    epochs: tuple[int, ...] = (60,)  # over the labelled images
    base_learning_rates: tuple[float, ...] = (0.05,)  # per 256 images
    batch_size: int = 4096  # images
    # Of a batch, where it does not fit; BatchNorm sees so many, the papers' the whole batch.
    images_at_once: int = 0  # 0: all
    momentum: float = 0.9
    least_area: float = 0.08  # of a random crop, fraction of the image
    flip: float = 0.5  # probability
    sampling: Sampling = "tensorflow"  # how a crop is drawn: see `CropAndFlip`
    test_resize: float = 256 / 224  # shorter side over the network's input side
    selection: str = "held_out"  # of a sweep: held_out or test
    validation_images: int = 10_009  # read only for a sweep chosen on held-out images
    held_out_seed: int = 0

    def grid(self) -> list[Point]:
        """Return the points of the sweep."""
        return [
            {"base_learning_rate": rate, "epochs": epochs}
            for rate in self.base_learning_rates
            for epochs in self.epochs
        ]

    def training(self, point: Point, images: int) -> Training:
        """Return how `images` images are trained on: linear scaling rule, whole steps."""
        size = min(self.batch_size, images)
        return Training(
            steps=-(-int(point["epochs"]) * images // size),
            batch_size=self.batch_size,
            images_at_once=self.images_at_once,
            learning_rate=point["base_learning_rate"] * self.batch_size / 256,
            momentum=self.momentum,
        )


def measure_few_labels(
    subject: Subject, protocol: FewLabelsProtocol, seed: int
) -> Iterator[Measurement]:
    """Yield top-1 and top-5 of a network fine-tuned on the protocol's official list.

    Raises:
        MissingData, BadData: the list or an image on it is missing, or it is another list.
        UsageError: impossible settings, or raw pixels.
    """
    _check(protocol, subject)
    roots = (subject.data_root, cache_folder()) if subject.data_root is not None else ()
    names = read_list(protocol.label_list, *roots)
    chosen = indices_of(subject.images("train"), names, protocol.label_list)
    yield from measure_on(subject, protocol, seed, chosen)


def measure_on(
    subject: Subject, protocol: FewLabelsProtocol, seed: int, chosen: np.ndarray
) -> Iterator[Measurement]:
    """Yield top-1 and top-5 of a network fine-tuned on the training images `chosen`."""
    source, test = subject.images("train"), subject.images("test")
    check_classes(source, test)
    backbone, own = subject.backbone, subject.model.preprocessing
    assert not isinstance(backbone, RawPixels)
    assert own is not None
    resize = round(own.image_size * protocol.test_resize)
    shown = replace(own, resize=resize, interpolation="bicubic")
    views = training_views(protocol.least_area, protocol.flip, protocol.sampling)

    def tuned(point: Point) -> "ResNet":
        settings = protocol.training(point, len(chosen))
        classes = len(source.class_names)
        return train(backbone, source, chosen, source.labels, classes, own, views, settings, seed)

    points, said = protocol.grid(), [f"{len(chosen):,} labelled images"]
    if len(points) == 1:
        point = points[0]
    else:
        judges, which, where = _judges(source, test, chosen, protocol)

        def right(point: Point) -> float:
            logits = logits_of(tuned(point), judges, which, shown)
            return float(np.mean(logits.argmax(axis=1) == judges.labels[which]))

        identity = {**_identity(subject, protocol, seed, chosen), "judges": judges.fingerprint}
        scores = sweep(points, right, subject.cache, identity)
        point, best = best_of(points, scores)
        said.append(
            f"chosen among {len(points)} settings by top-1 of {100 * best:.2f} % on {where}"
        )
        if diverged := sum(score is None for score in scores):
            said.append(f"{diverged} settings diverged")
    said.append(
        f"learning rate {point['base_learning_rate']:g} per 256 images, {point['epochs']:g} epochs"
    )
    logits = logits_of(tuned(point), test, np.arange(len(test)), shown)
    yield from _scored(logits, test.labels, ("; ".join(said),))


def _scored(
    logits: np.ndarray, labels: np.ndarray, notes: tuple[str, ...]
) -> Iterator[Measurement]:
    ranks = ranked(logits, min(5, logits.shape[1]))
    yield top1(ranks[:, 0] == labels, notes=notes)
    if ranks.shape[1] == 5:
        yield replace(topk(ranks, labels), notes=notes)


def _judges(
    source: ImageSource, test: ImageSource, chosen: np.ndarray, protocol: FewLabelsProtocol
) -> tuple[ImageSource, np.ndarray, str]:
    """Return the images that a sweep is judged on, which of them, and in words."""
    if protocol.selection == "test":
        return test, np.arange(len(test)), "THE TEST IMAGES THEMSELVES (as MULAN): too high"
    others = np.setdiff1d(np.arange(len(source)), chosen)
    count = protocol.validation_images
    if count > len(others):
        raise BadData(
            f"{source.name}, {source.split}",
            f"{len(others):,} images that are not labelled",
            f"{count:,} to choose settings on",
        )
    held = others[draw(source.labels[others], count, protocol.held_out_seed)]
    where = f"{count:,} other training images drawn by seed {protocol.held_out_seed}"
    return source, held, where


def _identity(
    subject: Subject, protocol: FewLabelsProtocol, seed: int, chosen: Sequence[int] | np.ndarray
) -> dict[str, object]:
    return {
        "weights": subject.weights_sha256,
        "images": subject.images("train").fingerprint,
        "preprocessing": str(subject.model.preprocessing),
        "labelled": len(chosen),
        "protocol": protocol.digest,
        "seed": seed,
        "code": code_sha256(),
    }


def _check(protocol: FewLabelsProtocol, subject: Subject) -> None:
    if isinstance(subject.backbone, RawPixels):
        raise UsageError(protocol.name, "raw pixels, which have nothing to tune", "a checkpoint")
    rates, epochs = protocol.base_learning_rates, protocol.epochs
    if (
        not rates
        or not epochs
        or min(rates) <= 0
        or min(epochs) < 1
        or protocol.batch_size < 2
        or protocol.selection not in ("held_out", "test")
        or protocol.test_resize < 1
    ):
        raise UsageError(
            protocol.name,
            f"learning rates {rates}, epochs {epochs}, batch_size {protocol.batch_size}, "
            f"selection {protocol.selection!r}, test_resize {protocol.test_resize:g}",
            "rates above 0, whole epochs, batches of 2, held_out or test, at least 1",
        )
