"""What a data set is, where it lies, and how one of its splits is opened.

A data set is one module of `datasets/`; a folder of class folders needs none.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..checkpoints.discovery import Modules
from ..checkpoints.errors import BadData, MissingData, UnknownName
from ..checkpoints.spec import Interpolation, Preprocessing
from .image_source import ImageSource

ENVIRONMENT = "RELICHECK_DATA"
DRAW = "@"  # between a split's name and the seed of its random division


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files that a complete data set holds: a pattern under its folder, and how many fit it."""

    # `*` stands for one name, a last `*` for the name of an image, `**` for any folders.
    pattern: str
    count: int = 1
    bytes_each: int | None = None  # the exact size of each, where every copy has the same
    needed: bool = True  # False: for a split that is never scored by default


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One arrangement of files on disk that a data set is read in."""

    tree: str  # for people, under the data root: "flowers-102/jpg/<image>.jpg"
    files: tuple[Files, ...]
    get: str = "unpack the archives"  # what to do with what lies at the address


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """How the authors of a data set bring its images to the network's square, in pixels."""

    image_size: int  # side of the centre crop
    resize: int | None  # shorter side before the crop; None: no resizing
    interpolation: Interpolation | None = None  # None: the checkpoint's

    def of(self, preprocessing: Preprocessing) -> Preprocessing:
        """Return `preprocessing` with this geometry: mean and deviation are the checkpoint's."""
        return replace(
            preprocessing,
            image_size=self.image_size,
            resize=self.resize,
            interpolation=self.interpolation or preprocessing.interpolation,
        )


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A published data set: what it is, what is scored, how it is read, and how to get it."""

    title: str
    classes: int
    splits: Mapping[str, int]  # name -> images of the complete split
    licence: str
    source: str  # citation and address of the paper
    address: str  # of the page or file that offers it; "" where a dependency ships it
    layouts: tuple[Layout, ...]  # the first is the one that messages recommend; (): shipped
    bytes: int  # to be downloaded, about
    # (split, folder) -> images; the folder is None where a dependency ships the images.
    open: Callable[[str, Path | None], ImageSource]
    folders: tuple[str, ...] = ()  # under the data root, the first that exists; (): shipped
    scored: str = "test"  # the split whose images are scored
    # The split that a final probe is fitted on: validation images included.
    training: str | None = "train"
    # Hyperparameters are chosen on this many of the training images. Where the data set has an
    # official validation split, `validation` names it and they are the LAST of the training
    # split, in the official order; where not, the evaluator draws them by its seed.
    validation_images: int = 0
    validation: str | None = None
    # What its literature reports: top1, mean_per_class, map_11_point or miou.
    metric: str = "top1"
    multi_label: bool = False  # whether an image has `targets` instead of one label
    scored_classes: str = "all"  # which classes are scored, where it is not all of them
    preprocessing: str = "as the checkpoint's"  # the original authors', in words
    geometry: Geometry | None = None  # the same for programs, where it is not the checkpoint's
    square_px: int | None = None  # side of every image, where all are squares of one size
    border_px: int = 0  # a frame around every image, which is cut before anything else
    # Splits `corruption/severity` that are scored together, by evaluator `corruption_errors`.
    cells: tuple[str, ...] = ()
    clean: str = ""  # the data set that this one shifts: its training images, its classes
    draws: bool = False  # whether `name:3` is another random division than `name` (seed 0)
    # For each class the ImageNet-1k indices that count as it, where a 1000-way head scores it.
    imagenet_indices: tuple[tuple[int, ...], ...] | None = None

    @property
    def obtain(self) -> str:
        """Return how to get it and the layout it is read in, as one sentence."""
        if not self.layouts:
            return f"it comes with a dependency: {self.address}."
        first = self.layouts[0]
        return f"{first.get} from {self.address}, so that {first.tree} lies there."


datasets: Modules[Dataset] = Modules(f"{__package__}.datasets", "DATASET", Dataset, "data set")


def data_roots() -> list[Path]:
    """Return the folders that hold data sets: those of $RELICHECK_DATA, else `./data`."""
    named = os.environ.get(ENVIRONMENT, "")
    return [Path(part) for part in named.split(os.pathsep) if part] or [Path("data")]


def locate(name: str, root: Path | None = None) -> Path:
    """Return the folder of the registered data set `name` under `root` or the data roots.

    Raises:
        UnknownName: no data set of that name.
        MissingData: no such folder; the message says where to get it and in what layout.
    """
    dataset = datasets.load(name)
    roots = [Path(root)] if root is not None else data_roots()
    for base in roots:
        for folder in dataset.folders:
            if (base / folder).exists():
                return base / folder
    wanted = " or ".join(repr(folder) for folder in dataset.folders) or "no folder"
    raise missing(name, " or ".join(map(str, roots)), f"found no folder {wanted}")


def missing(name: str, where: object, found: str) -> MissingData:
    """Return the error for a registered data set that is absent or incomplete."""
    dataset = datasets.load(name)
    return MissingData(
        f"{name} is not under {where}",
        found,
        todo=f"Set {ENVIRONMENT} or pass --data-root. Get it: {dataset.obtain}",
    )


def is_registered(data: str | Path) -> bool:
    """Return whether `data` is the name of a data set rather than a folder."""
    return str(data).partition(":")[0] in datasets.names()


def open_split(data: str | Path, split: str, root: Path | None = None) -> ImageSource:
    """Return the images of one split.

    Args:
        data: a registered name, or a folder with train/<class>/ and test/<class>/ (or val/).
        split: a split's name; `train`, `val` and `test` also mean the split that the data
            set trains on, validates on and scores. `pacs:sketch` scores the split `sketch`;
            `caltech101:3` divides at random by the seed 3.
        root: where the data sets lie; None: the data roots.

    Raises:
        UnknownName: no such data set or split.
        MissingData: it is not there.
        BadData: it cannot be used as it is.
    """
    name, _, chosen = str(data).partition(":")
    if name not in datasets.names():
        return _open_folder(data, split)
    dataset = datasets.load(name)
    split = split_named(dataset, chosen, split)
    if split.partition(DRAW)[0] not in dataset.splits:
        raise UnknownName(f"split of {name}", split, dataset.splits)
    folder = locate(name, root) if dataset.folders else None
    return dataset.open(split, folder)


def split_named(dataset: Dataset, chosen: str, role: str) -> str:
    """Return the split that a role means; the role itself where it is a split's name.

    Args:
        dataset: the data set.
        chosen: what stands behind the colon of `pacs:sketch` or `caltech101:3`; "": nothing.
        role: `train`, `val`, `test`, or a split's name.

    >>> split_named(datasets.load("caltech101"), "3", "test")
    'test@3'
    """
    draw = f"{DRAW}{int(chosen)}" if dataset.draws and chosen.isdigit() else ""
    if role == "test":
        return chosen if chosen and not draw else dataset.scored + draw
    if role == "train" and dataset.training:
        return dataset.training + draw
    if role == "val" and dataset.validation:
        return dataset.validation
    return role


def _open_folder(data: str | Path, split: str) -> ImageSource:
    from .folders import open_folder

    folder = Path(data)
    if not folder.exists():
        if isinstance(data, Path) or os.sep in data:
            raise MissingData(folder, "there is no such folder", "a folder of class folders")
        raise UnknownName("data set", str(data), datasets.names())
    if not folder.is_dir():
        raise BadData(folder, "it is a file", "a folder with train/<class>/ and test/<class>/")
    from .segmentation.folder import has_masks, open_folder_of_masks

    if has_masks(folder):
        return open_folder_of_masks(folder, split)
    return open_folder(folder, split)


def check_classes(train: ImageSource, test: ImageSource) -> None:
    """Return if a probe trained on `train` can be scored on `test`.

    Raises:
        BadData: the classes differ, or there is only one.
    """
    if train.class_names != test.class_names:
        only_train = sorted(set(train.class_names) - set(test.class_names))[:3]
        only_test = sorted(set(test.class_names) - set(train.class_names))[:3]
        raise BadData(
            f"{train.name}",
            f"{train.split} and {test.split} have different classes (only in {train.split}: "
            f"{only_train}; only in {test.split}: {only_test})",
            "the same class folders in both",
        )
    absent = sorted(set(np.unique(test.labels)) - set(np.unique(train.labels)))
    if absent or len(np.unique(train.labels)) < 2:
        names = [train.class_names[label] for label in absent[:3]]
        raise BadData(
            f"{train.name}, {train.split}",
            f"no image of {names}" if absent else "every image is of one class",
            "training images of at least two classes and of every class that is scored",
        )
