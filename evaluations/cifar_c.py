"""What CIFAR-10-C and CIFAR-100-C share: one array of 50,000 images for each corruption."""

from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData
from .cells import CELLS, Cells, cell_splits
from .cifar import SIDE_PX
from .corruptions import EXTRA_CORRUPTIONS, SEVERITIES, TEST_CORRUPTIONS
from .dataset import Dataset, Files, Layout, missing
from .image_source import ImageSource
from .sources import Images, from_arrays

IMAGES = 10_000
_ROWS = IMAGES * len(SEVERITIES)


def declare(
    name: str, title: str, class_names: tuple[str, ...], record: int, clean: str
) -> Dataset:
    """Return the data set `name`, read from the arrays of Zenodo's record of that number."""

    def open_split(split: str, folder: Path | None) -> ImageSource:
        assert folder is not None
        if split != "test":
            return _open_cell(name, split, folder, class_names)
        found = [c for c in CELLS if (folder / f"{c.partition('/')[0]}.npy").is_file()]
        if not found:
            raise missing(name, folder, f"found no file {TEST_CORRUPTIONS[0]}.npy")
        return Cells(name, found, lambda cell: _open_cell(name, cell, folder, class_names))

    corruptions = (*TEST_CORRUPTIONS, *EXTRA_CORRUPTIONS)
    return Dataset(
        title=title,
        classes=len(class_names),
        splits=cell_splits(IMAGES),
        licence="CC BY 4.0",
        source=(
            "Hendrycks and Dietterich (arXiv:1903.12261), https://github.com/hendrycks/robustness"
        ),
        address=f"https://zenodo.org/record/{record}",
        layouts=(
            Layout(
                tree=f"{title}/<corruption>.npy and {title}/labels.npy",
                files=(
                    Files(pattern="labels.npy"),
                    *(
                        Files(pattern=f"{c}.npy", needed=c not in EXTRA_CORRUPTIONS)
                        for c in corruptions
                    ),
                ),
                get=f"unpack {title}.tar",
            ),
        ),
        bytes=2_900_000_000,
        open=open_split,
        folders=(title, name),
        training=None,
        cells=CELLS,
        clean=clean,
    )


def _open_cell(name: str, cell: str, folder: Path, class_names: tuple[str, ...]) -> Images:
    corruption, _, severity = cell.partition("/")
    pixels = _array(name, folder / f"{corruption}.npy", (_ROWS, SIDE_PX, SIDE_PX, 3))
    labels = _array(name, folder / "labels.npy", (_ROWS,))
    rows = slice(IMAGES * (int(severity) - 1), IMAGES * int(severity))
    if (labels[rows] != labels[:IMAGES]).any():
        raise BadData(
            folder / "labels.npy",
            f"its labels at severity {severity} are not those at severity 1",
            "the same images five times",
        )
    return from_arrays(
        pixels[rows],
        name=name,
        split=cell,
        labels=labels[rows].astype(np.int64),
        class_names=class_names,
        expected=IMAGES,
    )


def _array(name: str, file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array in `file`, read as its parts are asked for.

    Raises:
        MissingData: it is not there.
        BadData: it is not a whole array of bytes of that shape.
    """
    if not file.is_file():
        raise missing(name, file.parent, f"found no file {file.name}")
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadData(file, f"cannot be read ({error})", "an array", "Fetch it again.") from error
    if found.shape != shape or found.dtype != np.uint8:
        wanted = " x ".join(map(str, shape))
        raise BadData(file, f"shape {found.shape}, type {found.dtype}", f"{wanted} bytes")
    return np.asarray(found)
