"""What the named protocols of linear evaluation by SGD have in common."""

import math
from dataclasses import dataclass

from ..checkpoints.errors import UsageError
from .augment import CropAndFlip
from .evaluator import Protocol
from .heads import Point


@dataclass(frozen=True, kw_only=True)
class SgdProtocol(Protocol):
    """What the named protocols of linear evaluation by SGD have in common.

    The global batch is `batch_size` whatever the device holds at once: gradients of its
    parts are added and divided once. An epoch's last batch may be smaller; a set smaller
    than the batch is one batch, and the scaling rule goes by the batch there is.

    Where the grid has one point, every training image is trained on and nothing is chosen.
    Where it has several, `held_out` images of the training set choose, and are not trained
    on. BYOL's text takes the last 10,009 images, BYOL's and ReLICv2's code the first
    10,000, in an order that is theirs; ours are drawn, an equal share of every class, and
    never more than `held_out_fraction` of a small set.
    """

    epochs: int = 100
    batch_size: int = 1024  # images, global
    base_learning_rates: tuple[float, ...] = (0.3,)  # per 256 images
    weight_decays: tuple[float, ...] = (0.0,)
    momentum: float = 0.9
    nesterov: bool = True
    schedule: str = "cosine"  # to zero: each step; or "cosine_by_epoch": constant within one
    scale_rate: bool = True  # base rate * batch / 256; False: the base rate is the rate
    augment: bool = True  # crop and flip anew each epoch; False: cached features of the images
    crop: str = "clipped"  # see augment.CropAndFlip
    crop_attempts: int = 10  # of the rules that draw again
    interpolation: str = "bicubic"  # of the training crops
    held_out: int = 10_000  # images
    held_out_fraction: float = 0.1  # of the training set, at most
    held_out_seed: int = 0
    # Report also the point and epoch that are best on the test images, flagged as such.
    select_on_test: bool = False

    def views(self) -> CropAndFlip:
        """Return what training views are drawn from."""
        return CropAndFlip(
            sampling=self.crop,  # type: ignore[arg-type]
            interpolation=self.interpolation,  # type: ignore[arg-type]
            attempts=self.crop_attempts,
        )

    def points(self, batch: int) -> list[Point]:
        """Return the grid, learning rates first, at a global batch of `batch` images."""
        scale = batch / 256 if self.scale_rate else 1.0
        return [
            Point(learning_rate=rate * scale, weight_decay=decay)
            for rate in self.base_learning_rates
            for decay in self.weight_decays
        ]

    def share(self, step: int, steps_per_epoch: int) -> float:
        """Return the share of the learning rate at a step counted from 0."""
        if self.schedule == "cosine_by_epoch":
            return 0.5 * (1 + math.cos(math.pi * (step // steps_per_epoch) / self.epochs))
        return 0.5 * (1 + math.cos(math.pi * step / (steps_per_epoch * self.epochs)))

    def describe(self, head: int) -> str:
        """Return what sets a head of the grid apart, in words."""
        decays = len(self.weight_decays)
        rate, decay = self.base_learning_rates[head // decays], self.weight_decays[head % decays]
        per = " per 256 images" if self.scale_rate else ""
        return f"base learning rate {rate:g}{per}, weight decay {decay:g}"

    def check(self) -> None:
        """Return if the fields make sense.

        Raises:
            UsageError: one does not.
        """
        rates, decays = self.base_learning_rates, self.weight_decays
        numbers = (
            min(self.epochs, self.batch_size) >= 1
            and bool(rates and decays)
            and min(rates) > 0
            and min(decays) >= 0
            and 0 <= self.momentum < 1
            and 0 < self.held_out_fraction < 1
            and self.held_out >= 1
        )
        if not numbers or self.schedule not in ("cosine", "cosine_by_epoch"):
            raise UsageError(
                self.name,
                f"epochs {self.epochs}, batch_size {self.batch_size}, base_learning_rates "
                f"{rates}, weight_decays {decays}, momentum {self.momentum}, schedule "
                f"{self.schedule!r}, held_out {self.held_out}, held_out_fraction "
                f"{self.held_out_fraction}",
                "an epoch, a batch and a learning rate, no decay below 0, momentum in [0, 1), "
                "schedule cosine or cosine_by_epoch, an image to hold out",
            )
        self.views()
