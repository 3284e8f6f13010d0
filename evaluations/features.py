"""Frozen features, and the proof that nothing moved while they were made."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..checkpoints.errors import BadCheckpoint
from ..checkpoints.progress import progress_bar
from .image_source import ImageSource
from .preprocess import batch_images, normalise
from .provenance import device
from .view import View, squares

if TYPE_CHECKING:
    import torch


class Backbone(Protocol):
    """What extraction needs of a network: a torch module with `features`."""

    def features(self, images: "torch.Tensor", /) -> "torch.Tensor":
        """Return [N, D] features of [N, 3, side, side] inputs."""

    def eval(self) -> "torch.nn.Module":
        """Switch to evaluation mode."""

    def state_dict(self) -> Mapping[str, "torch.Tensor"]:
        """Return every parameter and buffer by name."""


def extract(backbone: Backbone, source: ImageSource, views: Sequence[View]) -> list[np.ndarray]:
    """Return for each view the features [N, D] float32 of every image, in the source's order.

    All from one pass: each image is read and decoded once.

    Evaluation mode, no gradients, channels_last. The backbone's parameters and
    BatchNorm statistics are hashed before and after.

    Raises:
        BadCheckpoint: the features are not finite, or the network changed meanwhile.
        BadData: an image cannot be read or is too small.
    """
    import torch

    before = state_hash(backbone)
    network = backbone.eval().to(device())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    known = [view.preprocessing for view in views if view.preprocessing is not None]
    assert len(known) == len(views), "a network's view has preprocessing"
    size = min(map(batch_images, known))
    done: list[list[np.ndarray]] = [[] for _ in views]
    with torch.inference_mode(), progress_bar(_title(source), len(source), "image") as bar:
        for begin in range(0, len(source), size):
            indices = range(begin, min(begin + size, len(source)))
            for batch, preprocessing, into in zip(
                squares(source, indices, views), known, done, strict=True
            ):
                inputs = normalise(batch, preprocessing).to(device())
                into.append(backbone.features(inputs).float().cpu().numpy())
            bar.update(len(indices))
    if state_hash(backbone) != before:
        raise BadCheckpoint(
            type(backbone).__name__,
            "its parameters or BatchNorm statistics changed during a frozen evaluation",
            "a network that stays in evaluation mode",
        )
    return [_finite(np.concatenate(parts), backbone, source) for parts in done]


def _finite(features: np.ndarray, backbone: Backbone, source: ImageSource) -> np.ndarray:
    if not np.isfinite(features).all():
        bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise BadCheckpoint(
            type(backbone).__name__,
            f"its features of image {source.identities[bad]} of {source.name} are not finite",
            "finite features",
        )
    return features


def state_hash(backbone: Backbone) -> str:
    """Return a SHA-256 over every parameter and buffer of a network."""
    digest = hashlib.sha256()
    for name, tensor in backbone.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


def _title(source: ImageSource) -> str:
    return f"features of {source.name}, {source.split}"
