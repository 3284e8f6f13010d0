"""Images in Parquet files as Hugging Face keeps them: columns `image` {bytes, path}, `label`."""

import json
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .content_hashes import stamp
from .sources import Images, digest_or_sizes, from_bytes

# Decoded one after another, images come from one group of rows; threads are in two at most.
_GROUPS_IN_MEMORY = 3


def read_parquet(
    files: Sequence[Path], *, image: str = "image", label: str = "label", **rest: Any
) -> Images:
    """Return the images of Parquet files in the order of the files and rows.

    Images are read a group of rows at a time: quick one after another, slow in a random
    order, for which class folders and tars are better. Needs pyarrow, of the extra `parquet`.

    Args:
        files: in the order wanted.
        image: column of structs with a field `bytes`, or of bytes.
        label: column of whole numbers.
        rest: as `Images`, without `labels`.

    Raises:
        MissingDependency: pyarrow is not installed (from the command line; else
            ModuleNotFoundError).
        BadData: not Parquet, or other columns.
    """
    rows = _Rows(files, image)
    labels = np.concatenate([_labels(file, image, label) for file in files])

    def known_by() -> str:
        return stamp(files, ["parquet", image, label])

    return from_bytes(
        rows.read,
        rows.where,
        stamp=known_by,
        identities=[rows.identity(index) for index in range(len(labels))],
        digest=lambda: digest_or_sizes(
            [file.stat().st_size for file in files],
            known_by,
            lambda: (rows.read(index) for index in range(len(labels))),
        ),
        labels=labels,
        **rest,
    )


def class_label_names(file: Path, label: str = "label") -> tuple[str, ...]:
    """Return the names of the classes as Hugging Face keeps them in a Parquet file; (): none."""
    with _opened(file) as table:
        kept = (table.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        feature = json.loads(kept)["info"]["features"][label]
        names = feature.get("names") or []
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
    return tuple(str(name) for name in names)


class _Rows:
    """Encoded images by their number over all files."""

    def __init__(self, files: Sequence[Path], column: str) -> None:
        self._files, self._column = files, column
        # One entry per group of rows: its file and its number there.
        self._groups: list[tuple[Path, int]] = []
        sizes: list[int] = []
        for file in files:
            in_file = _group_rows(file)
            self._groups += [(file, number) for number in range(len(in_file))]
            sizes += in_file
        self._begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._lock = threading.Lock()
        self._group = lru_cache(maxsize=_GROUPS_IN_MEMORY)(self._read_group)

    def read(self, index: int) -> bytes:
        group = self._group_of(index)
        # Without the lock two threads that want one group would both read it.
        with self._lock:
            contents = self._group(group)
        content = contents[index - int(self._begins[group])]
        if content is None:
            raise BadData(self.where(index), "the row holds no image", "bytes of an image")
        return content

    def identity(self, index: int) -> str:
        group = self._group_of(index)
        file, number = self._groups[group]
        return f"{file.name}/{number}/{index - int(self._begins[group])}"

    def where(self, index: int) -> str:
        file, number = self._groups[self._group_of(index)]
        row = index - int(self._begins[self._group_of(index)])
        return f"{file}, group {number}, row {row}"

    def _group_of(self, index: int) -> int:
        return int(np.searchsorted(self._begins, index, side="right")) - 1

    def _read_group(self, group: int) -> list[bytes | None]:
        file, number = self._groups[group]
        with _opened(file) as table:
            column = table.read_row_group(number, columns=[self._column]).column(self._column)
        return list(_bytes_of(column.to_pylist()))


def _bytes_of(values: Sequence[Any]) -> Iterator[bytes | None]:
    for value in values:
        yield value.get("bytes") if isinstance(value, dict) else value


def _opened(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        raise BadData(
            file, f"not a Parquet file ({error})", "a whole Parquet file", "Fetch it again."
        ) from error


def _group_rows(file: Path) -> list[int]:
    with _opened(file) as table:
        facts = table.metadata
        return [int(facts.row_group(g).num_rows) for g in range(facts.num_row_groups)]


def _labels(file: Path, image: str, label: str) -> np.ndarray:
    with _opened(file) as table:
        names = table.schema_arrow.names
        if image not in names or label not in names:
            raise BadData(file, f"its columns are {names}", f"{image!r} and {label!r} among them")
        labels = np.asarray(table.read(columns=[label]).column(label).to_numpy())
    if not np.issubdtype(labels.dtype, np.integer):
        raise BadData(file, f"labels of type {labels.dtype}", "whole numbers, one for each row")
    return labels.astype(np.int64)
