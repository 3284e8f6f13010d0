"""Fine-tuning a copy of a network with a new head. The original is never touched."""

import copy
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadCheckpoint
from ..checkpoints.progress import track
from ..checkpoints.spec import Preprocessing
from .ahead import ahead
from .arithmetic import arithmetic
from .image_source import ImageSource
from .prefetch import default_workers
from .preprocess import batch_images, crops, normalise
from .provenance import device

if TYPE_CHECKING:
    import torch

    from ..checkpoints.resnet import ResNet


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """SGD with Nesterov momentum, cosine decay to zero, no weight decay, no warm-up."""

    epochs: int
    batch_size: int  # at most; fewer where there are fewer images
    learning_rate: float
    momentum: float
    shift_fraction: float  # of the side
    flip: bool

    def batches(self, images: int) -> tuple[int, int]:
        """Return the number of steps, rounded up to whole batches, and their size."""
        size = min(self.batch_size, images)
        return -(-self.epochs * images // size), size


def fine_tune(
    backbone: "ResNet",
    squares: np.ndarray,
    labels: np.ndarray,
    classes: int,
    preprocessing: Preprocessing,
    recipe: Recipe,
    seed: int,
) -> "ResNet":
    """Return a trained copy of `backbone` with a new head of `classes` outputs.

    The head begins at zero, so that the first steps move it before the backbone.
    BatchNorm works on batch statistics, as in the papers' fine-tuning.

    Args:
        backbone: the network to begin from.
        squares: [N, side, side, 3] uint8, cropped to the network's input.
        labels: [N] integers in [0, classes).
        classes: outputs of the head.
        preprocessing: of the checkpoint.
        recipe: see `Recipe`.
        seed: of batches and views.

    Raises:
        BadCheckpoint: the loss is not finite.
    """
    import torch

    rng = np.random.default_rng([seed, 0xF17E])
    network = copy.deepcopy(backbone).to(device()).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.fc = torch.nn.Linear(network.spec.feature_dim, classes).to(device())
    torch.nn.init.zeros_(network.fc.weight)
    torch.nn.init.zeros_(network.fc.bias)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=True
    )
    batches = _batches(len(squares), recipe, rng)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, len(batches))
    targets = torch.from_numpy(labels.astype(np.int64)).to(device())
    for indices in track(batches, "fine-tuning"):
        batch = augment(squares[indices], recipe, rng)
        logits = network(normalise(batch, preprocessing).to(device()))
        loss = torch.nn.functional.cross_entropy(logits, targets[indices])
        if not torch.isfinite(loss):
            raise BadCheckpoint(
                "fine-tuning",
                f"the loss is {loss.item()} at learning rate {recipe.learning_rate:g}",
                "a finite one",
                "Set smaller learning rates: --set semi_supervised.base_learning_rates=0.01",
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()
    return network


def _batches(images: int, recipe: Recipe, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the indices of every step's batch: whole epochs, each in a new order."""
    steps, size = recipe.batches(images)
    rounds = -(-steps * size // images)
    order = np.concatenate([rng.permutation(images) for _ in range(rounds)])
    return list(order[: steps * size].reshape(steps, size))


def augment(squares: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Return [N, side, side, 3] uint8, each shifted (edges repeated) and maybe flipped."""
    side = squares.shape[1]
    reach = round(recipe.shift_fraction * side)
    padded = np.pad(squares, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
    tops, lefts = rng.integers(0, 2 * reach + 1, size=(2, len(squares)))
    views = np.stack(
        [
            image[top : top + side, left : left + side]
            for image, top, left in zip(padded, tops, lefts, strict=True)
        ]
    )
    if recipe.flip:
        mirrored = rng.random(len(views)) < 0.5
        views[mirrored] = views[mirrored, :, ::-1]
    return views


def predict(
    network: "ResNet", images: ImageSource | np.ndarray, preprocessing: Preprocessing
) -> np.ndarray:
    """Return the class of each image, [N] int64, in evaluation mode.

    `images` is a source, or [N, side, side, 3] uint8 already cropped.
    """
    size, workers = batch_images(preprocessing), default_workers()

    def show(begin: int) -> np.ndarray:
        chosen = np.arange(begin, min(begin + size, len(images)))
        if isinstance(images, np.ndarray):
            return images[chosen]
        return crops(images, chosen, preprocessing)

    predicted: list[np.ndarray] = []
    starts = range(0, len(images), size)
    with arithmetic("float32"), closing(ahead(show, starts, workers, workers + 1)) as shown:
        for batch in track(shown, "scoring the fine-tuned network", len(starts)):
            logits: torch.Tensor = network(normalise(batch, preprocessing).to(device()))
            predicted.append(logits.argmax(dim=1).cpu().numpy())
    return np.concatenate(predicted).astype(np.int64)
