"""Data sets whose splits are lists: text files that name images and their classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadData
from .sources import Images, from_files


def read_lines(file: Path) -> list[str]:
    """Return the lines of a list that are not empty, without the spaces around them.

    Raises:
        BadData: it is not text, or it holds none.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(file, f"cannot be read as text ({error})", "a list of images") from error
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise BadData(file, "it holds no line", "a list of images", "Fetch it again.")
    return found


def split_lines(file: Path, fields: int) -> list[list[str]]:
    """Return the words of every line; all lines have `fields` of them.

    Raises:
        BadData: a line has another number of words; the message gives it.
    """
    rows = [line.split() for line in read_lines(file)]
    for number, row in enumerate(rows, start=1):
        if len(row) != fields:
            raise BadData(
                file, f"line {number} has {len(row)} words: {' '.join(row)!r}", f"{fields} words"
            )
    return rows


def from_list(
    root: Path,
    names: Sequence[str],
    classes: Sequence[str],
    class_names: Sequence[str],
    list_file: Path,
    **rest: Any,
) -> Images:
    """Return a source over listed images, in the list's order.

    Args:
        root: folder that `names` are relative to.
        names: one for each image.
        classes: the class of each image, by name.
        class_names: all classes in the order of the labels.
        list_file: where the images were listed, for messages.
        rest: as `Images`, without `labels`.

    Raises:
        BadData: a class or a file that there is not; the message names it.
    """
    place = {name: index for index, name in enumerate(class_names)}
    if unknown := sorted(set(classes) - set(place)):
        raise BadData(
            list_file, f"unknown classes such as {unknown[:3]}", f"the {len(place)} classes"
        )
    paths = [root / name for name in names]
    check_there(paths, list_file)
    return from_files(
        root,
        paths,
        labels=[place[name] for name in classes],
        class_names=tuple(class_names),
        **rest,
    )


def check_there(paths: Sequence[Path], list_file: Path) -> None:
    """Return if every listed file exists.

    Raises:
        BadData: some do not; the message counts them and names the first.
    """
    absent = [path for path in paths if not path.is_file()]
    if absent:
        raise BadData(
            absent[0].parent,
            f"{len(absent)} of the {len(paths)} images that {list_file.name} lists are missing, "
            f"such as {absent[0].name}",
            "every image of the split",
            "Unpack the archive again.",
        )
