"""Frozen features, and the proof that nothing moved while they were made.

A pass goes over the images once for all views and writes shards of rows. Batches end
where a shard ends, so the same images always share a batch: the numbers depend neither on
where a killed run went on, nor on how many processes or threads shared the work.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..checkpoints.errors import BadCheckpoint
from ..checkpoints.progress import Bar, progress_bar
from ..checkpoints.spec import Preprocessing
from .arithmetic import arithmetic
from .image_source import ImageSource
from .prefetch import Piece, Shard, shown_pieces
from .preprocess import batch_images, normalise
from .provenance import device
from .shelf import Memory, Shelf, shard_rows
from .view import View

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


def extract(
    backbone: Backbone,
    source: ImageSource,
    views: Sequence[View],
    *,
    precision: str = "float32",
    workers: int | None = None,
) -> list[np.ndarray]:
    """Return for each view the features [N, D] float32 of every image, in the source's order.

    All from one pass: each image is read and decoded once. As `fill`, in memory.
    """
    shelves = [Memory(len(source)) for _ in views]
    fill(backbone, source, views, shelves, precision=precision, workers=workers)
    return [shelf.features() for shelf in shelves]


def fill(
    backbone: Backbone,
    source: ImageSource,
    views: Sequence[View],
    shelves: Sequence[Shelf],
    *,
    precision: str = "float32",
    workers: int | None = None,
) -> None:
    """Make every shard that is missing on the views' shelves, in one pass over their images.

    Evaluation mode, no gradients, channels_last; images are decoded in other threads while
    the network runs. The backbone's parameters and BatchNorm statistics are hashed before
    and after, its statistics also before a shard is kept. Shards that another process is
    making are waited for last.

    Args:
        backbone: the network, which is switched to evaluation mode and to the device.
        source: the images.
        views: how they are shown.
        shelves: where each view's features go.
        precision: of the network's arithmetic, see `arithmetic`; features are float32.
        workers: threads that decode; None: as many as pay. The numbers don't depend on it.

    Raises:
        BadCheckpoint: the features are not finite, or the network changed meanwhile.
        BadData: an image cannot be read or is too small.
    """
    if not any(shelf.missing() for shelf in shelves):
        return
    before = state_hash(backbone)
    made: list[tuple[Shelf, int]] = []
    work = _Pass(backbone, source, views, shelves, workers)
    with arithmetic(precision), progress_bar(_title(source), len(source), "image") as bar:
        while any(missing := [set(shelf.missing()) for shelf in shelves]):
            done = work.over(missing, bar)
            made += done
            if not done:
                bar.set_postfix_str("waiting for another process")
                _wait_for_another(shelves, missing)
    if state_hash(backbone) != before:
        for shelf, shard in made:
            shelf.discard([shard])
        raise _changed(backbone)


def _wait_for_another(shelves: Sequence[Shelf], missing: Sequence[set[int]]) -> None:
    # Only here, where nothing is held: two processes that wait while holding wait forever.
    shelf, shards = next(pair for pair in zip(shelves, missing, strict=True) if pair[1])
    shard = min(shards)
    if shelf.take(shard, wait=True):
        shelf.leave(shard)


class _Pass:
    """Passes over the images of one source with one network."""

    def __init__(
        self,
        backbone: Backbone,
        source: ImageSource,
        views: Sequence[View],
        shelves: Sequence[Shelf],
        workers: int | None,
    ) -> None:
        import torch

        self._backbone, self._source, self._workers = backbone, source, workers
        self._views, self._shelves = views, shelves
        network = backbone.eval().to(device())
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._statistics = _statistics_hash(backbone)
        self._held: list[tuple[Shelf, int]] = []

    def over(self, missing: Sequence[set[int]], bar: Bar) -> list[tuple[Shelf, int]]:
        """Return what was made of the shards missing for each view: all that nobody holds."""
        done: list[tuple[Shelf, int]] = []
        batches: list[_Batches] = []
        try:
            claimed = self._claimed(missing)
            pieces = shown_pieces(self._source, self._views, claimed, self._workers)
            with closing(pieces):
                for piece in pieces:
                    if piece.first:
                        batches = [self._batches(index) for index in piece.which]
                    for into, squares in zip(batches, piece.squares, strict=True):
                        into.add(squares)
                    bar.update(len(piece.indices))
                    if piece.last:
                        done += self._keep(piece, batches)
        finally:
            for shelf, shard in self._held:
                shelf.leave(shard)
            self._held.clear()
        return done

    def _claimed(self, missing: Sequence[set[int]]) -> Iterator[Shard]:
        """Yield what is ours to make, as the pass comes to it."""
        for number in sorted(set().union(*missing)):
            ours = []
            for index, shelf in enumerate(self._shelves):
                if number in missing[index] and shelf.take(number):
                    self._held.append((shelf, number))
                    ours.append(index)
            if ours:
                yield Shard(number=number, rows=shard_rows(number, len(self._source)), which=ours)

    def _batches(self, index: int) -> "_Batches":
        preprocessing = self._views[index].preprocessing
        assert preprocessing is not None, "a network's view has preprocessing"
        return _Batches(self._backbone, preprocessing)

    def _keep(self, piece: Piece, batches: "Sequence[_Batches]") -> list[tuple[Shelf, int]]:
        done = []
        for index, made in zip(piece.which, batches, strict=True):
            features = made.finish()
            self._check(features, piece.shard)
            shelf = self._shelves[index]
            shelf.put(piece.shard, features)
            self._held.remove((shelf, piece.shard))
            done.append((shelf, piece.shard))
        return done

    def _check(self, features: np.ndarray, shard: int) -> None:
        if _statistics_hash(self._backbone) != self._statistics:
            raise _changed(self._backbone)
        finite = np.isfinite(features).all(axis=1)
        if not finite.all():
            bad = shard_rows(shard, len(self._source))[int(np.flatnonzero(~finite)[0])]
            raise BadCheckpoint(
                type(self._backbone).__name__,
                f"its features of image {self._source.identities[bad]} of {self._source.name} "
                "are not finite",
                "finite features",
            )


class _Batches:
    """The features of one shard under one view, batch by batch."""

    def __init__(self, backbone: Backbone, preprocessing: Preprocessing) -> None:
        self._backbone, self._preprocessing = backbone, preprocessing
        self._size = batch_images(preprocessing)
        self._waiting: list[np.ndarray] = []
        self._done: list[torch.Tensor] = []

    def add(self, squares: np.ndarray) -> None:
        """Take [n, side, side, 3] uint8; run the network when a batch is full."""
        self._waiting.append(squares)
        while sum(map(len, self._waiting)) >= self._size:
            together = self._joined()
            self._run(together[: self._size])
            self._waiting = [together[self._size :]] if len(together) > self._size else []

    def finish(self) -> np.ndarray:
        """Return the features [rows, D] float32 of everything that was added."""
        import torch

        if self._waiting:
            self._run(self._joined())
            self._waiting = []
        # On a GPU nothing was waited for until here: the next batch is queued while one runs.
        return torch.cat(self._done).cpu().numpy()

    def _joined(self) -> np.ndarray:
        return self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)

    def _run(self, squares: np.ndarray) -> None:
        inputs = normalise(squares, self._preprocessing, device())
        self._done.append(self._backbone.features(inputs).float())


def state_hash(backbone: Backbone) -> str:
    """Return a SHA-256 over every parameter and buffer of a network."""
    return _hash_of(backbone.state_dict())


def _statistics_hash(backbone: Backbone) -> str:
    # Parameters cannot move without an optimiser, statistics in a network that ignores its
    # mode; they are small enough to be looked at before every shard.
    state = backbone.state_dict()
    parameters = {name for name, _ in getattr(backbone, "named_parameters", tuple)()}
    return _hash_of({name: state[name] for name in state if name not in parameters})


def _hash_of(tensors: Mapping[str, "torch.Tensor"]) -> str:
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


def _changed(backbone: Backbone) -> BadCheckpoint:
    return BadCheckpoint(
        type(backbone).__name__,
        "its parameters or BatchNorm statistics changed during a frozen evaluation",
        "a network that stays in evaluation mode",
    )


def _title(source: ImageSource) -> str:
    return f"features of {source.name}, {source.split}"
