"""Linear heads of a grid of learning rates and decays, trained by SGD as one matrix.

All heads see the same features, so one product of [batch, D] with [D, heads * classes]
gives every logit, and one more every gradient. Each head is what it would be alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .provenance import device

if TYPE_CHECKING:
    import torch

# Rows whose logits are held at once: 64 MiB over all heads. No number depends on it but by
# the order of float32 sums.
_LOGIT_VALUES = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of the grid."""

    learning_rate: float  # of a step at the schedule's beginning, scaling rule applied
    weight_decay: float  # of weights and bias, as torch's SGD has it: added to the gradient


class Heads:
    """Softmax classifiers of shared features with SGD's state. They begin at zero.

    The papers' code begins at small random weights; the problem is convex, and from zero no
    number depends on one more draw.
    """

    def __init__(self, points: Sequence[Point], dim: int, classes: int, momentum: float) -> None:
        import torch

        self.points, self.dim, self.classes = tuple(points), dim, classes
        self.momentum = momentum
        shape = (dim + 1, len(points), classes)  # the last row is the bias
        self.weight = torch.zeros(shape, device=device())
        self.velocity = torch.zeros(shape, device=device())
        self.alive = np.ones(len(points), dtype=bool)
        column = (1, len(points), 1)
        self._rate = torch.tensor([p.learning_rate for p in points], device=device()).view(column)
        self._decay = torch.tensor([p.weight_decay for p in points], device=device()).view(column)

    def logits(self, features: "torch.Tensor") -> "torch.Tensor":
        """Return [N, heads, classes] float32 of [N, D] float32 features."""
        flat = self.weight.view(self.dim + 1, -1)
        return (features @ flat[:-1]).add_(flat[-1]).view(len(features), -1, self.classes)

    def gradient(
        self, features: "torch.Tensor", labels: "torch.Tensor", images: int
    ) -> "torch.Tensor":
        """Return these images' part of the gradient of a global batch's mean loss.

        The parts of a batch add up to its gradient, however it is divided: over chunks here,
        over processes elsewhere.

        Args:
            features: [n, D] float32, some images of the batch.
            labels: [n] int64.
            images: in the whole global batch.
        """
        import torch

        found = torch.zeros_like(self.weight).view(self.dim + 1, -1)
        rows = max(1, _LOGIT_VALUES // found.shape[1])
        for begin in range(0, len(features), rows):
            some, truth = features[begin : begin + rows], labels[begin : begin + rows]
            residual = torch.softmax(self.logits(some), dim=2)
            residual[torch.arange(len(some)), :, truth] -= 1
            flat = residual.view(len(some), -1)
            found[:-1].addmm_(some.T, flat)
            found[-1] += flat.sum(dim=0)
        return found.div_(images).view(self.weight.shape)

    def step(self, gradient: "torch.Tensor", share: float, nesterov: bool) -> None:
        """Take one step of SGD with momentum at `share` of each head's learning rate.

        As torch's SGD: velocity = momentum * velocity + gradient + decay * weight; the step
        is along the velocity, or with Nesterov along gradient + momentum * velocity.
        """
        gradient = gradient.addcmul_(self._decay, self.weight)
        self.velocity.mul_(self.momentum).add_(gradient)
        along = gradient.add_(self.velocity, alpha=self.momentum) if nesterov else self.velocity
        self.weight.sub_(along * (self._rate * share))

    def drop_diverged(self) -> list[int]:
        """Return the heads whose weights stopped being finite since last asked; rest them.

        A head at rest stays at zero and is no longer `alive`; the others never notice.
        """
        import torch

        finite = torch.isfinite(self.weight).all(dim=2).all(dim=0).cpu().numpy()
        lost = [int(head) for head in np.flatnonzero(self.alive & ~finite)]
        self.rest(lost)
        return lost

    def rest(self, heads: Iterable[int]) -> None:
        """Put heads at zero for good."""
        for head in map(int, heads):
            self.weight[:, head] = 0
            self.velocity[:, head] = 0
            self._rate[:, head] = 0
            self.alive[head] = False

    def right(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return which images each head gets right, [heads, N] bool; ties to the lower class."""
        import torch

        rows = max(1, _LOGIT_VALUES // (len(self.points) * self.classes))
        found = np.zeros((len(self.points), len(labels)), dtype=bool)
        for begin in range(0, len(labels), rows):
            # A copy: cached features are mapped read-only, which torch does not take.
            some = np.array(features[begin : begin + rows], dtype=np.float32)
            logits = self.logits(torch.from_numpy(some).to(device()))
            # NumPy's argmax takes the first of equals; torch's promises none.
            answers = logits.cpu().numpy().argmax(axis=2)
            found[:, begin : begin + rows] = (answers == labels[begin : begin + rows, None]).T
        return found


@dataclass(kw_only=True)
class Trained:
    """Heads after training, and what was seen on the way."""

    heads: Heads
    fitted: np.ndarray  # indices of the images trained on
    held: np.ndarray  # indices of those held out; empty where nothing is chosen
    diverged: dict[int, int] = field(default_factory=dict)  # head -> epoch, from 1
    # Which test images the best head and epoch on them got right; None: not asked for.
    best_on_test: np.ndarray | None = None
    best_on_test_said: str = ""
