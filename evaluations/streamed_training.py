"""Fine-tuning a copy of a network on images that are read batch by batch, not kept.

For the published recipes, whose sets do not fit into memory. `finetune` serves small sets.
"""

import copy
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadCheckpoint
from ..checkpoints.progress import track
from ..checkpoints.spec import Preprocessing
from .ahead import ahead
from .arithmetic import arithmetic
from .augment import CropAndFlip, Sampling, views_of
from .image_source import ImageSource
from .prefetch import default_workers
from .preprocess import batch_images, crops, normalise
from .provenance import device

if TYPE_CHECKING:
    import torch

    from ..checkpoints.resnet import ResNet


_AHEAD = 3  # batches that are shown or being shown


class Diverged(BadCheckpoint):
    """The loss is not finite: these settings train no network."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """SGD with Nesterov momentum and cosine decay to zero, without warm-up."""

    steps: int
    batch_size: int  # images; fewer where there are fewer
    learning_rate: float  # of the first step
    momentum: float = 0.9
    # Of squared weights / 2. Not of BatchNorm's scale and offset, as in SimCLR's code.
    weight_decay: float = 0.0
    statistics_decay: float | None = None  # BatchNorm's, per step; None: the network's own
    images_at_once: int = 0  # gradients are summed over parts of a batch; 0: the whole batch


def training_views(least_area: float, flip: float, sampling: Sampling) -> CropAndFlip:
    """Return the crops and flips of fine-tuning, drawn as often as the sampling's source does."""
    attempts = 100 if sampling == "tensorflow" else 10
    return CropAndFlip(area=(least_area, 1.0), flip=flip, sampling=sampling, attempts=attempts)


def train(
    backbone: "ResNet",
    source: ImageSource,
    which: np.ndarray,
    truth: np.ndarray,
    classes: int,
    preprocessing: Preprocessing,
    views: CropAndFlip,
    settings: Training,
    seed: int,
) -> "ResNet":
    """Return a copy of `backbone`, trained with a new head; the original is not touched.

    The head begins at zero, so that the first steps move it before the backbone (SimCLR's
    code draws it with deviation 0.01). BatchNorm works on the statistics of the images
    that go through the network together: a batch, or `images_at_once` of it.

    Args:
        backbone: the network to begin from.
        source: images; only those of `which` are read.
        which: [n] indices of the images to train on.
        truth: of every image of `source`: labels [N] integers, or targets [N, classes] of
            1, 0 and -1 (left out of the loss), each class with a sigmoid of its own.
        classes: outputs of the head.
        preprocessing: of the checkpoint: side, mean and deviation of the input.
        views: how a training image is cropped and flipped.
        settings: see `Training`.
        seed: of the order and of the views.

    Raises:
        Diverged: the loss is not finite.
    """
    import torch

    network = _with_new_head(backbone, classes, settings.statistics_decay)
    optimiser = _optimiser(network, settings)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    size = min(settings.batch_size, len(which))
    part = min(settings.images_at_once or size, size)
    batches = batches_of(len(which), size, settings.steps, seed)
    shown = _shown_ahead(source, which, batches, preprocessing, views, seed)
    for mine, squares in track(shown, "fine-tuning", settings.steps):
        optimiser.zero_grad(set_to_none=True)
        for begin in range(0, size, part):
            inputs = normalise(squares[begin : begin + part], preprocessing).to(device())
            wanted = torch.from_numpy(truth[mine[begin : begin + part]]).to(device())
            loss = summed_loss(network(inputs), wanted) / size
            if not torch.isfinite(loss):
                raise Diverged(
                    "fine-tuning",
                    f"the loss is {loss.item()} at learning rate {settings.learning_rate:g}",
                    "a finite one",
                    "Set a smaller learning rate with --set.",
                )
            loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def summed_loss(logits: "torch.Tensor", truth: "torch.Tensor") -> "torch.Tensor":
    """Return the cross-entropy summed over images (and classes, for [n, classes] targets)."""
    import torch

    if truth.ndim == 1:
        return torch.nn.functional.cross_entropy(logits, truth.long(), reduction="sum")
    counted = (truth >= 0).float()
    return torch.nn.functional.binary_cross_entropy_with_logits(
        logits, (truth == 1).float(), weight=counted, reduction="sum"
    )


