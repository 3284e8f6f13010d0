"""Images paired with their masks: in folders, or in place in one tar archive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ...checkpoints.cache import cache_folder
from ...checkpoints.errors import BadData
from ...checkpoints.files import write_bytes
from ..content_hashes import stamp
from ..images import SUFFIXES, decode, read_bytes
from ..sources import Encoded, Images, digest_or_sizes
from ..tars import read_members
from .masks import check_size, size_of

_LENGTH_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One image and its mask, by their names under a folder or inside an archive."""

    identity: str
    image: str
    mask: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The files of one split, sorted by identity."""

    pairs: Sequence[Pair]
    archive: Path | None = None  # the tar they lie in; None: files under the folder


def paired(images: Mapping[str, str], masks: Mapping[str, str], where: object) -> list[Pair]:
    """Return the pairs of a split, sorted by identity.

    Args:
        images: identity -> the image's name.
        masks: identity -> the mask's name.
        where: what they are of, for messages.

    Raises:
        BadData: an image without a mask, or a mask without an image; the first is named.
    """
    for kind, other, these, those in (
        ("images", "mask", images, masks),
        ("masks", "image", masks, images),
    ):
        if alone := sorted(set(these) - set(those)):
            raise BadData(
                where,
                f"{len(alone)} of {len(these)} {kind} have no {other}, such as {these[alone[0]]}",
                "one mask for each image, of the same name",
                "Unpack the archives again, or take the odd files away.",
            )
    return [Pair(identity=i, image=images[i], mask=masks[i]) for i in sorted(images)]


def by_stem(names: Sequence[str], folder: str, ending: str = "") -> dict[str, str]:
    """Return stem -> name of the images of `names` that lie in `folder` and end so.

    >>> by_stem(["train/masks/a.png", "train/masks/notes.txt", "val/masks/a.png"], "train/masks")
    {'a': 'train/masks/a.png'}
    """
    found = {}
    for name in names:
        path = PurePosixPath(name)
        if path.parent.as_posix() != folder or path.name.startswith("."):
            continue
        if name.endswith(ending) if ending else path.suffix.lower() in SUFFIXES:
            stem = path.name.removesuffix(ending) if ending else path.stem
            found[stem] = name
    return found


def names_in(root: Path, folder: str) -> list[str]:
    """Return the names of the files in `root`/`folder`, relative to `root`, sorted."""
    inner = root / folder
    if not inner.is_dir():
        return []
    return sorted(f"{folder}/{file.name}" for file in inner.iterdir() if file.is_file())


def masked_images(
    listing: Listing,
    folder: Path,
    classes_of: Callable[[bytes, object], np.ndarray],
    **rest: Any,
) -> Images:
    """Return the images of a listing with their masks; `rest` as `Images`.

    An image's mask is checked against its size whenever it is read.

    Args:
        listing: what there is.
        folder: that its names are relative to.
        classes_of: (content of a mask's file, its name) -> [H, W] uint8.
    """
    pairs = listing.pairs
    image_at, mask_at, where, files = _readers(listing, folder)

    def mask(index: int) -> np.ndarray:
        return _checked(image_at(index), mask_at(index), index)

    def _checked(image: bytes, content: bytes, index: int) -> np.ndarray:
        name = where(pairs[index].mask)
        found = classes_of(content, name)
        check_size(found, size_of(image, where(pairs[index].image)), name)
        return found

    def both(index: int) -> bytes:
        image = image_at(index)
        return len(image).to_bytes(_LENGTH_BYTES, "big") + image + mask_at(index)

    def decode_both(content: bytes, index: int) -> np.ndarray:
        end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")
        image = content[_LENGTH_BYTES:end]
        _checked(image, content[end:], index)
        return decode(image, where(pairs[index].image))

    def known_by() -> str:
        return stamp(files, [name for pair in pairs for name in (pair.image, pair.mask)])

    def digest() -> str:
        sizes = [file.stat().st_size for file in files]
        return digest_or_sizes(sizes, known_by, lambda: (both(i) for i in range(len(pairs))))

    return Images(
        labels=np.zeros(len(pairs), dtype=np.int64),  # of whole images there are none
        identities=[pair.identity for pair in pairs],
        read=lambda index: decode(image_at(index), where(pairs[index].image)),
        mask=mask,
        digest=digest,
        encoded=Encoded(read=both, decode=decode_both, stamp=known_by),
        **rest,
    )


def unpacked(listing: Listing, folder: Path) -> list[tuple[Path, Path]]:
    """Return (image, mask) files of a listing; an archive's are unpacked once into the cache.

    Raises:
        BadData: the archive is damaged, or the cache cannot be written.
    """
    root = folder
    if listing.archive is not None:
        root = cache_folder() / "unpacked" / stamp([listing.archive])[:16]
        names = [name for pair in listing.pairs for name in (pair.image, pair.mask)]
        absent = [name for name in names if not (root / name).is_file()]
        for name, content in zip(absent, read_members(listing.archive, absent), strict=True):
            write_bytes(root / name, content)
    return [(root / pair.image, root / pair.mask) for pair in listing.pairs]


def _readers(
    listing: Listing, folder: Path
) -> tuple[Callable[[int], bytes], Callable[[int], bytes], Callable[[str], object], Sequence[Path]]:
    """Return (image's bytes, mask's bytes, a name for messages, the files on disk)."""
    pairs, archive = listing.pairs, listing.archive
    if archive is None:
        files = [folder / name for pair in pairs for name in (pair.image, pair.mask)]
        absent = [file for file in files if not file.is_file()]
        if absent:
            raise BadData(
                absent[0],
                f"there is no such file; {len(absent)} of {len(files)} are missing",
                "an image and a mask for each name that is listed",
                "Unpack the archives again.",
            )
        return (
            lambda index: read_bytes(files[2 * index]),
            lambda index: read_bytes(files[2 * index + 1]),
            lambda name: folder / name,
            files,
        )
    names = [name for pair in pairs for name in (pair.image, pair.mask)]
    contents = read_members(archive, names)
    return (
        lambda index: contents[2 * index],
        lambda index: contents[2 * index + 1],
        lambda name: f"{archive}, {name}",
        [archive],
    )
