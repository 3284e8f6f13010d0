"""A user's own images packed: WebDataset shards, Parquet files or arrays instead of folders.

Each split is named by its files: train-000.tar, test-*.parquet, test.npz. Classes are named in
classes.txt, one a line in the order of the labels; Parquet files of Hugging Face name them
themselves, and an .npz may hold them as `classes`. As in a user's own folders, images are
turned as their EXIF tags say.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .lists import read_lines
from .parquet import class_label_names, read_parquet
from .prediction_files import integers, read_arrays
from .sources import Images, from_arrays
from .webdataset import read_shards

CLASSES_FILE = "classes.txt"
_SUFFIXES = (".tar", ".parquet", ".npz")


def open_packed(folder: Path, words: Sequence[str], **rest: Any) -> Images | None:
    """Return the images of the packed files whose names hold one of `words`; None: no such file.

    Args:
        folder: holds the files, or a folder `data` that does.
        words: names of a split, the preferred first: `test`, `val`, `validation`.
        rest: `name`, as `Images`.

    Raises:
        BadData: the files are damaged, or nothing names their classes.
    """
    for word in words:
        for inner in (folder, folder / "data"):
            for suffix in _SUFFIXES:
                if files := named_files(inner, (word,), suffix):
                    return _READERS[suffix](files, split=word, **rest)
    return None


def named_files(folder: Path, words: Sequence[str], suffix: str) -> list[Path]:
    """Return the files of `folder` of one suffix with one of `words` in their names, sorted.

    A word ends at a hyphen, underscore or full stop: `train` is in x-train-001.tar and not
    in trained.tar.
    """
    files = sorted(folder.glob(f"*{suffix}")) if folder.is_dir() else []
    return [f for f in files if set(re.split(r"[-_.]", f.stem.lower())) & set(words)]


def _shards(files: Sequence[Path], **rest: Any) -> Images:
    return read_shards(files, class_names=_classes(files[0]), upright=True, **rest)


def _parquet(files: Sequence[Path], **rest: Any) -> Images:
    names = class_label_names(files[0]) or _classes(files[0])
    return read_parquet(files, class_names=names, upright=True, **rest)


def _arrays(files: Sequence[Path], **rest: Any) -> Images:
    if len(files) > 1:
        found = ", ".join(file.name for file in files[:3])
        raise BadData(files[0].parent, f"{len(files)} arrays of one split: {found}", "one")
    file = files[0]
    arrays = read_arrays(file)
    if not {"images", "labels"} <= set(arrays):
        raise BadData(file, f"it holds {sorted(arrays)}", "`images` [N, height, width, 3] uint8 "
                      "and `labels` [N]")  # fmt: skip
    named = arrays.get("classes")
    classes = tuple(str(name) for name in named) if named is not None else _classes(file)
    pixels = arrays["images"]
    if pixels.ndim == 3:  # grey
        pixels = np.repeat(pixels[..., None], 3, axis=3)
    labels = integers(np.atleast_1d(arrays["labels"].squeeze()), file, "labels")
    return from_arrays(pixels, labels=labels, class_names=classes, **rest)


def _classes(file: Path) -> tuple[str, ...]:
    """Return the names in classes.txt beside a file, or above the folder `data`."""
    for folder in (file.parent, file.parent.parent):
        if (folder / CLASSES_FILE).is_file():
            return tuple(read_lines(folder / CLASSES_FILE))
    raise BadData(
        file,
        "nothing names its classes",
        f"{CLASSES_FILE} beside it: one class a line, in the order of the labels",
    )


_READERS = {".tar": _shards, ".parquet": _parquet, ".npz": _arrays}