def batches_of(
    images: int, size: int, steps: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each step which images, [size], and in which epoch each of them is seen.

    Whole epochs, each in a new order; a batch may end one epoch and begin the next.
    """
    orders: dict[int, np.ndarray] = {}
    for step in range(steps):
        epochs, places = np.divmod(np.arange(step * size, (step + 1) * size), images)
        needed = np.unique(epochs)
        orders = {e: orders[e] if e in orders else _order(images, e, seed) for e in needed}
        chosen = [orders[e][p] for e, p in zip(epochs, places, strict=True)]
        yield np.array(chosen), epochs


def _order(images: int, epoch: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 0x0D3, epoch]).permutation(images)


def _shown_ahead(
    source: ImageSource,
    which: np.ndarray,
    batches: Iterator[tuple[np.ndarray, np.ndarray]],
    preprocessing: Preprocessing,
    views: CropAndFlip,
    seed: int,
    workers: int | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each batch the images' indices and their views, shown by other threads.

    A view follows from seed, epoch and image, so it is the same from any thread. Two batches
    are shown ahead of the one that is trained on.
    """
    waiting: deque[tuple[np.ndarray, list[Future[np.ndarray]]]] = deque()

    def show(image: int, epoch: int) -> np.ndarray:
        side = preprocessing.image_size
        shown = views_of(source, [image], side, views, seed=seed, epoch=epoch)
        return np.asarray(shown[0])

    with ThreadPoolExecutor(workers or default_workers(), "decode") as threads:
        try:
            while True:
                for chosen, epochs in islice(batches, _AHEAD - len(waiting)):
                    mine = which[chosen]
                    pairs = zip(mine.tolist(), epochs.tolist(), strict=True)
                    waiting.append((mine, [threads.submit(show, *pair) for pair in pairs]))
                if not waiting:
                    return
                mine, futures = waiting.popleft()
                yield mine, np.stack([future.result() for future in futures])
        finally:
            # An interruption must not wait for what nobody will look at.
            threads.shutdown(wait=False, cancel_futures=True)


def _with_new_head(backbone: "ResNet", classes: int, statistics_decay: float | None) -> "ResNet":
    import torch

    network = copy.deepcopy(backbone).to(device()).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.fc = torch.nn.Linear(network.spec.feature_dim, classes).to(device())
    torch.nn.init.zeros_(network.fc.weight)
    torch.nn.init.zeros_(network.fc.bias)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d) and statistics_decay is not None:
            # torch's momentum is the share of the new batch, the papers' that of the past.
            layer.momentum = 1 - statistics_decay
    return network


def _optimiser(network: "ResNet", settings: Training) -> "torch.optim.SGD":
    import torch

    normalising = {
        id(parameter)
        for layer in network.modules()
        if isinstance(layer, torch.nn.BatchNorm2d)
        for parameter in layer.parameters()
    }
    parameters = list(network.parameters())
    groups = [
        {
            "params": [p for p in parameters if id(p) not in normalising],
            "weight_decay": settings.weight_decay,
        },
        {"params": [p for p in parameters if id(p) in normalising], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=True
    )


def logits_of(
    network: "ResNet", source: ImageSource, which: np.ndarray, preprocessing: Preprocessing
) -> np.ndarray:
    """Return the logits [n, classes] float32 of some images, in evaluation mode."""
    size, workers = batch_images(preprocessing), default_workers()
    pieces = [which[begin : begin + size] for begin in range(0, len(which), size)]
    show = partial(crops, source, preprocessing=preprocessing)
    done = []
    with arithmetic("float32"), closing(ahead(show, pieces, workers, workers + 1)) as shown:
        for squares in track(shown, "scoring the fine-tuned network", len(pieces)):
            logits: torch.Tensor = network(normalise(squares, preprocessing).to(device()))
            done.append(logits.float().cpu().numpy())
    return np.concatenate(done)
