"""A linear head on frozen feature maps: trained on sampled pixels, applied to whole maps.

BatchNorm and a 1x1 convolution give every pixel of a map its logits, which are upsampled
bilinearly. Both are affine once the statistics are fixed, and interpolation's weights sum to
one, so logits of interpolated features are interpolated logits: training may compute just the
pixels it looks at, instead of all 172,800 of an image of 480 x 360.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checkpoints.errors import TrainingFailed
from ...checkpoints.progress import progress_bar
from ..provenance import device
from .dense import DenseFeatures
from .masks import IGNORE

if TYPE_CHECKING:
    import torch

_BN_EPSILON, _BN_MOMENTUM = 1e-5, 0.1  # torch's
_INITIAL_DEVIATION = 0.01  # of the classifier's weights, mmsegmentation's


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a head is trained."""

    steps: int
    batch_size: int  # images
    pixels_per_image: int  # drawn with replacement, anew at each step
    learning_rate: float  # AdamW's, after warm-up
    weight_decay: float
    warmup_steps: int

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0: linear warm-up, linear decay to 0.

        mmcv's PolyLrUpdater with power 1: the warm-up multiplies what decay would give.
        """
        decayed = self.learning_rate * (1 - step / self.steps)
        return decayed * min(1.0, (step + 1) / max(self.warmup_steps, 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearHead:
    """A trained head with BatchNorm folded into it."""

    weight: np.ndarray  # [classes, D] float32
    bias: np.ndarray  # [classes] float32

    def predict(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the class of every pixel, [H, W] uint8; of equals the lowest.

        Args:
            features: [h, w, D] float32, an image's map.
            size: (H, W) of the mask that is asked for.
        """
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            weight, bias = (torch.from_numpy(a).to(device()) for a in (self.weight, self.bias))
            # A memory map is read-only, and torch would warn of that.
            pixels = torch.from_numpy(np.array(features)).to(device())
            logits = (pixels @ weight.T + bias).permute(2, 0, 1)[None]
            large = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
            return np.asarray(large[0].argmax(dim=0).to(torch.uint8).cpu().numpy())


def train_head(
    features: DenseFeatures,
    mask_of: Callable[[int], np.ndarray],
    classes: int,
    recipe: Recipe,
    seed: int,
) -> LinearHead:
    """Return a head trained to give pixels their classes; 255 is not trained on.

    Args:
        features: the training images' maps.
        mask_of: image -> its mask [H, W] uint8.
        classes: how many.
        recipe: how.
        seed: of the initial weights, the order of images, and the pixels drawn.

    Raises:
        TrainingFailed: the loss is not finite.
    """
    import torch
    from torch.nn import functional

    rng = np.random.default_rng(seed)
    dim = features.rows.shape[1]
    first = (_INITIAL_DEVIATION * rng.standard_normal((classes, dim))).astype(np.float32)
    norm = torch.nn.BatchNorm1d(dim, eps=_BN_EPSILON, momentum=_BN_MOMENTUM).to(device())
    linear = torch.nn.Linear(dim, classes).to(device())
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(first))
        linear.bias.zero_()
    parameters = [*norm.parameters(), *linear.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    order = _Order(len(features), rng)
    with progress_bar("linear head", recipe.steps) as bar:
        for step in range(recipe.steps):
            drawn, truth = _draw(features, mask_of, order.take(recipe.batch_size), recipe, rng)
            bar.update(1)
            if len(truth) < 2:
                continue  # nothing but pixels without a class, which BatchNorm cannot take
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(step)
            logits = linear(norm(torch.from_numpy(drawn).to(device())))
            loss = functional.cross_entropy(logits, torch.from_numpy(truth).to(device()))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    head = _folded(norm, linear)
    if not (np.isfinite(head.weight).all() and np.isfinite(head.bias).all()):
        raise TrainingFailed("linear head", "the loss is not finite", "a smaller learning_rate")
    return head


class _Order:
    """Images in random order, each once before any a second time."""

    def __init__(self, images: int, rng: np.random.Generator) -> None:
        self._images, self._rng = images, rng
        self._left: list[int] = []

    def take(self, count: int) -> list[int]:
        while len(self._left) < count:
            self._left += self._rng.permutation(self._images).tolist()
        taken, self._left = self._left[:count], self._left[count:]
        return taken


def _draw(
    features: DenseFeatures,
    mask_of: Callable[[int], np.ndarray],
    images: list[int],
    recipe: Recipe,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (features [R, D] float32, classes [R] int64) of labelled pixels of some images."""
    drawn, truth = [], []
    for image in images:
        mask = mask_of(image)
        pixels = rng.integers(mask.size, size=recipe.pixels_per_image)
        labels = mask.ravel()[pixels]
        pixels = pixels[labels != IGNORE]
        drawn.append(features.at(image, pixels, (mask.shape[0], mask.shape[1])))
        truth.append(labels[labels != IGNORE])
    return np.concatenate(drawn), np.concatenate(truth).astype(np.int64)


def _folded(norm: "torch.nn.BatchNorm1d", linear: "torch.nn.Linear") -> LinearHead:
    """Return the head that one affine map is: W (gamma (x - mean) / deviation + beta) + b."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + _BN_EPSILON).sqrt()
    weight = linear.weight * scale
    bias = linear.bias + linear.weight @ (norm.bias - norm.running_mean * scale)
    return LinearHead(
        weight=weight.detach().cpu().numpy().astype(np.float32),
        bias=bias.detach().cpu().numpy().astype(np.float32),
    )
