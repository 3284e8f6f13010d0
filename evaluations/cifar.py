"""What CIFAR-10 and CIFAR-100 share: records of label bytes and three planes of pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadData
from .dataset import missing

SIDE_PX = 32
PIXEL_BYTES = 3 * SIDE_PX**2


def read_records(file: Path, label_bytes: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels [N, 32, 32, 3] uint8 and label bytes [N, label_bytes] uint8 of one file.

    Raises:
        BadData: its size is no multiple of a record's.
    """
    record = label_bytes + PIXEL_BYTES
    content = np.fromfile(file, dtype=np.uint8)
    if content.size == 0 or content.size % record:
        noun = "a label" if label_bytes == 1 else f"{label_bytes} labels"
        raise BadData(
            file,
            f"{content.size:,} bytes",
            f"a multiple of {record:,}: {noun} and 32 x 32 x 3 pixels for each image",
            "The file is truncated; fetch it again.",
        )
    rows = content.reshape(-1, record)
    planes = rows[:, label_bytes:].reshape(-1, 3, SIDE_PX, SIDE_PX)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), rows[:, :label_bytes]


def present(name: str, files: Sequence[Path]) -> Sequence[Path]:
    """Return `files` of the data set `name` if all of them are there.

    Raises:
        MissingData: one is not; the message names it.
    """
    absent = [file.name for file in files if not file.is_file()]
    if absent:
        raise missing(name, files[0].parent, f"found no {', '.join(absent)}")
    return files


def pickled(folder: Path, title: str, archive: str) -> BadData:
    """Return the refusal of a pickled python version."""
    return BadData(
        folder,
        f"the python version of {title}, which is pickled: reading it could run code",
        "the binary version",
        f"Get {archive} from https://www.cs.toronto.edu/~kriz/cifar.html.",
    )
