"""uint8 images to the float tensors a network was made for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.spec import Preprocessing
from .image_source import ImageSource
from .provenance import device

if TYPE_CHECKING:
    import torch


def crop(image: np.ndarray, preprocessing: Preprocessing, where: object = "image") -> np.ndarray:
    """Return the square of `image` that the network sees, [side, side, 3] uint8.

    Shorter side to `preprocessing.resize` with PIL, then the centre: torchvision's
    Resize and CenterCrop, roundings included.

    Args:
        image: [height, width, 3] uint8.
        preprocessing: of the checkpoint.
        where: the image's name, for messages.

    Raises:
        BadData: the image is smaller than the network's input and no resize is set.
    """
    side = preprocessing.image_size
    if preprocessing.resize is not None:
        image = _resize(image, preprocessing.resize, preprocessing.interpolation)
    height, width = image.shape[:2]
    if min(height, width) < side:
        raise BadData(
            where,
            f"{width} x {height} px",
            f"at least {side} x {side}: the checkpoint's preprocessing crops and does not resize",
            "Enlarge the images, or give the checkpoint a resize in its manifest.",
        )
    top, left = round((height - side) / 2), round((width - side) / 2)
    return image[top : top + side, left : left + side]


def crops(source: ImageSource, indices: Iterable[int], preprocessing: Preprocessing) -> np.ndarray:
    """Return the squares of some images of `source`, [N, side, side, 3] uint8; as `crop`."""
    squares = []
    for index in indices:
        where = f"{source.name}, {source.split}, image {source.identities[index]}"
        squares.append(crop(source[index], preprocessing, where))
    return np.stack(squares)


def _resize(image: np.ndarray, shorter: int, interpolation: str) -> np.ndarray:
    from PIL import Image

    height, width = image.shape[:2]
    if min(height, width) == shorter:
        return image
    longer = int(shorter * max(height, width) / min(height, width))
    size = (longer, shorter) if width > height else (shorter, longer)
    method = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    return np.asarray(Image.fromarray(image).resize(size, method[interpolation]))


def batch_images(preprocessing: Preprocessing) -> int:
    """Return how many images go through a network at once, when only evaluating.

    Small batches keep the activations of a narrow network in a processor's cache:
    128 images of 16 x 16 were 1.8 times as fast as 4,096.
    """
    if device() == "cuda":
        return 256
    fitting = (1 << 16) // preprocessing.image_size**2
    # A power of two, so that whole batches make up a shard.
    return int(np.clip(1 << max(fitting, 1).bit_length() - 1, 16, 256))


def normalise(
    batch: np.ndarray, preprocessing: Preprocessing, device: str = "cpu"
) -> "torch.Tensor":
    """Return [N, 3, side, side] float32 in channels_last from [N, side, side, 3] uint8.

    Computed on `device`, which the bytes travel to: a quarter of what floats would be.
    """
    import torch

    images, height, width, channels = batch.shape
    pixels = torch.from_numpy(np.ascontiguousarray(batch))
    if device == "cuda":
        # From pinned memory, so that the copy is queued behind the batch that runs, not waited for.
        pixels = pixels.pin_memory()
    pixels = pixels.to(device, non_blocking=True)
    # In rows of all columns and channels: over three channels alone nothing is vectorised, which
    # took six times as long. In place, because fresh memory costs more than the arithmetic.
    values = pixels.view(images, height, width * channels).float()
    mean = torch.tensor(preprocessing.mean, device=device).repeat(width)
    std = torch.tensor(preprocessing.std, device=device).repeat(width)
    # Division before subtraction, as torchvision's ToTensor and Normalize do it.
    values.div_(255).sub_(mean).div_(std)
    inputs = values.view(images, height, width, channels).permute(0, 3, 1, 2)
    return inputs.contiguous(memory_format=torch.channels_last)
