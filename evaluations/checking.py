"""Reading every image once: counts, corrupt files by name, and the hash of the content."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData, MissingData
from ..checkpoints.progress import progress_bar
from .content_hashes import recall, remember
from .dataset import datasets, is_registered, locate, open_split
from .image_source import ImageSource
from .sources import Encoded, Images, chosen


@dataclass(frozen=True, kw_only=True)
class Corrupt:
    """One image that cannot be used."""

    index: int
    identity: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SplitCheck:
    """What reading one split once has shown."""

    name: str
    split: str
    images: int
    expected: int | None
    corrupt: tuple[Corrupt, ...] = ()
    fingerprint: str = ""  # "" where a corrupt image has none
    remembered: bool = False  # whether it was read before and the files are unchanged
    problem: str = ""  # why it could not be opened

    @property
    def good(self) -> bool:
        """Whether every published image is there and can be decoded."""
        return not (self.problem or self.corrupt) and self.expected in (None, self.images)


def check(name: str, root: Path | None = None, again: bool = False) -> Iterator[SplitCheck]:
    """Yield what reading each split of a data set shows; sums of other splits are not read.

    What was read whole is remembered under its files' sizes and times: an interrupted check
    goes on with the next split, and evaluations take the content's hash as fingerprint.

    Args:
        name: a registered data set, or a folder of class folders.
        root: where data sets lie; None: the data roots.
        again: read even what is remembered.

    Raises:
        MissingData, UnknownName: there is no such data set.
    """
    registered = is_registered(name)
    known = name.partition(":")[0] if registered else name
    dataset = datasets.load(known) if registered else None
    if dataset is not None and dataset.folders:
        # Absent as a whole: one message, not one for each split.
        locate(known, root)
    for split in dataset.splits if dataset is not None else ("train", "test"):
        try:
            source = open_split(known, split, root)
        except (MissingData, BadData) as error:
            expected = dataset.splits[split] if dataset is not None else None
            yield SplitCheck(
                name=known, split=split, images=0, expected=expected, problem=str(error)
            )
            continue
        yield check_source(source, again)


def check_source(source: ImageSource, again: bool = False) -> SplitCheck:
    """Return what decoding every image of `source` shows; its content's hash is remembered.

    Args:
        source: images of a split.
        again: decode even what was found whole before.
    """
    encoded = source.encoded if isinstance(source, Images) else None
    stamp = encoded.stamp() if encoded is not None and encoded.stamp is not None else None
    if stamp is not None and recall(stamp) and not again:
        return _checked(source, (), remembered=True)
    content = hashlib.sha256()
    corrupt = []
    title = f"check of {source.name}, {source.split}"
    with progress_bar(title, len(source), "image", at_once=True) as bar:
        for index, (read, reason) in enumerate(_decoded(source, encoded)):
            content.update(read)
            if reason:
                identity = source.identities[index]
                corrupt.append(Corrupt(index=index, identity=identity, reason=reason))
            bar.update(1)
    if stamp is not None and not corrupt:
        remember(stamp, f"sha256:{content.hexdigest()}")
    return _checked(source, tuple(corrupt))


def without_corrupt(source: ImageSource) -> ImageSource:
    """Return `source` without the images that cannot be decoded; itself where all can be.

    For exploration: `skipped` names what is left out, and no claim is judged by the rest.
    Every image is decoded once for it.
    """
    encoded = source.encoded if isinstance(source, Images) else None
    with progress_bar(f"corrupt images of {source.name}", len(source), "image") as bar:
        good = []
        for _, reason in _decoded(source, encoded):
            good.append(not reason)
            bar.update(1)
    if all(good):
        return source
    kept = np.asarray(good)
    left_out = [source.identities[int(index)] for index in np.flatnonzero(~kept)]
    return chosen(source, np.flatnonzero(kept), left_out)


def _checked(
    source: ImageSource, corrupt: tuple[Corrupt, ...], remembered: bool = False
) -> SplitCheck:
    return SplitCheck(
        name=source.name,
        split=source.split,
        images=len(source),
        expected=source.expected,
        corrupt=corrupt,
        fingerprint="" if corrupt else source.fingerprint,
        remembered=remembered,
    )


def _decoded(source: ImageSource, encoded: Encoded | None) -> Iterator[tuple[bytes, str]]:
    """Yield each image's bytes and why it cannot be decoded ("": it can), in order."""

    def one(index: int) -> tuple[bytes, str]:
        content = b""
        try:
            if encoded is None:
                source[index]
            else:
                content = encoded.read(index)
                encoded.decode(content, index)
        except BadData as error:
            return content, str(error)
        return content, ""

    # Decoders release the interpreter; a few images ahead of the hash keep every core busy.
    workers = os.cpu_count() or 1
    waiting: deque[Future[tuple[bytes, str]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index in range(len(source)):
                waiting.append(pool.submit(one, index))
                if len(waiting) >= 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # After Ctrl-C nobody wants the rest.
            pool.shutdown(wait=True, cancel_futures=True)
