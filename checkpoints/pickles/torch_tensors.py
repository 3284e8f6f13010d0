"""torch's tensors in a pickle: views into storages that lie outside it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..stored import Stored, decode, itemsize_of
from .inert import Inert

# torch's class of a storage -> NumPy's name of its elements (torch/storage.py).
_STORAGES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


@dataclass(frozen=True)
class Storage:
    """One storage: its elements and where its bytes are found once the file is known."""

    dtype: str
    key: str
    count: int  # elements
    locate: Callable[[str, int], np.ndarray]  # (key, bytes) -> the bytes [n] uint8

    def elements(self) -> np.ndarray:
        """Return the elements [count]; bfloat16 as float32."""
        return decode(self.locate(self.key, self.count * itemsize_of(self.dtype)), self.dtype)


def storage_reader(locate: Callable[[str, int], np.ndarray]) -> Callable[[Any], Any]:
    """Return what a persistent id ("storage", class, key, device, count, ...) means."""

    def read(identity: Any) -> Any:
        kind, cls, key, _, count, *view = identity
        name = cls.name.rpartition(".")[2] if isinstance(cls, Inert) else ""
        if kind != "storage" or name not in _STORAGES or any(part is not None for part in view):
            return Inert(f"torch.{name or 'storage'}")
        return Storage(_STORAGES[name], str(key), int(count), locate)

    return read


def _tensor(args: tuple[Any, ...]) -> Any:
    """Return what `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)` means.

    Raises:
        ValueError: it reaches out of its storage, or repeats elements without end.
    """
    storage, offset, size, stride = args[:4]
    if not isinstance(storage, Storage):
        return Inert("torch.Tensor")
    shape, steps = tuple(map(int, size)), tuple(map(int, stride))
    if len(shape) != len(steps) or min((*shape, *steps, offset), default=0) < 0:
        raise ValueError(f"a tensor of shape {shape} with strides {steps}")
    count = math.prod(shape)
    reach = offset + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1
    # An expanded tensor (stride 0) could declare more elements than any memory holds.
    if count and (reach > storage.count or count > storage.count):
        raise ValueError(f"a tensor of shape {shape} in a storage of {storage.count} elements")

    def load() -> np.ndarray:
        elements = storage.elements()
        bytes_apart = tuple(step * elements.itemsize for step in steps)
        if not count:
            return np.zeros(shape, elements.dtype)
        return np.lib.stride_tricks.as_strided(elements[offset:], shape, bytes_apart)

    return Stored(shape=shape, dtype=storage.dtype, load=load)


def _first(args: tuple[Any, ...]) -> Any:
    return args[0]  # a Parameter or a Buffer is its data


def _subclass(args: tuple[Any, ...]) -> Any:
    # _rebuild_from_type_v2(function, type, arguments, state)
    function, _, arguments = args[:3]
    meaning = TORCH.get(function.name) if isinstance(function, Inert) else None
    return meaning(arguments) if meaning else Inert("torch.Tensor")


TORCH: Mapping[str, Callable[[tuple[Any, ...]], Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch.nn.parameter.Parameter": _first,
}
