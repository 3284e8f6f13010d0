"""Which files a TensorFlow checkpoint consists of, whichever of them, or folder, is named."""

import re
from pathlib import Path, PurePosixPath

from .errors import BadCheckpoint

_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
_NEWEST = re.compile(r'^model_checkpoint_path:\s*"([^"\\\n]*)"', re.MULTILINE)
_MOST_SHARDS = 1000
_LONGEST_STATE = 1 << 20  # bytes of the text file `checkpoint`


def index_of(path: Path, *, choose: bool = True) -> Path | None:
    """Return the index file that is meant by a path; None where none is.

    Args:
        path: the index, a data file, what their names have in common, a folder with a
            checkpoint in it, or the folder of a SavedModel.
        choose: where a folder holds several, take the one its file `checkpoint` calls the
            newest; otherwise any of them is returned.

    Raises:
        BadCheckpoint: a folder holds several, and nothing in it says which is the newest.
    """
    if path.is_dir():
        found = sorted(path.glob("*.index")) or sorted(path.glob("variables/variables.index"))
        if len(found) < 2 or not choose:
            return found[0] if found else None
        return _newest(path, found)
    if path.suffix == ".index":
        return path if path.is_file() else None
    if path.exists() and not _DATA.search(path.name):
        return None
    index = path.with_name(f"{_DATA.sub('', path.name)}.index")
    return index if index.is_file() else None


def _newest(folder: Path, found: list[Path]) -> Path:
    state, named = folder / "checkpoint", None
    if state.is_file():
        with state.open("rb") as stream:
            named = _NEWEST.search(stream.read(_LONGEST_STATE).decode("utf-8", "replace"))
    # Published ones name a path on the machine they were trained on: only its end is taken,
    # so nothing leads out of the folder.
    newest = folder / f"{PurePosixPath(named[1]).name}.index" if named else None
    if newest in found:
        return newest
    names = ", ".join(file.stem for file in found[:6]) + (", ..." if len(found) > 6 else "")
    raise BadCheckpoint(folder, f"holds {len(found)} checkpoints ({names})", "one", "Name one.")


def data_files(index: Path, count: int) -> list[Path]:
    """Return the data files that belong to an index, by its count of them.

    Raises:
        ValueError: the count cannot be right.
    """
    if not 1 <= count <= _MOST_SHARDS:
        raise ValueError(f"{count} data files")
    numbered = (f"{index.stem}.data-{number:05d}-of-{count:05d}" for number in range(count))
    return [index.with_name(name) for name in numbered]


def files_of(path: Path) -> list[Path]:
    """Return the index and the data files beside it, for their hash."""
    index = index_of(path)
    if index is None:
        return []
    beside = (file for file in index.parent.iterdir() if _DATA.search(file.name))
    return [index, *sorted(f for f in beside if _DATA.sub("", f.name) == index.stem)]
