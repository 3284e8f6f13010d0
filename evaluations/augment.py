"""Random crops and flips for training, each drawn from seed, epoch and image alone.

So a view is the same whatever the batch, the order of the images or the number of
workers. Images go in and come out as uint8: normalising is for whoever feeds a network.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from ..checkpoints.errors import BadData, UsageError
from .image_source import ImageSource

Sampling = Literal["clipped", "torchvision", "tensorflow"]
Interpolation = Literal["bicubic", "bilinear"]

# Keeps these draws apart from every other use of the same seed.
_STREAM = 0xC409


class Box(NamedTuple):
    """A rectangle of an image, in whole pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, kw_only=True)
class CropAndFlip:
    """Random-resized crop and horizontal flip: the training view of linear evaluation.

    `sampling` is how the box is drawn. They differ in the distribution of areas:

    - `clipped`: BYOL's and ReLICv2's released code (`utils/dataset.py`). Area uniform,
      aspect log-uniform, drawn once; a side that would leave the image is cut to it.
    - `torchvision`: `RandomResizedCrop`, of SwAV and most torch code. The same draws, but
      a box that would leave the image is drawn again, up to `attempts` (10) times; then
      the centre, at the nearest aspect allowed.
    - `tensorflow`: `sample_distorted_bounding_box`, of SimCLR's code. Aspect uniform and
      *height* uniform between those of the extreme areas, boxes below `least_covered` of
      the image drawn again up to `attempts` (100) times, then the whole image.

    Resizing is PIL's, whose kernel widens when it shrinks an image, as in evaluation here
    and in torchvision; TensorFlow's default skips pixels, a difference of ours from BYOL's,
    ReLICv2's and SimCLR's code. Values stay within [0, 255], as their clipping keeps them.
    """

    area: tuple[float, float] = (0.08, 1.0)  # fraction of the image's
    aspect: tuple[float, float] = (3 / 4, 4 / 3)  # width over height
    flip: float = 0.5  # probability
    sampling: Sampling = "clipped"
    interpolation: Interpolation = "bicubic"
    attempts: int = 10  # of `torchvision` and `tensorflow`
    least_covered: float = 0.1  # of `tensorflow`: smallest fraction of the image

    def __post_init__(self) -> None:
        (small, large), (narrow, wide) = self.area, self.aspect
        if (
            not 0 < small <= large <= 1
            or not 0 < narrow <= wide
            or not 0 <= self.flip <= 1
            or self.attempts < 1
        ):
            raise UsageError(
                "CropAndFlip",
                f"area {self.area}, aspect {self.aspect}, flip {self.flip}, "
                f"attempts {self.attempts}",
                "ranges from low to high, areas in (0, 1], flip in [0, 1], an attempt",
            )
        for value, known in (
            (self.sampling, get_args(Sampling)),
            (self.interpolation, get_args(Interpolation)),
        ):
            if value not in known:
                raise UsageError("CropAndFlip", repr(value), f"one of {', '.join(known)}")


def draw(height: int, width: int, views: CropAndFlip, rng: np.random.Generator) -> Box:
    """Return the box that `rng` draws in an image of `height` x `width` pixels."""
    if views.sampling == "tensorflow":
        return _tensorflow(height, width, views, rng)
    if views.sampling == "torchvision":
        return _torchvision(height, width, views, rng)
    rows, columns = _sides(height * width, views, rng)
    rows, columns = min(max(rows, 1), height), min(max(columns, 1), width)
    return _placed(height, width, rows, columns, rng)


