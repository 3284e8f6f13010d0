"""mmengine's own checkpoints, written and read so that nothing in them is executed.

torch's loading refuses what is not tensors and plain values (`weights_only`, its default since
2.6), and mmengine keeps its log in every checkpoint as `HistoryBuffer`s, which pickle their
methods. Here a buffer is written as its class and its numbers, and read by a loader that knows
this one class, which only fills two arrays. Everything else in a file is refused.
"""

import copyreg
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import numpy as np


def make_states_loadable() -> None:
    """Write mmengine's log as numbers from now on, and read files by torch's safe loading.

    mmengine would refuse its own files; its fork onedl-mmengine, where safe loading refuses a
    file, goes on to execute it.
    """
    from mmengine.logging.history_buffer import HistoryBuffer
    from mmengine.runner import CheckpointLoader

    copyreg.pickle(HistoryBuffer, _as_numbers)
    CheckpointLoader.register_scheme("", load_from_local, force=True)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Return what mmengine saved in a file.

    Raises:
        FileNotFoundError: there is none.
        pickle.UnpicklingError: it holds more than tensors, plain values and mmengine's log.
    """
    from mmengine.logging.history_buffer import HistoryBuffer
    from torch import serialization

    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    with serialization.safe_globals([HistoryBuffer]):
        return serialization.load(path, map_location=map_location, weights_only=True)


def make_plain(checkpoint: MutableMapping[str, Any]) -> None:
    """Turn NumPy's numbers among what mmengine keeps of a run into Python's, in place.

    It keeps the estimated time of arrival as one.
    """
    kept = checkpoint["message_hub"]["runtime_info"]
    for name, value in kept.items():
        if isinstance(value, np.generic):
            kept[name] = value.item()


def _as_numbers(buffer: Any) -> tuple[type, tuple[list[float], list[float], int]]:
    values, counts = buffer.data
    return type(buffer), (values.tolist(), counts.tolist(), buffer.max_length)
