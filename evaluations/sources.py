"""The kinds of image source: arrays, encoded images in one array, files; see also `tars`."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .content_hashes import recall, stamp
from .image_source import ImageSource, masks_of, skipped_of, targets_of
from .images import decode, read_bytes

# Above this many bytes of files, names and sizes stand for the content.
STAT_BYTES = 2 << 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """Images as bytes of files, for those who hash and decode them in one pass."""

    read: Callable[[int], bytes]  # index -> the image's file
    decode: Callable[[bytes, int], np.ndarray]  # (file, index) -> [height, width, 3] uint8
    # What the files on disk are known by without being read; None: they are in memory.
    stamp: Callable[[], str] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """An `ImageSource` made of its parts."""

    name: str
    split: str
    labels: np.ndarray  # [N] int64
    identities: Sequence[str]
    class_names: tuple[str, ...]
    read: Callable[[int], np.ndarray]  # index -> [height, width, 3] uint8
    digest: Callable[[], str]  # of the content: "sha256:..." or "stat:..."
    expected: int | None = None
    # Where an image may show several classes: [N, classes] int8, 1 shown, 0 not, -1 neither
    # counted as right nor as wrong. `labels` is then the first class that is shown.
    targets: np.ndarray | None = None
    # Where every pixel has a class: index -> [height, width] uint8, as `masks_of` says.
    mask: Callable[[int], np.ndarray] | None = None
    encoded: Encoded | None = None  # where images lie encoded; None: pixels as they are
    skipped: tuple[str, ...] = ()  # identities of corrupt images left out of it

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.int64))
        where = f"{self.name}, {self.split}"
        if self.targets is not None:
            wanted = (len(self.labels), len(self.class_names))
            assert self.targets.shape == wanted, where
            assert self.targets.dtype == np.int8, where
        if len(self.labels) == 0:
            raise BadData(where, "it holds no image", "at least one")
        if len(self.labels) != len(self.identities):
            raise BadData(
                where,
                f"{len(self.labels)} labels for {len(self.identities)} images",
                "one label for each image",
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.class_names):
            raise BadData(
                where,
                f"labels from {low} to {high}",
                f"labels from 0 to {len(self.class_names) - 1}: there are "
                f"{len(self.class_names)} classes",
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.read(index)

    def named(self, identities: Sequence[str]) -> "Images":
        """Return the same images under other names, one for each."""
        return replace(self, identities=identities)

    @cached_property
    def fingerprint(self) -> str:
        """Return the kind of digest and a SHA-256 over names, labels and content."""
        content = self.digest()
        whole = hashlib.sha256()
        for text in (*self.class_names, *self.identities, content):
            whole.update(f"{text}\n".encode(errors="surrogateescape"))
        whole.update(self.labels.astype("<i8").tobytes())
        if self.targets is not None:
            whole.update(self.targets.tobytes())
        return f"{content.partition(':')[0]}:{whole.hexdigest()}"


def from_arrays(pixels: np.ndarray, *, identities: Sequence[str] = (), **rest: Any) -> Images:
    """Return a source over `pixels` [N, height, width, 3] uint8; `rest` as `Images`."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise BadData(
            rest.get("name", "images"),
            f"pixels of shape {pixels.shape} and type {pixels.dtype}",
            "[N, height, width, 3] uint8",
        )
    return Images(
        identities=identities or [str(index) for index in range(len(pixels))],
        read=lambda index: pixels[index],
        digest=lambda: sha256_of([str(pixels.shape).encode(), np.ascontiguousarray(pixels).data]),
        **rest,
    )


def from_encoded(content: np.ndarray, offsets: np.ndarray, where: object, **rest: Any) -> Images:
    """Return a source over image files joined in `content` [bytes] uint8.

    Image i occupies `offsets[i]:offsets[i + 1]`; `rest` as `Images`.
    """
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(content):
        raise BadData(where, "its offsets do not span its content", "a whole archive")

    return from_bytes(
        lambda index: content[slice(*offsets[index : index + 2])].tobytes(),
        lambda index: f"{where}, image {index}",
        identities=[str(index) for index in range(len(offsets) - 1)],
        digest=lambda: sha256_of([content.data, np.ascontiguousarray(offsets).data]),
        **rest,
    )


