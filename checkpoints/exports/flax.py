"""Flax: a .msgpack of {"params", "batch_stats"} for `relicheck.pretrain.resnet.ResNet`.

google/flax: flax/serialization.py, `msgpack_restore` of which gives the tree back. Kernels
are HWIO; module names are torchvision's with `_` for `.` before a number. The manifest lies
beside the two collections as text; a head is `fc` among the parameters, which the backbone's
module does not look at. Written without Flax: the file is three kinds of byte strings.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..export_format import Export, Limits
from ..flax_names import flax_place
from ..manifest import HEADER_KEY, Manifest
from ..stored import Stored

_ARRAY = 1  # flax/serialization.py: _MsgpackExtType.ndarray


def write(tensors: Mapping[str, Stored], manifest: Manifest, output: Path) -> None:
    """Write the file; one tensor at a time is in memory."""
    tree: dict[str, Any] = {"params": {}, "batch_stats": {}}
    for name, tensor in tensors.items():
        *path, leaf = flax_place(name)
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        node[leaf] = tensor
    with output.open("wb") as stream:
        stream.writelines(_packed({**tree, HEADER_KEY: manifest.to_json()}))


def _packed(value: Any) -> Iterator[bytes]:
    if isinstance(value, str):
        text = value.encode("utf-8")
        short = len(text) < 256
        yield struct.pack(">BB" if short else ">BI", 0xD9 if short else 0xDB, len(text)) + text
    elif isinstance(value, Stored):
        yield from _array(value.read())
    else:
        yield struct.pack(">BI", 0xDF, len(value))
        for key, child in value.items():
            yield from _packed(key)
            yield from _packed(child)


def _array(values: np.ndarray) -> Iterator[bytes]:
    # Our kernels are OIHW and [out, in]; Flax's HWIO and [in, out].
    axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(values.ndim)
    values = values if axes is None else np.ascontiguousarray(values.transpose(axes))
    # Every size takes five bytes, whatever its value: shortest forms would save nothing here.
    shape = b"".join(struct.pack(">BI", 0xCE, size) for size in values.shape)
    head = struct.pack(">BB", 0x93, 0x90 | values.ndim) + shape
    head += b"\xa7float32" + struct.pack(">BI", 0xC6, values.nbytes)
    yield struct.pack(">BIb", 0xC9, len(head) + values.nbytes, _ARRAY) + head
    yield values.astype("<f4", copy=False).tobytes()


def loads_with(manifest: Manifest, output: str) -> str:
    """Return the line that gives the variables of the module."""
    return f"variables = flax.serialization.msgpack_restore(open({output!r}, 'rb').read())"


EXPORT = Export(
    write=write,
    limits=Limits(),
    is_folder=False,
    loads_with=loads_with,
    description="Flax's variables (.msgpack): msgpack_restore, for relicheck's linen module",
    source="google/flax: flax/serialization.py",
)
