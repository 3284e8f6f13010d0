"""Hashes of contents once read, found again as long as the files' sizes and times are the same.

Hashing a large data set takes as long as reading it. `relicheck data check` does it once;
later evaluations then name the images by their content instead of by their sizes.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..checkpoints.cache import cache_folder
from ..checkpoints.files import write_text


def stamp(files: Sequence[Path], names: Iterable[str] = ()) -> str:
    """Return what identifies files without reading them: paths, sizes, times of change.

    Args:
        files: each must exist.
        names: of what is read from them, where that is not the whole of each file.
    """
    digest = hashlib.sha256()
    folders: dict[Path, str] = {}
    for file in files:
        # Resolving a million paths one by one would take longer than reading their sizes.
        folder = folders.setdefault(file.parent, os.path.realpath(file.parent))
        facts = file.stat()
        line = f"{folder}/{file.name}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    for name in names:
        digest.update(f"{name}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def recall(files_stamp: str) -> str | None:
    """Return the `sha256:...` remembered for a stamp; None where there is none to trust."""
    try:
        kept = json.loads(_path(files_stamp).read_text(encoding="utf-8"))
        content = kept["content"] if kept["stamp"] == files_stamp else ""
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(content) if str(content).startswith("sha256:") else None


def remember(files_stamp: str, content: str) -> Path:
    """Keep `content`, a `sha256:...`, for a stamp; return the file it is kept in."""
    path = _path(files_stamp)
    write_text(path, json.dumps({"stamp": files_stamp, "content": content}) + "\n")
    return path


def _path(files_stamp: str) -> Path:
    return cache_folder() / "content" / f"{files_stamp[:32]}.json"
