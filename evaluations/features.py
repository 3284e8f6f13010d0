"""Frozen features: extraction, the proof that nothing moved, and the cache on disk.

The cache holds one .safetensors file per (weights, images, preprocessing). With the
checkpoint's head it is enough to score a model where the images are absent.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..checkpoints.errors import BadCheckpoint, BadData, MissingData
from ..checkpoints.files import atomic_path
from ..checkpoints.progress import progress_bar
from ..checkpoints.spec import Preprocessing
from .dataset import ImageSource
from .preprocess import batch_images, crops, normalise
from .provenance import device

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)

_HEADER_KEY = "relicheck_features"


class Backbone(Protocol):
    """What extraction needs of a network: a torch module with `features`."""

    def features(self, images: "torch.Tensor", /) -> "torch.Tensor":
        """Return [N, D] features of [N, 3, side, side] inputs."""

    def eval(self) -> "torch.nn.Module":
        """Switch to evaluation mode."""

    def state_dict(self) -> Mapping[str, "torch.Tensor"]:
        """Return every parameter and buffer by name."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Features of one split with the facts that identify them."""

    features: np.ndarray  # [N, D] float32
    labels: np.ndarray  # [N] int64
    facts: Mapping[str, Any]  # see `facts`


def facts(
    weights_sha256: str, source: ImageSource, preprocessing: Preprocessing, corruption: str | None
) -> dict[str, Any]:
    """Return what identifies an extraction, as it stands in the header of a cache file."""
    return {
        "weights_sha256": weights_sha256,
        "preprocessing": json.loads(json.dumps(asdict(preprocessing))),
        "corruption": corruption or "",
        "dataset": source.name,
        "split": source.split,
        "fingerprint": source.fingerprint,
        "expected": source.expected,
        "class_names": list(source.class_names),
    }


def extract(backbone: Backbone, source: ImageSource, preprocessing: Preprocessing) -> np.ndarray:
    """Return the features [N, D] float32 of every image, in the source's order.

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
    size = batch_images(preprocessing)
    done = []
    with torch.inference_mode(), progress_bar(_title(source), len(source), "image") as bar:
        for begin in range(0, len(source), size):
            indices = range(begin, min(begin + size, len(source)))
            inputs = normalise(crops(source, indices, preprocessing), preprocessing).to(device())
            done.append(backbone.features(inputs).float().cpu().numpy())
            bar.update(len(indices))
    if state_hash(backbone) != before:
        raise BadCheckpoint(
            type(backbone).__name__,
            "its parameters or BatchNorm statistics changed during a frozen evaluation",
            "a network that stays in evaluation mode",
        )
    features = np.concatenate(done)
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


def cache_path(cache: Path, wanted: Mapping[str, Any]) -> Path:
    """Return the file of `cache` that holds the extraction identified by `wanted`."""
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(wanted["dataset"]))
    return cache / f"{name}-{wanted['split']}-{key}.safetensors"


def read_features(path: Path) -> Extract | None:
    """Return what a cache file holds; None, with a message, if it cannot be trusted."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[_HEADER_KEY])
            features, labels = file.get_tensor("features"), file.get_tensor("labels")
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        _distrust(path, str(error))
        return None
    if header.pop("sha256", None) != _content_hash(features, labels):
        _distrust(path, "its content does not give its checksum")
        return None
    return Extract(features=features, labels=labels, facts=header)


def write_features(path: Path, extract: Extract) -> None:
    """Write a cache file, whole or not at all."""
    from safetensors.numpy import save_file

    features = np.ascontiguousarray(extract.features, dtype=np.float32)
    labels = np.ascontiguousarray(extract.labels, dtype=np.int64)
    header = {**extract.facts, "sha256": _content_hash(features, labels)}
    with atomic_path(path) as temporary:
        save_file(
            {"features": features, "labels": labels},
            temporary,
            metadata={_HEADER_KEY: json.dumps(header)},
        )


def find_features(
    cache: Path | None,
    weights_sha256: str,
    preprocessing: Preprocessing,
    dataset: str,
    split: str,
) -> Extract | None:
    """Return the cached features of a complete clean split, found without its images.

    None if there are none, or if several sets of images were cached under one name and
    it cannot be known which is meant.
    """
    wanted = {
        "weights_sha256": weights_sha256,
        "preprocessing": json.loads(json.dumps(asdict(preprocessing))),
        "corruption": "",
        "dataset": dataset,
        "split": split,
    }
    found = []
    for path in sorted(cache.glob(f"*-{split}-*.safetensors")) if cache else []:
        extract = read_features(path)
        if extract and all(extract.facts.get(key) == value for key, value in wanted.items()):
            found.append(extract)
    whole = [e for e in found if e.facts["expected"] in (None, len(e.labels))]
    return whole[0] if len(whole) == 1 else None


class CachedImages:
    """An `ImageSource` whose images are absent: labels and identity from a cache file."""

    def __init__(self, extract: Extract) -> None:
        self.labels, self._facts = extract.labels, extract.facts
        self.identities = [str(index) for index in range(len(extract.labels))]

    @property
    def name(self) -> str:
        """The data set's name."""
        return str(self._facts["dataset"])

    @property
    def split(self) -> str:
        """The split's name."""
        return str(self._facts["split"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the labels."""
        return tuple(self._facts["class_names"])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the images the features were made from."""
        return str(self._facts["fingerprint"])

    @property
    def expected(self) -> int | None:
        """The published size of the complete split."""
        size = self._facts["expected"]
        return None if size is None else int(size)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> np.ndarray:
        raise MissingData(
            f"{self.name}, {self.split}",
            "only cached features are here, not the images",
            "the images",
            "This evaluator changes the images or the network: fetch the data set.",
        )


def _title(source: ImageSource) -> str:
    return f"features of {source.name}, {source.split}"


def _content_hash(features: np.ndarray, labels: np.ndarray) -> str:
    digest = hashlib.sha256(f"{features.shape}{features.dtype}{labels.dtype}".encode())
    digest.update(np.ascontiguousarray(features).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def _distrust(path: Path, reason: str) -> None:
    _log.warning("%s: cached features cannot be used (%s); they are made again.", path, reason)


def check_classes(train: ImageSource, test: ImageSource) -> None:
    """Return if a probe trained on `train` can be scored on `test`.

    Raises:
        BadData: the classes differ, or there is only one.
    """
    if train.class_names != test.class_names:
        only_train = sorted(set(train.class_names) - set(test.class_names))[:3]
        only_test = sorted(set(test.class_names) - set(train.class_names))[:3]
        raise BadData(
            f"{train.name}",
            f"{train.split} and {test.split} have different classes (only in {train.split}: "
            f"{only_train}; only in {test.split}: {only_test})",
            "the same class folders in both",
        )
    absent = sorted(set(np.unique(test.labels)) - set(np.unique(train.labels)))
    if absent or len(np.unique(train.labels)) < 2:
        names = [train.class_names[label] for label in absent[:3]]
        raise BadData(
            f"{train.name}, {train.split}",
            f"no image of {names}" if absent else "every image is of one class",
            "training images of at least two classes and of every class that is scored",
        )
