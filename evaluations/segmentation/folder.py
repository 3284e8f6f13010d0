"""A user's folder of images and masks: <split>/images/*, <split>/masks/*, classes.txt.

`classes.txt` names the classes, one a line: the first is the number 0 of the masks, the second
1. A line `ignore` is a number that is not scored; 255 never is. Names may be followed by their
colour (`road 128 64 128`); then masks may be pictures of these colours instead.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData, MissingData, UnknownName
from ..lists import read_lines
from ..sources import Images
from .masks import IGNORE, Colour, decode_mask, distinct_colours, relabel, relabel_colours
from .pairs import Listing, by_stem, masked_images, names_in, paired

CLASSES_FILE = "classes.txt"
_LAYOUT = "<split>/images/<name>.jpg, <split>/masks/<name>.png and classes.txt"
_SPLITS = {
    "train": ("train",),
    "test": ("test", "val", "validation"),
    "val": ("val", "validation", "test"),
}
_COLOURED = re.compile(r"(.*\S)\s+(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})")


@dataclass(frozen=True, kw_only=True)
class Classes:
    """What a folder's `classes.txt` says."""

    names: tuple[str, ...]
    palette: tuple[Colour, ...]
    labels: dict[int, int]  # a number in a mask -> class, or 255
    colours: dict[Colour, int]  # {}: masks of colours are refused

    def decode(self, content: bytes, where: object) -> np.ndarray:
        """Return a mask's classes [H, W] uint8; 255 is not scored."""
        values = decode_mask(content, where)
        if values.ndim == 3:
            return relabel_colours(values, self.colours, where)
        return relabel(values, self.labels, where)


def has_masks(folder: Path) -> bool:
    """Return whether a folder holds images with masks rather than class folders."""
    return any(
        (folder / name / "images").is_dir() and (folder / name / "masks").is_dir()
        for names in _SPLITS.values()
        for name in names
    )


def open_folder_of_masks(folder: Path, split: str) -> Images:
    """Return the images of one split with their masks; `test` falls to `val` as elsewhere.

    Raises:
        MissingData: there is no such split, or no classes.txt.
        BadData: an image without a mask, or a mask that cannot be.
    """
    if split not in _SPLITS:
        raise UnknownName(f"split of {folder}", split, _SPLITS)
    classes = read_classes_file(folder)
    chosen, listing = list_folder(folder, split)
    return masked_images(
        listing,
        folder,
        classes.decode,
        name=folder.resolve().name,
        split=chosen,
        class_names=classes.names,
    )


def list_folder(folder: Path, split: str) -> tuple[str, Listing]:
    """Return the split's name on disk and its files.

    Raises:
        MissingData: there is no such split.
        BadData: an image without a mask, or a mask without an image.
    """
    for name in _SPLITS[split]:
        images = by_stem(names_in(folder, f"{name}/images"), f"{name}/images")
        masks = by_stem(names_in(folder, f"{name}/masks"), f"{name}/masks")
        if images or masks:
            return name, Listing(pairs=paired(images, masks, folder / name))
    raise MissingData(
        folder,
        f"it holds no images of {' or '.join(map(repr, _SPLITS[split]))}",
        f"the layout {_LAYOUT}",
    )


def read_classes_file(folder: Path) -> Classes:
    """Return the classes that a folder's masks are of.

    Raises:
        MissingData: there is no classes.txt.
        BadData: fewer than two classes, one twice, or a colour that is none.
    """
    file = folder / CLASSES_FILE
    if not file.is_file():
        raise MissingData(
            folder,
            f"it holds images with masks and no {CLASSES_FILE}",
            "a class's name on each line: the first is the number 0 of the masks",
            "A line 'ignore' is a number that is not scored; 255 never is.",
        )
    names: list[str] = []
    colours: dict[Colour, int] = {}
    labels = {IGNORE: IGNORE}
    for value, line in enumerate(read_lines(file)):
        name, colour = _entry(line, file)
        label = IGNORE if name == "ignore" else len(names)
        labels[value] = label
        if label != IGNORE:
            names.append(name)
        if colour is not None:
            colours[colour] = label
    if len(set(names)) < max(len(names), 2) or len(names) >= IGNORE:
        raise BadData(file, f"it names {len(names)} classes: {names[:3]}", "2 to 254, each once")
    painted = {label: colour for colour, label in colours.items()}
    standard = distinct_colours(len(names) + 1)[1:]
    return Classes(
        names=tuple(names),
        palette=tuple(painted.get(i, standard[i]) for i in range(len(names))),
        labels=labels,
        colours=colours,
    )


def _entry(line: str, file: Path) -> tuple[str, Colour | None]:
    match = _COLOURED.fullmatch(line)
    if match is None:
        return line, None
    red, green, blue = (int(match[group]) for group in (2, 3, 4))
    if max(red, green, blue) > 255:
        raise BadData(file, f"the colour of {line!r}", "three numbers from 0 to 255")
    return match[1], (red, green, blue)
