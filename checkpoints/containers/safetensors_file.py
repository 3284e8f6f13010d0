"""safetensors files: a JSON header, then the tensors."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..container import Container
from ..errors import BadCheckpoint
from ..file_bytes import FileBytes
from ..stored import Stored, decode, itemsize_of

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
_LARGEST_HEADER = 100_000_000  # bytes: the format's own limit


def is_safetensors(path: Path, head: bytes) -> bool:
    """Return whether the file begins with a length of eight bytes and a JSON object."""
    return len(head) > 8 and head[8:9] == b"{" and head[6:8] == b"\0\0"


def read_safetensors(path: Path) -> Mapping[str, Any]:
    """Return the table of tensors; the texts of the header's metadata beside them.

    Raises:
        BadCheckpoint: cut, or its header contradicts the file.
    """
    file = FileBytes(path)
    (length,) = struct.unpack("<Q", file.slice(0, 8))
    if not 2 <= length <= min(_LARGEST_HEADER, len(file) - 8):
        raise _bad(path, f"declares a header of {length} bytes")
    try:
        header = json.loads(file.slice(8, length))
        texts = header.pop("__metadata__", {}) if isinstance(header, dict) else {}
        table = {name: _tensor(file, 8 + length, name, entry) for name, entry in header.items()}
    # RecursionError: JSON nested without end.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _bad(path, f"its header cannot be read ({error})") from error
    return {**table, **{f"metadata.{k}": v for k, v in texts.items() if isinstance(v, str)}}


def _tensor(file: FileBytes, base: int, name: str, entry: Mapping[str, Any]) -> Any:
    kind, shape = _DTYPES.get(entry["dtype"]), tuple(int(n) for n in entry["shape"])
    begin, end = entry["data_offsets"]
    if kind is None:
        return f"a tensor of {entry['dtype']}"
    wanted = math.prod(shape) * itemsize_of(kind)
    if min((*shape, begin), default=0) < 0 or end - begin != wanted:
        raise ValueError(f"{name} of shape {shape} has {end - begin} bytes")
    if base + end > len(file):
        raise ValueError(f"{name} ends {base + end - len(file)} bytes after the file")

    def load() -> np.ndarray:
        return decode(file.array(base + begin, end - begin), kind).reshape(shape)

    return Stored(shape=shape, dtype=kind, load=load)


def _bad(path: Path, found: str) -> BadCheckpoint:
    return BadCheckpoint(path, f"not a whole .safetensors file: {found}", todo="Download it again.")


CONTAINER = Container(
    matches=is_safetensors,
    open=read_safetensors,
    description="a safetensors file (.safetensors)",
    source="huggingface/safetensors: README.md, Format",
)
