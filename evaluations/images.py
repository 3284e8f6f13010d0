"""Bytes to pixels: every image becomes [height, width, 3] uint8 or one clear message."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadData

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".gif"}
)


def is_image(path: Path) -> bool:
    """Return whether the file's name ends as an image's does, in either case."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def decode(content: bytes, where: object, *, upright: bool = False) -> np.ndarray:
    """Return the image in `content` as [height, width, 3] uint8.

    Grey, palette and CMYK images become RGB, 16-bit ones keep their upper byte, and
    alpha is dropped, as torchvision's loader does.

    Args:
        content: a whole image file.
        where: the file's name, for messages.
        upright: turn the image as its EXIF tag says. Published numbers were made
            without (neither torchvision nor TensorFlow does), so only a user's own
            folder asks for it.

    Raises:
        BadData: empty, truncated, or not an image.
    """
    from PIL import Image, ImageOps

    if not content:
        raise BadData(where, "the file is empty", "an image", "Fetch or copy it again.")
    with readable(where, "an image"), Image.open(io.BytesIO(content)) as image:
        image.load()
        turned = ImageOps.exif_transpose(image) if upright else image
        return _to_rgb(turned, where)


@contextmanager
def readable(where: object, what: str) -> Iterator[None]:
    """Open and decode a file of PIL's in this context.

    Raises:
        BadData: it is cut off, damaged, of no kind PIL knows, or a decompression bomb.
    """
    from PIL import Image

    try:
        yield
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        zlib.error,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise BadData(
            where, f"cannot be read as {what} ({error})", "a whole image", "Fetch it again."
        ) from error


def _to_rgb(image: "Image.Image", where: object) -> np.ndarray:
    if image.mode.startswith("I"):
        # PIL clips 16-bit grey at 255 when converting, which makes it all white.
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode == "F":
        raise BadData(where, "its pixels are floats", "8 or 16 bits per channel")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))


def read_image(path: Path, *, upright: bool = False) -> np.ndarray:
    """Return the image in the file `path`; as `decode`."""
    return decode(read_bytes(path), path, upright=upright)


def read_bytes(path: Path) -> bytes:
    """Return an image's file.

    Raises:
        BadData: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadData(path, f"cannot be read ({error.strerror})", "an image") from error
