"""NumPy's and jax's arrays in a pickle, as `Stored` tensors that are read on demand."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from ..stored import ByteOrder, Stored, decode, itemsize_of
from .inert import Inert
from .span import Span

_LONGEST_RANK = 16


class ArrayShell:
    """An array that `_reconstruct` began and whose BUILD has not come yet."""


class DType:
    """A NumPy dtype: its code, and the byte order that its BUILD brings."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "<"

    def build(self, state: Any) -> None:
        """Take the byte order from NumPy's pickled state (version, order, ...)."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    @property
    def name(self) -> str:
        """NumPy's name for it: float32, int64, object, bfloat16."""
        return "bfloat16" if self.code == "bfloat16" else str(np.dtype(self.code))


def dtype(args: tuple[Any, ...]) -> DType | Inert:
    """Return what `numpy.dtype(code, align, copy)` means."""
    code = args[0] if args else None
    if isinstance(code, Inert):  # a type object: ml_dtypes' bfloat16, numpy's own scalar types
        code = code.name.rpartition(".")[2]
    if isinstance(code, str) and code != "bfloat16":
        kind = np.dtype(code)
        if kind.fields is not None or kind.subdtype is not None:
            return Inert("numpy.dtype", args)
    return DType(code) if isinstance(code, str) else Inert("numpy.dtype", args)


def built_array(state: Any) -> Any:
    """Return the array of NumPy's pickled state (version, shape, dtype, is_fortran, data).

    An array of one object, as `numpy.save` writes a dict, is that object; other arrays of
    objects stay inert.

    Raises:
        ValueError: sizes do not agree.
    """
    shape, kind, fortran, data = state[-4:]
    if not isinstance(kind, DType):
        return Inert("numpy.ndarray", (shape,))
    if kind.name == "object":
        single = isinstance(data, list) and len(data) == 1 and math.prod(shape) == 1
        return data[0] if single else Inert("numpy.ndarray", (shape,))
    return _stored(shape, kind, data, fortran is True or fortran == 1)


def from_buffer(args: tuple[Any, ...]) -> Any:
    """Return what `numpy.core.numeric._frombuffer(buffer, dtype, shape, order)` means."""
    data, kind, shape, order = args
    if not isinstance(kind, DType):
        return Inert("numpy.ndarray", (shape,))
    return _stored(shape, kind, data, order == "F")


def scalar(args: tuple[Any, ...]) -> Any:
    """Return what `numpy.core.multiarray.scalar(dtype, data)` means: a plain number."""
    kind, data = args
    if not isinstance(kind, DType) or kind.name == "object":
        return Inert("numpy.generic")
    return _stored((), kind, data, False).load().item()


def _stored(shape: Any, kind: DType, data: Any, fortran: bool) -> Stored:
    shape = tuple(int(side) for side in shape)
    if len(shape) > _LONGEST_RANK or any(side < 0 for side in shape):
        raise ValueError(f"an array has shape {shape}")
    if not isinstance(data, (Span, bytes, str)):
        raise ValueError("an array has no bytes")
    wanted = math.prod(shape) * itemsize_of(kind.name)
    present = data.length if isinstance(data, Span) else len(data)
    # Latin-1 as UTF-8 takes one byte or two for each that is meant; read() checks exactly.
    loose = isinstance(data, Span) and data.kind == "latin1"
    if not (present == wanted or (loose and wanted <= present <= 2 * wanted)):
        raise ValueError(f"an array of shape {shape} has {present} bytes, not {wanted}")
    return Stored(
        shape=shape,
        dtype=kind.name,
        load=lambda: _load(shape, kind, data, fortran, wanted),
    )


def _load(
    shape: tuple[int, ...], kind: DType, data: Span | bytes | str, fortran: bool, wanted: int
) -> np.ndarray:
    if isinstance(data, str):
        data = data.encode("latin-1")
    raw = np.frombuffer(data, dtype=np.uint8) if isinstance(data, bytes) else data.read(wanted)
    order: Literal["F", "C"] = "F" if fortran else "C"
    bytes_first: ByteOrder = ">" if kind.order == ">" else "<"
    elements = decode(np.ascontiguousarray(raw), kind.name, bytes_first)
    return elements.reshape(shape, order=order)


def encode(args: tuple[Any, ...]) -> Any:
    """Return what `_codecs.encode(text, 'latin1')` means: protocol 2's way to store bytes."""
    text, *encoding = args
    if encoding not in (["latin1"], ["latin-1"]):
        return Inert("_codecs.encode", args)
    if isinstance(text, Span):
        return Span(text.file, text.start, text.length, "latin1")
    return text.encode("latin-1")


# Full name -> what a call of it means.
ARRAYS: Mapping[str, Callable[[tuple[Any, ...]], Any]] = {
    **{
        f"{package}.{function}": meaning
        for package in ("numpy.core", "numpy._core")
        for function, meaning in {
            "multiarray._reconstruct": lambda args: ArrayShell(),
            "multiarray.scalar": scalar,
            "numeric._frombuffer": from_buffer,
        }.items()
    },
    "numpy.dtype": dtype,
    "_codecs.encode": encode,
}
# Calls of (function, arguments, state, ...) that make NumPy's array and give it its state:
# jax 0.2 to 0.3 (jax/_src/device_array.py), jax since (jax/_src/array.py), and dill for every
# NumPy array (dill/_dill.py, save_numpy_array), so for BYOL's.
REBUILT = ("reconstruct_device_array", "_reconstruct_array", "_create_array")