def view(
    image: np.ndarray,
    side: int,
    views: CropAndFlip,
    *,
    seed: int,
    epoch: int,
    index: int,
    where: object = "image",
) -> np.ndarray:
    """Return the training view of one image, [side, side, 3] uint8.

    Args:
        image: [height, width, 3] uint8, as the data set has it.
        side: of the network's input, in pixels.
        views: what to draw.
        seed: of the run.
        epoch: counted from 0.
        index: of the image in its split.
        where: the image's name, for messages.

    Raises:
        BadData: not [height, width, 3] uint8.
    """
    from PIL import Image

    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise BadData(where, f"shape {image.shape}, {image.dtype}", "[height, width, 3] uint8")
    rng = np.random.default_rng([_STREAM, seed, epoch, index])
    height, width, _ = image.shape
    box = draw(height, width, views, rng)
    cut = image[box.top : box.top + box.height, box.left : box.left + box.width]
    if cut.shape[:2] != (side, side):
        method = Image.Resampling[views.interpolation.upper()]
        cut = np.asarray(Image.fromarray(cut).resize((side, side), method))
    if rng.random() < views.flip:
        cut = cut[:, ::-1]
    return np.ascontiguousarray(cut)


def views_of(
    source: ImageSource,
    indices: Iterable[int],
    side: int,
    views: CropAndFlip,
    *,
    seed: int,
    epoch: int,
) -> np.ndarray:
    """Return the views of some images of `source`, [N, side, side, 3] uint8; as `view`."""
    squares = [
        view(
            source[int(index)],
            side,
            views,
            seed=seed,
            epoch=epoch,
            index=int(index),
            where=f"{source.name}, {source.split}, image {source.identities[int(index)]}",
        )
        for index in indices
    ]
    return np.stack(squares) if squares else np.zeros((0, side, side, 3), np.uint8)


def _sides(pixels: int, views: CropAndFlip, rng: np.random.Generator) -> tuple[int, int]:
    """Return height and width: area uniform, aspect log-uniform."""
    area = pixels * rng.uniform(*views.area)
    aspect = math.exp(rng.uniform(math.log(views.aspect[0]), math.log(views.aspect[1])))
    return round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))


def _placed(height: int, width: int, rows: int, columns: int, rng: np.random.Generator) -> Box:
    top = int(rng.integers(0, height - rows + 1))
    left = int(rng.integers(0, width - columns + 1))
    return Box(top, left, rows, columns)


def _torchvision(height: int, width: int, views: CropAndFlip, rng: np.random.Generator) -> Box:
    for _ in range(views.attempts):
        rows, columns = _sides(height * width, views, rng)
        if 0 < rows <= height and 0 < columns <= width:
            return _placed(height, width, rows, columns, rng)
    narrow, wide = views.aspect
    rows, columns = height, width
    if width / height < narrow:
        rows = min(round(width / narrow), height)
    elif width / height > wide:
        columns = min(round(height * wide), width)
    return Box((height - rows) // 2, (width - columns) // 2, rows, columns)


def _tensorflow(height: int, width: int, views: CropAndFlip, rng: np.random.Generator) -> Box:
    pixels = height * width
    least, most = views.area[0] * pixels, views.area[1] * pixels
    for _ in range(views.attempts):
        aspect = rng.uniform(*views.aspect)
        # The tallest box of this aspect that fits beside the largest area.
        highest = min(round(math.sqrt(most / aspect)), height)
        while highest > 0 and round(highest * aspect) > width:
            highest -= 1
        lowest = min(round(math.sqrt(least / aspect)), highest)
        rows = int(rng.integers(lowest, highest + 1))
        columns = round(rows * aspect)
        # Rounding may leave the range of areas by a row, which is given or taken once.
        if rows * columns < least:
            rows += 1
        elif rows * columns > most:
            rows -= 1
        columns = round(rows * aspect)
        fits = 0 < rows <= height and 0 < columns <= width
        floor = max(least, views.least_covered * pixels)
        if fits and floor <= rows * columns <= most:
            # TensorFlow never takes the last offset; where there is none to take, the first.
            top = int(rng.integers(0, max(height - rows, 1)))
            left = int(rng.integers(0, max(width - columns, 1)))
            return Box(top, left, rows, columns)
    return Box(0, 0, height, width)
