"""Reading a torch or safetensors file as a flat table of tensors, running none of it."""

import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from .errors import BadCheckpoint, MissingData

# Where projects keep the table of tensors: protocols.md's survey of published files.
_TABLES = ("state_dict", "model", "resnet", "teacher")


def read_torch_file(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return (tensors by name as in the file, other plain values stored beside them).

    torch's restricted loader accepts tensors and plain containers only; a file that
    needs anything else is refused. float16 and bfloat16 become float32.

    Raises:
        MissingData: there is no such file.
        BadCheckpoint: empty, truncated, damaged, or needs code to be run.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingData(path, "there is no such file", "a checkpoint")
    stat = path.stat()
    if stat.st_size == 0:
        raise BadCheckpoint(path, "the file is empty", "a checkpoint", "Download it again.")
    tensors, others = _read(path, stat.st_mtime_ns, stat.st_size)
    return dict(tensors), dict(others)


# Detection and conversion both ask for the same file; two entries cap what is kept.
@lru_cache(maxsize=2)
def _read(path: Path, modified: int, size: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    loaded = _load_safetensors(path) if _is_safetensors(path) else _load_torch(path)
    if not isinstance(loaded, Mapping):
        raise BadCheckpoint(path, f"holds a {type(loaded).__name__}", "a table of tensors")
    table, others = _find_table(loaded)
    tensors = {name: _to_numpy(value) for name, value in table.items() if _is_tensor(value)}
    if not tensors:
        raise BadCheckpoint(
            path, f"holds no table of tensors, only {sorted(map(str, loaded))[:8]}", "a checkpoint"
        )
    return tensors, others


def _is_safetensors(path: Path) -> bool:
    # Eight bytes of header length, then a JSON object.
    with path.open("rb") as stream:
        head = stream.read(9)
    return len(head) == 9 and head[8:9] == b"{"


def _load_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(
            path, f"not a whole .safetensors file ({error})", todo="Download it again."
        ) from error


def _load_torch(path: Path) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            # It warns of pickle protocols it might not know; what it does not know, it refuses.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    # torch's readers raise what they like for damaged bytes (RuntimeError, EOFError,
    # UnpicklingError, KeyError, UnicodeDecodeError ...): all mean the same here.
    except Exception as error:
        raise BadCheckpoint(
            path,
            f"not a torch checkpoint that can be read without running its code ({_reason(error)})",
            "a file of tensors and plain containers",
            "If it should be one, download it again; if it is a pickle of objects, ask its "
            "authors for a state dict.",
        ) from error


def _reason(error: Exception) -> str:
    text = str(error)
    if found := re.search(r"GLOBAL ([\w.]+)", text):
        return f"it wants to call {found[1]}"
    # torch puts advice for its own users around the reason; ours cannot follow it.
    if isinstance(error, UnpicklingError):
        return "its bytes are not torch's, or were cut or changed"
    return text.strip().split("\n")[0][:160] or type(error).__name__


def _find_table(loaded: Mapping[Any, Any]) -> tuple[Mapping[str, Any], dict[str, Any]]:
    for key in _TABLES:
        inner = loaded.get(key)
        if isinstance(inner, Mapping) and any(_is_tensor(value) for value in inner.values()):
            others = {str(k): v for k, v in loaded.items() if isinstance(v, (int, float, str))}
            return {str(k): v for k, v in inner.items()}, others
    return {str(k): v for k, v in loaded.items()}, {}


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _to_numpy(tensor: Any) -> np.ndarray:
    import torch

    plain = tensor.detach()
    if plain.is_floating_point() and plain.dtype != torch.float64:
        plain = plain.to(torch.float32)
    array: np.ndarray = plain.contiguous().numpy()
    return array


def strip_prefixes(
    tensors: Mapping[str, np.ndarray], prefixes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return the tensors under the first of `prefixes` that has any, without it.

    With "" among the prefixes, names without any prefix are taken as they are.
    """
    for prefix in prefixes:
        inside = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
        if inside and "conv1.weight" in inside:
            return inside
    return dict(tensors)
