"""Masks: the file that gives every pixel of an image its class, read and checked.

A mask is a picture of numbers. Its modes are a trap: a palette PNG (PASCAL VOC) shows colours
and holds indices, so it must never go through a conversion to RGB.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np

from ...checkpoints.errors import BadData
from ..images import readable

# Pixels of this value have no class: they are neither trained on nor scored.
IGNORE = 255

Colour = tuple[int, int, int]


def decode_mask(content: bytes, where: object) -> np.ndarray:
    """Return the numbers that a mask's file holds: [H, W] int64, or [H, W, 3] uint8 of colours.

    Palette images give their indices, not their colours.

    Args:
        content: a whole image file.
        where: its name, for messages.

    Raises:
        BadData: empty, truncated, or of a kind that no mask is.
    """
    from PIL import Image

    if not content:
        raise BadData(where, "the file is empty", "a mask", "Fetch or copy it again.")
    with readable(where, "a mask"), Image.open(io.BytesIO(content)) as image:
        image.load()
        if image.mode in ("P", "L", "1", "I", "I;16", "I;16B"):
            return np.asarray(image).astype(np.int64)
        if image.mode in ("RGB", "RGBA"):
            return np.asarray(image.convert("RGB"))
        mode = image.mode
    raise BadData(where, f"a picture of mode {mode}", "indices (PNG of mode P or L)")


def relabel(values: np.ndarray, labels: Mapping[int, int], where: object) -> np.ndarray:
    """Return the classes [H, W] uint8 of a mask's numbers; 255 where none is scored.

    Args:
        values: [H, W] integers, as the file has them.
        labels: every number that may occur, to its class or to 255.
        where: the mask's name, for messages.

    Raises:
        BadData: a number that `labels` does not know; the message gives it and its place.
    """
    low, high = min(labels), max(labels)
    # One look-up for every pixel; -1 marks the numbers in between that nobody declared.
    table = np.full(high - low + 1, -1, dtype=np.int16)
    for value, label in labels.items():
        table[value - low] = label
    inside = (values >= low) & (values <= high)
    found = np.where(inside, table[np.where(inside, values - low, 0)], np.int16(-1))
    unknown = found < 0
    if unknown.any():
        row, column = (int(axis[0]) for axis in np.nonzero(unknown))
        raise BadData(
            where,
            f"pixel value {int(values[row, column])} at row {row}, column {column} "
            f"({int(np.count_nonzero(unknown)):,} pixels of unknown values)",
            _known(labels),
        )
    return found.astype(np.uint8)


def relabel_colours(pixels: np.ndarray, colours: Mapping[Colour, int], where: object) -> np.ndarray:
    """Return the classes [H, W] uint8 of a coloured mask [H, W, 3] uint8; as `relabel`."""
    if not colours:
        raise BadData(
            where,
            "a picture of colours (RGB)",
            "class indices: a PNG of mode P or L, one number for each pixel",
            "Take the masks of indices, or name each class's colour.",
        )
    codes = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    known = {(r << 16) + (g << 8) + b: label for (r, g, b), label in colours.items()}
    order = np.array(sorted(known))
    place = np.searchsorted(order, codes).clip(max=len(order) - 1)
    unknown = order[place] != codes
    if unknown.any():
        row, column = (int(axis[0]) for axis in np.nonzero(unknown))
        raise BadData(
            where,
            f"colour {tuple(int(c) for c in pixels[row, column])} at row {row}, column {column} "
            f"({int(np.count_nonzero(unknown)):,} pixels of unknown colours)",
            f"one of {len(known)} colours, such as {next(iter(colours))}",
        )
    table = np.array([known[int(code)] for code in order], dtype=np.uint8)
    return np.asarray(table[place])


def size_of(content: bytes, where: object) -> tuple[int, int]:
    """Return (height, width) of an image from its header, without decoding it.

    Raises:
        BadData: it is not an image.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.height, image.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadData(where, f"cannot be read as an image ({error})", "a whole image") from error


def check_size(mask: np.ndarray, size: tuple[int, int], where: object) -> None:
    """Return if a mask has its image's size (height, width).

    Raises:
        BadData: it has not; both sizes are given.
    """
    if mask.shape != size:
        raise BadData(
            where,
            f"a mask of {mask.shape[1]} x {mask.shape[0]} px",
            f"{size[1]} x {size[0]} px, the size of its image",
            "Masks are never resized: interpolated classes are none.",
        )


def distinct_colours(count: int) -> tuple[Colour, ...]:
    """Return `count` colours by PASCAL VOC's rule: a class's bits spread over R, G and B.

    Class 0 is black. VOC devkit, VOClabelcolormap.

    >>> distinct_colours(4)
    ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0))
    """
    return tuple(_colour(index) for index in range(count))


def _colour(index: int) -> Colour:
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (index >> channel & 1) << (7 - place)
        index >>= 3
    return channels[0], channels[1], channels[2]


def _known(labels: Mapping[int, int]) -> str:
    scored = sorted(value for value, label in labels.items() if label != IGNORE)
    ignored = sorted(value for value, label in labels.items() if label == IGNORE)
    text = f"{_ranges(scored)} for the {len(set(labels.values()) - {IGNORE})} classes"
    return f"{text}, {_ranges(ignored)} for pixels without one" if ignored else text


def _ranges(values: Sequence[int]) -> str:
    """Return sorted numbers as people write them: `0 to 10, 12`."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ", ".join(f"{p[0]} to {p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
