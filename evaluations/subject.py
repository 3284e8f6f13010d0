"""What is evaluated: a backbone, its preprocessing, and a data set's splits."""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.common import weights_hash
from ..checkpoints.errors import MissingData, UsageError
from ..checkpoints.files import sha256_of_file
from ..checkpoints.manifest import Manifest
from ..checkpoints.spec import Preprocessing
from .baselines import RAW_PIXELS, RawPixels
from .cells import Cells
from .checking import without_corrupt
from .dataset import Dataset, datasets, is_registered, open_split, split_named
from .feature_cache import CachedImages, FeatureCache, facts
from .feature_entry import FeatureEntry
from .features import extract, fill
from .image_source import ImageSource
from .probes import Chosen
from .sources import part
from .view import View

if TYPE_CHECKING:
    from ..checkpoints.resnet import ResNet


@dataclass(kw_only=True)
class Model:
    """A backbone with the facts a record needs of it."""

    backbone: "ResNet | RawPixels"
    name: str  # for people: a file's stem or a published name
    method: str
    architecture: str
    preprocessing: Preprocessing | None  # None: raw pixels, taken as they are
    weights_sha256: str | None  # None: a baseline without weights
    source_sha256: str | None  # of the file the weights came from, where there is one
    asked: str | None = None  # the file or name it was opened by; None: a network in memory
    manifest: Manifest | None = None  # None: a baseline

    @property
    def kind(self) -> str:
        """Return `checkpoint` or `baseline`."""
        return "baseline" if isinstance(self.backbone, RawPixels) else "checkpoint"


def open_model(subject: "str | Path | ResNet | RawPixels") -> Model:
    """Return the model that `subject` means.

    Args:
        subject: a checkpoint's file, a published name, `raw_pixels`, or a network.

    Raises:
        MissingData, BadCheckpoint: see `load_checkpoint`.
        UsageError: a network without a manifest: nobody knows what it expects.
    """
    if isinstance(subject, RawPixels) or subject == RAW_PIXELS:
        return Model(
            backbone=RawPixels(),
            name=RAW_PIXELS,
            method=RAW_PIXELS,
            architecture="none",
            preprocessing=None,
            weights_sha256=None,
            source_sha256=None,
            asked=RAW_PIXELS,
        )
    if not isinstance(subject, str | Path):
        return _of_network(subject, None)
    from ..checkpoints.load import load_checkpoint

    return _of_network(load_checkpoint(subject), Path(subject))


def _of_network(network: "ResNet", path: Path | None) -> Model:
    manifest = network.manifest
    if not isinstance(manifest, Manifest):
        raise UsageError("evaluate", "a network without a manifest", "network.manifest to be set")
    source = manifest.source_sha256
    if source is None and path is not None and path.is_file():
        source = sha256_of_file(path)
    return Model(
        backbone=network,
        name=path.stem if path is not None else manifest.method,
        method=manifest.method,
        architecture=manifest.spec.name,
        preprocessing=manifest.preprocessing,
        weights_sha256=weights_hash(network.canonical_tensors()),
        source_sha256=source,
        asked=None if path is None else str(path),
        manifest=manifest,
    )


