"""Images in WebDataset shards: tars in which 000012.jpg and 000012.cls are one sample."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .content_hashes import stamp
from .images import is_image
from .kept_arrays import kept_arrays
from .sources import Images
from .tars import Members, from_members, index_tars

_KEEP_FROM_LABELS = 20_000


def read_shards(shards: Sequence[Path], *, label: str = "cls", **rest: Any) -> Images:
    """Return the images of uncompressed shards, read in place, in the shards' order.

    A sample's files share their name up to the first dot. Labels are whole numbers in text.

    Args:
        shards: the tars, in the order wanted.
        label: suffix of the files of labels.
        rest: as `Images`, without `labels`.

    Raises:
        BadData: an image without a label, or a label that is not a whole number.
    """
    members = index_tars(shards)
    images = [index for index, name in enumerate(members.names) if is_image(Path(name))]
    if not images:
        raise BadData(shards[0], "no image in it", f"files such as 000.jpg and 000.{label}")

    def make() -> dict[str, np.ndarray]:
        return {"labels": _labels(members, images, label)}

    # Reading a million tiny files takes a minute, and gives the same every time.
    key = stamp(shards, ["labels", label])
    labels = kept_arrays("shard_labels", key, make, keep_from=_KEEP_FROM_LABELS)["labels"]
    return from_members(members.at(images), labels=labels, **rest)


def _labels(members: Members, images: Sequence[int], suffix: str) -> np.ndarray:
    ending = f".{suffix}"
    # Keys repeat from shard to shard in some collections: the shard is part of the sample.
    of = {
        _sample(members, index): index
        for index, name in enumerate(members.names)
        if name.endswith(ending)
    }
    labels = np.empty(len(images), dtype=np.int64)
    for row, image in enumerate(images):
        index = of.get(_sample(members, image))
        if index is None:
            raise BadData(
                members.where(image),
                f"no file *{ending} goes with it",
                f"an image and its {ending} in one shard",
            )
        text = members.read(index).strip()
        if not text.isdigit():
            raise BadData(members.where(index), f"it holds {text[:20]!r}", "a whole number")
        labels[row] = int(text)
    return labels


def _sample(members: Members, index: int) -> tuple[int, str]:
    path = PurePosixPath(members.names[index])
    return int(members.archive[index]), str(path.parent / path.name.partition(".")[0])
