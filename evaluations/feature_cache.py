"""Features kept on disk: one .safetensors file per (weights, images, preprocessing).

With the checkpoint's head they are enough to score a model where the images are absent.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import MissingData
from ..checkpoints.files import atomic_path
from .image_source import ImageSource
from .view import View

_log = logging.getLogger(__name__)

_HEADER_KEY = "relicheck_features"


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Features of one split with the facts that identify them."""

    features: np.ndarray  # [N, D] float32
    labels: np.ndarray  # [N] int64
    facts: Mapping[str, Any]  # see `facts`


def facts(weights_sha256: str, source: ImageSource, view: View) -> dict[str, Any]:
    """Return what identifies an extraction, as it stands in the header of a cache file."""
    return {
        "weights_sha256": weights_sha256,
        **json.loads(json.dumps(asdict(view))),
        "dataset": source.name,
        "split": source.split,
        "fingerprint": source.fingerprint,
        "expected": source.expected,
        "class_names": list(source.class_names),
    }


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
    view: View,
    dataset: str,
    split: str,
) -> Extract | None:
    """Return the cached features of a complete clean split, found without its images.

    None if there are none, or if several sets of images were cached under one name and
    it cannot be known which is meant.
    """
    wanted = {
        "weights_sha256": weights_sha256,
        **json.loads(json.dumps(asdict(view))),
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


def _content_hash(features: np.ndarray, labels: np.ndarray) -> str:
    digest = hashlib.sha256(f"{features.shape}{features.dtype}{labels.dtype}".encode())
    digest.update(np.ascontiguousarray(features).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def _distrust(path: Path, reason: str) -> None:
    _log.warning("%s: cached features cannot be used (%s); they are made again.", path, reason)


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
