"""A folder of class folders as a data set: train/<class>/*.png and test/<class>/*.png.

Packed files named after their split are read where there are no such folders: see `packed`.
"""

from collections.abc import Sequence
from pathlib import Path

from ..checkpoints.errors import BadData, MissingData, UnknownName
from .images import is_image
from .sources import Images, from_files

_LAYOUT = "train/<class>/<image> and test/<class>/<image> (or val/)"


def open_folder(folder: Path, split: str) -> Images:
    """Return the images of `folder`/`split`; `test` falls to `val` where there is no `test`.

    Raises:
        MissingData: there is no such split.
        BadData: the split holds no class folders, or one without an image; packed files that
            do not fit together.
    """
    names = {
        "train": ("train",),
        "test": ("test", "val", "validation"),
        "val": ("val", "validation", "test"),
    }
    if split not in names:
        raise UnknownName(f"split of {folder}", split, names)
    for name in names[split]:
        if (folder / name).is_dir():
            return read_classes(folder / name, name=folder.resolve().name, split=name, upright=True)
    from .packed import open_packed

    packed = open_packed(folder, names[split], name=folder.resolve().name)
    if packed is not None:
        return packed
    raise MissingData(
        folder,
        f"it holds no folder {' or '.join(names[split])!r}, nor shards, Parquet files or arrays "
        "of that name",
        f"the layout {_LAYOUT}",
    )


def read_classes(
    folder: Path,
    *,
    name: str,
    split: str,
    classes: Sequence[str] | None = None,
    upright: bool = False,
    expected: int | None = None,
) -> Images:
    """Return the images of the class folders in `folder`, classes and files in sorted order.

    Args:
        folder: holds one folder per class.
        name: the data set's name.
        split: the split's name.
        classes: folder names in the order of the labels; None: every folder, sorted.
        upright: as in `decode`.
        expected: the complete split's size.

    Raises:
        BadData: no class folders, a class without an image, or unexpected classes.
    """
    found = class_folders(folder)
    classes = list(classes) if classes is not None else found
    if sorted(found) != sorted(classes):
        raise _unexpected(folder, found, classes)
    paths, labels = [], []
    for label, class_name in enumerate(classes):
        images = image_files(folder / class_name)
        paths += images
        labels += [label] * len(images)
    return from_files(
        folder,
        paths,
        upright=upright,
        name=name,
        split=split,
        labels=labels,
        class_names=tuple(classes),
        expected=expected,
    )


def class_folders(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, sorted as text.

    Raises:
        MissingData: there is no such folder.
        BadData: it holds none.
    """
    if not folder.is_dir():
        raise MissingData(folder, "there is no such folder", f"the layout {_LAYOUT}")
    found = sorted(f.name for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    if found:
        return found
    loose = sum(is_image(file) for file in folder.iterdir())
    raise BadData(
        folder,
        f"it holds {loose} images and no class folders",
        f"the layout {_LAYOUT}",
        "Put each image into a folder named after its class." if loose else "",
    )


def image_files(folder: Path) -> list[Path]:
    """Return the image files under one class folder, sorted by their relative names.

    Raises:
        BadData: there is none.
    """
    images = sorted(file for file in folder.rglob("*") if is_image(file) and file.is_file())
    if not images:
        raise BadData(
            folder, "the class holds no image", "at least one", "Fill or remove the folder."
        )
    return images


def _unexpected(folder: Path, found: Sequence[str], wanted: Sequence[str]) -> BadData:
    absent, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    return BadData(
        folder,
        f"{len(found)} class folders: {len(absent)} missing (such as {absent[:3]}), "
        f"{len(extra)} unknown (such as {extra[:3]})",
        f"exactly the {len(wanted)} folders {wanted[0]} to {wanted[-1]}",
    )
