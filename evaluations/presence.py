"""Whether a data set is there: its files by name and number, read from folders alone."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from ..checkpoints.errors import MissingData
from ..checkpoints.progress import Bar, progress_bar
from .dataset import Dataset, Files, Layout, data_roots, datasets, locate
from .images import is_image

State = Literal["there", "incomplete", "missing", "shipped"]


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Files that should be there and are not, or have another size."""

    pattern: str
    found: int
    wanted: int
    needed: bool  # whether the scored or a training split of the layout needs it
    wrong_size: str = ""  # the first file of another size, with both sizes

    def __str__(self) -> str:
        if self.wrong_size:
            return self.wrong_size
        count = "missing" if not self.found else f"{self.found:,} of {self.wanted:,}"
        return self.pattern + (f" ({count})" if self.wanted > 1 or self.found else "")


@dataclass(frozen=True, kw_only=True)
class Presence:
    """What was found of one data set."""

    name: str
    state: State
    where: Path | None  # its folder; None where there is none
    layout: str  # the one that was found, or the recommended one
    layouts: tuple[str, ...]  # every one that is read
    lacking: tuple[Lacking, ...]
    bytes: int  # of the download, about
    address: str

    @property
    def optional(self) -> tuple[Lacking, ...]:
        """Return what is lacking for splits that the scored one does not need."""
        return tuple(lack for lack in self.lacking if not lack.needed)


def look_for(name: str, root: Path | None = None) -> Presence:
    """Return what is there of a registered data set, without opening any of its files.

    Of several layouts the one with the largest share of its files counts. Folders with a
    million files take a moment; a bar shows it.

    Args:
        name: of the data set.
        root: where data sets lie; None: the data roots.

    Raises:
        UnknownName: no data set of that name.
    """
    dataset = datasets.load(name)
    if not dataset.folders:
        return _presence(name, dataset, "shipped", None, dataset.address, ())
    try:
        folder = locate(name, root)
    except MissingData:
        return _presence(name, dataset, "missing", None, dataset.layouts[0].tree, ())
    with progress_bar(f"files of {name}", 0, "file") as bar:
        looks = [(layout, _lacking(layout, folder, bar)) for layout in dataset.layouts]
    layout, lacking = max(looks, key=lambda look: _share(*look))
    state: State = "incomplete" if any(lack.needed for lack in lacking) else "there"
    if _share(layout, lacking) == 0:
        state = "missing"
    return _presence(name, dataset, state, folder, layout.tree, lacking)


def look_for_all(root: Path | None = None) -> Iterator[Presence]:
    """Yield what is there of every registered data set, in the order of their names."""
    for name in datasets.names():
        yield look_for(name, root)


def roots_text(root: Path | None) -> str:
    """Return where data sets are looked for, for people."""
    return " or ".join(str(base) for base in ([root] if root is not None else data_roots()))


def _presence(
    name: str,
    dataset: Dataset,
    state: State,
    where: Path | None,
    layout: str,
    lacking: tuple[Lacking, ...],
) -> Presence:
    return Presence(
        name=name,
        state=state,
        where=where,
        layout=layout,
        layouts=tuple(known.tree for known in dataset.layouts),
        lacking=lacking,
        bytes=dataset.bytes,
        address=dataset.address,
    )


def _share(layout: Layout, lacking: tuple[Lacking, ...]) -> float:
    """Return which share of a layout's needed kinds of files is there, each by its count."""
    absent = {lack.pattern: lack for lack in lacking}
    needed = [files for files in layout.files if files.needed] or list(layout.files)
    shares = [
        1.0 if files.pattern not in absent else absent[files.pattern].found / files.count
        for files in needed
    ]
    return sum(min(share, 1.0) for share in shares) / len(shares)


def _lacking(layout: Layout, folder: Path, bar: Bar) -> tuple[Lacking, ...]:
    found = []
    for files in layout.files:
        count, wrong = _count(files, folder, bar)
        if count < files.count or wrong:
            found.append(
                Lacking(
                    pattern=files.pattern,
                    found=count,
                    wanted=files.count,
                    needed=files.needed,
                    wrong_size=wrong,
                )
            )
    return tuple(found)


def _count(files: Files, folder: Path, bar: Bar) -> tuple[int, str]:
    """Return how many files fit, and the first one whose size is wrong."""
    count, wrong = 0, ""
    for entry in _matching(folder, files.pattern.split("/")):
        count += 1
        bar.update(1)
        if files.bytes_each is not None and not wrong:
            size = entry.stat().st_size
            if size != files.bytes_each:
                wrong = f"{entry.name} ({size:,} of {files.bytes_each:,} bytes)"
    return count, wrong


def _matching(folder: Path, parts: list[str]) -> Iterator["os.DirEntry[str]"]:
    first, rest = parts[0], parts[1:]
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not _fits(entry.name, first, bool(rest)):
                    continue
                if first == "**" and entry.is_dir():
                    yield from _matching(Path(entry.path), parts)
                elif first == "**":
                    if len(rest) == 1 and _fits(entry.name, rest[0], False):
                        yield entry
                elif rest and entry.is_dir():
                    yield from _matching(Path(entry.path), rest)
                elif not rest and entry.is_file():
                    yield entry
    except OSError:
        # Not there, or not to be listed: nothing of it can be counted.
        return


def _fits(name: str, pattern: str, is_folder: bool) -> bool:
    if pattern == "**":
        return True
    if pattern == "*":
        return is_folder or is_image(Path(name))
    # Case is not held against a file: .JPEG and .jpeg are read alike.
    return fnmatchcase(name.lower(), pattern.lower())
