"""Numbers computed again from what is kept beside a record: no weights, no images, no GPU.

One pure function for each metric. A metric that is not here keeps too little to be
computed again, and says so. Adding one is a line in the table.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from ..checkpoints.errors import BadData, BadRecord
from .average_precision import mean_average_precision
from .corruption_metrics import (
    corruption_error,
    mean_corruption_error,
    mean_relative_corruption_error,
    relative_corruption_error,
)
from .corruptions import SEVERITIES, TEST_CORRUPTIONS
from .metrics import mean_per_class
from .per_image import CELLS, CLEAN, CONFUSIONS, CORRECT, LABELS, SCORES, TARGETS
from .record import Record
from .splits import alexnet_errors

Arrays = Mapping[str, np.ndarray]
# Summing in another order costs the last digits of a double; percents are below 1000.
TOLERANCE = 1e-9
_MOST_CLASSES = 1_000_000


def _share(arrays: Arrays, condition: str) -> float:
    correct = arrays[CORRECT]
    return 100 * (np.count_nonzero(correct) / correct.size)


def _error(arrays: Arrays, condition: str) -> float:
    return 100 - _share(arrays, condition)


def _per_class(arrays: Arrays, condition: str) -> float:
    labels = arrays[LABELS]
    # Counting makes a row for each class up to the largest: one label could fill the memory.
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < _MOST_CLASSES:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}")
    return mean_per_class(arrays[CORRECT], labels).value


def _mean_of_cells(arrays: Arrays, condition: str) -> float:
    cells = arrays[CELLS]
    return 100 * (np.count_nonzero(cells) / cells.size)


def _errors(cells: np.ndarray, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Return the errors [fraction] at each severity by corruption, from cells [.., N]."""
    by_corruption = cells.reshape(len(names), len(SEVERITIES), -1)
    return dict(zip(names, (1 - by_corruption.mean(axis=2)).tolist(), strict=True))


def _ce(arrays: Arrays, condition: str) -> float:
    errors = _errors(arrays[CELLS], (condition,))
    return corruption_error(errors[condition], alexnet_errors()[condition])


def _rce(arrays: Arrays, condition: str) -> float:
    errors, clean = _errors(arrays[CELLS], (condition,)), 1 - float(arrays[CLEAN].mean())
    return relative_corruption_error(errors[condition], clean, alexnet_errors()[condition])


def _mce(arrays: Arrays, condition: str) -> float:
    return mean_corruption_error(_errors(arrays[CELLS], TEST_CORRUPTIONS), TEST_CORRUPTIONS)


def _mrce(arrays: Arrays, condition: str) -> float:
    errors, clean = _errors(arrays[CELLS], TEST_CORRUPTIONS), 1 - float(arrays[CLEAN].mean())
    return mean_relative_corruption_error(errors, clean, TEST_CORRUPTIONS)


def _map_11_point(arrays: Arrays, condition: str) -> float:
    return mean_average_precision(arrays[SCORES], arrays[TARGETS], resamples=0).value


def _miou(arrays: Arrays, condition: str) -> float:
    from .segmentation.scores import mean_iou

    return 100 * float(mean_iou(arrays[CONFUSIONS].sum(axis=0)))


# metric -> the arrays that it needs, and its value in the record's unit from them and the
# record's condition
RECOMPUTED: dict[str, tuple[tuple[str, ...], Callable[[Arrays, str], float]]] = {
    "top1": ((CORRECT,), _share),
    "top5": ((CORRECT,), _share),
    "real_top1": ((CORRECT,), _share),
    "real_top5": ((CORRECT,), _share),
    "top1_error": ((CORRECT,), _error),
    "mean_per_class": ((CORRECT, LABELS), _per_class),
    "mean_corruption_top1": ((CELLS,), _mean_of_cells),
    "ce": ((CELLS,), _ce),
    "rce": ((CELLS, CLEAN), _rce),
    "mce": ((CELLS,), _mce),
    "mrce": ((CELLS, CLEAN), _mrce),
    "map_11_point": ((SCORES, TARGETS), _map_11_point),
    "miou": ((CONFUSIONS,), _miou),
}


def can_recompute(record: Record) -> bool:
    """Return whether the record keeps what its number is computed from."""
    kept = {*record.arrays_sha256, *((CORRECT,) if record.correct_sha256 else ())}
    return record.metric in RECOMPUTED and set(RECOMPUTED[record.metric][0]) <= kept


def recompute(record: Record, arrays: Arrays) -> float:
    """Return the number of `record`, in its unit, from what is kept beside it.

    Raises:
        BadRecord: the metric is not computed again here, an array that it needs is not
            there or has another shape, or it is of another number of images.
    """
    where = f"record {record.id}"
    if record.metric not in RECOMPUTED:
        raise BadRecord(
            where,
            f"{record.metric} is not computed again from answers per image",
            f"one of {', '.join(sorted(RECOMPUTED))}",
        )
    for name, array in arrays.items():
        images = array.shape[-1 if name == CELLS else 0] if array.ndim else 0
        if name in _OF_IMAGES and images != record.images:
            raise BadRecord(where, f"{name} of {images} images", f"{record.images} images")
    try:
        return float(RECOMPUTED[record.metric][1](arrays, record.condition))
    except (*_IMPOSSIBLE, BadData) as error:
        raise BadRecord(
            where,
            f"{record.metric} cannot be computed from {', '.join(arrays) or 'nothing'} ({error})",
            "the arrays that its evaluator keeps",
        ) from error


# What arithmetic says to arrays of other types and shapes than an evaluator keeps.
_IMPOSSIBLE = (KeyError, ValueError, IndexError, TypeError, ArithmeticError, MemoryError)
_OF_IMAGES = (CORRECT, LABELS, CELLS, CLEAN, SCORES, TARGETS, CONFUSIONS)


def agrees(record: Record, value: float) -> bool:
    """Return whether `value`, computed again, is the record's number."""
    return math.isfinite(value) and abs(value - record.value) <= TOLERANCE * max(1.0, abs(value))
