"""SimCLR's lists of the ImageNet training images whose labels may be used: 1 % and 10 %.

Published in google-research/simclr, imagenet_subsets/ (Apache-2.0). Every paper's 1 % and
10 % results are about these images, so any other file is refused by its hash. They are not
shipped: each is looked for under $RELICHECK_DATA/metadata and $RELICHECK_CACHE/metadata.
"""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.cache import cache_folder
from ..checkpoints.errors import BadData, MissingData, UnknownName
from .dataset import data_roots
from .image_source import ImageSource

_ADDRESS = "https://raw.githubusercontent.com/google-research/simclr/master/imagenet_subsets"


@dataclass(frozen=True, kw_only=True)
class LabelList:
    """One published list: one file name of an image per line."""

    file: str  # as its authors call it
    sha256: str  # of the text, not of a compressed copy
    images: int

    @property
    def address(self) -> str:
        """Return where it can be got."""
        return f"{_ADDRESS}/{self.file}"


LABEL_LISTS = {
    "simclr_imagenet_1percent": LabelList(
        file="1percent.txt",
        sha256="71e82a48ba78252683ae334c4d019ebd5c6e855b9599c1389fbe83eb9549cf17",
        images=12_811,
    ),
    "simclr_imagenet_10percent": LabelList(
        file="10percent.txt",
        sha256="6d09de11e7bdaf5b1f3b1f249b6183695f97310cdd20f0c03e7235b6b9392091",
        images=128_116,
    ),
}


def find_list(name: str, *roots: Path) -> Path:
    """Return the file of the list `name`, `<name>.txt` or `<name>.txt.gz`.

    Args:
        name: of `LABEL_LISTS`.
        roots: folders that hold `metadata`; none named: the data roots and the cache.

    Raises:
        UnknownName: no such list.
        MissingData: it is nowhere; the message says where to get it and where to put it.
    """
    if name not in LABEL_LISTS:
        raise UnknownName("list of labelled images", name, LABEL_LISTS)
    roots = roots or (*data_roots(), cache_folder())
    for base in roots:
        for suffix in (".txt", ".txt.gz"):
            path = base / "metadata" / f"{name}{suffix}"
            if path.is_file():
                return path
    raise MissingData(
        f"{name} is not under " + " or ".join(str(base / "metadata") for base in roots),
        f"found no {name}.txt and no {name}.txt.gz",
        f"SimCLR's {LABEL_LISTS[name].file} ({LABEL_LISTS[name].images:,} images)",
        f"relicheck fetch {name}, or get {LABEL_LISTS[name].address} and save it as "
        f"{roots[0] / 'metadata' / name}.txt; it is checked by its hash.",
    )


def read_list(name: str, *roots: Path) -> list[str]:
    """Return the file names on the list `name`, in its order; arguments as `find_list`.

    Raises:
        UnknownName, MissingData: as `find_list`.
        BadData: the file is damaged, or not the published one: its SHA-256 differs.
    """
    path = find_list(name, *roots)
    try:
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(path, f"cannot be read ({error})", "a list of file names") from error
    found, wanted = hashlib.sha256(text).hexdigest(), LABEL_LISTS[name].sha256
    if found != wanted:
        raise BadData(
            path,
            f"its SHA-256 is {found}",
            f"{wanted}, the published list's: results on other images are not comparable",
            f"Get it again: {LABEL_LISTS[name].address}",
        )
    return text.decode("ascii").split()


def indices_of(source: ImageSource, names: Sequence[str], list_name: str) -> np.ndarray:
    """Return the indices of the images called `names`, sorted, [len(names)] int64.

    An image is called by the last part of its identity, in whatever folder or tar it lies.

    Raises:
        BadData: some of them are not there: another data set, a part, or images without
            their names.
    """
    places = {
        identity.rpartition("/")[2]: index for index, identity in enumerate(source.identities)
    }
    absent = [name for name in names if name not in places]
    if absent:
        raise BadData(
            f"{source.name}, {source.split}",
            f"{len(absent):,} of the {len(names):,} images on the list {list_name} are not among "
            f"its {len(source):,} (such as {absent[0]}; here are names such as "
            f"{source.identities[0]})",
            "ImageNet's whole training split with its original file names",
            "Class folders and the official tars keep them.",
        )
    return np.sort(np.array([places[name] for name in names], dtype=np.int64))
