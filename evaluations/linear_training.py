"""Linear evaluation by SGD on a frozen backbone: from views to heads to measurements."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadCheckpoint, TrainingFailed, UsageError
from ..checkpoints.progress import progress_bar
from .ahead import ahead
from .arithmetic import arithmetic
from .augment import views_of
from .baselines import RawPixels
from .dataset import check_classes
from .evaluator import Measurement, top1
from .features import state_hash
from .heads import Heads, Trained
from .metrics import mean_per_class
from .prefetch import default_workers
from .preprocess import batch_images, normalise
from .probes import hold_out
from .provenance import device
from .sgd_protocol import SgdProtocol
from .subject import Subject
from .unfinished_heads import UnfinishedHeads

if TYPE_CHECKING:
    import torch

# (epoch, indices of images) -> their features, [n, D] float32
Features = Callable[[int, np.ndarray], "torch.Tensor"]


def train(subject: Subject, protocol: SgdProtocol, seed: int) -> Trained:
    """Return the trained heads of the whole grid.

    Raises:
        UsageError: fields that cannot be, or augmentation of the raw-pixel baseline.
        BadCheckpoint: the network changed, or gives features that are not finite.
        TrainingFailed: every point of the grid diverged.
    """
    protocol.check()
    source = subject.images("train")
    labels, classes = source.labels, len(source.class_names)
    fitted, held = _divide(labels, protocol)
    features, dim, unchanged = _features(subject, protocol, seed)
    batch = min(protocol.batch_size, len(fitted))
    heads = Heads(protocol.points(batch), dim, classes, protocol.momentum)
    trained = Trained(heads=heads, fitted=fitted, held=held)
    saved = UnfinishedHeads(subject, protocol, seed)
    begin = saved.load(trained)
    steps = -(-len(fitted) // batch)
    total = (protocol.epochs - begin) * len(fitted)
    with progress_bar(f"linear heads on {source.name}", total, "image") as bar:
        for epoch in range(begin, protocol.epochs):
            order = np.random.default_rng([seed, epoch, 0x11EA]).permutation(fitted)
            for step, first in enumerate(range(0, len(order), batch)):
                _step(heads, protocol, features, labels, epoch, order[first : first + batch],
                      protocol.share(epoch * steps + step, steps))  # fmt: skip
                bar.update(min(batch, len(order) - first))
            trained.diverged |= dict.fromkeys(heads.drop_diverged(), epoch + 1)
            if not heads.alive.any():
                raise TrainingFailed(
                    protocol.name,
                    f"every head diverged by epoch {epoch + 1} at base learning rates "
                    f"{protocol.base_learning_rates}",
                    "a finite loss",
                    f"Set smaller ones: --set {protocol.name}.base_learning_rates=0.01",
                )
            if protocol.select_on_test:
                _look_at_test(subject, trained, protocol, epoch)
            saved.keep(trained, epoch + 1)
    unchanged()
    saved.remove()
    return trained


def _divide(labels: np.ndarray, protocol: SgdProtocol) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices trained on and those held out."""
    if len(protocol.base_learning_rates) * len(protocol.weight_decays) == 1:
        return np.arange(len(labels)), np.arange(0)
    fraction = min(protocol.held_out / len(labels), protocol.held_out_fraction)
    return hold_out(labels, fraction, np.random.default_rng(protocol.held_out_seed))


def _step(
    heads: Heads,
    protocol: SgdProtocol,
    features: Features,
    labels: np.ndarray,
    epoch: int,
    indices: np.ndarray,
    share: float,
) -> None:
    import torch

    # In the source's order: rows of a mapped file are then read forwards.
    indices = np.sort(indices)
    truth = torch.from_numpy(labels[indices]).to(device())
    heads.step(heads.gradient(features(epoch, indices), truth, len(indices)), share,
               protocol.nesterov)  # fmt: skip


