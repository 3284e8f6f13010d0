"""Fine-tuned segmentation: from a subject to measurements. The learning rate is chosen first."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...checkpoints.common import write_checkpoint
from ...checkpoints.errors import BadData, UsageError
from ...checkpoints.progress import track
from ..baselines import RawPixels
from ..evaluator import Measurement
from ..file_lock import FileLock
from ..image_source import ImageSource, masks_of
from ..provenance import code_sha256, device
from ..subject import Subject
from ..sweep import best_of, sweep
from .bridge import open_bridge, versions
from .config import Images, Network, config_of
from .dataset import SegmentationDataset
from .measurements import measurements
from .order import held_out
from .predicted import Predicted
from .protocol import FcnProtocol
from .scores import mean_iou
from .training import train_and_score

_BACKBONE = "backbone.safetensors"


def measure(subject: Subject, protocol: FcnProtocol, seed: int) -> Iterator[Measurement]:
    """Yield what the fine-tuned network scores.

    Raises:
        MissingDependency: mmsegmentation is not installed.
        UsageError: a field that cannot be, or a subject that has nothing to tune.
        BadData: images that cannot be used.
        BadCheckpoint: training diverged at every learning rate.
    """
    open_bridge()
    network, images = described(subject, protocol, subject.model.name)
    for role in ("train", "test"):
        _check_masks(subject.images(role))
    rate, said = _learning_rate(subject, protocol, network, images)
    found = _run(subject, protocol, network, images, rate, seed, choosing=False)
    trained = len(subject.images("train"))
    notes = (f"learning rate {rate:.3g} ({said}), trained on all {trained:,}", versions())
    for measured in measurements(found.confusions, images.classes, notes=notes):
        # What people look at goes with the number it shows.
        yield replace(measured, predicted_masks=found.shown if measured.arrays else None)


def described(subject: Subject, protocol: FcnProtocol, checkpoint: str) -> tuple[Network, Images]:
    """Return what a configuration says of the backbone and the images.

    Args:
        subject: the network and the data.
        protocol: see `FcnProtocol`.
        checkpoint: what the configuration calls the network's weights; a run of ours puts a
            file of its own in its place.

    Raises:
        UsageError: a field that cannot be, or a subject that has nothing to tune.
        BadData: images without masks, or too few.
    """
    protocol.check()
    backbone, shown = subject.backbone, subject.model.preprocessing
    if isinstance(backbone, RawPixels) or shown is None:
        raise UsageError(protocol.name, "raw pixels, which have nothing to tune", "a checkpoint")
    train = _masked(subject.images("train"))
    _masked(subject.images("test"))
    if len(train) < 2:
        raise BadData(f"{train.name}, {train.split}", f"{len(train)} images", "at least 2")
    known = subject.dataset
    return (
        Network(checkpoint=checkpoint, spec=backbone.spec, preprocessing=shown),
        Images(
            data=str(subject.data),
            root=None if subject.data_root is None else str(subject.data_root),
            name=subject.dataset_name,
            classes=train.class_names,
            palette=known.palette if isinstance(known, SegmentationDataset) else None,
            limit=subject.limit,
            skip_corrupt=subject.skip_corrupt,
        ),
    )


def _masked(source: ImageSource) -> ImageSource:
    if masks_of(source) is None:
        raise BadData(
            f"{source.name}, {source.split}",
            "its images have no masks",
            "a data set of images with masks, such as camvid or voc2012",
        )
    return source


def _check_masks(source: ImageSource) -> None:
    """Read every mask once, so that an unusable one is an error before hours of training."""
    mask_of = masks_of(source)
    assert mask_of is not None
    for image in track(range(len(source)), f"checking masks of {source.split}"):
        mask_of(image)


def _learning_rate(
    subject: Subject, protocol: FcnProtocol, network: Network, images: Images
) -> tuple[float, str]:
    """Return the learning rate and how it was chosen."""
    if len(protocol.learning_rates) == 1:
        return protocol.learning_rates[0], "fixed"
    points = [{"learning_rate": rate} for rate in protocol.learning_rates]

    def score(point: Any) -> float:
        rate, seed = float(point["learning_rate"]), protocol.choice_seed
        found = _run(subject, protocol, network, images, rate, seed, choosing=True)
        return 100 * float(mean_iou(found.confusions.sum(axis=0)))

    identity = _identity(subject, protocol, protocol.choice_seed)
    scores = sweep(points, score, subject.cache, identity)
    point, best = best_of(points, scores)
    held = _held(subject, protocol)
    diverged = sum(score is None for score in scores)
    said = f"best of {len(points)}: mIoU {best:.2f} % on {held:,} held-out images"
    return float(point["learning_rate"]), said + (f", {diverged} diverged" if diverged else "")


def _held(subject: Subject, protocol: FcnProtocol) -> int:
    fraction, seed = protocol.held_out_fraction, protocol.held_out_seed
    return len(held_out(len(subject.images("train")), fraction, seed))


def _run(
    subject: Subject,
    protocol: FcnProtocol,
    network: Network,
    images: Images,
    rate: float,
    seed: int,
    *,
    choosing: bool,
) -> Predicted:
    """Return what one training run predicts; it goes on where one was killed."""
    inputs = {**_identity(subject, protocol, seed), "rate": rate, "choosing": choosing}
    with _folder(subject, protocol, inputs) as folder:
        own = replace(network, checkpoint=str(_write_backbone(subject, folder)))
        config = config_of(protocol, own, images, learning_rate=rate, seed=seed,
                           choosing=choosing, workers=_workers())  # fmt: skip
        kind = "choosing: " if choosing else ""
        scored = _held(subject, protocol) if choosing else len(subject.images("test"))
        title = f"{kind}FCN on {images.name}, rate {rate:.3g}"
        return train_and_score(config, scored, folder, title)


def _identity(subject: Subject, protocol: FcnProtocol, seed: int) -> dict[str, object]:
    return {
        "weights": subject.weights_sha256,
        "images": [subject.images(role).fingerprint for role in ("train", "test")],
        "preprocessing": str(subject.model.preprocessing),
        "protocol": protocol.digest,
        "seed": seed,
        "code": code_sha256(),
    }


@contextmanager
def _folder(subject: Subject, protocol: FcnProtocol, inputs: dict[str, object]) -> Iterator[Path]:
    """Yield a run's own folder, which is gone when the run is finished and kept when not."""
    if subject.cache is None:
        with tempfile.TemporaryDirectory(prefix="relicheck-") as folder:
            yield Path(folder)
        return
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    kept = Path(subject.cache) / "unfinished" / f"{protocol.name}-{key}"
    kept.mkdir(parents=True, exist_ok=True)
    lock = FileLock(kept / "lock")
    if not lock.acquire(wait=False):
        raise UsageError(
            kept,
            "another process trains this very run",
            "one at a time",
            "Wait until it is done: the same command then finds its records.",
        )
    try:
        yield kept
        shutil.rmtree(kept, ignore_errors=True)
    finally:
        lock.release()


def _write_backbone(subject: Subject, folder: Path) -> Path:
    """Return a file of the subject's weights: it may be a network that has none."""
    backbone, path = subject.backbone, folder / _BACKBONE
    assert not isinstance(backbone, RawPixels)
    assert backbone.manifest is not None
    if not path.is_file():
        write_checkpoint(path, backbone.canonical_tensors(), backbone.manifest)
    return path


def _workers() -> int:
    # On a CPU they would take from training; the order and the views are the same either way.
    return min(8, os.cpu_count() or 1) if device() == "cuda" else 0
