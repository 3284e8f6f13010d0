"""The images of a run: checked once, and put into an order that the seed alone decides."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from ..checkpoints.errors import BadData, UsageError
from .config import PretrainConfig

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def check_inputs(images: Images, labels: Labels, config: PretrainConfig) -> None:
    """Return if the arrays can be trained on.

    Args:
        images: [images, height, width, 3] uint8. labels: [images] int64, from 0.

    Raises:
        BadData: another shape, kind or count.
        UsageError: fewer images than a batch.
    """
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise BadData(
            "images", f"{images.dtype} of shape {images.shape}", "uint8 [images, height, width, 3]"
        )
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise BadData(
            "labels", f"{labels.dtype} of shape {labels.shape}", f"integers [{len(images)}]"
        )
    if len(labels) and labels.min() < 0:
        raise BadData("labels", f"a label of {labels.min()}", "labels from 0")
    if len(images) < config.batch_size:
        raise UsageError(
            "images",
            f"there are {len(images)}",
            f"at least one batch of {config.batch_size}",
            f"Add --set batch_size={max(2, len(images))} or name more data.",
        )


def fingerprint(images: Images, labels: Labels) -> str:
    """Return a SHA-256 over shapes and values: the data of the run."""
    digest = hashlib.sha256()
    for array in (images, labels.astype("<i8")):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def total_steps(images: int, config: PretrainConfig) -> int:
    """Return the steps of the run: floor(epochs * images / batch), as BYOL's code counts."""
    return max(1, int(config.epochs * images / config.batch_size))


def batch_indices(step: int, images: int, config: PretrainConfig) -> NDArray[np.int64]:
    """Return [batch] indices of the images of `step`.

    Epochs follow each other without a gap: a batch may end one and begin the next. Every
    image is seen once per epoch; the order depends on (seed, epoch) only, so that a run
    can go on from any step.
    """
    first = step * config.batch_size
    positions = np.arange(first, first + config.batch_size)
    epochs = positions // images
    orders = {
        epoch: np.random.default_rng([config.seed, epoch]).permutation(images)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1)
    }
    picked = [
        orders[e][p] for e, p in zip(epochs.tolist(), (positions % images).tolist(), strict=True)
    ]
    return np.asarray(picked, dtype=np.int64)
