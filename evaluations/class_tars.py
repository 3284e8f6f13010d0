"""A tar of class folders, read in place as if it were unpacked."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..checkpoints.errors import BadData
from .folders import read_classes
from .images import is_image
from .sources import Images
from .tars import from_members, index_tars


def read_class_tar(archive: Path, *, classes: Sequence[str], **rest: Any) -> Images:
    """Return the images of an uncompressed tar of <...>/<class>/<image>, as `read_classes`.

    Order and names are those of the unpacked folders, so the fingerprint is too.

    Args:
        archive: the tar.
        classes: folder names in the order of the labels.
        rest: as `Images`, without `labels` and `class_names`.

    Raises:
        BadData: not a whole uncompressed tar, or other classes than wanted.
    """
    members = index_tars([archive])
    place = {name: label for label, name in enumerate(classes)}
    rows = []
    for index, name in enumerate(members.names):
        path = PurePosixPath(name)
        if is_image(Path(path.name)):
            rows.append((path.parent.name, path.name, index))
    found = {row[0] for row in rows}
    absent, unknown = sorted(set(classes) - found), sorted(found - set(classes))
    if absent or unknown:
        raise BadData(
            archive,
            f"{len(found)} class folders: {len(absent)} missing (such as {absent[:3]}), "
            f"{len(unknown)} unknown (such as {unknown[:3]})",
            f"exactly the {len(classes)} folders {classes[0]} to {classes[-1]}",
        )
    rows.sort(key=lambda row: (place[row[0]], row[1]))
    source = from_members(
        members.at([row[2] for row in rows]),
        labels=[place[row[0]] for row in rows],
        class_names=tuple(classes),
        **rest,
    )
    return source.named([f"{folder}/{name}" for folder, name, _ in rows])


def read_classes_or_tar(folder: Path, archive: str, **rest: Any) -> Images:
    """Return the class folders in `folder`, or those in its tar `archive` where it is there."""
    if (folder / archive).is_file():
        return read_class_tar(folder / archive, **rest)
    return read_classes(folder, **rest)
