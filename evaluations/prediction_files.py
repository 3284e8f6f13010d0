"""Files of predictions: what labs publish where they do not publish weights.

A user's file is .npz (arrays `labels` and `predictions` or `logits`) or .csv (a column
`label` and either `prediction`, or `prediction1`, `prediction2`, ... best first, or
`logit0`, `logit1`, ...). Pickles are never opened.
"""

import csv
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData, MissingData

_WANTED = (
    "columns label and prediction, or label and prediction1 to predictionK (best first), "
    "or label and logit0 to logitC"
)


def read_predictions(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return labels [N] int64 and predictions: [N] or [N, k] integers, or [N, C] logits.

    Raises:
        MissingData: there is no such file.
        BadData: not a whole file of a known layout; the message says what was found.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingData(path, "there is no such file", "a .npz or .csv of predictions")
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _from_npz(path)
    if suffix == ".csv":
        return _from_csv(path)
    raise BadData(path, f"a file of kind {suffix or 'unknown'!r}", "a .npz or .csv file")


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file by name; None: all of them.

    Raises:
        BadData: truncated, not an archive, or an array that needs unpickling.
    """
    try:
        # Opened here: np.load leaves its own handle open when the archive is truncated.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            wanted = archive.files if names is None else names
            return {name: archive[name] for name in wanted if name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise BadData(
            path,
            f"not a whole .npz archive of plain arrays ({error})",
            "numbers only, as np.savez writes them",
            "Fetch or write it again.",
        ) from error


def _from_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    arrays = read_arrays(path)
    given = [name for name in ("predictions", "logits") if name in arrays]
    if "labels" not in arrays or len(given) != 1:
        raise BadData(
            path,
            f"arrays {', '.join(sorted(arrays)) or 'none'}",
            "labels and one of predictions and logits",
        )
    values = arrays[given[0]]
    if given[0] == "logits":
        values = values.astype(np.float32, copy=False)
    return integers(arrays["labels"], path, "labels"), values


def integers(values: np.ndarray, where: object, what: str) -> np.ndarray:
    """Return `values` as int64.

    Raises:
        BadData: they are not of an integer type: rounding labels would hide a mistake.
    """
    if not np.issubdtype(values.dtype, np.integer):
        raise BadData(where, f"{what} of type {values.dtype}", f"integer {what}")
    return values.astype(np.int64)


def _from_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(path, f"cannot be read as CSV ({error})", _WANTED) from error
    if len(rows) < 2:
        raise BadData(path, f"{len(rows)} lines", f"a heading and at least one row: {_WANTED}")
    heading = [name.strip().lower() for name in rows[0]]
    columns, logits = _columns(heading, path)
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(heading):
            raise BadData(
                f"{path}, line {line}",
                f"{len(row)} values",
                f"{len(heading)}, one for each column of the heading",
                "The file may be truncated.",
            )
    label = heading.index("label")
    labels = [_integer(row[label], path, line) for line, row in enumerate(rows[1:], start=2)]
    read = _float if logits else _integer
    table = [
        [read(row[column], path, line) for column in columns]
        for line, row in enumerate(rows[1:], start=2)
    ]
    values = np.array(table, dtype=np.float32 if logits else np.int64)
    return np.array(labels, np.int64), values if len(columns) > 1 else values[:, 0]


def _columns(heading: Sequence[str], path: Path) -> tuple[list[int], bool]:
    """Return the columns that hold predictions, in order, and whether they are logits."""
    if heading.count("label") == 1:
        if "prediction" in heading:
            return [heading.index("prediction")], False
        for stem, first in (("prediction", 1), ("logit", 0)):
            count = sum(name.startswith(stem) for name in heading)
            names = [f"{stem}{number}" for number in range(first, first + count)]
            if count and all(name in heading for name in names):
                return [heading.index(name) for name in names], stem == "logit"
    raise BadData(path, f"columns {', '.join(heading)}", _WANTED)


def _integer(text: str, path: Path, line: int) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadData(f"{path}, line {line}", f"{text!r}", "an integer class index") from error


def _float(text: str, path: Path, line: int) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadData(f"{path}, line {line}", f"{text!r}", "a logit") from error
