"""mmengine's own checkpoints, written so that they can be read without executing anything.

torch.load refuses what is not tensors and plain values (`weights_only`, its default since 2.6),
and mmengine keeps its log in every checkpoint as `HistoryBuffer`s, which pickle their methods.
Here a buffer is written as its class and its numbers, and the class is named as safe: it only
fills two arrays. Everything else in a file is refused as before.
"""

import copyreg
from collections.abc import MutableMapping
from typing import Any

import numpy as np


def make_states_loadable() -> None:
    """Write mmengine's log as numbers from now on, and let torch's safe loading read it."""
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    copyreg.pickle(HistoryBuffer, _as_numbers)
    torch.serialization.add_safe_globals([HistoryBuffer])


def _as_numbers(buffer: Any) -> tuple[type, tuple[list[float], list[float], int]]:
    values, counts = buffer.data
    return type(buffer), (values.tolist(), counts.tolist(), buffer.max_length)


def make_plain(checkpoint: MutableMapping[str, Any]) -> None:
    """Turn NumPy's numbers among what mmengine keeps of a run into Python's, in place.

    It keeps the estimated time of arrival as one.
    """
    kept = checkpoint["message_hub"]["runtime_info"]
    for name, value in kept.items():
        if isinstance(value, np.generic):
            kept[name] = value.item()
