"""The kinds of image source: arrays, encoded images in one array, files, tar members."""

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .image_source import ImageSource
from .images import decode, read_image

# Above this many bytes of files, names and sizes stand for the content.
STAT_BYTES = 2 << 30


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.int64))
        where = f"{self.name}, {self.split}"
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

    @cached_property
    def fingerprint(self) -> str:
        """Return the kind of digest and a SHA-256 over names, labels and content."""
        content = self.digest()
        whole = hashlib.sha256()
        for text in (*self.class_names, *self.identities, content):
            whole.update(f"{text}\n".encode(errors="surrogateescape"))
        whole.update(self.labels.astype("<i8").tobytes())
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
        digest=lambda: _sha256([str(pixels.shape).encode(), np.ascontiguousarray(pixels).data]),
        **rest,
    )


def from_encoded(content: np.ndarray, offsets: np.ndarray, where: object, **rest: Any) -> Images:
    """Return a source over image files joined in `content` [bytes] uint8.

    Image i occupies `offsets[i]:offsets[i + 1]`; `rest` as `Images`.
    """
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(content):
        raise BadData(where, "its offsets do not span its content", "a whole archive")

    def read(index: int) -> np.ndarray:
        begin, end = offsets[index : index + 2]
        return decode(content[begin:end].tobytes(), f"{where}, image {index}")

    return Images(
        identities=[str(index) for index in range(len(offsets) - 1)],
        read=read,
        digest=lambda: _sha256([content.data, np.ascontiguousarray(offsets).data]),
        **rest,
    )


def from_files(
    root: Path, paths: Sequence[Path], *, upright: bool = False, border_px: int = 0, **rest: Any
) -> Images:
    """Return a source over image files, named relative to `root`.

    Args:
        root: folder that identities are relative to.
        paths: one file per image.
        upright: as in `decode`.
        border_px: pixels cut from every side first (ObjectNet's red frame: 2).
        rest: as `Images`.
    """

    def read(index: int) -> np.ndarray:
        image = read_image(paths[index], upright=upright)
        if not border_px:
            return image
        if min(image.shape[:2]) <= 2 * border_px:
            raise BadData(paths[index], f"{image.shape[1]} x {image.shape[0]} px", "a larger image")
        return image[border_px:-border_px, border_px:-border_px]

    return Images(
        identities=[path.relative_to(root).as_posix() for path in paths],
        read=read,
        digest=lambda: _digest_of_files(paths),
        **rest,
    )


def from_tar(archive: Path, members: Sequence[str], **rest: Any) -> Images:
    """Return a source over image files inside a (compressed) tar, read once into memory."""
    contents = _members(archive, members)
    return Images(
        identities=list(members),
        read=lambda index: decode(contents[index], f"{archive}, {members[index]}"),
        digest=lambda: _sha256(contents),
        **rest,
    )


def list_tar(archive: Path) -> list[str]:
    """Return the names of the files in a tar, sorted.

    Raises:
        BadData: it is not a whole tar archive.
    """
    try:
        with tarfile.open(archive) as tar:
            return sorted(member.name for member in tar if member.isfile())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadData(
            archive, f"not a whole tar archive ({error})", todo="Fetch it again."
        ) from error


def _members(archive: Path, members: Sequence[str]) -> list[bytes]:
    wanted, found = set(members), {}
    try:
        # Streaming: random access into a compressed tar would decompress it once a file.
        with tarfile.open(archive, mode="r|*") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.name in wanted else None
                if stream is not None:
                    found[member.name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadData(
            archive, f"not a whole tar archive ({error})", todo="Fetch it again."
        ) from error
    return [found[name] for name in members]


def part(source: ImageSource, limit: int) -> ImageSource:
    """Return `limit` images spread evenly over `source`, in its order.

    Evenly, because folders are sorted by class: the first images would be one class.
    `expected` stays the whole split's size, so that a part is seen to be one.
    """
    if limit >= len(source):
        return source
    chosen = np.arange(limit) * len(source) // limit
    return Images(
        name=source.name,
        split=source.split,
        class_names=source.class_names,
        labels=source.labels[chosen],
        identities=[source.identities[int(index)] for index in chosen],
        read=lambda index: source[int(chosen[index])],
        digest=lambda: source.fingerprint,
        expected=source.expected if source.expected is not None else len(source),
    )


def _sha256(parts: Iterable[Any]) -> str:
    whole = hashlib.sha256()
    for content in parts:
        whole.update(content)
    return f"sha256:{whole.hexdigest()}"


def _digest_of_files(paths: Sequence[Path]) -> str:
    sizes = [path.stat().st_size for path in paths]
    if sum(sizes) > STAT_BYTES:
        return "stat:" + _sha256([str(sizes).encode()]).partition(":")[2]
    return _sha256(path.read_bytes() for path in paths)
