"""A tensor in a file: its shape is known, its values are read when they are asked for.

Published files hold two to four times the weights that are wanted (target network,
optimiser). What is dropped must cost neither memory nor time, so a reader returns these
and a format passes them on; only what is kept is ever read.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

ByteOrder = Literal["<", ">"]


def itemsize_of(dtype: str) -> int:
    """Return the bytes of one element; NumPy has no name for bfloat16."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def decode(raw: np.ndarray, dtype: str, order: ByteOrder = "<") -> np.ndarray:
    """Return the elements [n] that bytes [n * itemsize] uint8 hold; bfloat16 as float32."""
    if dtype == "bfloat16":  # the upper half of a float32
        halves = raw.view(np.dtype("u2").newbyteorder(order))
        return (halves.astype(np.uint32) << 16).view(np.float32)
    return raw.view(np.dtype(dtype).newbyteorder(order))


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One tensor of a file, with its axes as a reader of the common format wants them."""

    shape: tuple[int, ...]  # as in the file
    dtype: str  # as in the file: float32, bfloat16, int64
    load: Callable[[], np.ndarray]  # the values in the file's axes; bfloat16 as float32
    axes: tuple[int, ...] | None = None  # the order in which they are wanted
    device_axis: bool = False  # the first axis is jax's device axis: take its first entry
    flat: bool = False  # drop axes of one: Haiku keeps a scale as [1, 1, 1, channels]

    @classmethod
    def of(cls, array: np.ndarray) -> "Stored":
        """Return an array that is in memory already."""
        return cls(shape=array.shape, dtype=str(array.dtype), load=lambda: array)

    @property
    def nbytes(self) -> int:
        """Bytes of the values in the file's own dtype."""
        return math.prod(self.shape) * itemsize_of(self.dtype)

    @property
    def final_shape(self) -> tuple[int, ...]:
        """The shape that `read` returns."""
        shape = self.shape[1:] if self.device_axis else self.shape
        if self.flat:
            return (math.prod(shape),)
        return shape if self.axes is None else tuple(shape[axis] for axis in self.axes)

    def transposed(self, *axes: int) -> "Stored":
        """Return the same tensor with its (final) axes in another order."""
        return replace(self, axes=tuple((self.axes or tuple(range(9)))[axis] for axis in axes))

    def first_device(self) -> "Stored":
        """Return the first entry along the leading axis: what one of several devices held."""
        return replace(self, device_axis=True)

    def flattened(self) -> "Stored":
        """Return the same tensor with a single axis."""
        return replace(self, flat=True)

    def read(self) -> np.ndarray:
        """Return the values: float32, contiguous, in the wanted axes."""
        array = self.load()
        array = array[0] if self.device_axis else array
        array = array.reshape(-1) if self.flat else array
        array = array if self.axes is None else array.transpose(self.axes)
        return np.ascontiguousarray(array, dtype=np.float32)


def hwio_to_oihw(tensor: Stored) -> Stored:
    """Return a kernel of Flax, Haiku or TensorFlow in torch's axes; [in, out] likewise."""
    rank = len(tensor.final_shape)
    if rank == 4:
        return tensor.transposed(3, 2, 0, 1)
    return tensor.transposed(1, 0) if rank == 2 else tensor


def shapes_of(tensors: Mapping[str, Stored]) -> dict[str, tuple[int, ...]]:
    """Return name -> shape, for checks that need no values."""
    return {name: tensor.final_shape for name, tensor in tensors.items()}
