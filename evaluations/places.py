"""What Places205 and Places365 share: lists of `image label` beside folders or official tars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadData
from .lists import check_there, split_lines
from .sources import Images, from_files
from .tars import from_members, index_tars


def read_labelled(file: Path) -> tuple[list[str], list[int]]:
    """Return the images and labels of a list of `image label`, leading slashes removed.

    Raises:
        BadData: a line has another form.
    """
    rows = split_lines(file, 2)
    for number, row in enumerate(rows, start=1):
        if not row[1].isdigit():
            raise BadData(file, f"line {number} has the label {row[1]!r}", "a whole number")
    return [row[0].lstrip("/") for row in rows], [int(row[1]) for row in rows]


def open_listed(
    listed: Path, folders: Sequence[Path], archives: Mapping[Path, str], **rest: Any
) -> Images | None:
    """Return listed images from the first folder, or else the first tar, that is there.

    Args:
        listed: lines of `image label`.
        folders: that the images' names are relative to.
        archives: uncompressed tars and the folder inside that names are relative to.
        rest: as `Images`, without `labels`.

    Raises:
        BadData: a listed image is not in it.
    """
    names, labels = read_labelled(listed)
    folder = next((f for f in folders if f.is_dir()), None)
    if folder is not None:
        paths = [folder / name for name in names]
        check_there(paths, listed)
        return from_files(folder, paths, labels=labels, **rest)
    archive = next((a for a in archives if a.is_file()), None)
    if archive is None:
        return None
    members = index_tars([archive])
    inner = archives[archive]
    place = {name.removeprefix(f"{inner}/"): row for row, name in enumerate(members.names)}
    if absent := [name for name in names if name not in place]:
        raise BadData(
            archive,
            f"{len(absent)} of the {len(names)} images that {listed.name} lists are missing, "
            f"such as {absent[0]}",
            "every image of the split",
            "Fetch it again.",
        )
    source = from_members(members.at([place[name] for name in names]), labels=labels, **rest)
    # As from the folder: the same images have one fingerprint.
    return source.named(names)