def _features(
    subject: Subject, protocol: SgdProtocol, seed: int
) -> tuple[Features, int, Callable[[], None]]:
    """Return the features by epoch and image, their size, and the proof that they were frozen."""
    import torch

    if not protocol.augment:
        known, _ = subject.features("train")

        def cached(_: int, indices: np.ndarray) -> torch.Tensor:
            rows = np.asarray(known[indices], dtype=np.float32)
            if not np.isfinite(rows).all():
                raise BadCheckpoint(subject.model.name, "its features are not finite")
            return torch.from_numpy(rows).to(device())

        return cached, known.shape[1], lambda: None
    backbone, preprocessing = subject.backbone, subject.model.preprocessing
    if isinstance(backbone, RawPixels) or preprocessing is None:
        raise UsageError(
            protocol.name,
            "raw pixels are no network to show crops to",
            "a checkpoint",
            "Measure the baseline on its features as they are: linear_sgd_cached.",
        )
    before = state_hash(backbone)
    network = backbone.eval().to(device())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    source, views = subject.images("train"), protocol.views()
    size, side = batch_images(preprocessing), preprocessing.image_size

    workers = default_workers()

    def augmented(epoch: int, indices: np.ndarray) -> torch.Tensor:
        made = []
        pieces = (indices[first : first + size] for first in range(0, len(indices), size))
        # Drawn from seed, epoch and image alone, so the same from any thread.
        show = partial(views_of, source, side=side, views=views, seed=seed, epoch=epoch)
        with (
            arithmetic("float32"),
            closing(ahead(show, pieces, workers, workers + 1)) as shown,
        ):
            for squares in shown:
                inputs = normalise(squares, preprocessing).to(device())
                made.append(backbone.features(inputs).float())
            found = torch.cat(made)
        if not bool(torch.isfinite(found).all()):
            raise BadCheckpoint(subject.model.name, "its features are not finite")
        return found

    def unchanged() -> None:
        if state_hash(backbone) != before:
            raise BadCheckpoint(
                subject.model.name,
                "its parameters or BatchNorm statistics changed during a frozen evaluation",
                "a network that stays in evaluation mode",
            )

    return augmented, backbone.spec.feature_dim, unchanged


def _look_at_test(subject: Subject, trained: Trained, protocol: SgdProtocol, epoch: int) -> None:
    features, labels = subject.features("test")
    right = trained.heads.right(features, labels)
    counts = np.where(trained.heads.alive, right.sum(axis=1), -1)
    head = int(counts.argmax())
    before = -1 if trained.best_on_test is None else int(trained.best_on_test.sum())
    if counts[head] > before:
        trained.best_on_test = right[head]
        trained.best_on_test_said = (
            f"{protocol.describe(head)}, epoch {epoch + 1} of {protocol.epochs}, chosen by the "
            "accuracy on the test images themselves"
        )


def measure(subject: Subject, protocol: SgdProtocol, seed: int) -> Iterator[Measurement]:
    """Yield what the chosen head scores on the test images, then what these would choose.

    The second only where the protocol asks for it, under the condition `selected_on_test`.

    Raises:
        As `train`; BadData: the two splits' classes differ.
    """
    check_classes(subject.images("train"), subject.images("test"))
    trained = train(subject, protocol, seed)
    heads = trained.heads
    head, said = 0, protocol.describe(0)
    if len(trained.held):
        labels = subject.images("train").labels[trained.held]
        known, _ = subject.features("train")
        counts = np.count_nonzero(heads.right(known[trained.held], labels), axis=1)
        head = int(np.where(heads.alive, counts, -1).argmax())
        said = f"{protocol.describe(head)}, {counts[head]} of {len(labels)} held-out images right"
    images = f"{len(trained.fitted)} training images"
    lost = tuple(
        f"{protocol.describe(point)}: diverged in epoch {epoch}, left out"
        for point, epoch in sorted(trained.diverged.items())
    )
    features, labels = subject.features("test")
    right = heads.right(features, labels)[head]
    yield from _scored(subject, labels, right, (f"{said}; {images}", *lost), "")
    if trained.best_on_test is not None:
        notes = (f"{trained.best_on_test_said}; {images}", *lost)
        yield from _scored(subject, labels, trained.best_on_test, notes, "selected_on_test")


def _scored(
    subject: Subject, labels: np.ndarray, right: np.ndarray, notes: tuple[str, ...], condition: str
) -> Iterator[Measurement]:
    yield top1(right, condition=condition, notes=notes)
    if subject.metric == "mean_per_class":
        yield mean_per_class(right, labels, notes, condition)
