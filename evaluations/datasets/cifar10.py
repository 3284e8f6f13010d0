"""CIFAR-10: 32x32 photographs of ten kinds of things, exact pixels.

50,000 training and 10,000 test images, drawn from the 80 Million Tiny Images, labelled
by paid students (Krizhevsky 2009). All ten classes are scored, top-1, without resizing.

Two layouts are read. The official *binary version*, a folder `cifar-10-batches-bin` of
data_batch_1.bin to data_batch_5.bin and test_batch.bin: per image one label byte, then
1,024 red, green and blue bytes. And lossless grids: train_batch_1.webp to
train_batch_5.webp and test_batch.webp, each a batch as 100 x 100 images in official
order, with labels.npz. The official *python version* is a pickle, which can run code,
and is refused. A JPEG copy is another data set: see `cifar10_jpeg`.
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..cifar import PIXEL_BYTES, SIDE_PX, pickled, present, read_records
from ..dataset import Dataset, Files, Layout, missing
from ..images import read_image
from ..prediction_files import integers, read_arrays
from ..sources import Images, from_arrays

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_BATCH_IMAGES = 10_000


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split from whichever of the layouts `folder` holds.

    Raises:
        MissingData: a file of the split is not there.
        BadData: it is truncated, or it is the pickled python version.
    """
    assert folder is not None
    inner = folder / "cifar-10-batches-bin"
    if inner.is_dir():
        folder = inner
    if (folder / "test_batch.webp").is_file() or (folder / "labels.npz").is_file():
        pixels, labels = _read_grids(split, folder)
    elif (folder / "data_batch_1.bin").is_file() or (folder / "test_batch.bin").is_file():
        pixels, labels = _read_binary(split, folder)
    else:
        raise _refusal(folder)
    return from_arrays(
        pixels,
        name="cifar10",
        split=split,
        labels=labels,
        class_names=CLASSES,
        expected=DATASET.splits[split],
    )


def _read_grids(split: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    names = ["test_batch"] if split == "test" else [f"train_batch_{n}" for n in range(1, 6)]
    files = present(
        "cifar10", [folder / f"{name}.webp" for name in names] + [folder / "labels.npz"]
    )
    pixels = np.concatenate([split_grid(read_image(file), file) for file in files[:-1]])
    arrays = read_arrays(files[-1])
    key = f"{split}_labels"
    if key not in arrays or len(arrays[key]) != len(pixels):
        raise BadData(files[-1], f"no {len(pixels)} {key}", f"{key} for every image")
    return pixels, integers(arrays[key], files[-1], key)


def split_grid(grid: np.ndarray, where: object) -> np.ndarray:
    """Return [10000, 32, 32, 3] uint8 from a grid of 100 x 100 images, row by row.

    Raises:
        BadData: the grid has another size.
    """
    side = 100 * SIDE_PX
    if grid.shape != (side, side, 3):
        raise BadData(where, f"a picture of {grid.shape[1]} x {grid.shape[0]} px", f"{side} px")
    rows = grid.reshape(100, SIDE_PX, 100, SIDE_PX, 3)
    return rows.swapaxes(1, 2).reshape(_BATCH_IMAGES, SIDE_PX, SIDE_PX, 3)


def _read_binary(split: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    names = ["test_batch"] if split == "test" else [f"data_batch_{n}" for n in range(1, 6)]
    batches = [read_records(f) for f in present("cifar10", [folder / f"{n}.bin" for n in names])]
    labels = np.concatenate([labels[:, 0] for _, labels in batches]).astype(np.int64)
    return np.concatenate([pixels for pixels, _ in batches]), labels


def _refusal(folder: Path) -> Exception:
    if (folder / "data_batch_1").is_file() or (folder / "cifar-10-batches-py").is_dir():
        return pickled(folder, "CIFAR-10", "cifar-10-binary.tar.gz")
    return missing("cifar10", folder, "found neither test_batch.bin nor test_batch.webp")


DATASET = Dataset(
    title="CIFAR-10",
    classes=10,
    splits={"train": 50_000, "test": 10_000},
    licence="none stated; cite Krizhevsky (2009)",
    source=(
        "Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009), "
        "https://www.cs.toronto.edu/~kriz/cifar.html"
    ),
    address="https://www.cs.toronto.edu/~kriz/cifar.html",
    layouts=(
        Layout(
            tree="cifar-10-batches-bin/{data_batch_1..5,test_batch}.bin",
            files=tuple(
                Files(pattern=f"{name}.bin", bytes_each=_BATCH_IMAGES * (1 + PIXEL_BYTES))
                for name in ("test_batch", *(f"data_batch_{n}" for n in range(1, 6)))
            ),
            get="unpack cifar-10-binary.tar.gz",
        ),
        Layout(
            tree="cifar10/{train_batch_1..5,test_batch}.webp and cifar10/labels.npz",
            files=(
                Files(pattern="test_batch.webp"),
                Files(pattern="train_batch_*.webp", count=5),
                Files(pattern="labels.npz"),
            ),
            get="write the images losslessly",
        ),
    ),
    bytes=170_052_171,
    validation_images=5_000,
    preprocessing="32 x 32 as they are; transfer papers enlarge to 224 (bicubic)",
    open=open_split,
    folders=("cifar10", "cifar-10-batches-bin", "cifar-10-batches-py"),
    square_px=32,
)