@dataclass(kw_only=True)
class Subject:
    """One model on one data set. Splits are named by role: `train` and `test`.

    Images are opened and features extracted when first asked for, and kept.
    """

    model: Model
    data: str | Path
    data_root: Path | None = None
    cache: Path | None = None  # folder of cached features; None: memory only
    cache_bytes: int | None = None  # what that folder may hold; None: as much as its disk
    precision: str = "float32"  # of the network's arithmetic; a claim is judged in float32
    workers: int | None = None  # threads that decode images; no number depends on it
    limit: int | None = None  # score only so many images; training images are never fewer
    skip_corrupt: bool = False  # leave out what cannot be decoded; the source's `skipped` says
    probes: dict[str, Chosen] = field(default_factory=dict)  # fitted before, by their protocol
    _images: dict[str, ImageSource] = field(default_factory=dict)
    _kept: dict[tuple[str, View], np.ndarray] = field(default_factory=dict)
    _from_cache: set[str] = field(default_factory=set)
    _clean: dict[str, "Subject"] = field(default_factory=dict)  # that probes are trained on

    @property
    def backbone(self) -> "ResNet | RawPixels":
        """Return the network, in evaluation mode, or the baseline."""
        return self.model.backbone

    @property
    def method(self) -> str:
        """Return how the backbone was trained."""
        return self.model.method

    @property
    def architecture(self) -> str:
        """Return the network's name, `ResNet-50 1x`."""
        return self.model.architecture

    @property
    def weights_sha256(self) -> str | None:
        """Return the hash of the weights; None for a baseline without any."""
        return self.model.weights_sha256

    @property
    def dataset(self) -> Dataset | None:
        """Return the registered data set; None for a folder."""
        return datasets.load(str(self.data).partition(":")[0]) if is_registered(self.data) else None

    @property
    def dataset_name(self) -> str:
        """Return the registered name, or the folder's."""
        if is_registered(self.data):
            return str(self.data).partition(":")[0]
        return Path(self.data).resolve().name

    @property
    def metric(self) -> str:
        """Return the metric that the data set's literature reports."""
        return self.dataset.metric if self.dataset is not None else "top1"

    @property
    def head(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return weight [classes, D] and bias [classes] of the checkpoint's own head."""
        if isinstance(self.backbone, RawPixels) or self.backbone.fc is None:
            return None
        layer = self.backbone.fc
        return (
            layer.weight.detach().cpu().numpy().astype(np.float32),
            layer.bias.detach().cpu().numpy().astype(np.float32),
        )

    def images(self, split: str) -> ImageSource:
        """Return the images of a role, or what the feature cache knows of them.

        Raises:
            MissingData: neither the images nor cached features of them are there.
        """
        if split not in self._images:
            try:
                source = open_split(self.data, split, self.data_root)
            except MissingData:
                source = self._remembered(split)
            else:
                if self.skip_corrupt and not isinstance(source, Cells):
                    source = without_corrupt(source)
            if self.limit is not None and split == "test":
                source = part(source, self.limit)
            self._images[split] = source
        return self._images[split]

    def default_view(self, role: str) -> View:
        """Return how a role's images are shown unless a protocol says otherwise.

        By the checkpoint's own preprocessing, without the frame that the data set's images have.
        """
        known, preprocessing = self.dataset, self.model.preprocessing
        if known is None:
            return View(preprocessing=preprocessing)
        # ImageNet-C: corrupted at the network's side, and not to be interpolated again.
        if preprocessing is not None and known.geometry and known.geometry.resize is None:
            preprocessing = replace(preprocessing, resize=None)
        return View(preprocessing=preprocessing, border_px=known.border_px)

    def on(self, data: str | Path) -> "Subject":
        """Return the same model on other data, found and cached alike; no probe is shared."""
        # Everything kept is of the former data; whether features came from a file is not.
        empty = {
            f.name: f.default_factory()
            for f in fields(self)
            if f.default_factory is not MISSING and f.name != "_from_cache"
        }
        return replace(self, data=data, **empty)

    def trained_on(self, data: str | Path) -> "Subject":
        """Return the same model on the data its probes are trained on: one subject, kept.

        ImageNet's folders are listed once, and a probe is fitted once, however many
        evaluators read it.
        """
        return self._clean.setdefault(str(data), self.on(data))

    def features(self, role: str, view: View | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return features [N, D] float32 and labels [N] int64 of a role.

        Args:
            role: `train` or `test`.
            view: how the images are shown; None: the default view, which is kept.
        """
        shown = view if view is not None else self.default_view(role)
        return self.features_of(role, [shown])[0], self.images(role).labels

    def features_of(self, role: str, views: Sequence[View]) -> list[np.ndarray]:
        """Return for each view the features [N, D] float32 of a role's images.

        Those that are not cached are made in one pass: each image is decoded once.
        """
        wanted = [view for view in dict.fromkeys(views) if (role, view) not in self._kept]
        found = dict(zip(wanted, self._features(role, wanted), strict=True))
        found |= {view: self._kept[role, view] for view in views if view not in found}
        default = self.default_view(role)
        if default in found:
            # The others are asked for once; all of them would not fit beside a large set.
            self._kept[role, default] = found[default]
        return [found[view] for view in views]

    def used_cache(self) -> bool:
        """Return whether features came from a file of the cache."""
        return bool(self._from_cache)

    def _features(self, role: str, views: Sequence[View]) -> list[np.ndarray]:
        if not views:
            return []
        source, backbone = self.images(role), self.model.backbone
        if isinstance(backbone, RawPixels):
            return [backbone.extract(source, view) for view in views]
        if self.cache is None or self.model.weights_sha256 is None:
            return extract(backbone, source, views, precision=self.precision, workers=self.workers)
        cache = FeatureCache(folder=self.cache, max_bytes=self.cache_bytes)
        cache.trim()
        entries: list[FeatureEntry] = []
        try:
            for view in views:
                known = facts(self.model.weights_sha256, source, view, self.precision)
                dim = backbone.spec.feature_dim
                entries.append(cache.begin(known, source, dim, self.architecture))
            self._fill(role, views, entries)
            return [entry.features() for entry in entries]
        except BaseException:
            for entry in entries:
                entry.abandon()
            raise

    def _fill(self, role: str, views: Sequence[View], entries: Sequence[FeatureEntry]) -> None:
        """Make what is missing of the entries. What others made meanwhile is verified too."""
        assert not isinstance(self.backbone, RawPixels)
        source = self.images(role)
        for entry in entries:
            entry.discard_damaged()
        if not any(entry.missing() for entry in entries):
            self._from_cache.add(role)
        while True:
            fill(
                self.backbone, source, views, entries,
                precision=self.precision, workers=self.workers,
            )  # fmt: skip
            if not any(entry.discard_damaged() for entry in entries):
                break
        for entry in entries:
            entry.complete()

    def _remembered(self, split: str) -> CachedImages:
        names = {split}
        if self.dataset is not None:
            names = {split_named(self.dataset, str(self.data).partition(":")[2], split)}
        model = self.model
        for name in names:
            if self.cache and model.weights_sha256:
                view = self.default_view(split)
                found = FeatureCache(folder=self.cache).remembered(
                    model.weights_sha256, view, self.precision, self.dataset_name, name
                )
                if found is not None:
                    images = CachedImages(found)
                    found.close()
                    return images
        # Say again, now without a way out, what is missing and where to get it.
        open_split(self.data, split, self.data_root)
        raise AssertionError("open_split found what it had not found before")