def from_bytes(
    read: Callable[[int], bytes],
    where: Callable[[int], object],
    *,
    stamp: Callable[[], str] | None = None,
    upright: bool = False,
    **rest: Any,
) -> Images:
    """Return a source over encoded images, whatever they are kept in.

    Args:
        read: index -> an image's file.
        where: index -> its name, for messages.
        stamp: as in `Encoded`.
        upright: as in `decode`.
        rest: as `Images`.
    """

    def to_pixels(content: bytes, index: int) -> np.ndarray:
        return decode(content, where(index), upright=upright)

    return Images(
        read=lambda index: to_pixels(read(index), index),
        encoded=Encoded(read=read, decode=to_pixels, stamp=stamp),
        **rest,
    )


def from_files(root: Path, paths: Sequence[Path], *, upright: bool = False, **rest: Any) -> Images:
    """Return a source over image files, named relative to `root`.

    Args:
        root: folder that identities are relative to.
        paths: one file per image.
        upright: as in `decode`.
        rest: as `Images`.
    """

    return from_bytes(
        lambda index: read_bytes(paths[index]),
        lambda index: paths[index],
        stamp=lambda: stamp(paths),
        upright=upright,
        identities=[path.relative_to(root).as_posix() for path in paths],
        digest=lambda: _digest_of_files(paths),
        **rest,
    )


def part(source: ImageSource, limit: int) -> ImageSource:
    """Return `limit` images spread evenly over `source`, in its order.

    Evenly, because folders are sorted by class: the first images would be one class.
    `expected` stays the whole split's size, so that a part is seen to be one.
    """
    if limit >= len(source):
        return source
    return chosen(source, np.arange(limit) * len(source) // limit)


def chosen(source: ImageSource, indices: np.ndarray, skipped: Sequence[str] = ()) -> Images:
    """Return the images of `source` at `indices`; `expected` stays the whole split's size.

    Args:
        source: any images.
        indices: [M] integers, in the order wanted.
        skipped: identities of the corrupt images that are left out so.
    """
    targets, mask = targets_of(source), masks_of(source)
    return Images(
        name=source.name,
        split=source.split,
        class_names=source.class_names,
        labels=source.labels[indices],
        targets=None if targets is None else targets[indices],
        identities=[source.identities[int(index)] for index in indices],
        read=lambda index: source[int(indices[index])],
        mask=None if mask is None else lambda index: mask(int(indices[index])),
        digest=lambda: source.fingerprint,
        expected=source.expected if source.expected is not None else len(source),
        skipped=(*skipped_of(source), *skipped),
    )


def sha256_of(parts: Iterable[Any]) -> str:
    """Return `sha256:...` over contents in their order."""
    whole = hashlib.sha256()
    for content in parts:
        whole.update(content)
    return f"sha256:{whole.hexdigest()}"


def digest_or_sizes(
    sizes: Sequence[int], known_by: Callable[[], str], contents: Callable[[], Iterable[Any]]
) -> str:
    """Return `sha256:...` of what is small or was checked; `stat:...` over sizes of the rest.

    Args:
        sizes: bytes of each image's file.
        known_by: the stamp under which `relicheck data check` remembers a hash.
        contents: the files, read only where they are small.
    """
    if sum(sizes) <= STAT_BYTES:
        return sha256_of(contents())
    sizes_alone = "stat:" + sha256_of([str(list(sizes)).encode()]).partition(":")[2]
    return recall(known_by()) or sizes_alone


def _digest_of_files(paths: Sequence[Path]) -> str:
    sizes = [path.stat().st_size for path in paths]
    return digest_or_sizes(
        sizes, lambda: stamp(paths), lambda: (path.read_bytes() for path in paths)
    )
