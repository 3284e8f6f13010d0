"""Files of predictions: what labs publish where they do not publish weights.

A user's file is .npz (arrays `labels` and `predictions` or `logits`) or .csv (a column
`label` and either `prediction`, or `prediction1`, `prediction2`, ... best first, or
`logit0`, `logit1`, ...). Pickles are never opened.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.errors import BadData, MissingData

if TYPE_CHECKING:
    import pandas as pd

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
    import pandas as pd

    heading = next(_rows(path), [])
    if not heading:
        raise BadData(path, "0 lines", f"a heading and at least one row: {_WANTED}")
    columns, logits = _columns([name.strip().lower() for name in heading], path)
    # Integers come as text: pandas would take 1.0 for one, and a label of 1.0 is a mistake.
    kinds: dict[int, type] = dict.fromkeys(columns, np.float32 if logits else str)
    kinds[columns[0]] = str
    try:
        table = pd.read_csv(
            path,
            header=None,
            skiprows=1,
            usecols=columns,
            dtype=kinds,
            index_col=False,
            skip_blank_lines=False,
            encoding="utf-8-sig",
        )
        labels = _integers(table[columns[0]])
        values = (table if logits else table.apply(_integers))[columns[1:]].to_numpy()
        # A short line reads as NaN, and so does a NaN that somebody wrote.
        if np.isnan(values).any():
            _name_bad_line(path, len(heading), columns, logits)
    except pd.errors.EmptyDataError as error:
        raise BadData(path, "1 lines", f"a heading and at least one row: {_WANTED}") from error
    except (ValueError, OverflowError) as error:
        _name_bad_line(path, len(heading), columns, logits)
        raise BadData(path, f"cannot be read as CSV ({error})", _WANTED) from error
    return labels.to_numpy(), values if values.shape[1] > 1 else values[:, 0]


def _integers(column: "pd.Series[str]") -> "pd.Series[int]":
    if not column.str.fullmatch(r"\s*[+-]?\d+\s*", na=False).all():
        raise ValueError("not all integers")
    return column.astype(np.int64)


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield from csv.reader(stream)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(path, f"cannot be read as CSV ({error})", _WANTED) from error


def _name_bad_line(path: Path, width: int, columns: Sequence[int], logits: bool) -> None:
    """Raise BadData for the first line that cannot be read; pandas does not name it."""
    label, *others = columns
    for line, row in enumerate(_rows(path), start=1):
        if len(row) != width:
            raise BadData(
                f"{path}, line {line}",
                f"{len(row)} values",
                f"{width}, one for each column of the heading",
                "The file may be truncated.",
            )
        if line > 1:
            _integer(row[label], path, line)
            for column in others:
                (_float if logits else _integer)(row[column], path, line)


def _columns(heading: Sequence[str], path: Path) -> tuple[list[int], bool]:
    """Return the column of labels and those of predictions, and whether they are logits."""
    if heading.count("label") == 1:
        label = heading.index("label")
        if "prediction" in heading:
            return [label, heading.index("prediction")], False
        for stem, first in (("prediction", 1), ("logit", 0)):
            count = sum(name.startswith(stem) for name in heading)
            names = [f"{stem}{number}" for number in range(first, first + count)]
            if count and all(name in heading for name in names):
                return [label, *map(heading.index, names)], stem == "logit"
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
