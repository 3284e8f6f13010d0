"""The published constants of a corruption, and which of them an image gets by its size.

Two tables are published: for ImageNet at 224 x 224 (github.com/hendrycks/robustness,
ImageNet-C/create_c/make_imagenet_c.py) and for CIFAR at 32 x 32 (make_cifar_c.py). An
image of exactly 32 x 32 gets CIFAR's, every other one ImageNet's, with lengths in pixels
scaled by its shorter side over 224. That scaling is ours: no constants are published for
other sizes but 64 and 299 pixels, and ours are not those.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

CIFAR_PX, IMAGENET_PX = 32, 224

T = TypeVar("T")


def is_cifar(image: np.ndarray) -> bool:
    """Return whether an image [height, width, 3] has CIFAR's size and so its constants."""
    return image.shape[:2] == (CIFAR_PX, CIFAR_PX)


def length_scale(image: np.ndarray) -> float:
    """Return what lengths in pixels are multiplied by: 1 at the two published sizes."""
    return 1.0 if is_cifar(image) else min(image.shape[:2]) / IMAGENET_PX


@dataclass(frozen=True)
class Constants(Generic[T]):
    """One value per severity, 1 to 5, for each of the two published sizes."""

    imagenet: tuple[T, T, T, T, T]
    cifar: tuple[T, T, T, T, T]

    def of(self, image: np.ndarray, severity: int) -> T:
        """Return the value for an image [height, width, 3] at a severity from 1 to 5."""
        return (self.cifar if is_cifar(image) else self.imagenet)[severity - 1]
